"""What a pretraining run leaves beside its weights: lines of `metrics.jsonl` and the card."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from trainer.prepared_corpus import Manifest
from trainer.pretrain_config import Settings


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A line of `metrics.jsonl` on the training; its `event` is "step".

    Attributes:
        epoch: The one under way, from 1.
        step: Optimizer steps so far.
        num_steps: Of the whole run.
        loss: Mean over the masked tokens since the last record; in nats.
        learning_rate: At the next step.
        num_tokens: Characters read so far, over all processes.
        tokens_per_second: Since the last record.
        seconds: Since the run began, not counting the time between two sittings.
    """

    epoch: int
    step: int
    num_steps: int
    loss: float
    learning_rate: float
    num_tokens: int
    tokens_per_second: float
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """The line, as plain values."""
        return {"event": "step", **asdict(self)}


@dataclass(frozen=True, slots=True)
class EvaluationRecord:
    """A line of `metrics.jsonl` on the held-out text; its `event` is "evaluation".

    Attributes:
        epoch: The one under way, from 1.
        step: Optimizer steps so far.
        num_tokens: Characters read so far in training.
        held_out_loss: Mean over the masked tokens; in nats.
        held_out_accuracy: Share of them whose first guess is right.
        num_masked: How many there are.
        seconds: Since the run began, not counting the time between two sittings.
    """

    epoch: int
    step: int
    num_tokens: int
    held_out_loss: float
    held_out_accuracy: float
    num_masked: int
    seconds: float

    @property
    def held_out_perplexity(self) -> float:
        """e to the mean loss: among how many characters the model still wavers."""
        return math.exp(min(self.held_out_loss, 700.0))

    def to_json(self) -> dict[str, Any]:
        """The line, as plain values."""
        perplexity = {"held_out_perplexity": self.held_out_perplexity}
        return {"event": "evaluation", **asdict(self), **perplexity}

    def format_log_line(self) -> str:
        """`Step 1,200: held-out perplexity 9.31 | ...`."""
        return (
            f"Step {self.step:,}: held-out perplexity {self.held_out_perplexity:.2f}"
            f" | accuracy {self.held_out_accuracy:.4f} | {self.num_tokens:,} tokens"
            f" | {self.seconds:,.0f} s"
        )


def describe_corpus(manifest: Manifest, num_train: int, num_held_out: int) -> tuple[str, ...]:
    """Lines for the log and the card: sources, their sizes and checksums, and what became of them.

    Args:
        manifest: Of the prepared corpus.
        num_train: Rows to learn from.
        num_held_out: Rows to measure on.
    """
    settings = manifest.settings
    sources = [
        f"{source.name}: {source.num_lines:,} lines, {source.num_characters:,} characters,"
        f" SHA-256 {source.sha256}"
        for source in manifest.sources
    ]
    characters = sum(source.num_characters for source in manifest.sources)
    return (
        *sources,
        f"{characters:,} characters in all: {num_train:,} rows of {settings.window_tokens} tokens"
        f" to learn from, {num_held_out:,} held out (by the hash of the sentence,"
        f" {settings.held_out_fraction:.2%} of them); words by {settings.segmenter}",
    )


def write_card(
    *,
    settings: Settings,
    command: str,
    corpus_lines: Sequence[str],
    silver_labels: Sequence[str],
    window_tokens: int,
    evaluation: EvaluationRecord,
    num_parameters: int,
    machine: str,
) -> str:
    """Text of the card: how the encoder was made and how well it guesses held-out text.

    Args:
        settings: The run's settings.
        command: The command line that made it.
        corpus_lines: See `describe_corpus`.
        silver_labels: Of the corpus; () without.
        window_tokens: Length of a row.
        evaluation: The last one.
        num_parameters: Of the encoder alone.
        machine: Where it was trained; see `trainer.report.describe_machine`.
    """
    pretraining = settings.pretraining
    origin = settings.encoder.encoder
    begun = "from random weights" if origin is None else f"continued from {origin}"
    notes = settings.corpus.notes or (
        "Nothing was noted on sources and licences (`--corpus-note`); ask whoever made it.",
    )
    task = "guessing masked words (whole-word masking, 80/10/10)"
    if silver_labels:
        task += ", and silver labels beside"
    kind, what, use = (
        (
            "token-classification",
            f"A Chinese tagger of the silver labels {', '.join(silver_labels)}",
            "To tag with it: `python -m ner_core.predict --checkpoint DIR ...`; to teach it labels"
            " of your own: `python -m trainer.finetune --encoder DIR ...`.",
        )
        if pretraining.keep_head
        else (
            "fill-mask",
            "A Chinese encoder",
            "To tag with it, fine-tune it first: `python -m trainer.finetune --encoder DIR ...`.",
        )
    )
    return "\n".join(
        [
            "---",
            "language: zh",
            f"pipeline_tag: {kind}",
            "---",
            "",
            f"# {settings.run.output.name}",
            "",
            f"{what} ({num_parameters:,} parameters in its encoder) that reads one token for each"
            f" character, {begun}. Its training: {task}.",
            use,
            "",
            "## How it was trained",
            "",
            "```",
            command,
            "```",
            "",
            f"- {evaluation.step:,} steps, {evaluation.num_tokens:,} characters read,"
            f" {evaluation.seconds:,.0f} s",
            f"- {machine}",
            "",
            "```json",
            json.dumps({**asdict(settings.encoder), **asdict(pretraining)}, ensure_ascii=False),
            "```",
            "",
            "## Corpus",
            "",
            "```",
            *corpus_lines,
            "```",
            "",
            *(f"- {note}" for note in notes),
            "",
            "## Held-out text",
            "",
            f"Perplexity {evaluation.held_out_perplexity:.2f} and accuracy"
            f" {evaluation.held_out_accuracy:.4f} on {evaluation.num_masked:,} masked characters of"
            " sentences that were not trained on. A masked character is guessed from its line"
            " alone, with the other masks in it; figures with other masks or vocabularies cannot be"
            " compared.",
            "",
            "## What it cannot do",
            "",
            "- It knows what its corpus says, right or wrong.",
            f"- Positions behind token {window_tokens} of a line were not trained here, and a line"
            " was never read together with its neighbours.",
            "",
        ]
    )
