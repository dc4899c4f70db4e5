"""What a run leaves beside its weights: lines of `metrics.jsonl`, a plot and the model card."""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import matplotlib
import torch
import transformers

from ner_core.evaluation import Evaluation
from trainer.config import Settings
from trainer.distributed import World

matplotlib.use("Agg")

from matplotlib import pyplot


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A line of `metrics.jsonl` within an epoch; its `event` is "step".

    Attributes:
        epoch: The one under way, from 1.
        step: Optimizer steps so far.
        num_steps: Optimizer steps of the whole run, if it is not stopped early.
        loss: Mean training loss per character since the last record.
        learning_rate: Of the encoder's last layer.
        seconds: Since the run began, not counting the time between two sittings.
    """

    epoch: int
    step: int
    num_steps: int
    loss: float
    learning_rate: float
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """The line, as plain values."""
        return {"event": "step", **asdict(self)}


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """A line of `metrics.jsonl` behind an epoch; its `event` is "epoch".

    Attributes:
        epoch: From 1.
        step: Optimizer steps so far.
        loss: Mean training loss per character, over the epoch.
        learning_rate: Of the encoder's last layer, after the epoch.
        dev_precision: Strict micro precision on dev.
        dev_recall: Strict micro recall on dev.
        dev_f1: Strict micro F1 on dev.
        characters_per_second: Training speed, over all processes.
        seconds: Since the run began, not counting the time between two sittings.
    """

    epoch: int
    step: int
    loss: float
    learning_rate: float
    dev_precision: float
    dev_recall: float
    dev_f1: float
    characters_per_second: float
    seconds: float

    def format_log_line(self) -> str:
        """`Epoch 001: loss 1.962 | lr 5e-05 | ...`."""
        return (
            f"Epoch {self.epoch:03d}: loss {self.loss:.3f} | lr {self.learning_rate:.3g}"
            f" | dev P {self.dev_precision:.4f} R {self.dev_recall:.4f} F1 {self.dev_f1:.4f}"
            f" | {self.characters_per_second:,.0f} characters/s | {self.seconds:,.0f} s"
        )

    def to_json(self) -> dict[str, Any]:
        """The line, as plain values."""
        return {"event": "epoch", **asdict(self)}


def plot_curves(records: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw loss and dev F1 over the steps as PNG.

    Args:
        records: The lines of `metrics.jsonl`.
        path: The file to write.
    """
    epochs = [record for record in records if record["event"] == "epoch"]
    # A run of a few steps may have no records but those of its epochs.
    losses = [record for record in records if record["event"] == "step"] or epochs
    figure, loss_axis = pyplot.subplots(figsize=(7, 4), layout="constrained")
    loss_axis.plot(
        [record["step"] for record in losses],
        [record["loss"] for record in losses],
        color="#2F6FDE",
        label="loss",
    )
    loss_axis.set(xlabel="step", ylabel="training loss per character", ylim=(0, None))
    f1_axis = loss_axis.twinx()
    f1_axis.plot(
        [record["step"] for record in epochs],
        [record["dev_f1"] for record in epochs],
        "s--",
        color="#C2570C",
        label="dev F1",
    )
    f1_axis.set(ylabel="dev F1 (strict, micro), after each epoch", ylim=(0, 1))
    loss_axis.xaxis.get_major_locator().set_params(integer=True)
    figure.legend(loc="outside upper right", ncols=2)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def describe_machine(world: World) -> str:
    """Processes, processor or graphics card, and versions, in one line."""
    if world.device.type == "cuda":
        place = torch.cuda.get_device_name()
    else:
        place = f"{platform.machine()} CPU (threads: {torch.get_num_threads()})"
    processes = "" if world.world_size == 1 else f"{world.world_size} processes, each on "
    return (
        f"{processes}{place}; Python {platform.python_version()},"
        f" torch {torch.__version__}, transformers {transformers.__version__}"
    )


def write_card(
    *,
    settings: Settings,
    command: str,
    data_lines: Sequence[str],
    evaluation: Evaluation,
    best: EpochRecord,
    duration_s: float,
    num_parameters: int,
    machine: str,
) -> str:
    """Text of the model card: how the model was made and how it did on dev.

    Args:
        settings: The run's settings.
        command: The command line that made it.
        data_lines: What it was trained on; see `trainer.data`.
        evaluation: Of the best epoch on dev.
        best: The best epoch's record.
        duration_s: Seconds that the run took so far.
        num_parameters: Of the whole tagger.
        machine: Where it was trained; see `describe_machine`.
    """
    scores = [("**micro**", evaluation.micro), *evaluation.per_label.items()]
    rows = [
        f"| {label} | {s.precision:.4f} | {s.recall:.4f} | {s.f1:.4f} | {s.support} |"
        if s.support
        else f"| {label} | – | – | – | 0 |"
        for label, s in scores
    ]
    return "\n".join(
        [
            "---",
            "language: zh",
            "pipeline_tag: token-classification",
            "---",
            "",
            f"# {settings.run.output.name}",
            "",
            f"A Chinese entity tagger ({settings.model.architecture}, {num_parameters:,}"
            f" parameters) for the labels {', '.join(evaluation.per_label)}.",
            "",
            "## How it was trained",
            "",
            "```",
            command,
            "```",
            "",
            f"- recipe {settings.recipe}, seed {settings.optimization.seed}; the best epoch on dev"
            f" was epoch {best.epoch}; the run took {duration_s:,.0f} s",
            f"- {machine}",
            "",
            "```json",
            json.dumps(
                {**asdict(settings.model), **asdict(settings.optimization)}, ensure_ascii=False
            ),
            "```",
            "",
            "## Data",
            "",
            "```",
            *data_lines,
            "```",
            "",
            "## Strict entity scores on dev",
            "",
            "The best epoch was chosen on these examples, so expect a little less on others.",
            "",
            "| label | precision | recall | F1 | support |",
            "|---|---|---|---|---|",
            *rows,
            "",
            f"CLUENER's official macro F1 on the same examples: {evaluation.official_macro_f1:.4f}",
            "",
            "## What it cannot do",
            "",
            "- It finds one label for a character: of entities that overlap, at most one is found.",
            "- It knows no other labels than the ones above, and does worse on texts unlike its"
            " training data.",
            "- Its probabilities are the model's own, exact under the model, not calibrated.",
            "",
        ]
    )
