"""The loop of a pretraining run: steps, held-out text, and saves from which it goes on exactly."""

import logging
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from tqdm import tqdm

from trainer.event_log import EventLog
from trainer.failures import TrainingError, explain_lack_of_memory
from trainer.masked_batches import MaskedBatch
from trainer.prefetch import prefetch
from trainer.pretrain_report import EvaluationRecord, StepRecord
from trainer.pretraining_run import (
    BatchCounts,
    PretrainingRun,
    PretrainingStepper,
    evaluate_held_out,
)
from trainer.run_directory import RunDirectory
from trainer.stepper import NonFiniteLossError

logger = logging.getLogger("trainer")
# Lines on the training in metrics.jsonl: enough for a curve, few enough to read.
_NUM_STEP_RECORDS = 1000


def is_due(step: int, num_steps: int, times: int) -> bool:
    """Whether one of so many times, spread over the steps, is behind this step, counted from 1.

    The last one is behind the last step. There are no more times than steps.
    """
    return step * times // num_steps > (step - 1) * times // num_steps


@dataclass
class Progress:
    """How far a run has come: what is saved beside the stepper.

    Attributes:
        loss_sum: Over the masked tokens since the last step record, all ranks.
        num_masked: Of these tokens.
        num_tokens: Characters read since the run began.
        recorded: `num_tokens` and `total_s` at the last step record; the seconds moved on by what
            evaluations took since.
        total_s: Seconds since the run began, not counting the time between sittings.
        records: The lines of `metrics.jsonl`.
        last_evaluation: The last record of the held-out text.
    """

    loss_sum: float = 0.0
    num_masked: int = 0
    num_tokens: int = 0
    recorded: tuple[int, float] = (0, 0.0)
    total_s: float = 0.0
    records: list[dict[str, Any]] = field(default_factory=list)
    last_evaluation: dict[str, Any] | None = None


@dataclass
class Pretraining:
    """A run under way.

    Attributes:
        run: What to train on what.
        directory: Where its files go.
        stepper: Takes the steps.
        progress: How far it has come.

    Raises:
        ValueError: The state in the directory belongs to other settings or another corpus.
    """

    run: PretrainingRun
    directory: RunDirectory
    stepper: PretrainingStepper = field(init=False)
    progress: Progress = field(init=False)
    _rank_loss: float = field(init=False, default=0.0)
    _clock: float = field(init=False)
    _saved_at: float = field(init=False)

    def __post_init__(self) -> None:
        world = self.run.world
        # Sent, not read by each: the nodes of a cluster need not share a disk.
        state = world.on_main(lambda: self.directory.load_state(self.run.fingerprint()))
        self.stepper = self.run.build_stepper()
        self.progress = Progress()
        if state is not None:
            self.stepper.load_state_dict(state["engine"])
            self.progress = Progress(**state["progress"])
            logger.info("going on behind step %d of %d", self.stepper.step, self.run.num_steps)
        if world.is_main:
            self.directory.write_metrics(self.progress.records)
        self._clock = self._saved_at = time.monotonic()

    @property
    def last_evaluation(self) -> EvaluationRecord:
        """Of a run that has come to its end."""
        assert self.progress.last_evaluation is not None
        return EvaluationRecord(**self.progress.last_evaluation)

    def finish(self) -> EvaluationRecord:
        """Train to the end.

        Returns:
            The last look at the held-out text.

        Raises:
            TrainingError: The run cannot go on; the last state that was saved is good.
        """
        run = self.run
        is_logged = run.settings.run.tensorboard and run.world.is_main
        accumulation = run.settings.pretraining.accumulation
        with EventLog.open(self.directory.tensorboard if is_logged else None) as log:
            for record in self.progress.records:
                log.write(record)
            progress_bar = tqdm(
                desc="pretraining",
                unit="step",
                initial=self.stepper.step,
                total=run.num_steps,
                # None: shown in a terminal, not in a log file.
                disable=None if run.world.is_main else True,
            )
            with progress_bar, prefetch(self._read_batches()) as batches:
                while self.stepper.step < run.num_steps:
                    self._take_step(list(islice(batches, accumulation)))
                    progress_bar.update()
                    self._look_after(log)
        return self.last_evaluation

    def _read_batches(self) -> Iterator[MaskedBatch]:
        accumulation = self.run.settings.pretraining.accumulation
        return self.run.batches.read_from(self.stepper.step * accumulation)

    def _take_step(self, batches: list[MaskedBatch]) -> None:
        run, progress = self.run, self.progress
        counts = BatchCounts.of(batches, run.world)
        window_tokens = run.corpus.manifest.settings.window_tokens
        try:
            with explain_lack_of_memory(run.settings.pretraining.batch_size, window_tokens):
                self._rank_loss += self.stepper.take_counted_step(batches, counts)
        except NonFiniteLossError as error:
            raise TrainingError(
                f"{error} in step {self.stepper.step + 1:,} of {run.num_steps:,};"
                f" {self.directory.describe_state()}. A lower --learning-rate usually helps (with"
                f" --restart)",
                is_shared=True,
            ) from error
        progress.num_masked += counts.num_masked
        progress.num_tokens += counts.num_tokens

    def _look_after(self, log: EventLog) -> None:
        """Behind a step: record, evaluate and save where it is time to."""
        run, step = self.run, self.stepper.step
        is_over = step == run.num_steps
        if is_due(step, run.num_steps, _NUM_STEP_RECORDS):
            self._record_step(log)
        if is_due(step, run.num_steps, run.settings.pretraining.evaluations):
            self._evaluate(log)
        is_late = time.monotonic() - self._saved_at >= run.settings.run.save_every_s
        if is_over or run.world.decide(is_late):
            self._save_state()

    def _record_step(self, log: EventLog) -> None:
        self._add_up()
        progress = self.progress
        num_tokens, total_s = progress.recorded
        record = StepRecord(
            epoch=self._epoch,
            step=self.stepper.step,
            num_steps=self.run.num_steps,
            loss=progress.loss_sum / max(1, progress.num_masked),
            learning_rate=self.stepper.learning_rate,
            num_tokens=progress.num_tokens,
            tokens_per_second=(progress.num_tokens - num_tokens)
            / max(1e-9, progress.total_s - total_s),
            seconds=progress.total_s,
        )
        progress.recorded = (progress.num_tokens, progress.total_s)
        progress.loss_sum, progress.num_masked = 0.0, 0
        self._record(record.to_json(), log)

    def _evaluate(self, log: EventLog) -> None:
        run = self.run
        window_tokens = run.corpus.manifest.settings.window_tokens
        self._add_up()
        trained_s = self.progress.total_s
        with explain_lack_of_memory(run.settings.pretraining.batch_size, window_tokens):
            loss, accuracy, num_masked = evaluate_held_out(
                self.stepper, run.held_out, run.settings.pretraining
            )
        self._add_up()
        record = EvaluationRecord(
            epoch=self._epoch,
            step=self.stepper.step,
            num_tokens=self.progress.num_tokens,
            held_out_loss=loss,
            held_out_accuracy=accuracy,
            num_masked=num_masked,
            seconds=self.progress.total_s,
        )
        # The time that it took is no time of training.
        num_tokens, recorded_s = self.progress.recorded
        self.progress.recorded = (num_tokens, recorded_s + self.progress.total_s - trained_s)
        self.progress.last_evaluation = asdict(record)
        self._record(record.to_json(), log)
        logger.info("%s", record.format_log_line())

    @property
    def _epoch(self) -> int:
        """The epoch of the last batch, from 1."""
        num_batches = self.stepper.step * self.run.settings.pretraining.accumulation
        return (max(1, num_batches) - 1) // self.run.batches.num_batches + 1

    def _record(self, record: dict[str, Any], log: EventLog) -> None:
        self.progress.records.append(record)
        if self.run.world.is_main:
            with self.directory.explain_failed_write("metrics.jsonl"):
                self.directory.append_metrics(record)
                log.write(record)

    def _save_state(self) -> None:
        self._add_up()
        if self.run.world.is_main:
            content = {"progress": asdict(self.progress), "engine": self.stepper.state_dict()}
            self.directory.save_state(self.run.fingerprint(), content)
        self._saved_at = time.monotonic()

    def _add_up(self) -> None:
        """Bring loss and time of the progress up to now."""
        (loss,) = self.run.world.sum([self._rank_loss])
        self.progress.loss_sum += loss
        self._rank_loss = 0.0
        now = time.monotonic()
        self.progress.total_s += now - self._clock
        self._clock = now
