"""What the training benchmark trains: taggers of several sizes on CLUENER's sentences, or such.

What stands in a sentence does not matter to the time that a step takes; how long it is does, and
how unequal the sentences of a batch are. Without a file they are made up, as long as CLUENER's.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.reference_loop import WIDTH
from ner_core.formats import read_cluener, write_cluener
from ner_core.labels import CLUENER
from ner_core.preprocessing import build_vocabulary
from ner_core.spans import Example, Span
from trainer.config import Settings
from trainer.encoder_directory import write_encoder
from trainer.flags import parse_settings
from trainer.new_encoder import make_encoder
from trainer.recipes import read_encoder_config

# Characters of the sentences of CLUENER2020's train set: the quantiles at 0, 5, 10, ..., 100 %.
# Their mean is 37.4.
LENGTH_QUANTILES = (
    *(2, 15, 20, 24, 29, 32, 35, 37, 38, 39, 41),
    *(42, 43, 44, 45, 46, 47, 48, 49, 49, 50),
)
# About as many as there are in a vocabulary of CLUENER's characters.
_CHARACTERS = [chr(0x4E00 + number) for number in range(4000)]
_MENTION_CHARACTERS = 4
# The trainer needs some; evaluation is not timed.
_NUM_DEV_SENTENCES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSize:
    """A tagger to measure on: always a BiLSTM under a CRF, with random weights.

    Attributes:
        hidden_size: Width of the encoder.
        num_layers: Its transformer layers.
        encoder_dropout: Probability in the encoder.
        flags: The trainer's, for the context layer.
    """

    hidden_size: int
    num_layers: int
    encoder_dropout: float = 0.1
    flags: tuple[str, ...] = ()


MODEL_SIZES = {
    "small-bilstm": ModelSize(
        hidden_size=200,
        num_layers=0,
        encoder_dropout=0.2,
        flags=("--context-hidden-size", "256", "--context-num-layers", "2"),
    ),
    "small-bert": ModelSize(hidden_size=312, num_layers=4),
    "bert-base": ModelSize(hidden_size=768, num_layers=12),
}


@dataclass(frozen=True, slots=True)
class Task:
    """What is trained on what.

    Attributes:
        name: Of the model's size.
        examples: The sentences.
        flags: The trainer's command line but for `--output`: two epochs, so that the second can be
            timed, by the recipe for the encoder.
    """

    name: str
    examples: tuple[Example, ...]
    flags: tuple[str, ...]

    @property
    def num_characters(self) -> int:
        """Of all sentences."""
        return sum(len(example.text) for example in self.examples)

    def settings(self, output: Path, *further_flags: str) -> Settings:
        """The settings that the trainer takes from the flags."""
        flags = [*self.flags, *further_flags, "--output", str(output)]
        return parse_settings(flags, read_encoder_config)


def write_task(
    directory: Path, name: str, examples: Sequence[Example], *, batch_size: int | None
) -> Task:
    """Write what the trainer reads: an encoder with random weights and the sentences.

    Args:
        directory: Where to; must not exist yet.
        name: One of `MODEL_SIZES`.
        examples: The sentences; their characters are the vocabulary.
        batch_size: Sentences in a batch; None takes the recipe's.
    """
    size = MODEL_SIZES[name]
    tokens = build_vocabulary(example.text for example in examples)
    encoder = make_encoder(
        tokens,
        hidden_size=size.hidden_size,
        num_layers=size.num_layers,
        max_positions=WIDTH,
        dropout=size.encoder_dropout,
        vectors={},
        seed=0,
    )
    directory.mkdir()
    write_encoder(encoder, tokens, directory / "encoder")
    write_cluener(directory / "train.json", examples)
    write_cluener(directory / "dev.json", examples[:_NUM_DEV_SENTENCES])
    flags = (
        *("--train", f"cluener={directory / 'train.json'}"),
        *("--dev", f"cluener={directory / 'dev.json'}", "--allow-shared-texts"),
        *("--encoder", str(directory / "encoder"), "--architecture", "bert-bilstm-crf"),
        *(*size.flags, "--epochs", "2", "--patience", "2"),
        *(("--batch-size", str(batch_size)) if batch_size else ()),
    )
    return Task(name, tuple(examples), flags)


def make_sentences(num_sentences: int) -> list[Example]:
    """Random Chinese characters with two mentions where they fit, always the same ones."""
    generator = random.Random(0)
    return [_make_sentence(generator) for _ in range(num_sentences)]


def _make_sentence(generator: random.Random) -> Example:
    position = generator.random() * (len(LENGTH_QUANTILES) - 1)
    below, share = int(position), position % 1
    low, high = LENGTH_QUANTILES[below : below + 2]
    num_characters = round(low + share * (high - low))
    text = "".join(generator.choices(_CHARACTERS, k=num_characters))
    half = num_characters // 2
    starts = (0, half) if half >= _MENTION_CHARACTERS else ()
    labels = generator.choices(CLUENER.labels, k=len(starts))
    spans = (
        Span(start, start + _MENTION_CHARACTERS, label)
        for start, label in zip(starts, labels, strict=True)
    )
    return Example("", text, tuple(spans))


def read_sentences(path: Path, num_sentences: int) -> list[Example]:
    """Sentences drawn from a CLUENER file, always the same ones; all when there are no more.

    Raises:
        ValueError: The file is damaged or holds no sentence.
        OSError: The file cannot be read.
    """
    examples: Sequence[Example] = read_cluener(path, labels=CLUENER).examples
    examples = [example for example in examples if example.text]
    if not examples:
        raise ValueError(f"expected sentences, got none (in {path})")
    # Not the first ones: a file may be sorted.
    return random.Random(0).sample(examples, min(num_sentences, len(examples)))
