"""What a pretraining run becomes: an encoder's directory, or a tagger's of the silver labels."""

from collections.abc import Mapping

import torch

from ner_core.checkpoint import Checkpoint, save_checkpoint
from ner_core.labels import LabelSet
from ner_core.models import Tagger, TaggerConfig
from trainer import report
from trainer.pretrain_report import describe_corpus, write_card
from trainer.pretraining import Pretraining
from trainer.pretraining_encoder import write_encoder


def write_output(training: Pretraining) -> None:
    """Write what was trained and make it the output.

    Raises:
        TrainingError: It cannot be written; the same command tries again.
    """
    run, directory = training.run, training.directory
    evaluation = training.last_evaluation
    manifest = run.corpus.manifest
    card = write_card(
        settings=run.settings,
        command=run.command,
        corpus_lines=describe_corpus(manifest, len(run.corpus.train), len(run.corpus.held_out)),
        silver_labels=manifest.labels,
        window_tokens=manifest.settings.window_tokens,
        evaluation=evaluation,
        num_parameters=sum(p.numel() for p in run.model.encoder.parameters()),
        machine=report.describe_machine(run.world),
    )
    metrics = {"held_out": evaluation.to_json()}
    weights_dtype = torch.float16 if run.settings.run.half_precision else torch.float32
    place = directory.checkpoint_of(evaluation.step)
    with directory.explain_failed_write("the output"):
        if run.settings.pretraining.keep_head:
            checkpoint = _build_tagger(training, metrics)
            save_checkpoint(checkpoint, place, card=card, weights_dtype=weights_dtype)
        else:
            write_encoder(
                run.model.masked_lm,
                place,
                tokenizer_files=run.start.tokenizer_files,
                card=card,
                metrics=metrics,
                weights_dtype=weights_dtype,
            )
        directory.publish(evaluation.step)


def _build_tagger(training: Pretraining, metrics: Mapping[str, object]) -> Checkpoint:
    """The encoder under the head that learned the silver labels."""
    run = training.run
    config = TaggerConfig(
        architecture="bert-softmax",
        labels=LabelSet(run.corpus.manifest.labels),
        dropout=0.0,
        max_window_tokens=run.corpus.manifest.settings.window_tokens,
    )
    head = run.model.tag_head
    assert head is not None
    tagger = Tagger(run.model.encoder, config)
    tagger.classifier.load_state_dict(head.state_dict())
    tagger.to(torch.device("cpu"))
    return Checkpoint(tagger, run.start.vocabulary, run.start.tokenizer_files, metrics=metrics)
