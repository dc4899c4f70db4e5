"""Settings of a pretraining run as dataclasses; `RunSettings` and flags as in `trainer.config`.

Imports no torch.
"""

from dataclasses import dataclass
from pathlib import Path

from ner_core.command_line import number_between
from trainer.config import RunSettings, StepSettings, flag

# Plain text, a sentence or a paragraph in each line.
TEXT_SUFFIXES = (".txt", ".txt.xz")
ANNOTATIONS_PREFIX = "annotations="
# A new encoder's size where no flag says: the smallest that the issue of small encoders aims at.
NEW_ENCODER = {"num_layers": 6, "hidden_size": 256, "dropout": 0.1}
DEFAULT_WINDOW_TOKENS = 128

_COUNT = number_between(int, 1, 1_000_000)
_FRACTION = number_between(float, 0.0, 0.5, above_low=True)


@dataclass(frozen=True, slots=True)
class CorpusSettings:
    """What to learn from.

    Attributes:
        texts: Files, or `annotations=` and a database file or URL.
        silver_labels: BIO files of `trainer.silver_labels`, read as text too.
        notes: Lines for the card: sources and licences, in the user's words.
        prepared: Where the corpus is kept as numbers, to be used again; None keeps it within the
            run's directory, and no longer than that.
        held_out_fraction: Share of the sentences that is never trained on, chosen by their hash.
        min_count: Rarer characters do not get into the vocabulary.
        window_tokens: Length of a row, [CLS] and [SEP] included; None: 128, or all that the encoder
            has positions for where that is less.
        is_packed: Whether several lines share a row.
        num_workers: Processes that find word borders.
    """

    texts: tuple[str, ...]
    silver_labels: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    prepared: Path | None = None
    held_out_fraction: float = 0.005
    min_count: int = 2
    window_tokens: int | None = None
    is_packed: bool = True
    num_workers: int = 1


DEFAULT_CORPUS = CorpusSettings(texts=())


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderSettings:
    """What to pretrain: a new encoder, or one to go on with. See `trainer.pretraining_model`.

    Attributes:
        encoder: Directory or Hub id to continue from; None begins with random weights.
        encoder_config: Directory or Hub id whose `config.json` describes a new encoder.
        num_layers: Of a new BERT.
        hidden_size: Its width.
        num_heads: Attention heads; None: one for each 64 of the width, as BERT has them.
        intermediate_size: Width between the two halves of a layer; None: four times the width.
        dropout: Probability in the encoder, also of one that is continued. None: a new one's 0.1;
            an older one keeps its own.
    """

    encoder: str | None = flag(
        str, "directory or Hub id of an encoder to continue (domain adaptation)", default=None
    )
    encoder_config: str | None = flag(
        str, "directory or Hub id whose config.json a new encoder has", default=None
    )
    num_layers: int | None = flag(
        number_between(int, 1, 96), "transformer layers of a new BERT (default: 6)", default=None
    )
    hidden_size: int | None = flag(
        number_between(int, 8, 8192), "width of a new BERT (default: 256)", default=None
    )
    num_heads: int | None = flag(
        number_between(int, 1, 256), "attention heads (default: width / 64)", default=None
    )
    intermediate_size: int | None = flag(
        number_between(int, 8, 65_536), "width inside a layer (default: 4 x width)", default=None
    )
    dropout: float | None = flag(
        number_between(float, 0.0, 0.9),
        "probability in the encoder (default: 0.1, or the continued encoder's own)",
        default=None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainingSettings(StepSettings):
    """How to pretrain.

    Attributes:
        epochs: Passes over the corpus; a fraction ends within one.
        steps: Optimizer steps; counts instead of `epochs` when given.
        batch_size: Rows in one forward pass, over all processes.
        accumulation: Forward passes summed into one optimizer step.
        learning_rate: Peak rate. 5e-4 suits widths up to 512 (ELECTRA-small, Clark et al. 2020); to
            continue a BERT-base take 5e-5.
        warmup_fraction: Share of all steps in which the rate rises to its peak; behind it the rate
            falls to zero along a cosine.
        mask_fraction: Share of the characters that is masked, by whole words. 0.15, as BERT.
        silver_weight: Of the loss on silver labels, beside that of the masks. Chosen, not measured.
        keep_head: Write a tagger that knows the silver labels, not the encoder alone.
        evaluations: How often the held-out text is read, over the whole run.
        evaluation_rows: How much of it is read.
    """

    epochs: float = flag(
        number_between(float, 0.0, 100_000.0, above_low=True),
        "passes over the corpus",
        default=10.0,
    )
    steps: int | None = flag(
        number_between(int, 1, 1_000_000_000), "optimizer steps, instead of --epochs", default=None
    )
    batch_size: int = flag(_COUNT, "rows of --window-tokens, over all processes", default=64)
    accumulation: int = flag(_COUNT, "batches in one optimizer step", default=1)
    learning_rate: float = flag(number_between(float, 0.0, 1.0), "peak rate", default=5e-4)
    warmup_fraction: float = flag(
        number_between(float, 0.0, 1.0), "share of all steps", default=0.05
    )
    mask_fraction: float = flag(_FRACTION, "of the characters, by whole words", default=0.15)
    silver_weight: float = flag(
        number_between(float, 0.0, 1000.0), "of the loss on --silver-labels", default=1.0
    )
    keep_head: bool = flag(None, "write a tagger of the silver labels", default=False)
    evaluations: int = flag(
        number_between(int, 1, 100_000), "on held-out text, over the run", default=20
    )
    evaluation_rows: int = flag(
        number_between(int, 1, 10_000_000), "of held-out text at most", default=512
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a pretraining run.

    Attributes:
        corpus: What to learn from.
        encoder: What to pretrain.
        pretraining: How.
        run: Where, and what to leave behind.
    """

    corpus: CorpusSettings
    encoder: EncoderSettings
    pretraining: PretrainingSettings
    run: RunSettings
