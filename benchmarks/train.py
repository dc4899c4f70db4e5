"""How fast the trainer trains: against the reference's loop, and on more than one process.

    python -m benchmarks.train [--data cluener/train.json] [--json]

Against the reference: samples per second of `trainer.finetune`, by the recipe that it takes for the
encoder, and of `benchmarks.reference_loop`, on the same sentences, with the same model from the
same weights and as many samples in a batch. Every round times each of them once, one after the
other, so that what else the machine does hits all. Timed is a pass over the sentences: reading
batches, forward, backward, update; the trainer's second, the reference's after two steps. Loading,
evaluation and checkpoints are not in it. Reported are medians over the rounds and the ratio of the
medians: above 1, the trainer is faster. A sample is a sentence.

- small-bilstm: a table of characters under two BiLSTM layers of 2 x 256.
- small-bert: four layers of width 312 under one BiLSTM layer, the size of small Chinese BERTs.
- bert-base: twelve layers of width 768 under one BiLSTM layer; too slow for a processor, so it is
  measured on a graphics card, or where it is asked for.

On a graphics card the trainer runs in fp32 and in bf16, the reference in fp32; peak memory is what
torch allocated at most for weights, optimizer and activations.

Processes: the trainer under torchrun, on 1 and on 2 processes of this machine, with the same global
batches. They share the threads that this command has (OMP_NUM_THREADS, or one a core): what is
measured is what processes gain over threads, not what a second machine would add. Gloo on
processors, NCCL where every process has a graphics card.
"""

import json
import os
import platform
import subprocess
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import fmean, median
from tempfile import TemporaryDirectory
from typing import Any

import torch

from benchmarks.training_speed import compare, read_speed
from benchmarks.training_task import (
    MODEL_SIZES,
    Task,
    make_sentences,
    read_sentences,
    write_task,
)
from ner_core.command_line import CommandLineParser, number_between, run_command
from ner_core.spans import Example
from trainer.distributed import World, join_world

PROG = "python -m benchmarks.train"
ROOT = Path(__file__).parents[1]
WORLD_SIZES = (1, 2)


@dataclass(frozen=True, slots=True)
class WorldSpeed:
    """The trainer alone on some processes of this machine.

    Attributes:
        model: A name of `MODEL_SIZES`.
        world_size: Number of processes.
        num_threads: Of each of them.
        backend: What they exchange gradients over.
        samples_per_second: Of all together, the median over the rounds.
        gain: The same divided by one process's.
    """

    model: str
    world_size: int
    num_threads: int
    backend: str
    samples_per_second: float
    gain: float


def compare_world_sizes(tasks: Sequence[Task], *, num_rounds: int) -> list[WorldSpeed]:
    """Time the trainer on 1 and on 2 processes of this machine, by turns."""
    num_threads = torch.get_num_threads()
    uses_cuda = torch.cuda.device_count() >= max(WORLD_SIZES)
    rows = []
    for task in tasks:
        speeds: dict[int, list[float]] = {size: [] for size in WORLD_SIZES}
        for _ in range(num_rounds):
            for size, timings in speeds.items():
                threads = max(1, num_threads // size)
                timings.append(_time_world(task, size, threads, uses_cuda=uses_cuda))
        rows += [
            WorldSpeed(
                model=task.name,
                world_size=size,
                num_threads=max(1, num_threads // size),
                backend="nccl" if uses_cuda else "gloo",
                samples_per_second=median(timings),
                gain=median(timings) / median(speeds[1]),
            )
            for size, timings in speeds.items()
        ]
    return rows


def _time_world(task: Task, world_size: int, num_threads: int, *, uses_cuda: bool) -> float:
    """Samples per second of the trainer under torchrun."""
    with TemporaryDirectory() as directory:
        output = Path(directory) / "model"
        command = [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
            *(f"--nproc-per-node={world_size}", "-m", "trainer.finetune", *task.flags),
            *("--device", "cuda" if uses_cuda else "cpu", "--output", str(output)),
        ]
        environment = {**os.environ, "OMP_NUM_THREADS": str(num_threads)}
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, cwd=ROOT, env=environment
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
        return read_speed(output, task)


def describe_machine(world: World) -> dict[str, Any]:
    """Hardware, versions, threads of this process, and how busy the machine is (processes)."""
    is_cuda = world.device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(world.device) if is_cuda else _processor_name(),
        "num_cores": os.cpu_count(),
        "num_threads": torch.get_num_threads(),
        "load_average": os.getloadavg()[0],
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "transformers", "pytorch-crf")},
    }


def _processor_name() -> str:
    """As Linux names it; elsewhere, and where Linux does not know, the architecture."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0, or see `ner_core.command_line`."""
    given = _build_parser().parse_args(arguments)
    return run_command(PROG, lambda: _measure(given))


def _build_parser() -> CommandLineParser:
    parser = CommandLineParser(PROG, "Time the trainer against the reference's loop.")
    count = number_between(int, 1, 1_000_000)
    parser.add_argument(
        "--data", type=Path, metavar="FILE", help="CLUENER JSON lines (default: made-up sentences)"
    )
    parser.add_argument("--num-sentences", type=count, default=512, help="in one pass")
    parser.add_argument(
        "--models",
        nargs="+",
        choices=MODEL_SIZES,
        help="what to train (default: all; without bert-base on a processor)",
    )
    parser.add_argument(
        "--batch-size", type=count, help="samples in a step (default: the recipe's for the encoder)"
    )
    parser.add_argument("--rounds", type=count, default=3, help="timings of each")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _measure(given: Namespace) -> None:
    with join_world(given.device) as world, TemporaryDirectory() as directory:
        if world.world_size > 1:
            raise ValueError("expected no torchrun around this command: it starts its own")
        examples = (
            read_sentences(given.data, given.num_sentences)
            if given.data
            else make_sentences(given.num_sentences)
        )
        is_cuda = world.device.type == "cuda"
        names = given.models or [name for name in MODEL_SIZES if is_cuda or name != "bert-base"]
        tasks = [
            write_task(Path(directory) / name, name, examples, batch_size=given.batch_size)
            for name in names
        ]
        report = {
            "machine": describe_machine(world),
            "data": _describe_data(given.data, examples),
            "against_reference": [
                asdict(comparison)
                for task in tasks
                for comparison in compare(task, world, num_rounds=given.rounds)
            ],
            "processes": [
                asdict(speed) for speed in compare_world_sizes(tasks, num_rounds=given.rounds)
            ],
        }
    print(json.dumps(report, indent=2) if given.json else _format(report))


def _describe_data(data: Path | None, examples: Sequence[Example]) -> dict[str, Any]:
    lengths = [len(example.text) for example in examples]
    return {
        "name": data.name if data else "made-up sentences",
        "num_sentences": len(lengths),
        "mean_characters": fmean(lengths),
        "longest": max(lengths),
    }


def _format(report: Mapping[str, Any]) -> str:
    machine, data = report["machine"], report["data"]
    lines = [
        f"{machine['device']}, {machine['num_cores']} cores, {machine['num_threads']} threads,"
        f" load average {machine['load_average']:.1f}; Python {machine['python']},"
        f" torch {machine['torch']}, transformers {machine['transformers']}",
        f"{data['num_sentences']} sentences ({data['name']}) of {data['mean_characters']:.1f}"
        f" characters, the longest of {data['longest']}; samples per second",
    ]
    lines.append("model          precision  batch  reference   trainer  ratio (rounds)")
    for row in report["against_reference"]:
        rounds = ", ".join(f"{ratio:.2f}" for ratio in row["round_ratios"])
        lines.append(
            f"{row['model']:14} {row['precision']:9}  {row['batch_size']:5}"
            f" {row['reference_samples_per_second']:10.1f}{row['samples_per_second']:10.1f}"
            f" {row['ratio']:6.2f} ({rounds}){_format_memory(row)}"
        )
    lines.append("model          processes x threads  samples/s  gain")
    lines += [
        f"{row['model']:14} {row['world_size']:9} x {row['num_threads']} ({row['backend']})"
        f" {row['samples_per_second']:9.1f} {row['gain']:5.2f}"
        for row in report["processes"]
    ]
    return "\n".join(lines)


def _format_memory(row: Mapping[str, Any]) -> str:
    if row["peak_memory_mib"] is None:
        return ""
    return (
        f", peak memory {row['peak_memory_mib']:,.0f} MiB,"
        f" reference {row['reference_peak_memory_mib']:,.0f} MiB"
    )


if __name__ == "__main__":
    sys.exit(main())
