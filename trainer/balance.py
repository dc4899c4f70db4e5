"""Balance precision against recall: `python -m trainer.balance`.

A tagger that is trained for the likelihood of tags is not thereby best at F1 of entities: it may
find too many of them or too few. One number, added to the score of O at every character, moves it
along that scale (Lipton et al. 2014, https://arxiv.org/abs/1402.1892, on thresholds for F1). It is
chosen on labelled texts that were not trained on, and becomes part of the classifier's bias:
nothing is slower, and probabilities and spans are still one model's.
"""

import json
import sys
from argparse import Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from tqdm import tqdm

from ner_core.checkpoint import Checkpoint, load_checkpoint
from ner_core.command_line import CommandLineParser, check_new_directory, run_command
from ner_core.evaluation import Evaluation, SpanCounts
from ner_core.prediction import Predictor
from ner_core.spans import Example
from trainer.config import DataSource
from trainer.derived_checkpoint import save_derived
from trainer.sources import name_source, read_source

PROG = "python -m trainer.balance"

# Log-odds. Beyond them a tagger has not to be balanced but to be trained.
OFFSETS = tuple(step / 10 for step in range(-10, 11))


class Balance(NamedTuple):
    """An offset and what it does.

    Attributes:
        offset: Added to the score of O, in log-odds.
        evaluation: With it.
    """

    offset: float
    evaluation: Evaluation


def measure_offsets(
    checkpoint: Checkpoint, examples: Sequence[Example], offsets: Iterable[float] = OFFSETS
) -> list[Balance]:
    """Evaluate a tagger with each offset; it is left as it was.

    The encoder reads each text once: an offset changes the decoding alone.

    Raises:
        ValueError: The tagger's classifier has outputs of another kind than its tags.
    """
    tagger = checkpoint.tagger
    if tagger.output_merge is not None:
        raise ValueError(
            f"expected a tagger trained here, got one with outputs of its own"
            f" ({', '.join(tagger.config.output_tags or ())})"
        )
    predictor = Predictor(checkpoint, torch.device("cpu"))
    labels, offsets = tagger.config.labels, tuple(offsets)
    found = predictor.find_spans([example.text for example in examples], offsets)
    counts = [SpanCounts.zero(labels)] * len(offsets)
    progress = tqdm(examples, unit="text", disable=None)
    for example, by_offset in zip(progress, found, strict=True):
        counts = [
            count + SpanCounts.of_example(example.spans, spans, example.text, labels)
            for count, spans in zip(counts, by_offset, strict=True)
        ]
    return [
        Balance(offset, count.evaluation()) for offset, count in zip(offsets, counts, strict=True)
    ]


def choose(measured: Sequence[Balance]) -> Balance:
    """The best micro F1; of equals the smallest change."""
    return max(measured, key=lambda one: (one.evaluation.micro.f1, -abs(one.offset)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0, or see `ner_core.command_line`."""
    given = _build_parser().parse_args(arguments)
    return run_command(PROG, lambda: _balance(given))


def _balance(given: Namespace) -> None:
    check_new_directory(given.output)
    checkpoint = load_checkpoint(given.checkpoint)
    examples = read_source(given.dev, checkpoint.tagger.config.labels).corpus.examples
    if not examples:
        raise ValueError(f"expected labelled texts, got none (in {name_source(given.dev)})")
    measured = measure_offsets(checkpoint, examples)
    before = next(one for one in measured if one.offset == 0.0)
    best = choose(measured)
    with torch.no_grad():
        checkpoint.tagger.classifier.bias[0] += best.offset
    offset = checkpoint.metrics.get("outside_offset", 0.0) + best.offset
    save_derived(
        checkpoint,
        [given.checkpoint],
        given.output,
        metrics={
            **checkpoint.metrics,
            "dev": best.evaluation.to_json(),
            "outside_offset": offset,
        },
        section=_describe(before, best, name_source(given.dev)),
    )
    print(json.dumps({"before": _scores(before), "after": _scores(best)}, indent=2))


def _scores(balance: Balance) -> dict[str, float]:
    micro = balance.evaluation.micro
    return {
        "offset": balance.offset,
        "precision": micro.precision,
        "recall": micro.recall,
        "f1": micro.f1,
    }


def _describe(before: Balance, best: Balance, source: str) -> list[str]:
    """A section of the model card."""
    old, new = before.evaluation.micro, best.evaluation.micro
    return [
        "## Balance of precision and recall",
        "",
        f"{best.offset:+.1f} on the score of O, chosen on {source} (`trainer.balance`):"
        f" precision {old.precision:.4f} to {new.precision:.4f}, recall {old.recall:.4f} to"
        f" {new.recall:.4f}, micro F1 {old.f1:.4f} to {new.f1:.4f}. Scores further up are from"
        f" before.",
    ]


def _build_parser() -> CommandLineParser:
    parser = CommandLineParser(PROG, "Move a tagger to its best F1 between precision and recall.")
    parser.add_argument(
        "--checkpoint", required=True, metavar="DIR", help="checkpoint directory or Hub id"
    )
    parser.add_argument(
        "--dev",
        type=DataSource.parse,
        required=True,
        metavar="NAME=PATH",
        help="labelled texts that it was not trained on; as for trainer.finetune",
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="checkpoint to write"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
