"""What a run leaves beside its weights: log lines, `metrics.jsonl`, a plot and the model card."""

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import matplotlib
import torch
import transformers

from ner_core.evaluation import Evaluation
from trainer.config import Settings

matplotlib.use("Agg")

from matplotlib import pyplot


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """One line of `metrics.jsonl`.

    Attributes:
        epoch: From 1.
        step: Optimizer steps so far.
        loss: Mean training loss per character.
        learning_rate: Highest rate of any parameter group after the epoch.
        dev_precision: Strict micro precision on dev.
        dev_recall: Strict micro recall on dev.
        dev_f1: Strict micro F1 on dev.
        characters_per_second: Training speed, over all processes.
        seconds: Since the run began.
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


def append_record(path: Path, record: EpochRecord) -> None:
    """Add one JSON line to `metrics.jsonl`."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(record)) + "\n")


def plot_curves(records: Sequence[EpochRecord], path: Path) -> None:
    """Draw loss and dev F1 over the epochs as PNG."""
    epochs = [record.epoch for record in records]
    figure, loss_axis = pyplot.subplots(figsize=(7, 4), layout="constrained")
    loss_axis.plot(epochs, [r.loss for r in records], "o-", color="#2F6FDE", label="loss")
    loss_axis.set(xlabel="epoch", ylabel="training loss per character")
    f1_axis = loss_axis.twinx()
    f1_axis.plot(epochs, [r.dev_f1 for r in records], "s--", color="#C2570C", label="dev F1")
    f1_axis.set(ylabel="dev F1 (strict, micro)", ylim=(0, 1))
    loss_axis.xaxis.get_major_locator().set_params(integer=True)
    figure.legend(loc="outside upper right", ncols=2)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def describe_machine() -> str:
    """Processor or graphics card, threads and versions, in one line."""
    if torch.cuda.is_available():
        place = torch.cuda.get_device_name()
    else:
        place = f"{platform.machine()} CPU, {torch.get_num_threads()} threads"
    return (
        f"{place}; Python {platform.python_version()}, torch {torch.__version__},"
        f" transformers {transformers.__version__}"
    )


def write_card(
    *,
    settings: Settings,
    command: str,
    sources: Sequence[str],
    evaluation: Evaluation,
    best: EpochRecord,
    num_parameters: int,
    machine: str,
) -> str:
    """Text of the model card: how the model was made and how it did on dev.

    Args:
        settings: The run's settings.
        command: The command line that made it.
        sources: A line for each data source.
        evaluation: Of the best epoch on dev.
        best: The best epoch's record.
        num_parameters: Of the whole tagger.
        machine: Where it was trained; see `describe_machine`.
    """
    rows = [
        f"| {label} | {s.precision:.4f} | {s.recall:.4f} | {s.f1:.4f} | {s.support} |"
        for label, s in (("**micro**", evaluation.micro), *evaluation.per_label.items())
    ]
    return "\n".join(
        [
            "---",
            "language: zh",
            "pipeline_tag: token-classification",
            "---",
            "",
            f"# {settings.output.name}",
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
            *(f"- {line}" for line in sources),
            f"- seed {settings.optimization.seed}; the best epoch on dev was epoch {best.epoch},"
            f" reached after {best.seconds:,.0f} s",
            f"- {machine}",
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
