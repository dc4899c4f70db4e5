"""The loop: steps, epochs, evaluation, early stopping, and saves from which it goes on exactly."""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch
from tqdm import tqdm

from ner_core.checkpoint import save_checkpoint
from ner_core.dataset import Batch, EncodedWindow
from ner_core.evaluation import Evaluation, SpanCounts
from trainer import report
from trainer.engine import Engine, evaluate_tagger
from trainer.event_log import EventLog
from trainer.failures import TrainingError, explain_lack_of_memory
from trainer.run import Run
from trainer.run_directory import RunDirectory
from trainer.stepper import NonFiniteLossError

logger = logging.getLogger("trainer")
# Lines of metrics.jsonl in an epoch: enough for a curve, few enough to read.
_RECORDS_PER_EPOCH = 20
# Windows in a batch on dev; fewer where fewer are trained on, for want of memory.
_EVALUATION_BATCH_SIZE = 32
# How much of a sentence an error message quotes.
_QUOTED_CHARACTERS = 20


@dataclass
class Progress:
    """How far a run has come: what is saved beside the engine.

    Attributes:
        epoch: The one under way, from 1.
        num_batches: Global batches of it that were trained on.
        loss_sum: Over these batches, all ranks and characters.
        num_characters: Of these batches.
        recorded: `loss_sum` and `num_characters` at the last line of `metrics.jsonl`.
        epoch_s: Seconds spent on them.
        total_s: Seconds since the run began, not counting the time between sittings.
        records: The lines of `metrics.jsonl`.
        best_record: Of the best epoch so far.
        best_counts: Its counts on dev; see `SpanCounts.to_list`.
        improved_epoch: The first epoch with that F1, from which patience counts.
        is_complete: Whether there is nothing left to train.
    """

    epoch: int = 1
    num_batches: int = 0
    loss_sum: float = 0.0
    num_characters: int = 0
    recorded: tuple[float, int] = (0.0, 0)
    epoch_s: float = 0.0
    total_s: float = 0.0
    records: list[dict[str, Any]] = field(default_factory=list)
    best_record: dict[str, Any] | None = None
    best_counts: list[int] = field(default_factory=list)
    improved_epoch: int = 0
    is_complete: bool = False

    @property
    def best(self) -> report.EpochRecord | None:
        """The best epoch so far."""
        return None if self.best_record is None else report.EpochRecord(**self.best_record)


@dataclass
class Training:
    """A run under way: trains, evaluates, saves.

    Attributes:
        run: What to train on what.
        directory: Where its files go.
        engine: Takes the steps.
        progress: How far it has come.
    """

    run: Run
    directory: RunDirectory
    engine: Engine = field(init=False)
    progress: Progress = field(init=False)
    _rank_loss: float = field(init=False, default=0.0)
    _clock: float = field(init=False)
    _saved_at: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin, or go on from the saved state.

        Raises:
            ValueError: The state in the directory belongs to other settings or data.
        """
        world = self.run.world
        # Sent, not read by each: the nodes of a cluster need not share a disk.
        state = world.on_main(lambda: self.directory.load_state(self.run.fingerprint()))
        self.engine = self.run.build_engine()
        self.progress = Progress()
        if state is not None:
            self.engine.load_state_dict(state["engine"])
            self.progress = Progress(**state["progress"])
            logger.info(
                "going on with epoch %d behind batch %d of %d, step %d",
                self.progress.epoch,
                self.progress.num_batches,
                len(self.run.sampler),
                self.engine.step,
            )
        if world.is_main:
            if state is None and self.directory.has_metrics:
                logger.info("found a run that had saved nothing yet: beginning anew")
            self.directory.write_metrics(self.progress.records)
        self._clock = self._saved_at = time.monotonic()

    def finish(self) -> report.EpochRecord:
        """Train to the end, and leave the best epoch's checkpoint in the run's directory.

        Returns:
            The best epoch.

        Raises:
            TrainingError: The run cannot go on; the last state that was saved is good.
        """
        is_logged = self.run.settings.run.tensorboard and self.run.world.is_main
        with EventLog.open(self.directory.tensorboard if is_logged else None) as log:
            for record in self.progress.records:
                log.write(record)
            while not self.progress.is_complete:
                self._train_epoch(log)
                self._end_epoch(log)
        best = self.progress.best
        assert best is not None
        return best

    @property
    def evaluation(self) -> Evaluation:
        """The best epoch's scores on dev."""
        labels = self.run.data.labels
        return SpanCounts.from_list(self.progress.best_counts, labels).evaluation()

    def _train_epoch(self, log: EventLog) -> None:
        """Take the steps that are left of the epoch under way."""
        run, progress = self.run, self.progress
        run.sampler.set_epoch(progress.epoch, first_batch=progress.num_batches)
        epoch_windows = run.draw_windows(progress.epoch)
        accumulation = run.settings.optimization.accumulation
        steps_per_record = max(1, run.steps_per_epoch // _RECORDS_PER_EPOCH)
        batches = tqdm(
            run.load_batches(epoch_windows),
            desc=f"epoch {progress.epoch}",
            unit="batch",
            initial=progress.num_batches,
            total=len(run.sampler),
            # None: shown in a terminal, not in a log file.
            disable=None if run.world.is_main else True,
        )
        for group in _group(batches, accumulation):
            self._take_step(group, epoch_windows)
            if self.engine.step % steps_per_record == 0:
                self._record_step(log)
            is_epoch_over = progress.num_batches == len(run.sampler)
            save_every_s = run.settings.run.save_every_s
            is_late = time.monotonic() - self._saved_at >= save_every_s
            if not is_epoch_over and run.world.decide(is_late):
                self._save_state()

    def _take_step(self, batches: list[Batch], epoch_windows: Sequence[EncodedWindow]) -> None:
        run, progress = self.run, self.progress
        numbers = range(progress.num_batches, progress.num_batches + len(batches))
        windows = [window for number in numbers for window in run.sampler.global_batch(number)]
        lengths = [len(epoch_windows[window].token_ids) for window in windows]
        batch_size = max(len(run.sampler.global_batch(number)) for number in numbers)
        try:
            with explain_lack_of_memory(batch_size, max(lengths)):
                self._rank_loss += self.engine.take_step(batches, sum(lengths))
        except NonFiniteLossError as error:
            raise TrainingError(
                f"{error} in epoch {progress.epoch}, batch {numbers[0] + 1} of {len(run.sampler)}"
                f" ({self._describe_windows(windows)}); {self.directory.describe_state()}."
                f" A lower learning rate usually helps (with --restart)",
                is_shared=True,
            ) from error
        progress.num_batches += len(batches)
        progress.num_characters += sum(lengths)

    def _describe_windows(self, windows: list[int]) -> str:
        """Which sentences a batch held, the first of them quoted."""
        numbers = [self.run.dataset.example_numbers[window] for window in windows]
        text = self.run.data.train[numbers[0]].text
        quoted = text[:_QUOTED_CHARACTERS] + ("…" if len(text) > _QUOTED_CHARACTERS else "")
        listed = ", ".join(str(number + 1) for number in sorted(set(numbers)))
        return f"training sentences {listed}; number {numbers[0] + 1} is {quoted!r}"

    def _end_epoch(self, log: EventLog) -> None:
        """Evaluate, record, keep the checkpoint if it is the best, save the state."""
        run, progress, patience = self.run, self.progress, self.run.settings.optimization.patience
        self._add_up()
        tagger = self.engine.best_tagger
        batch_size = min(_EVALUATION_BATCH_SIZE, run.settings.optimization.batch_size)
        with explain_lack_of_memory(batch_size, run.checkpoint.tagger.config.max_window_characters):
            counts = evaluate_tagger(
                run.checkpoint, tagger, run.data.dev, run.world, batch_size=batch_size
            )
        scores = counts.evaluation().micro
        train_s = progress.epoch_s
        self._add_up()
        record = report.EpochRecord(
            epoch=progress.epoch,
            step=self.engine.step,
            loss=progress.loss_sum / progress.num_characters,
            learning_rate=self.engine.learning_rate,
            dev_precision=scores.precision,
            dev_recall=scores.recall,
            dev_f1=scores.f1,
            characters_per_second=progress.num_characters / train_s,
            seconds=progress.total_s,
        )
        self._record(record.to_json(), log)
        logger.info("%s", record.format_log_line())
        if progress.best is None or record.dev_f1 > progress.best.dev_f1:
            progress.improved_epoch = record.epoch
        # Of equals the later one, which has learned more: a small dev set soon stands still.
        if progress.best is None or record.dev_f1 >= progress.best.dev_f1:
            progress.best_record, progress.best_counts = asdict(record), counts.to_list()
            if run.world.is_main:
                self._save_checkpoint(record)
        assert progress.best is not None
        is_stopped = run.world.decide(progress.epoch - progress.improved_epoch >= patience)
        if is_stopped:
            logger.info("no better dev F1 in %d epochs: stopping", patience)
        progress.is_complete = is_stopped or progress.epoch == run.settings.optimization.epochs
        progress.epoch += 1
        progress.num_batches = progress.num_characters = 0
        progress.loss_sum = progress.epoch_s = 0.0
        progress.recorded = (0.0, 0)
        self._save_state()
        if run.world.is_main:
            self.directory.keep_checkpoint(progress.best.epoch)

    def _save_checkpoint(self, record: report.EpochRecord) -> None:
        run = self.run
        metrics = {"dev": self.evaluation.to_json(), "best_epoch": record.epoch}
        tagger = self.engine.best_tagger
        with self.directory.explain_failed_write("the best checkpoint"):
            save_checkpoint(
                replace(run.checkpoint, tagger=tagger, metrics=metrics),
                self.directory.checkpoint_of(record.epoch),
                card=self.write_card(),
                weights_dtype=(torch.float16 if run.settings.run.half_precision else torch.float32),
            )

    def write_card(self) -> str:
        """The model card of the best epoch so far."""
        best = self.progress.best
        assert best is not None
        return report.write_card(
            settings=self.run.settings,
            command=self.run.command,
            data_lines=self.run.data.report,
            evaluation=self.evaluation,
            best=best,
            duration_s=self.progress.total_s,
            num_parameters=sum(p.numel() for p in self.run.checkpoint.tagger.parameters()),
            machine=report.describe_machine(self.run.world),
        )

    def _save_state(self) -> None:
        self._add_up()
        if self.run.world.is_main:
            content = {"progress": asdict(self.progress), "engine": self.engine.state_dict()}
            self.directory.save_state(self.run.fingerprint(), content)
        self._saved_at = time.monotonic()

    def _record_step(self, log: EventLog) -> None:
        self._add_up()
        progress = self.progress
        loss_sum, num_characters = progress.recorded
        num_new = progress.num_characters - num_characters
        record = report.StepRecord(
            epoch=progress.epoch,
            step=self.engine.step,
            num_steps=self.run.num_steps,
            loss=(progress.loss_sum - loss_sum) / num_new,
            learning_rate=self.engine.learning_rate,
            seconds=progress.total_s,
        )
        progress.recorded = (progress.loss_sum, progress.num_characters)
        self._record(record.to_json(), log)

    def _record(self, record: dict[str, Any], log: EventLog) -> None:
        self.progress.records.append(record)
        if self.run.world.is_main:
            with self.directory.explain_failed_write("metrics.jsonl"):
                self.directory.append_metrics(record)
                log.write(record)

    def _add_up(self) -> None:
        """Bring loss and time of the progress up to now."""
        (loss,) = self.run.world.sum([self._rank_loss])
        self.progress.loss_sum += loss
        self._rank_loss = 0.0
        now = time.monotonic()
        self.progress.epoch_s += now - self._clock
        self.progress.total_s += now - self._clock
        self._clock = now


def _group(batches: Iterable[Batch], size: int) -> Iterator[list[Batch]]:
    group: list[Batch] = []
    for batch in batches:
        group.append(batch)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group
