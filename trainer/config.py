"""Settings of a fine-tuning run as dataclasses.

A setting is declared once: its field carries the type, default and help of its flag, which
`trainer.flags` makes from it. Imports no torch.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ner_core.command_line import number_between
from ner_core.labels import LabelSet

SOURCE_NAMES = ("cluener", "msra", "conll", "annotations")
# Written out, since ner_core.models imports torch; a test holds the two together.
ARCHITECTURES = ("bert-softmax", "bert-crf", "bert-bilstm-crf", "bert-tcn-crf")
DEFAULT_ENCODER = "hfl/chinese-bert-wwm-ext"

_COUNT = number_between(int, 1, 1_000_000)
_RATE = number_between(float, 0.0, 1.0)


def flag(kind: Callable[[str], Any] | None, help_text: str, **more: Any) -> Any:
    """A field that is a flag of the same name. Without a default the recipe has it."""
    default = {"default": more.pop("default")} if "default" in more else {}
    return field(**default, metadata={"type": kind, "help": help_text, **more})


@dataclass(frozen=True, slots=True)
class DataSource:
    """A named data source, on the command line `NAME=PATH`.

    Attributes:
        name: One of `SOURCE_NAMES`; it decides the format and the label set.
        path: A file, or for `annotations` a database file or URL.
    """

    name: str
    path: str

    @classmethod
    def parse(cls, argument: str) -> "DataSource":
        """Read `NAME=PATH`.

        Raises:
            argparse.ArgumentTypeError: There is no `=`, no path, or no such name.
        """
        name, separator, path = argument.partition("=")
        if not separator or not path or name not in SOURCE_NAMES:
            raise argparse.ArgumentTypeError(
                f"expected NAME=PATH with a name of {', '.join(SOURCE_NAMES)}, got {argument!r}"
            )
        return cls(name, path)


@dataclass(frozen=True, slots=True)
class DataSettings:
    """What to learn from.

    Attributes:
        train: Sources, in one label set or mapped to it.
        dev: Where to select the best epoch; None carves it off the training data.
        dev_fraction: Share of each source when `dev` is None: the end of a file; of an annotation
            database, texts chosen by `trainer.held_out`. A tenth, as usual.
        labels: The label set; None takes the first source's.
        maps: For sources in another label set: source name -> its label -> the run's labels that it
            may stand for, or `O` alone for none of them. See `ner_core.label_map`.
        weights: How often an epoch reads a source, by its name; 1 where nothing is said.
        allow_shared_texts: Train even if dev holds texts of the training data.
    """

    train: tuple[DataSource, ...]
    dev: DataSource | None
    dev_fraction: float
    labels: LabelSet | None
    maps: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    allow_shared_texts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """What to train.

    Attributes:
        encoder: Directory or Hub id of an encoder, or of a checkpoint to continue from. The default
            is the reference report's.
        architecture: One of `ARCHITECTURES`.
        context_hidden_size: Width of the context layer in each direction; None: half the encoder's,
            so that the context layer hands on as many features as it got.
        context_num_layers: BiLSTM layers or TCN levels; None: one or three, as in the report.
        dropout: Probability around the context layer; the encoder keeps its own. From the recipe:
            0.1 for a large encoder, 0.5 where everything is learned from the training data.
        freeze_encoder: Leave the encoder as it is and train the rest.
        freeze_layers: Leave the embeddings and this many of the first layers as they are.
    """

    encoder: str = flag(
        str, "directory or Hub id of an encoder or checkpoint", default=DEFAULT_ENCODER
    )
    architecture: str = flag(None, "the tagger", default="bert-bilstm-crf", choices=ARCHITECTURES)
    context_hidden_size: int | None = flag(
        number_between(int, 1, 8192),
        "width of BiLSTM or TCN in each direction (default: half the encoder's)",
        default=None,
    )
    context_num_layers: int | None = flag(
        number_between(int, 1, 12),
        "BiLSTM layers (default 1) or TCN levels (default 3)",
        default=None,
    )
    dropout: float = flag(number_between(float, 0.0, 0.9), "probability around the context layer")
    freeze_encoder: bool = flag(None, "train all but the encoder", default=False)
    freeze_layers: int = flag(
        number_between(int, 0, 100),
        "train neither the embeddings nor this many of the first layers; 0: train all",
        default=0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSettings:
    """How an optimizer step is computed, of whichever model.

    Attributes:
        weight_decay: Of all weight matrices but a CRF's. 0.01, as BERT was trained.
        max_gradient_norm: Gradients are clipped to this norm. One, as BERT was trained.
        precision: Of the encoder and the context layer in training: `auto` takes bf16 on a card
            that has it and fp32 elsewhere; the CRF always sums in fp64. bf16 also runs on
            processors that have instructions for it, some 1.5 times as fast as fp32.
        activation_checkpointing: Compute the encoder's activations again in the backward pass: a
            third more time, much less memory.
        compile: Let torch.compile fuse the encoder; a minute or more at the start.
        seed: Draws initial weights, masks, dropout and the order of batches.
    """

    weight_decay: float = flag(_RATE, "of weight matrices", default=0.01)
    max_gradient_norm: float = flag(
        number_between(float, 0.0, 1000.0, above_low=True), "clip", default=1.0
    )
    precision: str = flag(
        None,
        "auto: bf16 where the card has it, else fp32",
        default="auto",
        choices=("auto", "fp32", "bf16", "fp16"),
    )
    activation_checkpointing: bool = flag(None, "less memory, a third more time", default=False)
    compile: bool = flag(None, "use torch.compile", default=False)
    seed: int = flag(number_between(int, 0, 2**32 - 1), "of everything random", default=42)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizationSettings(StepSettings):
    """How to train. Settings without a reason here are the recipe's: see `trainer.recipes`.

    Attributes:
        epochs: Passes over the training data at most.
        patience: Epochs without a better dev F1 after which training stops.
        batch_size: Windows in one forward pass, over all processes. The rest of an epoch is spread
            over its batches.
        accumulation: Forward passes summed into one optimizer step. One: more only saves memory.
        encoder_learning_rate: Peak rate of the encoder's last layer.
        layer_decay: Each encoder layer learns at this share of the rate of the layer above it. One,
            none: the published recipes do without; 0.9 to 0.95 is usual (Clark et al. 2020).
        head_learning_rate: Peak rate of context layer and classifier.
        crf_learning_rate: Peak rate of the transitions: 30 to 100 times the encoder's lets them
            keep up with emissions that a pretrained encoder makes confident early.
        warmup_fraction: Share of all steps in which the rates rise to their peaks. A tenth, as BERT
            was trained: Adam's first steps know little of the gradients' scale.
        ema_decay: Per step, of the averaged weights that are evaluated and saved; 0 saves the
            weights themselves.
        fgm_epsilon: Length of the adversarial step on the character embeddings (Miyato et al. 2017,
            https://arxiv.org/abs/1605.07725); doubles the time. 0, none: see the README's results.
        r_drop_alpha: Weight of the disagreement between two forward passes with different dropout
            (Liang et al. 2021, https://arxiv.org/abs/2106.14448); doubles the time. 0: none.
        label_smoothing: Probability spread over all tags, for softmax. 0: it blurs probabilities.
        mention_replacement: Probability that a mention gives way to another one of its label, drawn
            anew in each epoch; see `trainer.mention_replacement`. 0: none.
    """

    epochs: int = flag(_COUNT, "at most")
    patience: int = flag(_COUNT, "epochs without a better dev F1")
    batch_size: int = flag(_COUNT, "windows, over all processes")
    accumulation: int = flag(_COUNT, "batches in one optimizer step", default=1)
    encoder_learning_rate: float = flag(_RATE, "peak rate")
    layer_decay: float = flag(
        number_between(float, 0.0, 1.0, above_low=True),
        "rate of an encoder layer, as a share of that of the layer above; 1: the same",
        default=1.0,
    )
    head_learning_rate: float = flag(_RATE, "peak rate")
    crf_learning_rate: float = flag(_RATE, "peak rate")
    warmup_fraction: float = flag(_RATE, "share of all steps", default=0.1)
    ema_decay: float = flag(
        number_between(float, 0.0, 0.99999), "per step, of averaged weights; 0: none"
    )
    fgm_epsilon: float = flag(
        number_between(float, 0.0, 100.0),
        "length of the adversarial step on the embeddings; 0: none",
        default=0.0,
    )
    r_drop_alpha: float = flag(
        number_between(float, 0.0, 100.0),
        "weight of the agreement of two dropouts; 0: none",
        default=0.0,
    )
    label_smoothing: float = flag(
        number_between(float, 0.0, 0.9), "for bert-softmax; 0: none", default=0.0
    )
    mention_replacement: float = flag(
        number_between(float, 0.0, 1.0),
        "probability that a mention gives way to another one of its label; 0: none",
        default=0.0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """Where to train, and what to leave behind.

    Attributes:
        output: The checkpoint directory to write; must not exist yet.
        device: "auto", "cpu" or "cuda".
        half_precision: Store encoder and context weights as float16.
        save_every_s: Seconds between two saves of the run's state; the end of an epoch always
            saves. Ten minutes: a save of BERT with its optimizer writes more than a gigabyte.
        restart: Throw away what an unfinished run left in `OUTPUT.run` and begin anew.
        tensorboard: Write TensorBoard events to `tensorboard/`.
        dry_run: Take two steps, evaluate once, say what the whole run would cost, write nothing.
    """

    output: Path = flag(  # noqa: RUF009  (makes a field, no default value)
        Path, "checkpoint directory to write", required=True
    )
    device: str = flag(None, "where", default="auto", choices=("auto", "cpu", "cuda"))
    half_precision: bool = flag(None, "store weights as float16", default=False)
    save_every_s: float = flag(
        number_between(float, 0.0, 86_400.0),
        "seconds between two saves of an unfinished run",
        default=600.0,
    )
    restart: bool = flag(None, "discard an unfinished run of this output", default=False)
    tensorboard: bool = flag(None, "write TensorBoard events too", default=False)
    dry_run: bool = flag(None, "two steps and one evaluation; writes nothing", default=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a run.

    Attributes:
        data: What to learn from.
        model: What to train.
        optimization: How to train.
        run: Where to train, and what to leave behind.
        recipe: Name of the recipe that filled in what no flag said.
    """

    data: DataSettings
    model: ModelSettings
    optimization: OptimizationSettings
    run: RunSettings
    recipe: str
