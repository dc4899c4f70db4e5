"""Settings of a fine-tuning run as dataclasses, and the command line that fills them.

Imports no torch, so that `--help` and a wrong flag answer at once.
"""

import argparse
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from ner_core.command_line import CommandLineParser, number_between
from ner_core.labels import LabelSet

PROG = "python -m trainer.finetune"
SOURCE_NAMES = ("cluener", "msra", "conll", "annotations")
# Written out, since ner_core.models imports torch; a test holds the two together.
ARCHITECTURES = ("bert-softmax", "bert-crf", "bert-bilstm-crf", "bert-tcn-crf")
DEFAULT_ENCODER = "hfl/chinese-bert-wwm-ext"

_COUNT = number_between(int, 1, 1_000_000)
_SomeSettings = TypeVar("_SomeSettings", "ModelSettings", "OptimizationSettings")


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
        train: Sources, all of one label set.
        dev: Where to select the best epoch; None carves it off the end of the training data.
        dev_fraction: Share of the training examples, from the end, when `dev` is None.
        labels: The label set; None takes the first source's.
    """

    train: tuple[DataSource, ...]
    dev: DataSource | None
    dev_fraction: float
    labels: LabelSet | None


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """What to train.

    Attributes:
        encoder: Directory or Hub id of an encoder, or of a checkpoint to continue from.
        architecture: One of `ARCHITECTURES`.
        context_hidden_size: Width of the context layer in each direction; None: half the encoder's.
        context_num_layers: BiLSTM layers or TCN levels; None: one or three.
        dropout: Probability around the context layer.
        freeze_encoder: Leave the encoder as it is and train the rest.
    """

    encoder: str
    architecture: str
    context_hidden_size: int | None
    context_num_layers: int | None
    dropout: float
    freeze_encoder: bool


@dataclass(frozen=True, slots=True)
class OptimizationSettings:
    """How to train.

    Attributes:
        epochs: Passes over the training data at most.
        patience: Epochs without a better dev F1 after which training stops.
        batch_size: Windows in one forward pass, over all processes.
        accumulation: Forward passes summed into one optimizer step.
        encoder_learning_rate: Peak rate of the encoder.
        head_learning_rate: Peak rate of context layer and classifier.
        crf_learning_rate: Peak rate of the transitions: 30 to 100 times the encoder's lets them
            keep up with emissions that a pretrained encoder makes confident early.
        weight_decay: Of all weight matrices but the CRF's.
        warmup_fraction: Share of all steps in which the rates rise to their peaks.
        max_gradient_norm: Gradients are clipped to this norm.
        ema_decay: Per step, of the averaged weights that are evaluated and saved; 0 saves the
            weights themselves.
        seed: Draws initial weights, dropout and the order of batches.
    """

    epochs: int
    patience: int
    batch_size: int
    accumulation: int
    encoder_learning_rate: float
    head_learning_rate: float
    crf_learning_rate: float
    weight_decay: float
    warmup_fraction: float
    max_gradient_norm: float
    ema_decay: float
    seed: int


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a run.

    Attributes:
        data: What to learn from.
        model: What to train.
        optimization: How to train.
        output: The checkpoint directory to write; must not exist yet.
        device: "auto", "cpu" or "cuda".
        half_precision: Store encoder and context weights as float16.
    """

    data: DataSettings
    model: ModelSettings
    optimization: OptimizationSettings
    output: Path
    device: str
    half_precision: bool


def parse_settings(arguments: list[str] | None = None) -> Settings:
    """Read the command line; on a wrong flag print one line and exit with status 2."""
    parser = _build_parser()
    given = parser.parse_args(arguments)
    try:
        labels = None if given.labels is None else LabelSet(tuple(given.labels.split(",")))
    except ValueError as error:
        parser.error(f"argument --labels: {error}")
    return Settings(
        data=DataSettings(tuple(given.train), given.dev, given.dev_fraction, labels),
        model=_fill(ModelSettings, given),
        optimization=_fill(OptimizationSettings, given),
        output=given.output,
        device=given.device,
        half_precision=given.half_precision,
    )


def _fill(settings_class: type[_SomeSettings], given: argparse.Namespace) -> _SomeSettings:
    """Settings whose fields are all flags of the same name."""
    names = (field.name for field in fields(settings_class))
    return settings_class(**{name: getattr(given, name) for name in names})


def _build_parser() -> CommandLineParser:
    parser = CommandLineParser(
        PROG,
        "Fine-tune a tagger, alone or under torchrun (torchrun --nproc-per-node N -m"
        " trainer.finetune).",
    )
    source: dict[str, Any] = {"type": DataSource.parse, "metavar": "NAME=PATH"}
    data = parser.add_argument_group("data")
    data.add_argument(
        "--train",
        action="append",
        required=True,
        **source,
        help=f"training data, repeatable; NAME is one of {', '.join(SOURCE_NAMES)}",
    )
    data.add_argument("--dev", **source, help="data on which the best epoch is chosen")
    data.add_argument(
        "--dev-fraction",
        type=number_between(float, 0.0, 0.5, above_low=True),
        default=0.1,
        help="share of the training examples, from the end, that serves as dev without --dev",
    )
    data.add_argument("--labels", metavar="A,B,...", help="label set (default: the first source's)")

    model = parser.add_argument_group("model")
    model.add_argument(
        "--encoder", default=DEFAULT_ENCODER, help="directory or Hub id of an encoder or checkpoint"
    )
    model.add_argument(
        "--architecture", choices=ARCHITECTURES, default="bert-bilstm-crf", help="the tagger"
    )
    model.add_argument(
        "--context-hidden-size",
        type=number_between(int, 1, 8192),
        help="width of BiLSTM or TCN in each direction (default: half the encoder's)",
    )
    model.add_argument(
        "--context-num-layers",
        type=number_between(int, 1, 12),
        help="BiLSTM layers (default 1) or TCN levels (default 3)",
    )
    model.add_argument(
        "--dropout", type=number_between(float, 0.0, 0.9), default=0.1, help="probability"
    )
    model.add_argument("--freeze-encoder", action="store_true", help="train all but the encoder")

    how = parser.add_argument_group("optimization")
    how.add_argument("--epochs", type=_COUNT, default=4, help="at most")
    how.add_argument("--patience", type=_COUNT, default=3, help="epochs without a better dev F1")
    how.add_argument("--batch-size", type=_COUNT, default=32, help="windows, over all processes")
    how.add_argument("--accumulation", type=_COUNT, default=1, help="batches in one optimizer step")
    rate = number_between(float, 0.0, 1.0)
    how.add_argument("--encoder-learning-rate", type=rate, default=3e-5, help="peak rate")
    how.add_argument("--head-learning-rate", type=rate, default=1e-3, help="peak rate")
    how.add_argument("--crf-learning-rate", type=rate, default=3e-3, help="peak rate")
    how.add_argument("--weight-decay", type=rate, default=0.01, help="of weight matrices")
    how.add_argument(
        "--warmup-fraction",
        type=number_between(float, 0.0, 1.0),
        default=0.1,
        help="share of all steps",
    )
    how.add_argument(
        "--max-gradient-norm",
        type=number_between(float, 0.0, 1000.0, above_low=True),
        default=1.0,
        help="clip",
    )
    how.add_argument(
        "--ema-decay",
        type=number_between(float, 0.0, 0.99999),
        default=0.0,
        help="per step, of averaged weights; 0: none",
    )
    how.add_argument(
        "--seed", type=number_between(int, 0, 2**32 - 1), default=42, help="of everything random"
    )

    run = parser.add_argument_group("run")
    run.add_argument("--output", type=Path, required=True, help="checkpoint directory to write")
    run.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where")
    run.add_argument("--half-precision", action="store_true", help="store weights as float16")
    return parser
