"""Fine-tuning a tagger, from its settings to a complete checkpoint in the output."""

import logging
from contextlib import ExitStack
from dataclasses import replace

import torch
from torch import Tensor

from ner_core.batch_sampler import LengthBucketedBatchSampler
from ner_core.checkpoint import CARD_FILE, Checkpoint, load_encoder
from ner_core.dataset import TaggingDataset
from ner_core.models import Tagger, TaggerConfig
from ner_core.pretrained import max_encoder_tokens
from ner_core.spans import drop_overlaps
from trainer import report
from trainer.command import is_output_free, is_restart
from trainer.config import ModelSettings, Settings
from trainer.data import TrainingData, caution_of, load_training_data
from trainer.distributed import World
from trainer.dry_run import estimate_costs
from trainer.event_log import check_tensorboard
from trainer.mention_replacement import MentionReplacer
from trainer.optimization import freeze_parameters
from trainer.run import Run
from trainer.run_directory import RunDirectory
from trainer.stepper import choose_precision
from trainer.training import Training

CURVES_FILE = "curves.png"

logger = logging.getLogger("trainer")


def fit(settings: Settings, world: World, *, command: str) -> None:
    """Read the data, train to the best epoch on dev, and leave its checkpoint in the output.

    While the run goes on, everything stands in `OUTPUT.run` (see `trainer.run_directory`), from
    which the same command takes it up again. The output directory appears at the end, complete.

    Raises:
        ValueError: The data, the encoder or the output cannot be used.
        TrainingError: The run cannot go on: the loss is no number, memory or disk is full.
    """
    directory = RunDirectory(settings.run.output)
    if not world.on_main(lambda: is_output_free(directory, is_dry=settings.run.dry_run)):
        logger.info("%s is complete", directory.output)
        return
    with world.together():
        run = _prepare(settings, world, command)
    for line in (*run.data.report, report.describe_machine(world)):
        logger.info("%s", line)
    if settings.run.dry_run:
        logger.info("%s", estimate_costs(run))
        return
    with ExitStack() as stack:

        def open_directory() -> None:
            stack.enter_context(directory.open(restart=is_restart(settings.run)))

        world.on_main(open_directory)
        training = Training(run, directory)
        try:
            best = training.finish()
        except KeyboardInterrupt:
            logger.info("interrupted; the same command goes on from the last save")
            raise
        logger.info("best: epoch %d, dev F1 %.4f", best.epoch, best.dev_f1)
        for line in caution_of(run.data.dev):
            logger.info("%s", line)
        if world.is_main:
            _publish(training, best)
            logger.info("wrote %s", settings.run.output)


def _prepare(settings: Settings, world: World, command: str) -> Run:
    """Read and build everything that can fail before a file is written."""
    if settings.run.tensorboard:
        check_tensorboard()
    choose_precision(settings.optimization.precision, world.device)
    data = load_training_data(settings.data)
    # Weights that are new are drawn alike on all ranks; each step seeds its dropout by rank.
    torch.manual_seed(settings.optimization.seed)
    checkpoint = build_checkpoint(settings, data)
    datasets = [
        TaggingDataset.from_examples(
            source.examples,
            data.labels,
            checkpoint.vocabulary,
            max_characters=checkpoint.tagger.config.max_window_characters,
            label_map=source.label_map,
        )
        for source in data.sources
    ]
    dataset = TaggingDataset.join(datasets)
    repeats = [
        source.weight
        for source, windows in zip(data.sources, datasets, strict=True)
        for _ in range(len(windows))
    ]
    sampler = LengthBucketedBatchSampler(
        dataset.lengths,
        batch_size=settings.optimization.batch_size,
        seed=settings.optimization.seed,
        rank=world.rank,
        world_size=world.world_size,
        repeats=repeats if any(repeat != 1 for repeat in repeats) else None,
    )
    replacer = None
    if settings.optimization.mention_replacement > 0:
        replacer = MentionReplacer(
            dataset.windows,
            data.labels,
            checkpoint.vocabulary,
            probability=settings.optimization.mention_replacement,
            max_characters=checkpoint.tagger.config.max_window_characters,
            seed=settings.optimization.seed,
        )
    return Run(settings, world, command, data, checkpoint, dataset, sampler, replacer)


def build_checkpoint(settings: Settings, data: TrainingData) -> Checkpoint:
    """A tagger on the encoder asked for, with what else of its checkpoint fits the run.

    The context layer is kept when its checkpoint has the run's architecture and no flag asks for
    another size, the classifier and the CRF when the labels are the same too, in the same order. A
    new CRF begins with the tag bigrams of the training data.
    """
    model = settings.model
    encoder = load_encoder(model.encoder)
    earlier = encoder.checkpoint.tagger if encoder.checkpoint else None
    config = TaggerConfig(
        architecture=model.architecture,
        labels=data.labels,
        context_hidden_size=model.context_hidden_size,
        context_num_layers=model.context_num_layers,
        dropout=model.dropout,
        max_window_tokens=max_encoder_tokens(encoder.model),
    )
    kept = "encoder"
    weights: dict[str, Tensor] = {}
    if earlier is not None and _is_context_kept(earlier.config, model):
        kept = "encoder and context layer"
        weights = {n: w for n, w in earlier.state_dict().items() if n.startswith("context.")}
        config = replace(
            config,
            context_hidden_size=earlier.config.context_hidden_size,
            context_num_layers=earlier.config.context_num_layers,
        )
        if earlier.config.labels == data.labels:
            kept = "encoder and head"
            weights = earlier.state_dict()
            config = replace(earlier.config, dropout=model.dropout)
    tagger = Tagger(encoder.model, config)
    if tagger.uses_crf_loss and not any(name.startswith("crf.") for name in weights):
        tagger.crf.initialise_from_tags(
            data.labels.spans_to_tags(drop_overlaps(example.spans)[0], len(example.text))
            for example in data.full_gold
        )
    tagger.load_state_dict({**tagger.state_dict(), **weights})
    if earlier is not None:
        logger.info("continuing from the %s of %s", kept, model.encoder)
    freeze_parameters(tagger, model)
    return Checkpoint(tagger, encoder.vocabulary, encoder.tokenizer_files)


def _is_context_kept(config: TaggerConfig, model: ModelSettings) -> bool:
    return (
        config.architecture == model.architecture
        and model.context_hidden_size in (None, config.context_hidden_size)
        and model.context_num_layers in (None, config.context_num_layers)
    )


def _publish(training: Training, best: report.EpochRecord) -> None:
    """Turn the run's directory into the output."""
    directory = training.directory
    checkpoint = directory.checkpoint_of(best.epoch)
    with directory.explain_failed_write("the output"):
        report.plot_curves(training.progress.records, checkpoint / CURVES_FILE)
        # Written again, now that it is known how long the run took.
        (checkpoint / CARD_FILE).write_text(training.write_card(), encoding="utf-8")
        directory.publish(best.epoch)
