"""Which way of training tags best: variants of a run with several seeds, compared seed by seed.

    python -m benchmarks.variants --variant bilstm='--architecture bert-bilstm-crf' \\
        --variant tcn='--architecture bert-tcn-crf' --seeds 1 2 3 --output DIR [--json] \\
        -- --train cluener=train.json --dev cluener=dev.json --encoder DIR

Runs `python -m trainer.finetune` once for each variant and seed, one after the other, into
`DIR/NAME-seed-N`: with the flags behind `--`, then with the variant's own, which may be none
(`--variant plain=`). Runs that are there are not repeated, and a run that was interrupted goes on:
stop and start at will, and add variants later.

Reported for each variant: strict micro F1 on dev of the best epoch and seconds of training, as mean
and standard deviation over the seeds. Every variant is compared with the first by the differences
of F1 under the same seed, which also draws the order of the batches, with the 95 % interval of
their mean (Student's t): an interval that holds 0 shows no difference. F1 of the best epoch is
chosen on dev and so a little high, for all alike. Seconds are only as good as the machine was idle.
"""

import json
import shlex
import subprocess
import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from ner_core.command_line import CommandLineParser, number_between, run_command

PROG = "python -m benchmarks.variants"
FLAGS_FILE = "flags.json"
# Two-sided 95 % quantiles of Student's t for 1, 2, ... degrees of freedom.
_T_QUANTILES = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
MAX_SEEDS = len(_T_QUANTILES) + 1


@dataclass(frozen=True, slots=True)
class Variant:
    """One way of training.

    Attributes:
        name: For the report and its directories.
        flags: Of `trainer.finetune`, behind those that all variants have in common.
    """

    name: str
    flags: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Variant":
        """Read `NAME=FLAGS`, the flags quoted as for a shell.

        Raises:
            ArgumentTypeError: The text is not of that form.
        """
        name, equals, flags = text.partition("=")
        if not equals or not name.replace("-", "").isalnum():
            raise ArgumentTypeError(
                f"expected NAME=FLAGS with a name of letters, digits and hyphens, got {text!r}"
            )
        try:
            return cls(name, tuple(shlex.split(flags)))
        except ValueError as error:
            raise ArgumentTypeError(f"expected flags as for a shell, got {text!r}") from error

    def run_directory(self, output: Path, seed: int) -> Path:
        """Where a run's checkpoint stands; the trainer puts it there when it is complete."""
        return output / f"{self.name}-seed-{seed}"


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
    """F1 of a variant less that of the first one, seed by seed.

    Attributes:
        f1: The differences.
        interval: Where their mean lies with 95 % confidence; None for one seed.
    """

    f1: Summary
    interval: tuple[float, float] | None

    @classmethod
    def between(cls, one: Summary, other: Summary) -> "Difference":
        """The first less the second."""
        pairs = zip(one.values, other.values, strict=True)
        differences = Summary.of([minuend - subtrahend for minuend, subtrahend in pairs])
        num_seeds = len(differences.values)
        if num_seeds == 1:
            return cls(differences, None)
        error = differences.standard_deviation / num_seeds**0.5
        reach = _T_QUANTILES[num_seeds - 2] * error
        return cls(differences, (differences.mean - reach, differences.mean + reach))


def train_missing(
    output: Path, variants: Sequence[Variant], seeds: Sequence[int], flags: Sequence[str]
) -> None:
    """Train what the output does not hold yet: all variants of a seed before the next one.

    Args:
        output: Directory of the runs.
        variants: With different names.
        seeds: One run of each variant for each.
        flags: What all runs have in common, for `trainer.finetune`.

    Raises:
        ValueError: The output holds runs with other flags, or a run failed.
    """
    output.mkdir(parents=True, exist_ok=True)
    _check_flags(output, variants, flags)
    for seed in seeds:
        for variant in variants:
            directory = variant.run_directory(output, seed)
            if directory.exists():
                continue
            run = ["--seed", str(seed), "--output", str(directory)]
            command = [sys.executable, "-m", "trainer.finetune", *flags, *variant.flags, *run]
            status = subprocess.run(command, check=False).returncode
            if status:
                raise ValueError(f"expected a complete run, got exit status {status} ({directory})")


def _check_flags(output: Path, variants: Sequence[Variant], flags: Sequence[str]) -> None:
    """Refuse to compare with runs that were made in another way."""
    path = output / FLAGS_FILE
    earlier = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"variants": {}}
    given = {variant.name: list(variant.flags) for variant in variants}
    pairs = [(earlier.get("common", list(flags)), list(flags))]
    pairs += [(earlier["variants"].get(name, its), its) for name, its in given.items()]
    for there, here in pairs:
        if there != here:
            raise ValueError(
                f"expected the flags of the runs in {output}, {shlex.join(there)!r}; got"
                f" {shlex.join(here)!r}: choose another --output"
            )
    known = {"common": list(flags), "variants": {**earlier["variants"], **given}}
    path.write_text(json.dumps(known, ensure_ascii=False, indent=2), encoding="utf-8")


def read_f1(directory: Path) -> float:
    """Strict micro F1 on dev of a run's best epoch."""
    metrics = json.loads((directory / "metrics.json").read_text(encoding="utf-8"))
    f1: float = metrics["dev"]["micro"]["f1"]
    return f1


def read_seconds(directory: Path) -> float:
    """Seconds that a run took, of which most are training."""
    lines = (directory / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    seconds: float = json.loads(lines[-1])["seconds"]
    return seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0, or see `ner_core.command_line`."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    # Not argparse's own reading of `--`, which would need a positional argument.
    end = arguments.index("--") if "--" in arguments else len(arguments)
    given = _build_parser().parse_args(arguments[:end])
    return run_command(PROG, lambda: _compare(given, arguments[end + 1 :]))


def _build_parser() -> CommandLineParser:
    parser = CommandLineParser(
        PROG,
        "Train variants of a run with several seeds and compare them with the first;"
        " -- begins the trainer's flags that they have in common.",
    )
    parser.add_argument(
        "--variant",
        type=Variant.parse,
        action="append",
        required=True,
        metavar="NAME=FLAGS",
        help="trainer flags of one variant, repeatable",
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


def _compare(given: Namespace, flags: Sequence[str]) -> None:
    variants: list[Variant] = given.variant
    seeds = list(dict.fromkeys(given.seeds))
    names = [variant.name for variant in variants]
    if len(set(names)) < len(names):
        raise ValueError(f"expected different names of variants, got {', '.join(names)}")
    if len(seeds) > MAX_SEEDS:
        raise ValueError(f"expected at most {MAX_SEEDS} seeds, got {len(seeds)}")
    train_missing(given.output, variants, seeds, flags)
    f1, seconds = (
        {
            variant.name: Summary.of(
                [read(variant.run_directory(given.output, seed)) for seed in seeds]
            )
            for variant in variants
        }
        for read in (read_f1, read_seconds)
    )
    first, *others = names
    differences = {name: Difference.between(f1[name], f1[first]) for name in others}
    if given.json:
        report: dict[str, Any] = {
            "flags": list(flags),
            "variants": {variant.name: list(variant.flags) for variant in variants},
            "seeds": seeds,
            "dev_f1": {name: asdict(summary) for name, summary in f1.items()},
            "seconds": {name: asdict(summary) for name, summary in seconds.items()},
            f"less_{first}": {name: asdict(it) for name, it in differences.items()},
        }
        print(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        print(_format_report(seeds, f1, seconds, first, differences))


def _format_report(
    seeds: Sequence[int],
    f1: Mapping[str, Summary],
    seconds: Mapping[str, Summary],
    first: str,
    differences: Mapping[str, Difference],
) -> str:
    lines = [f"seeds {', '.join(map(str, seeds))}; mean, standard deviation (each seed)"]
    for name, summary in f1.items():
        lines.append(f"{name}: dev F1 {_format(summary, '.4f')}; {seconds[name].mean:,.0f} s")
    for name, it in differences.items():
        interval = it.interval and f"; 95 % interval {it.interval[0]:+.4f} to {it.interval[1]:+.4f}"
        lines.append(f"{name} less {first}: F1 {_format(it.f1, '+.4f')}{interval or ''}")
    return "\n".join(lines)


def _format(summary: Summary, style: str) -> str:
    values = ", ".join(f"{value:{style}}" for value in summary.values)
    deviation = f"{summary.standard_deviation:{style.removeprefix('+')}}"
    return f"{summary.mean:{style}}, {deviation} ({values})"


if __name__ == "__main__":
    sys.exit(main())
