"""Fine-tune a tagger: `torchrun --nproc-per-node N -m trainer.finetune`, or without torchrun."""

import logging
import re
import shlex
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from ner_core.checkpoint import (
    Checkpoint,
    load_encoder,
    save_checkpoint,
)
from ner_core.command_line import run_command
from ner_core.dataset import EncodedWindow, LengthBucketedBatchSampler, TaggingDataset, collate
from ner_core.evaluation import Evaluation
from ner_core.labels import LabelSet
from ner_core.models import Tagger, TaggerConfig
from ner_core.pretrained import max_encoder_tokens
from ner_core.spans import drop_overlaps
from trainer import report
from trainer.config import PROG, ModelSettings, Settings, parse_settings
from trainer.data import TrainingData, load_training_data
from trainer.distributed import World, join_world
from trainer.engine import Engine, evaluate_tagger

logger = logging.getLogger(__name__)
METRICS_LOG_FILE = "metrics.jsonl"
CURVES_FILE = "curves.png"
LOG_FILE = "train.log"
BEST_DIRECTORY = "best"


@dataclass(frozen=True)
class Run:
    """Everything that a run needs, read and checked before its directory is made.

    Attributes:
        settings: The command line.
        world: This process among all.
        command: How to start the run again, for the card.
        data: Training and dev examples.
        checkpoint: The tagger as it is before training.
        dataset: The training examples, encoded.
        sampler: This rank's share of the batches.
    """

    settings: Settings
    world: World
    command: str
    data: TrainingData
    checkpoint: Checkpoint
    dataset: TaggingDataset
    sampler: LengthBucketedBatchSampler

    @property
    def directory(self) -> Path:
        """Where the run keeps its files until it is complete."""
        return _run_directory_of(self.settings)


@dataclass(frozen=True)
class BestEpoch:
    """The best epoch so far: its record and its scores on dev."""

    record: report.EpochRecord
    evaluation: Evaluation


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit status: 0; 1 when the loss stopped being a number; or see `ner_core.command_line`.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    settings = parse_settings(arguments)
    # The card is published; the password of a database URL must not be.
    command = re.sub(r"(://[^:/@\s]+):[^@\s]+@", r"\1:***@", f"{PROG} {shlex.join(arguments)}")

    def run() -> None:
        with join_world(settings.device) as world:
            _start_logging(world)
            fit(settings, world, command=command)

    try:
        return run_command(PROG, run)
    except FloatingPointError as error:
        kept = _run_directory_of(settings) / BEST_DIRECTORY
        print(f"{PROG}: {error}; the best checkpoint so far, if any: {kept}", file=sys.stderr)
        return 1


def fit(settings: Settings, world: World, *, command: str) -> None:
    """Read the data, train to the best epoch on dev, and leave its checkpoint in the output.

    While the run goes on, everything stands in a sibling named `OUTPUT.run`, the best checkpoint so
    far in its `best`. The output directory appears at the end and is complete.

    Raises:
        ValueError: The data, the encoder or the output cannot be used.
        FloatingPointError: The loss is no finite number any more.
    """
    run = _prepare(settings, world, command)
    with _open_run_directory(run):
        for line in run.data.sources:
            logger.info("%s", line)
        if run.dataset.num_dropped_overlaps:
            num_dropped = run.dataset.num_dropped_overlaps
            logger.info("%d overlapping spans left out of training", num_dropped)
        records, best = _train(run)
        logger.info("best: epoch %d, dev F1 %.4f", best.record.epoch, best.record.dev_f1)
    if world.is_main:
        finished = run.directory / BEST_DIRECTORY
        report.plot_curves(records, finished / CURVES_FILE)
        for name in (METRICS_LOG_FILE, LOG_FILE):
            (run.directory / name).rename(finished / name)
        finished.rename(settings.output)
        run.directory.rmdir()
        logger.info("wrote %s", settings.output)


def _prepare(settings: Settings, world: World, command: str) -> Run:
    """Read and build everything that can fail before a file is written."""
    if settings.output.exists():
        raise ValueError(
            f"expected an output directory that does not exist yet, got {settings.output}"
        )
    data = load_training_data(settings.data)
    torch.manual_seed(settings.optimization.seed)
    checkpoint = build_checkpoint(settings, data)
    dataset = TaggingDataset.from_examples(
        data.train,
        data.labels,
        checkpoint.vocabulary,
        max_characters=checkpoint.tagger.config.max_window_characters,
    )
    sampler = LengthBucketedBatchSampler(
        dataset.lengths,
        batch_size=settings.optimization.batch_size,
        seed=settings.optimization.seed,
        rank=world.rank,
        world_size=world.world_size,
    )
    # Weights were drawn alike on all ranks; dropout must not be.
    torch.manual_seed(settings.optimization.seed + world.rank)
    return Run(settings, world, command, data, checkpoint, dataset, sampler)


def build_checkpoint(settings: Settings, data: TrainingData) -> Checkpoint:
    """A tagger on the encoder asked for, with its head too when that is one for this run.

    A head is kept when its checkpoint has the run's architecture and labels and no flag asks for
    another size. A new CRF begins with the tag bigrams of the training data.
    """
    model = settings.model
    encoder = load_encoder(model.encoder)
    tagger = encoder.checkpoint.tagger if encoder.checkpoint else None
    if tagger is not None and _is_head_kept(tagger.config, model, data.labels):
        logger.info("continuing from encoder and head of %s", model.encoder)
        weights = tagger.state_dict()
        tagger = Tagger(encoder.model, replace(tagger.config, dropout=model.dropout))
        tagger.load_state_dict(weights)
    else:
        config = TaggerConfig(
            architecture=model.architecture,
            labels=data.labels,
            context_hidden_size=model.context_hidden_size,
            context_num_layers=model.context_num_layers,
            dropout=model.dropout,
            max_window_tokens=max_encoder_tokens(encoder.model),
        )
        tagger = Tagger(encoder.model, config)
        if tagger.uses_crf_loss:
            tagger.crf.initialise_from_tags(
                data.labels.spans_to_tags(drop_overlaps(example.spans)[0], len(example.text))
                for example in data.train
            )
    if model.freeze_encoder:
        tagger.encoder.requires_grad_(False)
    return Checkpoint(tagger, encoder.vocabulary, encoder.tokenizer_files)


def _is_head_kept(config: TaggerConfig, model: ModelSettings, labels: LabelSet) -> bool:
    return (
        (config.architecture, config.labels) == (model.architecture, labels)
        and model.context_hidden_size in (None, config.context_hidden_size)
        and model.context_num_layers in (None, config.context_num_layers)
    )


def _train(run: Run) -> tuple[list[report.EpochRecord], BestEpoch]:
    how, world = run.settings.optimization, run.world
    loader: DataLoader[EncodedWindow] = DataLoader(
        run.dataset,  # type: ignore[arg-type]  # any sequence is a map-style data set
        batch_sampler=run.sampler,
        collate_fn=partial(collate, vocabulary=run.checkpoint.vocabulary),
    )
    steps_per_epoch = -(-len(run.sampler) // how.accumulation)
    num_steps = how.epochs * steps_per_epoch
    engine = Engine(run.checkpoint.tagger, how, world, num_steps=num_steps)
    num_characters = sum(run.dataset.lengths)
    records: list[report.EpochRecord] = []
    best: BestEpoch | None = None
    began = time.monotonic()
    for epoch in range(1, how.epochs + 1):
        run.sampler.set_epoch(epoch)
        epoch_began = time.monotonic()
        batches = tqdm(loader, desc=f"epoch {epoch}", unit="batch", disable=not world.is_main)
        loss = engine.train_epoch(batches)
        train_seconds = time.monotonic() - epoch_began
        candidate = replace(run.checkpoint, tagger=engine.best_tagger)
        evaluation = evaluate_tagger(candidate, run.data.dev, world)
        record = report.EpochRecord(
            epoch=epoch,
            step=epoch * steps_per_epoch,
            loss=loss,
            learning_rate=max(float(rate) for rate in engine.scheduler.get_last_lr()),
            dev_precision=evaluation.micro.precision,
            dev_recall=evaluation.micro.recall,
            dev_f1=evaluation.micro.f1,
            characters_per_second=num_characters / train_seconds,
            seconds=time.monotonic() - began,
        )
        records.append(record)
        logger.info("%s", record.format_log_line())
        if world.is_main:
            report.append_record(run.directory / METRICS_LOG_FILE, record)
        if best is None or record.dev_f1 > best.record.dev_f1:
            best = BestEpoch(record, evaluation)
            if world.is_main:
                _save_best(run, engine.best_tagger, best)
        world.wait()
        if world.decide(epoch - best.record.epoch >= how.patience):
            logger.info("no better dev F1 in %d epochs: stopping", how.patience)
            break
    assert best is not None
    return records, best


def _save_best(run: Run, tagger: Tagger, best: BestEpoch) -> None:
    metrics = {"dev": best.evaluation.to_json(), "best_epoch": best.record.epoch}
    card = report.write_card(
        settings=run.settings,
        command=run.command,
        sources=run.data.sources,
        evaluation=best.evaluation,
        best=best.record,
        num_parameters=sum(parameter.numel() for parameter in tagger.parameters()),
        machine=report.describe_machine(),
    )
    save_checkpoint(
        replace(run.checkpoint, tagger=tagger, metrics=metrics),
        run.directory / BEST_DIRECTORY,
        card=card,
        weights_dtype=torch.float16 if run.settings.half_precision else torch.float32,
    )


def _run_directory_of(settings: Settings) -> Path:
    return settings.output.with_name(f"{settings.output.name}.run")


@contextmanager
def _open_run_directory(run: Run) -> Iterator[None]:
    """Make `OUTPUT.run`, empty but for the log that is written to it while the context is open."""
    if not run.world.is_main:
        yield
        return
    run_directory = run.directory
    if run_directory.exists():
        kept = {path.name for path in run_directory.iterdir()} - {METRICS_LOG_FILE, LOG_FILE}
        if kept:
            raise ValueError(
                f"expected no unfinished run, found {run_directory} with {', '.join(sorted(kept))};"
                f" move or delete it, or choose another --output"
            )
        shutil.rmtree(run_directory)
    run_directory.mkdir(parents=True)
    handler = logging.FileHandler(run_directory / LOG_FILE, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()


def _start_logging(world: World) -> None:
    level = logging.INFO if world.is_main else logging.WARNING
    logging.basicConfig(format="%(message)s")
    logger.setLevel(level)


if __name__ == "__main__":
    sys.exit(main())
