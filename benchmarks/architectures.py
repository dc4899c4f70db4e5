"""Which architecture tags best: each trained with several seeds, compared seed by seed.

    python -m benchmarks.architectures --train cluener=train.json --dev cluener=dev.json \\
        --encoder DIR --architectures bert-bilstm-crf bert-tcn-crf --seeds 1 2 3 --output DIR \\
        [--json] [-- FURTHER FLAGS OF trainer.finetune]

Runs `python -m trainer.finetune` once for each architecture and seed, one after the other, into
`DIR/ARCHITECTURE-seed-N`. Runs that are there are not repeated, and a run that was interrupted goes
on: stop and start at will.

Reported for each architecture: strict micro F1 on dev of the best epoch and characters per second
in training (median over the epochs; only as good as the machine was idle), as mean and standard
deviation over the seeds. Two architectures are compared by the differences of F1 under the same
seed, which also draws the order of the batches, with the 95 % interval of their mean (Student's t):
an interval that holds 0 shows no difference. F1 of the best epoch is chosen on dev and so a little
high, for all alike.
"""

import json
import subprocess
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any

from ner_core.command_line import CommandLineParser, number_between, run_command
from trainer.config import ARCHITECTURES, DataSource

PROG = "python -m benchmarks.architectures"
FLAGS_FILE = "flags.json"
# Two-sided 95 % quantiles of Student's t for 1, 2, ... degrees of freedom.
_T_QUANTILES = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
MAX_SEEDS = len(_T_QUANTILES) + 1


@dataclass(frozen=True, slots=True)
class Summary:
    """One figure of several runs.

    Attributes:
        mean: Over the runs.
        standard_deviation: Of the single values; 0 for one run.
        values: One for each seed, in their order.
    """

    mean: float
    standard_deviation: float
    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float]) -> "Summary":
        """Summarize values, at least one."""
        deviation = stdev(values) if len(values) > 1 else 0.0
        return cls(fmean(values), deviation, tuple(values))


@dataclass(frozen=True, slots=True)
class Difference:
    """F1 of the first architecture less that of the second, seed by seed.

    Attributes:
        first: An architecture.
        second: Another one.
        f1: The differences.
        interval: Where their mean lies with 95 % confidence; None for one seed.
    """

    first: str
    second: str
    f1: Summary
    interval: tuple[float, float] | None

    @classmethod
    def between(cls, first: str, second: str, f1: Mapping[str, Summary]) -> "Difference":
        """Compare two architectures of a table."""
        pairs = zip(f1[first].values, f1[second].values, strict=True)
        differences = Summary.of([one - other for one, other in pairs])
        num_seeds = len(differences.values)
        if num_seeds == 1:
            return cls(first, second, differences, None)
        error = differences.standard_deviation / num_seeds**0.5
        reach = _T_QUANTILES[num_seeds - 2] * error
        interval = (differences.mean - reach, differences.mean + reach)
        return cls(first, second, differences, interval)


def train_missing(
    output: Path, architectures: Sequence[str], seeds: Sequence[int], flags: Sequence[str]
) -> None:
    """Train what the output does not hold yet.

    Args:
        output: Directory of the runs.
        architectures: Names of `trainer.config.ARCHITECTURES`.
        seeds: One run of each architecture for each.
        flags: What all runs have in common, for `trainer.finetune`.

    Raises:
        ValueError: The output holds runs with other flags, or a run failed.
    """
    output.mkdir(parents=True, exist_ok=True)
    flags_file = output / FLAGS_FILE
    if not flags_file.exists():
        flags_file.write_text(json.dumps(flags, ensure_ascii=False), encoding="utf-8")
    earlier = json.loads(flags_file.read_text(encoding="utf-8"))
    if earlier != list(flags):
        raise ValueError(
            f"expected the flags of the runs in {output}, {' '.join(earlier)}; got"
            f" {' '.join(flags)}: choose another --output"
        )
    for seed in seeds:
        for architecture in architectures:
            directory = run_directory(output, architecture, seed)
            if directory.exists():
                continue
            run = ["--architecture", architecture, "--seed", str(seed), "--output", str(directory)]
            command = [sys.executable, "-m", "trainer.finetune", *flags, *run]
            status = subprocess.run(command, check=False).returncode
            if status:
                raise ValueError(f"expected a complete run, got exit status {status} ({directory})")


def run_directory(output: Path, architecture: str, seed: int) -> Path:
    """Where a run's checkpoint stands; the trainer puts it there when it is complete."""
    return output / f"{architecture}-seed-{seed}"


def read_f1(directory: Path) -> float:
    """Strict micro F1 on dev of a run's best epoch."""
    metrics = json.loads((directory / "metrics.json").read_text(encoding="utf-8"))
    f1: float = metrics["dev"]["micro"]["f1"]
    return f1


def read_speed(directory: Path) -> float:
    """Characters per second in training, the median over a run's epochs."""
    lines = (directory / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    records = [record for record in map(json.loads, lines) if record["event"] == "epoch"]
    return median(record["characters_per_second"] for record in records)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0, or see `ner_core.command_line`."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    # Not argparse's own reading of `--`, which would need a positional argument.
    end = arguments.index("--") if "--" in arguments else len(arguments)
    given = _build_parser().parse_args(arguments[:end])
    return run_command(PROG, lambda: _compare(given, arguments[end + 1 :]))


def _build_parser() -> CommandLineParser:
    parser = CommandLineParser(
        PROG, "Train architectures with several seeds and compare them; -- begins trainer flags."
    )
    parser.add_argument(
        "--train",
        type=DataSource.parse,
        action="append",
        required=True,
        metavar="NAME=PATH",
        help="training data, repeatable, as for trainer.finetune",
    )
    parser.add_argument(
        "--dev", type=DataSource.parse, required=True, metavar="NAME=PATH", help="what to score on"
    )
    parser.add_argument("--encoder", required=True, help="directory or Hub id of an encoder")
    parser.add_argument(
        "--architectures",
        nargs="+",
        choices=ARCHITECTURES,
        default=["bert-bilstm-crf", "bert-tcn-crf"],
        help="what to compare",
    )
    parser.add_argument(
        "--seeds",
        nargs="+",
        type=number_between(int, 0, 2**32 - 1),
        default=[1, 2, 3],
        help=f"up to {MAX_SEEDS}",
    )
    parser.add_argument("--output", type=Path, required=True, help="directory of all runs")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _compare(given: Namespace, further_flags: Sequence[str]) -> None:
    architectures, seeds = (
        list(dict.fromkeys(given.architectures)),
        list(dict.fromkeys(given.seeds)),
    )
    if len(seeds) > MAX_SEEDS:
        raise ValueError(f"expected at most {MAX_SEEDS} seeds, got {len(seeds)}")
    flags = [part for source in given.train for part in ("--train", f"{source.name}={source.path}")]
    flags += ["--dev", f"{given.dev.name}={given.dev.path}", "--encoder", given.encoder]
    train_missing(given.output, architectures, seeds, [*flags, *further_flags])
    f1, speed = (
        {
            name: Summary.of([read(run_directory(given.output, name, seed)) for seed in seeds])
            for name in architectures
        }
        for read in (read_f1, read_speed)
    )
    differences = [Difference.between(*pair, f1) for pair in combinations(architectures, 2)]
    if given.json:
        report: dict[str, Any] = {
            "flags": [*flags, *further_flags],
            "seeds": seeds,
            "dev_f1": {name: asdict(summary) for name, summary in f1.items()},
            "characters_per_second": {name: asdict(summary) for name, summary in speed.items()},
            "differences": [asdict(difference) for difference in differences],
        }
        print(json.dumps(report, ensure_ascii=False, indent=2))
        return
    print(f"seeds {', '.join(map(str, seeds))}; mean, standard deviation (each seed)")
    for name in architectures:
        print(f"{name:16} dev F1 {_format(f1[name], '.4f')}")
        print(f"{'':16} characters/s {_format(speed[name], ',.0f')}")
    for it in differences:
        interval = it.interval and f"; 95 % interval {it.interval[0]:+.4f} to {it.interval[1]:+.4f}"
        print(f"{it.first} less {it.second}: F1 {_format(it.f1, '+.4f')}{interval or ''}")


def _format(summary: Summary, style: str) -> str:
    values = ", ".join(f"{value:{style}}" for value in summary.values)
    deviation = f"{summary.standard_deviation:{style.removeprefix('+')}}"
    return f"{summary.mean:{style}}, {deviation} ({values})"


if __name__ == "__main__":
    sys.exit(main())
