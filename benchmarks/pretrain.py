"""How many tokens a second pretraining reads: `python -m benchmarks.pretrain`.

Two figures, each beside its reference in the same run, by turns:

- steps: packed rows, and the head on masked characters only, against the plain way with the same
  encoder: a row for each line, padded to the longest of its batch, and the library's own loss over
  all of it. Both count the characters of the text, not padding and special tokens.
- preparing: characters a second from text to rows, and how much of a row is text.

Lines are made up, as long as headlines, or come from a file.
"""

import json
import random
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.train import describe_machine
from ner_core.command_line import CommandLineParser, number_between, run_command
from trainer.corpus import CorpusSource
from trainer.distributed import World, join_world
from trainer.masked_batches import MaskedBatch
from trainer.masking import IGNORED
from trainer.preparation import plan_preparation
from trainer.prepared_corpus import PreparedCorpus
from trainer.pretrain_config import Settings
from trainer.pretrain_fit import build_run
from trainer.pretrain_flags import parse_settings
from trainer.pretraining_run import BatchCounts, PretrainingRun
from trainer.word_borders import find_word_starts, name_segmenter

PROG = "python -m benchmarks.pretrain"
# Layers and width.
SIZES = {"tiny": (2, 128), "small": (4, 256), "medium": (6, 384)}
_WARMUP_STEPS = 2
_HEADLINE_CHARACTERS = (8, 30)


@dataclass(frozen=True, slots=True)
class Speed:
    """Pretraining against the plain way; medians over the rounds.

    Attributes:
        size: A name of `SIZES`.
        precision: Of both.
        tokens_per_second: Characters of text that the pretrainer trains on.
        reference_tokens_per_second: That the plain way does.
        ratio: The first divided by the second.
    """

    size: str
    precision: str
    tokens_per_second: float
    reference_tokens_per_second: float
    ratio: float


def write_lines(path: Path, num_characters: int) -> None:
    """Made-up headlines of some thousand characters, always the same ones."""
    generator = random.Random(0)
    characters = [chr(0x4E00 + number) for number in range(4000)]
    with path.open("w", encoding="utf-8") as file:
        while num_characters > 0:
            line = "".join(
                generator.choices(characters, k=generator.randint(*_HEADLINE_CHARACTERS))
            )
            num_characters -= len(line)
            file.write(f"{line}\n")


def measure_steps(run: PretrainingRun, num_steps: int) -> float:
    """Characters a second in the pretrainer's steps."""
    stepper = run.build_stepper()
    batches = run.batches.read_from(0)
    num_tokens, began = 0, 0.0
    for step, batch in enumerate(islice(batches, _WARMUP_STEPS + num_steps)):
        if step == _WARMUP_STEPS:
            num_tokens, began = 0, perf_counter()
        counts = BatchCounts.of([batch], run.world)
        stepper.take_counted_step([batch], counts)
        num_tokens += counts.num_tokens
    return num_tokens / (perf_counter() - began)


def measure_reference(run: PretrainingRun, num_steps: int) -> float:
    """Characters a second with a row for each line and the library's loss."""
    stepper = run.build_stepper()
    model = run.start.model
    device = run.world.device
    num_tokens, began = 0, 0.0
    for step, batch in enumerate(islice(run.batches.read_from(0), _WARMUP_STEPS + num_steps)):
        if step == _WARMUP_STEPS:
            num_tokens, began = 0, perf_counter()
        token_ids, attention_mask, targets = (part.to(device) for part in _unpack(batch, run))
        model.train()
        with stepper.autocast():
            loss = model(token_ids, attention_mask=attention_mask, labels=targets).loss
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        stepper.optimizer.step()
        stepper.optimizer.zero_grad()
        # Each step reads its loss back, so that nothing is under way on a card when time is up.
        loss.item()
        num_tokens += BatchCounts.of([batch], run.world).num_tokens
    return num_tokens / (perf_counter() - began)


def _unpack(batch: MaskedBatch, run: PretrainingRun) -> Iterator[torch.Tensor]:
    """The lines of a packed batch, each in a row of its own: token ids, mask and targets."""
    lines = [
        (row, number)
        for row in range(len(batch.token_ids))
        for number in range(1, int(batch.line_numbers[row].max()) + 1)
    ]
    for column, filler in (
        (batch.token_ids, run.start.vocabulary.pad_token_id),
        (torch.ones_like(batch.token_ids), 0),
        (batch.targets, IGNORED),
    ):
        rows = [column[row][batch.line_numbers[row] == number] for row, number in lines]
        yield nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=filler)


def prepare(text: Path, directory: Path, settings: Settings) -> tuple[PreparedCorpus, float]:
    """A prepared corpus, and the characters a second that it took."""
    find_word_starts("先读词典")
    began = perf_counter()
    plan = plan_preparation(settings.corpus, None, 128, name_segmenter())
    plan.write_parts(directory)
    corpus = plan.write_manifest(directory)
    seconds = perf_counter() - began
    return corpus, sum(source.num_characters for source in plan.count.sources) / seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0, or see `ner_core.command_line`."""
    given = _build_parser().parse_args(arguments)
    return run_command(PROG, lambda: _measure(given))


def _build_parser() -> CommandLineParser:
    parser = CommandLineParser(PROG, "Time pretraining, in tokens a second.")
    count = number_between(int, 1, 1_000_000)
    parser.add_argument(
        "--text", type=Path, metavar="FILE", help="lines of text (default: made-up headlines)"
    )
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=["tiny", "small"])
    parser.add_argument("--precision", nargs="+", choices=("fp32", "bf16"), default=["fp32"])
    parser.add_argument("--batch-size", type=count, default=16, help="rows of 128 tokens")
    parser.add_argument("--steps", type=count, default=8, help="that are timed, in each round")
    parser.add_argument("--rounds", type=count, default=3, help="timings of each")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _measure(given: Namespace) -> None:
    with join_world(given.device) as world, TemporaryDirectory() as name:
        directory = Path(name)
        text = given.text or directory / "lines.txt"
        if given.text is None:
            write_lines(text, 200_000)
        common = ["--corpus", str(text), "--output", str(directory / "encoder")]
        common += ["--batch-size", str(given.batch_size), "--held-out-fraction", "0.01"]
        corpus, speed = prepare(text, directory / "prepared", parse_settings(common))
        ids = corpus.train.read(np.arange(len(corpus.train)))["token_ids"]
        rows = []
        for size in given.sizes:
            for precision in given.precision:
                rows.append(_compare(common, size, precision, world, corpus, given))
        report = {
            "machine": describe_machine(world),
            "text": CorpusSource("text", str(text)).name if given.text else "made-up headlines",
            "preparing": {
                "characters_per_second": speed,
                # Token 0 is [PAD] in a vocabulary that was counted on the corpus.
                "filled": float((ids != 0).mean()),
            },
            "steps": [asdict(row) for row in rows],
        }
    print(json.dumps(report, indent=2) if given.json else _format(report))


def _compare(
    common: list[str],
    size: str,
    precision: str,
    world: World,
    corpus: PreparedCorpus,
    given: Namespace,
) -> Speed:
    num_layers, hidden_size = SIZES[size]
    flags = ["--num-layers", str(num_layers), "--hidden-size", str(hidden_size)]
    settings = parse_settings([*common, *flags, "--dropout", "0", "--precision", precision])
    ours, reference = [], []
    for _ in range(given.rounds):
        run = build_run(settings, world, "", corpus, None)
        ours.append(measure_steps(run, given.steps))
        reference.append(measure_reference(run, given.steps))
    return Speed(size, precision, median(ours), median(reference), median(ours) / median(reference))


def _format(report: Mapping[str, Any]) -> str:
    machine, preparing = report["machine"], report["preparing"]
    return "\n".join(
        [
            f"{machine['device']}, {machine['num_cores']} cores, {machine['num_threads']} threads,"
            f" load average {machine['load_average']:.1f}; torch {machine['torch']}",
            f"preparing ({report['text']}): {preparing['characters_per_second']:,.0f} characters/s,"
            f" rows filled to {preparing['filled']:.1%}",
            "size    precision   tokens/s  reference  ratio",
            *(
                f"{row['size']:8}{row['precision']:9}{row['tokens_per_second']:11,.0f}"
                f"{row['reference_tokens_per_second']:11,.0f}{row['ratio']:7.2f}"
                for row in report["steps"]
            ),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
