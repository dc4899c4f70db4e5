"""What a run would cost, from two steps and one evaluation."""

import resource
import sys
import time

import torch

from trainer.engine import evaluate_tagger
from trainer.failures import explain_lack_of_memory
from trainer.run import Run

MIB = 2**20


def estimate_costs(run: Run) -> str:
    """Take a step on the widest batch, one on a usual batch, evaluate once, and add up.

    The widest batch comes first: it shows whether memory suffices, and bears what torch sets up
    once. The weights of the run's tagger are no longer its initial ones afterwards.

    Returns:
        Steps, time, memory and disk of the whole run, in words.

    Raises:
        TrainingError: Memory does not suffice.
    """
    engine, sampler, windows = run.build_engine(), run.sampler, run.draw_windows(1)
    lengths = [len(window.token_ids) for window in windows]
    run.sampler.set_epoch(1)
    batches = [sampler.global_batch(number) for number in range(len(sampler))]
    by_size = sorted(
        range(len(batches)),
        key=lambda number: max(lengths[w] for w in batches[number]) * len(batches[number]),
    )
    widest, usual = by_size[-1], by_size[len(by_size) // 2]
    step_s = 0.0
    loader = run.load_batches(windows)
    with explain_lack_of_memory(len(batches[widest]), max(lengths)):
        for number in (widest, usual):
            share = batches[number][run.world.rank :: run.world.world_size]
            assert loader.collate_fn is not None
            batch = loader.collate_fn([windows[window] for window in share])
            began = time.monotonic()
            engine.take_step([batch], sum(lengths[window] for window in batches[number]))
            step_s = time.monotonic() - began
    longest = max(lengths[window] for window in batches[widest])
    num_usual = sum(lengths[window] for window in batches[usual])
    num_characters = sum(lengths[window] for batch in batches for window in batch)
    began = time.monotonic()
    evaluate_tagger(
        run.checkpoint,
        engine.best_tagger,
        run.data.dev,
        run.world,
        batch_size=run.settings.optimization.batch_size,
    )
    evaluation_s = time.monotonic() - began
    epoch_s = step_s / num_usual * num_characters + evaluation_s
    epochs = run.settings.optimization.epochs
    tensors = [*run.checkpoint.tagger.parameters()]
    num_parameters = sum(parameter.numel() for parameter in tensors)
    num_trained = sum(parameter.numel() for parameter in tensors if parameter.requires_grad)
    # Weights, two moments of Adam for each that is trained, and the average: four bytes each, and
    # the state before while the next one is written.
    num_saved = 2 * (num_parameters * (2 if engine.average else 1) + 2 * num_trained)
    return (
        f"dry run: {run.num_steps:,} steps in {epochs} epochs of {epoch_s:,.0f} s"
        f" ({evaluation_s:,.0f} s of them on dev),"
        f" about {format_duration(epochs * epoch_s)} in all;"
        f" {num_parameters:,} parameters, {num_trained:,} of them trained;"
        f" {peak_memory(run.world.device) / MIB:,.0f} MiB of memory at the widest batch"
        f" ({longest} characters); {4 * num_saved / MIB:,.0f} MiB of disk for the state of the run"
        f" and up to {8 * num_parameters / MIB:,.0f} MiB for checkpoints"
    )


def peak_memory(device: torch.device) -> int:
    """Bytes that this process has used at most, of the card's memory where it has a card."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    # Kibibytes on Linux, bytes on macOS.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def format_duration(seconds: float) -> str:
    """`2 h 05 min`, or seconds where they are few."""
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes else f"{seconds:.0f} s"
