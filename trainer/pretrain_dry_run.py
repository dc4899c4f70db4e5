"""What a pretraining run would cost, from a sample of its corpus, two steps and one evaluation."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from trainer.corpus import CorpusLine
from trainer.dry_run import MIB, format_duration, peak_memory
from trainer.failures import explain_lack_of_memory
from trainer.masked_batches import BATCHES_BY_LENGTH, MaskedBatch
from trainer.preparation import Preparation, write_part
from trainer.prepared_corpus import Manifest, PreparedCorpus, find_parts
from trainer.pretraining_run import BatchCounts, PretrainingRun, evaluate_held_out

# Enough to fill some batches; encoded in a second or two.
_SAMPLE_CHARACTERS = 300_000


@dataclass(frozen=True, slots=True)
class Sample:
    """A corpus to try, and what it stands for.

    Attributes:
        corpus: All of it where it was prepared before, else a part.
        scale: How many times larger the whole is.
        preparation_s: What preparing the whole would take one process.
    """

    corpus: PreparedCorpus
    scale: float
    preparation_s: float


@contextmanager
def open_sample(plan: Preparation | None, prepared: Path) -> Iterator[Sample]:
    """The first lines of each source as rows, in a directory that is deleted again.

    Args:
        plan: What is to be prepared; None where it was done before.
        prepared: Where it was.
    """
    if plan is None:
        manifest = Manifest.load(prepared)
        assert manifest is not None
        yield Sample(PreparedCorpus(prepared, manifest), 1.0, 0.0)
        return
    lines = list(_take_lines(plan))
    with TemporaryDirectory() as name:
        directory = Path(name)
        parts = find_parts(directory, plan.key)
        parts.mkdir()
        encoder = plan.build_encoder()
        encoder.encode(lines[:1])  # reads the segmenter's dictionary
        began = time.monotonic()
        write_part(encoder, lines, parts / "000-00000")
        seconds = time.monotonic() - began
        whole = sum(source.num_characters for source in plan.count.sources)
        scale = whole / sum(len(line.text) for line in lines)
        yield Sample(plan.write_manifest(directory), scale, seconds * scale)


def estimate_costs(run: PretrainingRun, sample: Sample) -> str:
    """Take a step on the widest of some batches and one on a usual one, evaluate once, and add up.

    Returns:
        Steps, time, memory and disk of the whole run, in words.

    Raises:
        TrainingError: Memory does not suffice.
    """
    settings = run.settings.pretraining
    window_tokens = run.corpus.manifest.settings.window_tokens
    num_rows = round(len(run.corpus.train) * sample.scale)
    num_batches = -(-num_rows // settings.batch_size)
    num_steps = settings.steps or max(
        1, round(settings.epochs * num_batches / settings.accumulation)
    )
    stepper = run.build_stepper()
    # Without packing, some batches are wide and others narrow.
    size = settings.accumulation
    first = islice(run.batches.read_from(0), max(BATCHES_BY_LENGTH, size))
    batches = sorted(first, key=_count_cells)
    middle = (len(batches) - size) // 2
    step_s, num_tokens = 0.0, 0
    with explain_lack_of_memory(settings.batch_size, window_tokens):
        for group in (batches[-size:], batches[middle : middle + size]):
            began = time.monotonic()
            counts = BatchCounts.of(group, run.world)
            stepper.take_counted_step(group, counts)
            step_s, num_tokens = time.monotonic() - began, counts.num_tokens
        tokens_per_second = num_tokens / step_s
        cells = [_count_cells(batch) for batch in batches]
        step_s *= fmean(cells) / fmean(cells[middle : middle + size])
        began = time.monotonic()
        evaluate_held_out(stepper, run.held_out, settings)
    evaluation_s = time.monotonic() - began
    num_held_out = min(settings.evaluation_rows, round(len(run.corpus.held_out) * sample.scale))
    evaluation_s *= num_held_out / min(settings.evaluation_rows, len(run.corpus.held_out))
    num_processes = max(1, run.settings.corpus.num_workers) * run.world.machine_share[1]
    preparation_s = sample.preparation_s / num_processes
    num_evaluations = min(settings.evaluations, num_steps)
    total_s = num_steps * step_s + num_evaluations * evaluation_s + preparation_s
    num_parameters = sum(p.numel() for p in run.model.parameters())
    # Weights and two moments of Adam, four bytes each; and the state before while the next one is
    # written.
    state_mib = 2 * 3 * 4 * num_parameters / MIB
    corpus_mib = num_rows * run.corpus.train.dtype.itemsize / MIB
    return (
        f"dry run: about {num_rows:,} rows of {window_tokens} tokens, {num_steps:,} steps of"
        f" {step_s:.2f} s ({tokens_per_second:,.0f} tokens/s), {num_evaluations}"
        f" evaluations of {evaluation_s:.1f} s, {format_duration(preparation_s)} to prepare the"
        f" corpus: about {format_duration(total_s)} in all; {num_parameters:,} parameters with"
        f" heads; {peak_memory(run.world.device) / MIB:,.0f} MiB of memory; {state_mib:,.0f} MiB of"
        f" disk for the state of the run and {corpus_mib:,.0f} MiB for the corpus"
    )


def _count_cells(batch: MaskedBatch) -> int:
    """Tokens of a batch, padding included."""
    return batch.token_ids.numel()


def _take_lines(plan: Preparation) -> Iterator[CorpusLine]:
    """The first lines of each source, some characters of all of them together."""
    share = _SAMPLE_CHARACTERS // len(plan.sources)
    for source in plan.sources:
        left = share
        for line in source.read_lines():
            if left <= 0:
                break
            left -= len(line.text)
            yield line
