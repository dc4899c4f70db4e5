"""Does reading the most uncertain sentences first save reading? CLUENER's train set, replayed.

    python -m benchmarks.active_learning --train train.json --dev dev.json --encoder DIR \\
        --output DIR [--json]

Strategies, by `ner_core.uncertainty`: the least probable tagging per character first (path), the
least certain character first (token), and a random order. See `benchmarks.annotation_replay` for
how a replay reads and trains. The encoder is to know nothing of the labels: one that
`trainer.new_lexicon_encoder` makes, or a pretrained one.

Reported: strict micro F1 on dev at each budget of characters read, as mean over the seeds; and what
a strategy saves at equal F1. For each F1 that the random order reaches, the characters that the
strategy needed for the same are read off its mean curve, straight between two rounds over the
logarithm of the characters; the saving is their share less than random's, below 0 if it needed
more. The same seed by seed shows how much of it is luck.

Replays that are in the output are not repeated, and one that was interrupted goes on.
"""

import json
import math
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from benchmarks.annotation_replay import STRATEGIES, Replay, ReplaySettings, Round, Strategy
from ner_core.command_line import CommandLineParser, number_between, run_command
from ner_core.formats import read_cluener
from ner_core.labels import CLUENER
from ner_core.spans import Example

PROG = "python -m benchmarks.active_learning"
BUDGETS = (20_000, 60_000, 120_000, 200_000)
SETTINGS_FILE = "settings.json"


@dataclass(frozen=True, slots=True)
class Curve:
    """F1 against reading.

    Attributes:
        num_characters: Read at each round, rising.
        f1: On dev at each round.
    """

    num_characters: tuple[float, ...]
    f1: tuple[float, ...]

    @classmethod
    def of(cls, rounds: Sequence[Round]) -> "Curve":
        """The curve of one replay."""
        return cls(tuple(it.num_characters for it in rounds), tuple(it.f1 for it in rounds))

    @classmethod
    def mean(cls, curves: Sequence["Curve"]) -> "Curve":
        """Round by round over curves of the same budgets."""
        characters = zip(*(curve.num_characters for curve in curves), strict=True)
        scores = zip(*(curve.f1 for curve in curves), strict=True)
        return cls(tuple(map(fmean, characters)), tuple(map(fmean, scores)))

    def characters_for(self, f1: float) -> float | None:
        """Characters at which the curve first reaches an F1; None if it begins above or ends below.

        Straight over the logarithm of the characters, along which learning curves are nearly so.
        """
        points = zip(self.num_characters, self.f1, strict=True)
        for (fewer, lower), (more, higher) in pairwise(points):
            if lower <= f1 <= higher and lower < higher:
                share = (f1 - lower) / (higher - lower)
                return math.exp(math.log(fewer) + share * math.log(more / fewer))
        return None


@dataclass(frozen=True, slots=True)
class Saving:
    """What a strategy needs for an F1 that the random order reaches.

    Attributes:
        f1: That F1, of the random order's mean curve.
        random_characters: What the random order read for it.
        characters: What the strategy read for it; None if it never reached it.
        saving: 1 less the ratio of the two; None likewise.
        by_seed: The saving of each seed at the F1 that its own random order had in this round.
    """

    f1: float
    random_characters: float
    characters: float | None
    saving: float | None
    by_seed: tuple[float | None, ...]


def measure_savings(curves: Sequence[Curve], random_curves: Sequence[Curve]) -> list[Saving]:
    """A strategy against the random order of the same seeds, at every budget but the first.

    The first is the same sentences for all strategies.
    """
    mean, mean_random = Curve.mean(curves), Curve.mean(random_curves)
    savings = []
    for index in range(1, len(mean_random.f1)):
        by_seed = tuple(
            _saving(curve, random_curve, index)
            for curve, random_curve in zip(curves, random_curves, strict=True)
        )
        f1, random_characters = mean_random.f1[index], mean_random.num_characters[index]
        characters = mean.characters_for(f1)
        saving = None if characters is None else 1 - characters / random_characters
        savings.append(Saving(f1, random_characters, characters, saving, by_seed))
    return savings


def _saving(curve: Curve, random_curve: Curve, index: int) -> float | None:
    characters = curve.characters_for(random_curve.f1[index])
    return None if characters is None else 1 - characters / random_curve.num_characters[index]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0, or see `ner_core.command_line`."""
    given = _build_parser().parse_args(arguments)
    return run_command(PROG, lambda: _measure(given))


def _build_parser() -> CommandLineParser:
    parser = CommandLineParser(PROG, "Replay annotation in several orders and compare them.")
    count = number_between(int, 1, 100_000_000)
    parser.add_argument(
        "--train", type=Path, required=True, metavar="FILE", help="CLUENER JSON, what is read"
    )
    parser.add_argument(
        "--dev", type=Path, required=True, metavar="FILE", help="CLUENER JSON, what is scored on"
    )
    parser.add_argument("--encoder", required=True, help="directory or Hub id to start from")
    parser.add_argument("--output", type=Path, required=True, help="directory of the replays")
    parser.add_argument(
        "--budgets", nargs="+", type=count, default=list(BUDGETS), help="characters, rising"
    )
    parser.add_argument(
        "--seeds", nargs="+", type=number_between(int, 0, 2**32 - 1), default=[1, 2, 3], help="each"
    )
    parser.add_argument(
        "--context-hidden-size", type=count, default=128, help="of the BiLSTM, each direction"
    )
    parser.add_argument("--first-epochs", type=count, default=10, help="of the first round")
    parser.add_argument("--epochs", type=count, default=3, help="of each later round")
    parser.add_argument(
        "--precision",
        choices=("auto", "fp32", "bf16"),
        default="auto",
        help="as for trainer.finetune",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _measure(given: Namespace) -> None:
    if any(low >= high for low, high in pairwise(given.budgets)) or len(given.budgets) < 2:
        raise ValueError(f"expected two or more rising --budgets, got {given.budgets}")
    settings = ReplaySettings(
        budgets=tuple(given.budgets),
        context_hidden_size=given.context_hidden_size,
        first_epochs=given.first_epochs,
        epochs=given.epochs,
        precision=given.precision,
    )
    pool, dev = (read_cluener(path, labels=CLUENER).examples for path in (given.train, given.dev))
    num_characters = sum(len(example.text) for example in pool)
    if num_characters < settings.budgets[-1]:
        raise ValueError(
            f"expected --budgets of at most the {num_characters} characters of {given.train},"
            f" got {settings.budgets[-1]}"
        )
    _check_settings(given.output, {**asdict(settings), "encoder": given.encoder})
    torch.set_num_threads(1)  # the same sums on every machine; small batches gain little from more
    rounds = _replay(given, settings, pool, dev)
    curves = {
        strategy: [Curve.of(replay) for replay in replays] for strategy, replays in rounds.items()
    }
    savings: dict[Strategy, list[Saving]] = {
        strategy: measure_savings(curves[strategy], curves["random"])
        for strategy in STRATEGIES
        if strategy != "random"
    }
    if given.json:
        print(json.dumps(_to_json(given, settings, rounds, savings), ensure_ascii=False, indent=2))
    else:
        print(_format(curves, savings))


def _check_settings(output: Path, settings: Mapping[str, Any]) -> None:
    """Refuse to go on with replays that were begun in another way."""
    output.mkdir(parents=True, exist_ok=True)
    path = output / SETTINGS_FILE
    text = json.dumps(settings, sort_keys=True)
    if not path.exists():
        path.write_text(text, encoding="utf-8")
    if path.read_text(encoding="utf-8") != text:
        raise ValueError(
            f"expected the settings of the replays in {output}, {path.read_text('utf-8')};"
            f" got {text}: choose another --output"
        )


def _replay(
    given: Namespace, settings: ReplaySettings, pool: Sequence[Example], dev: Sequence[Example]
) -> dict[Strategy, list[list[Round]]]:
    """The rounds of each strategy, seed by seed: all strategies of a seed before the next one."""
    rounds: dict[Strategy, list[list[Round]]] = {strategy: [] for strategy in STRATEGIES}
    for seed in given.seeds:
        for strategy in STRATEGIES:
            replay = Replay(pool, dev, CLUENER, given.encoder, settings, strategy, seed)
            rounds[strategy].append(replay.run(given.output))
    return rounds


def _to_json(
    given: Namespace,
    settings: ReplaySettings,
    rounds: Mapping[Strategy, Sequence[Sequence[Round]]],
    savings: Mapping[Strategy, Sequence[Saving]],
) -> dict[str, Any]:
    return {
        "train": given.train.name,
        "dev": given.dev.name,
        "settings": asdict(settings),
        "seeds": given.seeds,
        "strategies": {
            strategy: {
                "mean": asdict(Curve.mean([Curve.of(replay) for replay in replays])),
                "seeds": [
                    {
                        "num_characters": [it.num_characters for it in replay],
                        "num_sentences": [it.num_sentences for it in replay],
                        "f1": [it.f1 for it in replay],
                    }
                    for replay in replays
                ],
            }
            for strategy, replays in rounds.items()
        },
        "savings": {name: [asdict(saving) for saving in its] for name, its in savings.items()},
    }


def _format(
    curves: Mapping[Strategy, Sequence[Curve]], savings: Mapping[Strategy, Sequence[Saving]]
) -> str:
    means = {strategy: Curve.mean(its) for strategy, its in curves.items()}
    lines = ["characters  " + "".join(f"{strategy:>10}" for strategy in STRATEGIES) + "   (dev F1)"]
    for index, num_characters in enumerate(means["random"].num_characters):
        scores = "".join(f"{means[strategy].f1[index]:10.4f}" for strategy in STRATEGIES)
        lines.append(f"{num_characters:10,.0f}  {scores}")
    for strategy, its in savings.items():
        for saving in its:
            by_seed = ", ".join(map(_percent, saving.by_seed))
            lines.append(
                f"{strategy}: F1 {saving.f1:.4f} (random: {saving.random_characters:,.0f}"
                f" characters) saves {_percent(saving.saving)}; seeds: {by_seed}"
            )
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "not reached" if share is None else f"{share:+.1%}"


if __name__ == "__main__":
    sys.exit(main())
