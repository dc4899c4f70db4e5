"""The pretrainer's command lines; imports no torch."""

import argparse
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from ner_core.command_line import CommandLineParser, number_between
from trainer.config import RunSettings
from trainer.flags import add_flags
from trainer.pretrain_config import (
    ANNOTATIONS_PREFIX,
    TEXT_SUFFIXES,
    CorpusSettings,
    EncoderSettings,
    PretrainingSettings,
    Settings,
)

PROG = "python -m trainer.pretrain"
# Of a new encoder: an older one has its own.
_SIZE_FLAGS = ("num_layers", "hidden_size", "num_heads", "intermediate_size")
_MAX_WINDOW_TOKENS = 512


def parse_settings(arguments: Sequence[str] | None) -> Settings:
    """Read the command line; on a wrong flag print one line and exit with status 2.

    Args:
        arguments: Without the program's name; None takes the process's own.
    """
    parser = _build_parser()
    given = parser.parse_args(arguments)
    _check_corpus(given, parser)
    _check_encoder(given, parser)
    if given.steps is not None and given.epochs != PretrainingSettings().epochs:
        parser.error("expected one of --epochs and --steps, got both")
    is_new_corpus = bool(given.corpus) or given.prepared is None
    if given.keep_head and not given.silver_labels and is_new_corpus:
        parser.error("argument --keep-head: expected --silver-labels, got none")
    return Settings(
        corpus=CorpusSettings(
            texts=tuple(given.corpus),
            silver_labels=tuple(given.silver_labels),
            notes=tuple(given.corpus_note),
            prepared=given.prepared,
            held_out_fraction=given.held_out_fraction,
            min_count=given.min_count,
            window_tokens=given.window_tokens,
            is_packed=not given.no_packing,
            num_workers=given.num_workers,
        ),
        encoder=_fill(EncoderSettings, given),
        pretraining=_fill(PretrainingSettings, given),
        run=_fill(RunSettings, given),
    )


def _fill(settings_class: type[Any], given: argparse.Namespace) -> Any:
    return settings_class(
        **{item.name: getattr(given, item.name) for item in fields(settings_class)}
    )


def _parse_text(argument: str) -> str:
    """A text file by its name, or `annotations=` and a database."""
    is_database = argument.startswith(ANNOTATIONS_PREFIX) and argument != ANNOTATIONS_PREFIX
    if not is_database and not argument.endswith(TEXT_SUFFIXES):
        raise argparse.ArgumentTypeError(
            f"expected a plain text file ({' or '.join(TEXT_SUFFIXES)}) or annotations=DATABASE,"
            f" got {argument!r}"
        )
    return argument


def _check_corpus(given: argparse.Namespace, parser: CommandLineParser) -> None:
    if not given.corpus and not given.silver_labels and given.prepared is None:
        parser.error("the following arguments are required: --corpus, or --prepared")
    sources = [*given.corpus, *map(str, given.silver_labels)]
    repeated = next((source for source in sources if sources.count(source) > 1), None)
    if repeated is not None:
        parser.error(f"argument --corpus: expected {repeated!r} once, got it twice")


def _check_encoder(given: argparse.Namespace, parser: CommandLineParser) -> None:
    older = [name for name in ("encoder", "encoder_config") if getattr(given, name) is not None]
    if len(older) > 1:
        parser.error("expected one of --encoder and --encoder-config, got both")
    sizes = [name for name in _SIZE_FLAGS if getattr(given, name) is not None]
    if older and sizes:
        size, flag = (name.replace("_", "-") for name in (sizes[0], older[0]))
        parser.error(f"argument --{size}: expected no size beside --{flag}, which has its own")


def _build_parser() -> CommandLineParser:
    parser = CommandLineParser(
        PROG,
        "Pretrain an encoder on plain text, alone or under torchrun (torchrun --nproc-per-node N -m"
        " trainer.pretrain). The same command again goes on with a run that was interrupted.",
    )
    data = parser.add_argument_group("corpus")
    data.add_argument(
        "--corpus",
        action="extend",
        nargs="+",
        type=_parse_text,
        default=[],
        metavar="FILE",
        help="a sentence or paragraph in each line, .txt or .txt.xz; or annotations=DATABASE or"
        " annotations=DATABASE#PROJECT, the texts that nobody has labelled there",
    )
    data.add_argument(
        "--silver-labels",
        action="extend",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="BIO file of trainer.silver_labels: its text is learned like the corpus, and its tags"
        " beside",
    )
    data.add_argument(
        "--corpus-note",
        action="append",
        default=[],
        metavar="TEXT",
        help="for the model card, repeatable: where the text is from and what its licence is",
    )
    data.add_argument(
        "--prepared",
        type=Path,
        metavar="DIR",
        help="where to keep the corpus as numbers, for further runs, which need no --corpus then"
        " (default: within the run, deleted with it)",
    )
    data.add_argument(
        "--held-out-fraction",
        type=number_between(float, 0.0, 0.5, above_low=True),
        default=0.005,
        help="of the sentences, chosen by their hash, to measure on",
    )
    data.add_argument(
        "--min-count",
        type=number_between(int, 1, 1_000_000),
        default=2,
        help="characters that are rarer get no token in a new vocabulary",
    )
    data.add_argument(
        "--window-tokens",
        type=number_between(int, 8, _MAX_WINDOW_TOKENS),
        help="length of a row, and of the longest input of a new encoder (default: 128, or the"
        " encoder's positions where they are fewer)",
    )
    data.add_argument(
        "--no-packing",
        action="store_true",
        help="a row for each line, for encoders that cannot keep lines of a row apart",
    )
    data.add_argument(
        "--num-workers",
        type=number_between(int, 1, 256),
        default=1,
        help="processes that prepare the corpus",
    )
    add_flags(parser.add_argument_group("encoder"), EncoderSettings)
    add_flags(parser.add_argument_group("pretraining"), PretrainingSettings)
    add_flags(parser.add_argument_group("run"), RunSettings)
    return parser
