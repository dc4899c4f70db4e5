"""The mean of several checkpoints' weights: `python -m trainer.average`.

Checkpoints that were trained from the same weights, by other seeds, data or rates, often lie in one
valley of the loss; their mean lies deeper in it than each of them, and costs no more than one
(model soups, Wortsman et al. 2022, https://proceedings.mlr.press/v162/wortsman22a.html). Of
checkpoints that began with different random weights the mean is worth nothing, and nothing in the
files tells: measure it (`python -m ner_core.evaluate`).
"""

import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ner_core.checkpoint import Checkpoint, load_checkpoint
from ner_core.command_line import (
    CommandLineParser,
    check_new_directory,
    number_between,
    run_command,
)
from trainer.derived_checkpoint import save_derived

PROG = "python -m trainer.average"

# Settings of an encoder that say nothing of what it computes.
_FOREIGN_SETTINGS = frozenset(
    {"_name_or_path", "architectures", "dtype", "torch_dtype", "transformers_version"}
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0, or see `ner_core.command_line`."""
    parser = _build_parser()
    given = parser.parse_args(arguments)
    if len(given.checkpoint) < 2:
        parser.error("argument --checkpoint: expected two or more, got one")
    if given.weights is not None and len(given.weights) != len(given.checkpoint):
        parser.error(
            f"argument --weights: expected one for each of {len(given.checkpoint)} checkpoints,"
            f" got {len(given.weights)}"
        )
    return run_command(PROG, lambda: _average(given))


def average(
    checkpoints: Sequence[Checkpoint], shares: Sequence[float] | None = None
) -> dict[str, Tensor]:
    """The weighted mean of weights.

    Args:
        checkpoints: Alike but for their weights; two or more.
        shares: Of each; None for equal ones. They are divided by their sum.

    Returns:
        Weights by name, for the first checkpoint's tagger: float32, summed in float64, so that the
        mean of equal weights is equal to them. Whole numbers are equal in all checkpoints.

    Raises:
        ValueError: The checkpoints differ in more; the message names the first difference.
    """
    first, *others = checkpoints
    for other in others:
        check_alike(first, other)
    given = shares or [1.0] * len(checkpoints)
    states = [checkpoint.tagger.state_dict() for checkpoint in checkpoints]
    mean = {}
    for name, weight in states[0].items():
        mean[name] = weight
        if weight.is_floating_point():
            total = torch.zeros_like(weight, dtype=torch.float64)
            for share, state in zip(given, states, strict=True):
                total += state[name].double() * (share / sum(given))
            mean[name] = total.to(weight.dtype)
    return mean


def check_alike(first: Checkpoint, other: Checkpoint) -> None:
    """Refuse two checkpoints whose weights do not mean the same.

    Dropout may differ: it takes part in training only.

    Raises:
        ValueError: Label sets, settings, vocabularies or whole numbers in the weights differ.
    """

    def refuse(what: str, expected: object, got: object) -> ValueError:
        return ValueError(
            f"expected {what} {expected} as in {first.name}, got {got} (in {other.name})"
        )

    labels = first.tagger.config.labels.labels, other.tagger.config.labels.labels
    if labels[0] != labels[1]:
        raise refuse("the labels", ", ".join(labels[0]), ", ".join(labels[1]))
    settings, other_settings = _settings_of(first), _settings_of(other)
    for key in dict.fromkeys((*settings, *other_settings)):
        if settings.get(key) != other_settings.get(key):
            raise refuse(key, repr(settings.get(key)), repr(other_settings.get(key)))
    token_ids, other_token_ids = first.vocabulary.token_ids, other.vocabulary.token_ids
    for token in dict.fromkeys((*token_ids, *other_token_ids)):
        if token_ids.get(token) != other_token_ids.get(token):
            what = f"the token {token!r} with number"
            raise refuse(what, token_ids.get(token), other_token_ids.get(token))
    weights, other_weights = first.tagger.state_dict(), other.tagger.state_dict()
    for name, weight in weights.items():
        if not weight.is_floating_point() and not torch.equal(weight, other_weights[name]):
            raise refuse(f"{name} to be", "the same", "other numbers")


def _settings_of(checkpoint: Checkpoint) -> dict[str, Any]:
    tagger = checkpoint.tagger
    settings = {**tagger.encoder.config.to_dict(), **asdict(tagger.config)}
    return {
        key: value
        for key, value in settings.items()
        if key not in _FOREIGN_SETTINGS and "dropout" not in key
    }


def _average(given: Namespace) -> None:
    check_new_directory(given.output)
    checkpoints = [load_checkpoint(checkpoint) for checkpoint in given.checkpoint]
    mean = average(checkpoints, given.weights)
    checkpoints[0].tagger.load_state_dict(mean)
    weights = given.weights or [1.0] * len(checkpoints)
    parts = [
        {
            "checkpoint": checkpoint.name,
            "share": weight / sum(weights),
            "dev_f1": checkpoint.metrics.get("dev", {}).get("micro", {}).get("f1"),
        }
        for checkpoint, weight in zip(checkpoints, weights, strict=True)
    ]
    save_derived(
        checkpoints[0],
        given.checkpoint,
        given.output,
        # The parts' scores are not the mean's.
        metrics={"averaged": parts},
        section=_describe(parts),
    )
    print(f"{given.output}: the mean of {', '.join(part['checkpoint'] for part in parts)}")


def _describe(parts: Sequence[dict[str, Any]]) -> list[str]:
    """A section of the model card."""
    rows = [
        f"| {part['checkpoint']} | {part['share']:.4g} | "
        f"{'–' if part['dev_f1'] is None else format(part['dev_f1'], '.4f')} |"
        for part in parts
    ]
    return [
        "## Mean of several checkpoints",
        "",
        "These weights are not those of one training but the mean of several (`trainer.average`)."
        f" What stands further up is of {parts[0]['checkpoint']}, its scores too.",
        "",
        "| checkpoint | share | its own F1 on its dev |",
        "|---|---|---|",
        *rows,
    ]


def _build_parser() -> CommandLineParser:
    parser = CommandLineParser(PROG, "Average the weights of checkpoints of the same lineage.")
    parser.add_argument(
        "--checkpoint",
        action="append",
        required=True,
        metavar="DIR",
        help="checkpoint directory or Hub id; two or more",
    )
    parser.add_argument(
        "--weights",
        type=number_between(float, 0.0, 1e6, above_low=True),
        nargs="+",
        metavar="NUMBER",
        help="one for each checkpoint, in their order (default: all alike)",
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="checkpoint to write"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
