"""Pretraining an encoder, from its settings to a complete encoder in the output."""

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import torch

from ner_core.preprocessing import rank_characters
from trainer import report
from trainer.command import is_output_free, is_restart
from trainer.distributed import World
from trainer.event_log import check_tensorboard
from trainer.masked_batches import build_mask_tokens
from trainer.preparation import Preparation, plan_preparation
from trainer.prepared_corpus import Manifest, PreparedCorpus, digest_vocabulary
from trainer.pretrain_config import Settings
from trainer.pretrain_dry_run import estimate_costs, open_sample
from trainer.pretrain_report import describe_corpus
from trainer.pretraining import Pretraining
from trainer.pretraining_encoder import (
    StartingEncoder,
    load_starting_encoder,
    make_starting_encoder,
    settle_window,
)
from trainer.pretraining_model import PretrainingModel, check_packing
from trainer.pretraining_output import write_output
from trainer.pretraining_run import PretrainingRun, build_batches
from trainer.run_directory import RunDirectory
from trainer.stepper import choose_precision
from trainer.word_borders import name_segmenter

# Within the run's directory, where no flag says otherwise.
_CORPUS_DIRECTORY = "corpus"

logger = logging.getLogger("trainer")


def fit(settings: Settings, world: World, *, command: str) -> None:
    """Prepare the corpus, train, and leave the encoder in the output.

    While the run goes on, everything stands in `OUTPUT.run` (see `trainer.run_directory`), from
    which the same command takes it up again. The output directory appears at the end, complete.

    Raises:
        ValueError: The corpus, the encoder or the output cannot be used.
        TrainingError: The run cannot go on: the loss is no number, memory or disk is full.
    """
    directory = RunDirectory(settings.run.output, unit="step")
    if not world.on_main(lambda: is_output_free(directory, is_dry=settings.run.dry_run)):
        logger.info("%s is complete", directory.output)
        return
    with world.together():
        if settings.run.tensorboard:
            check_tensorboard()
        choose_precision(settings.pretraining.precision, world.device)
        older = _load_older(settings)
        _check_encoder(settings, older)
    prepared = settings.corpus.prepared or directory.path / _CORPUS_DIRECTORY
    # What stands in the run's own directory is about to be thrown away by a new beginning.
    is_kept = settings.corpus.prepared is not None or not is_restart(settings.run)
    plan = world.on_main(lambda: _plan(settings, older, prepared if is_kept else None))
    if settings.run.dry_run:
        with open_sample(plan, prepared) as sample, world.together():
            run = build_run(settings, world, command, sample.corpus, older)
            logger.info("%s", estimate_costs(run, sample))
        return
    with ExitStack() as stack:

        def open_directory() -> None:
            stack.enter_context(directory.open(restart=is_restart(settings.run)))

        world.on_main(open_directory)
        corpus = _prepare(settings, world, plan, prepared, directory)
        with world.together():
            run = build_run(settings, world, command, corpus, older)
        for line in (*describe_run(run), report.describe_machine(world)):
            logger.info("%s", line)
        training = Pretraining(run, directory)
        try:
            training.finish()
        except KeyboardInterrupt:
            logger.info("interrupted; the same command goes on from the last save")
            raise
        if world.is_main:
            write_output(training)
            logger.info("wrote %s", settings.run.output)


def build_run(
    settings: Settings,
    world: World,
    command: str,
    corpus: PreparedCorpus,
    older: StartingEncoder | None,
) -> PretrainingRun:
    """Model and batches for a prepared corpus.

    Raises:
        ValueError: The encoder cannot do what is asked of it, or the corpus is too small.
    """
    manifest = corpus.manifest
    # Weights that are new are drawn alike on all ranks; each step seeds its dropout by rank.
    torch.manual_seed(settings.pretraining.seed)
    if older is not None:
        start = older
    else:
        assert manifest.tokens is not None
        start = make_starting_encoder(
            settings.encoder, manifest.tokens, manifest.settings.window_tokens
        )
    is_packed = manifest.settings.is_packed
    if is_packed:
        check_packing(start.model.base_model)
    if settings.pretraining.keep_head and not manifest.labels:
        raise ValueError("expected silver labels in the prepared corpus for --keep-head, got none")
    num_tags = 2 * len(manifest.labels) + 1 if manifest.labels else 0
    model = PretrainingModel(start.model, num_tags, is_packed=is_packed)
    batches, held_out = build_batches(settings.pretraining, world, corpus, start)
    return PretrainingRun(settings, world, command, corpus, start, model, batches, held_out)


def describe_run(run: PretrainingRun) -> Sequence[str]:
    """Lines for the log: corpus and model."""
    num_parameters = sum(p.numel() for p in run.model.encoder.parameters())
    return (
        *describe_corpus(run.corpus.manifest, len(run.corpus.train), len(run.corpus.held_out)),
        f"{num_parameters:,} parameters in the encoder, {len(run.start.vocabulary.token_ids):,}"
        f" tokens in its vocabulary; {run.num_steps:,} steps",
    )


def _load_older(settings: Settings) -> StartingEncoder | None:
    if settings.encoder.encoder is None:
        return None
    return load_starting_encoder(settings.encoder.encoder, settings.encoder.dropout)


def _check_encoder(settings: Settings, older: StartingEncoder | None) -> None:
    """Find out before a corpus is prepared for hours that the encoder cannot do what is asked."""
    corpus = settings.corpus
    window_tokens = settle_window(settings.encoder, older, corpus.window_tokens)
    start = older or make_starting_encoder(
        settings.encoder, tuple(rank_characters({})), window_tokens
    )
    build_mask_tokens(start.vocabulary)
    if corpus.is_packed and (corpus.texts or corpus.silver_labels):
        check_packing(start.model.base_model)
    if settings.pretraining.activation_checkpointing:
        start.model.base_model.activation_checkpointing_enable()


def _plan(
    settings: Settings, older: StartingEncoder | None, prepared: Path | None
) -> Preparation | None:
    """A preparation, after all text has been read once; None where it was done before.

    Raises:
        ValueError: There is no text, it cannot be used, or other text was prepared before.
    """
    corpus = settings.corpus
    manifest = Manifest.load(prepared) if prepared else None
    wanted = corpus.window_tokens or (manifest.settings.window_tokens if manifest else None)
    window_tokens = settle_window(settings.encoder, older, wanted)
    if manifest is None:
        if not corpus.texts and not corpus.silver_labels:
            raise ValueError(
                f"expected a prepared corpus in {corpus.prepared}, found none; --corpus makes one"
            )
        vocabulary = older.vocabulary if older else None
        return plan_preparation(corpus, vocabulary, window_tokens, name_segmenter())
    changes = manifest.find_changes(corpus, window_tokens)
    if older is not None:
        if digest_vocabulary(older.vocabulary.token_ids) != manifest.vocabulary_digest:
            changes.append("the encoder has another vocabulary")
    elif manifest.tokens is None:
        changes.append("it was made for the vocabulary of an --encoder")
    if changes:
        raise ValueError(
            f"expected the corpus that is prepared in {prepared}, got another"
            f" ({'; '.join(changes)}); go on with what it was made with, or give another"
            f" --prepared or --output, or --restart"
        )
    return None


def _prepare(
    settings: Settings,
    world: World,
    plan: Preparation | None,
    prepared: Path,
    directory: RunDirectory,
) -> PreparedCorpus:
    """The corpus as rows, written now or long ago."""
    if plan is not None:
        with world.together(), directory.explain_failed_write("the prepared corpus"):
            plan.write_parts(
                prepared, share=world.machine_share, num_workers=settings.corpus.num_workers
            )
        # By all: the nodes of a cluster need not share a disk.
        with world.together():
            return plan.write_manifest(prepared)
    with world.together():
        manifest = Manifest.load(prepared)
        if manifest is None:
            raise ValueError(
                f"expected a prepared corpus on every machine, found none in {prepared}"
            )
        return PreparedCorpus(prepared, manifest)
