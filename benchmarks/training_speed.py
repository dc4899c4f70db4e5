"""Samples per second of the trainer and of the reference's loop, timed by turns.

The trainer is timed by itself: it runs as its command line runs it, from the files to a checkpoint,
and what it wrote to metrics.jsonl about its second epoch is taken for its speed.
"""

import gc
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import torch

from benchmarks.reference_loop import MAX_CHARACTERS, ReferenceLoop
from benchmarks.training_task import Task
from ner_core.dataset import TaggingDataset
from ner_core.labels import CLUENER
from trainer.data import load_training_data
from trainer.distributed import World
from trainer.fit import build_checkpoint, fit

_NUM_WARMUP_STEPS = 2
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Speed:
    """One timing of one pass over the sentences.

    Attributes:
        samples_per_second: Over all processes.
        peak_memory_mib: On a graphics card; None on a processor.
    """

    samples_per_second: float
    peak_memory_mib: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The trainer against the reference's loop on one model; medians over the rounds.

    Attributes:
        model: A name of `MODEL_SIZES`.
        precision: The trainer's; the reference always computes in fp32.
        batch_size: Samples in a step.
        samples_per_second: The trainer's.
        reference_samples_per_second: The reference's.
        ratio: The first divided by the second.
        round_ratios: The same for each round, to show how steady it is.
        peak_memory_mib: The trainer's; None on a processor.
        reference_peak_memory_mib: The reference's.
    """

    model: str
    precision: str
    batch_size: int
    samples_per_second: float
    reference_samples_per_second: float
    ratio: float
    round_ratios: tuple[float, ...]
    peak_memory_mib: float | None
    reference_peak_memory_mib: float | None


def compare(task: Task, world: World, *, num_rounds: int) -> list[Comparison]:
    """Time the trainer, in each precision that the device is for, and the reference, by turns."""
    precisions = ("fp32", "bf16") if world.device.type == "cuda" else ("fp32",)
    calls = {"reference": partial(time_reference, task, world.device)} | {
        precision: partial(time_trainer, task, world, precision=precision)
        for precision in precisions
    }
    speeds = take_turns(calls, num_rounds)
    batch_size = task.settings(Path("unused")).optimization.batch_size
    return [
        _compare_speeds(task.name, precision, batch_size, speeds[precision], speeds["reference"])
        for precision in precisions
    ]


def take_turns(calls: Mapping[str, Callable[[], Speed]], num_rounds: int) -> dict[str, list[Speed]]:
    """Make every call once in each round."""
    speeds: dict[str, list[Speed]] = {name: [] for name in calls}
    for _ in range(num_rounds):
        for name, call in calls.items():
            speeds[name].append(call())
    return speeds


def time_trainer(task: Task, world: World, *, precision: str) -> Speed:
    """Train in this process and read the speed of the second epoch."""
    _forget_peak_memory(world.device)
    with TemporaryDirectory() as directory:
        output = Path(directory) / "model"
        flags = ("--precision", precision, "--device", world.device.type)
        fit(task.settings(output, *flags), world, command="benchmarks.train")
        return Speed(read_speed(output, task), _peak_memory(world.device))


def read_speed(output: Path, task: Task) -> float:
    """Samples per second in the last epoch of a run, over all its processes."""
    lines = (output / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    records = [record for record in map(json.loads, lines) if record["event"] == "epoch"]
    speed: float = records[-1]["characters_per_second"]
    return speed * len(task.examples) / task.num_characters


def time_reference(task: Task, device: torch.device) -> Speed:
    """Build the reference's loop, warm it up, and time a pass over the sentences."""
    _forget_peak_memory(device)
    settings = task.settings(Path("unused"))
    checkpoint = build_checkpoint(settings, load_training_data(settings.data))
    dataset = TaggingDataset.from_examples(
        task.examples, CLUENER, checkpoint.vocabulary, max_characters=MAX_CHARACTERS
    )
    loop = ReferenceLoop(
        checkpoint.tagger,
        dataset,
        checkpoint.vocabulary,
        batch_size=settings.optimization.batch_size,
        device=device,
    )
    # Each step reads its loss back, so that nothing is under way on a card when a call returns.
    loop.train(islice(loop.batches, _NUM_WARMUP_STEPS))
    began = perf_counter()
    loop.train(loop.batches)
    seconds = perf_counter() - began
    return Speed(len(task.examples) / seconds, _peak_memory(device))


def _forget_peak_memory(device: torch.device) -> None:
    # What the last run left in reference cycles would count as this one's.
    gc.collect()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def _peak_memory(device: torch.device) -> float | None:
    return torch.cuda.max_memory_allocated(device) / _MIB if device.type == "cuda" else None


def _compare_speeds(
    model: str, precision: str, batch_size: int, ours: Sequence[Speed], reference: Sequence[Speed]
) -> Comparison:
    our_speed = median(speed.samples_per_second for speed in ours)
    reference_speed = median(speed.samples_per_second for speed in reference)
    return Comparison(
        model=model,
        precision=precision,
        batch_size=batch_size,
        samples_per_second=our_speed,
        reference_samples_per_second=reference_speed,
        ratio=our_speed / reference_speed,
        round_ratios=tuple(
            one.samples_per_second / other.samples_per_second
            for one, other in zip(ours, reference, strict=True)
        ),
        peak_memory_mib=_highest_peak(ours),
        reference_peak_memory_mib=_highest_peak(reference),
    )


def _highest_peak(speeds: Sequence[Speed]) -> float | None:
    peaks = [speed.peak_memory_mib for speed in speeds if speed.peak_memory_mib is not None]
    return max(peaks, default=None)
