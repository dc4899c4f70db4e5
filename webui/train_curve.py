"""The card of the page Train with the learning curve: F1 against the number of corrections."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import pandas as pd

from webui.texts import TEXTS, Language
from webui.train_view import make_plot, make_train_view
from webui.training_draft import Draft, find_lack
from webui.training_job import TrainingJobs
from webui.training_plan import read_curve


@dataclass(frozen=True, slots=True)
class CurveCard:
    """The components of the card.

    Attributes:
        view: The curve in words; its event "start" measures it.
        plot: The curve.
    """

    view: gr.HTML
    plot: gr.LinePlot

    @property
    def parts(self) -> list[Any]:
        """What `show_curve` has updates of, in its order."""
        return [self.view, self.plot]


def show_curve(jobs: TrainingJobs, draft: Draft, language: Language) -> list[Any]:
    """Updates of the card.

    Args:
        jobs: Their folder has the curve.
        draft: Of a training with what there is to learn from now.
        language: The visitor's.
    """
    curve = read_curve(jobs.folder, draft.project)
    is_busy = jobs.status().state == "running"
    points = [(point["num_sentences"], point["f1"]) for point in curve["points"]] if curve else []
    return [
        describe_curve(
            curve,
            len(draft.data.train),
            can_start=not is_busy and find_lack(draft, language) is None,
        ),
        gr.LinePlot(
            pd.DataFrame(points, columns=["sentences", "f1"]),
            visible=bool(points),
            x_title=TEXTS[language]["train.curve_sentences"],
        ),
    ]


def describe_curve(
    curve: dict[str, Any] | None, num_corrections: int, *, can_start: bool
) -> dict[str, Any]:
    """A project's learning curve in words; the plot beside it draws the points.

    Args:
        curve: As `trainer.learning_curve` wrote it; None before the first.
        num_corrections: Sentences to learn from now.
        can_start: Whether it can be measured now: there is enough to learn from, and no job is
            under way. What is missing stands beside the button that starts a training.
    """
    points = curve["points"] if curve else []
    return {
        "base": curve and Path(curve["encoder"]).name,
        "num_dev": curve and curve["num_dev"],
        "points": points,
        "num_measured": max((point["num_sentences"] for point in points), default=0),
        "num_now": num_corrections,
        "can_start": can_start,
    }


def make_curve_card() -> CurveCard:
    """Build the card inside the current Gradio context."""
    with gr.Column(elem_classes="card"):
        view = make_train_view("curve")
        plot = make_plot("train.f1_curve", x="sentences", y="f1", elem_id="train-curve-plot")
    return CurveCard(view, plot)
