"""Fine-tune a tagger: `torchrun --nproc-per-node N -m trainer.finetune`, or without torchrun."""

import json
import logging
import os
import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

from ner_core.checkpoint import CARD_FILE, CONFIG_FILE, Checkpoint, load_encoder
from ner_core.command_line import run_command
from ner_core.dataset import LengthBucketedBatchSampler, TaggingDataset
from ner_core.models import Tagger, TaggerConfig
from ner_core.pretrained import find_directory, max_encoder_tokens
from ner_core.spans import drop_overlaps
from trainer import report
from trainer.config import ModelSettings, Settings
from trainer.data import TrainingData, load_training_data
from trainer.distributed import World, join_world
from trainer.dry_run import estimate_costs
from trainer.event_log import check_tensorboard
from trainer.failures import TrainingError
from trainer.flags import PROG, parse_settings
from trainer.optimization import freeze_parameters
from trainer.run_directory import RunDirectory
from trainer.training import Run, Training

CURVES_FILE = "curves.png"
# Of a run that was going well until something outside it ended it.
STATUS_FAILED = 1

logger = logging.getLogger("trainer")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit status: 0; 1 when the run could not go on; or see `ner_core.command_line`.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    # The card is published; the password of a database URL must not be.
    command = re.sub(r"(://[^:/@\s]+):[^@\s]+@", r"\1:***@", f"{PROG} {shlex.join(arguments)}")

    def run() -> None:
        settings = parse_settings(arguments, read_encoder_config)
        with join_world(settings.run.device) as world:
            _start_logging(world)
            fit(settings, world, command=command)

    try:
        return run_command(PROG, run)
    except TrainingError as error:
        if not error.is_shared or os.environ.get("RANK", "0") == "0":
            print(f"{PROG}: {error}", file=sys.stderr)
        return STATUS_FAILED


def fit(settings: Settings, world: World, *, command: str) -> None:
    """Read the data, train to the best epoch on dev, and leave its checkpoint in the output.

    While the run goes on, everything stands in `OUTPUT.run` (see `trainer.run_directory`), from
    which the same command takes it up again. The output directory appears at the end, complete.

    Raises:
        ValueError: The data, the encoder or the output cannot be used.
        TrainingError: The run cannot go on: the loss is no number, memory or disk is full.
    """
    directory = RunDirectory(settings.run.output)
    if not settings.run.dry_run and not world.share(_is_output_free(directory, world)):
        return
    run = _prepare(settings, world, command)
    for line in run.data.report:
        logger.info("%s", line)
    if settings.run.dry_run:
        logger.info("%s", estimate_costs(run))
        return
    if not world.is_main:
        Training(run, directory).finish()
        return
    with directory.open(restart=settings.run.restart):
        training = Training(run, directory)
        try:
            best = training.finish()
        except KeyboardInterrupt:
            logger.info("interrupted; the same command goes on from the last save")
            raise
        logger.info("best: epoch %d, dev F1 %.4f", best.epoch, best.dev_f1)
        _publish(training, best)
        logger.info("wrote %s", settings.run.output)


def _is_output_free(directory: RunDirectory, world: World) -> bool:
    """Whether there is something to train; False when the run was complete but for tidying up.

    Raises:
        ValueError: Something else has the output's name.
    """
    if not directory.output.exists():
        return True
    if not directory.is_published():
        raise ValueError(
            f"expected an output directory that does not exist yet, got {directory.output}"
        )
    if world.is_main:
        directory.discard()
        logger.info("%s is complete", directory.output)
    return False


def read_encoder_config(path_or_hub_id: str) -> Mapping[str, Any]:
    """The `config.json` of an encoder or checkpoint.

    Raises:
        ValueError: There is none.
    """
    path = find_directory(path_or_hub_id) / CONFIG_FILE
    try:
        config: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"expected an encoder with {CONFIG_FILE}, got: {error}") from error
    return config


def _prepare(settings: Settings, world: World, command: str) -> Run:
    """Read and build everything that can fail before a file is written."""
    if settings.run.tensorboard:
        check_tensorboard()
    data = load_training_data(settings.data)
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
    return Run(settings, world, command, data, checkpoint, dataset, sampler)


def build_checkpoint(settings: Settings, data: TrainingData) -> Checkpoint:
    """A tagger on the encoder asked for, with what else of its checkpoint fits the run.

    The context layer is kept when its checkpoint has the run's architecture and no flag asks for
    another size, the classifier and the CRF when the labels are the same too. A new CRF begins with
    the tag bigrams of the training data.
    """
    model = settings.model
    encoder = load_encoder(model.encoder)
    earlier = encoder.checkpoint.tagger if encoder.checkpoint else None
    keeps_context = earlier is not None and _is_context_kept(earlier.config, model)
    keeps_labels = earlier is not None and earlier.config.labels == data.labels
    if earlier is not None and keeps_context and keeps_labels:
        logger.info("continuing from encoder and head of %s", model.encoder)
        config = replace(earlier.config, dropout=model.dropout)
        weights = earlier.state_dict()
        tagger = Tagger(encoder.model, config)
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
        if earlier is not None and keeps_context:
            config = replace(
                config,
                context_hidden_size=earlier.config.context_hidden_size,
                context_num_layers=earlier.config.context_num_layers,
            )
        tagger = Tagger(encoder.model, config)
        if earlier is not None and earlier.context is not None and keeps_context:
            logger.info("continuing from encoder and context layer of %s", model.encoder)
            assert tagger.context is not None
            tagger.context.load_state_dict(earlier.context.state_dict())
        if tagger.uses_crf_loss:
            tagger.crf.initialise_from_tags(
                data.labels.spans_to_tags(drop_overlaps(example.spans)[0], len(example.text))
                for example in data.full_gold
            )
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


def _start_logging(world: World) -> None:
    logging.basicConfig(format="%(message)s")
    logger.setLevel(logging.INFO if world.is_main else logging.WARNING)


if __name__ == "__main__":
    sys.exit(main())
