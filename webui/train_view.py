"""What the page Train draws in the browser: its views and their values."""

from pathlib import Path
from typing import Any, Final

import gradio as gr

from annotation_store.projects import Project
from webui.label_style import style_labels
from webui.model_choice import ModelChoice
from webui.texts import TEXTS
from webui.trained_models import TrainedModel
from webui.training_job import JobStatus
from webui.training_plan import Plan
from webui.training_set import TrainingSet
from webui.wording.page import PAGE
from webui.wording.train import TRAIN

_ASSETS: Final = Path(__file__).parent / "page"


def make_train_view(name: str) -> gr.HTML:
    """The component `page/train_NAME.html` with its script."""
    keys = PAGE.keys() | TRAIN.keys()
    return gr.HTML(
        html_template=(_ASSETS / f"train_{name}.html").read_text(encoding="utf-8"),
        js_on_load=(_ASSETS / f"train_{name}.js").read_text(encoding="utf-8"),
        texts={language: {key: table[key] for key in keys} for language, table in TEXTS.items()},
        apply_default_css=False,
        elem_id=f"train-{name}",
    )


def describe_data(
    data: TrainingSet, plan: Plan | None, project: Project, model: str, is_first: bool
) -> dict[str, Any]:
    """How much there is to learn from.

    Args:
        data: What has been accepted.
        plan: The training that would be started; None when there is no checkpoint to go on from.
        project: Whose they are.
        model: The name of the model in use.
        is_first: Whether that model has learned nothing from this project yet.
    """
    styles = style_labels(project.labels, project.settings)
    return {
        "model": model,
        "is_first": is_first,
        "num_accepted": data.num_accepted,
        "num_new": data.num_new,
        "num_train": len(data.train),
        "num_dev": len(data.dev),
        "num_original": len(data.original),
        "is_dev_held_out": data.is_dev_held_out,
        "labels": [
            {
                "label": count.label,
                "zh": style.chinese,
                "en": style.english,
                "color": style.color,
                "accepted": count.accepted,
                "new": count.new,
                "dev": count.dev,
            }
            for count, style in zip(data.labels, styles, strict=True)
        ],
        "plan": plan
        and {
            "sentences": plan.num_sentences,
            "original": plan.num_original,
            "epochs": plan.epochs,
            "keeps_head": plan.keeps_head,
        },
    }


def describe_job(
    status: JobStatus,
    finished: TrainedModel | None,
    *,
    is_comparing: bool,
    project: Project,
    in_use: str | None,
) -> dict[str, Any]:
    """How the last training stands.

    Args:
        status: Of its process.
        finished: What it has made, once that is compared.
        is_comparing: Whether that is under way.
        project: The visitor's.
        in_use: The name of the model in use there.
    """
    job = status.job
    if job is None:
        return {"state": "none"}
    steps = [it for it in status.records if it["event"] == "step"]
    epochs = [it for it in status.records if it["event"] == "epoch"]
    newest = max(status.records, key=lambda it: it["step"], default=None)
    num_steps = steps[-1]["num_steps"] if steps else None
    remaining_s = None
    if newest and num_steps:
        remaining_s = newest["seconds"] / newest["step"] * (num_steps - newest["step"])
    state: str = "comparing" if is_comparing else status.state
    if state == "running" and not status.records:
        state = "starting"
    return {
        "state": state,
        "kind": job.kind,
        "name": job.name,
        "base": job.about.get("base"),
        "other_project": job.project if job.project != project.name else None,
        "labels": [
            {"label": style.label, "zh": style.chinese, "en": style.english}
            for style in style_labels(project.labels, project.settings)
        ],
        "epoch": newest and newest["epoch"],
        "step": newest and newest["step"],
        "num_steps": num_steps,
        "remaining_s": remaining_s,
        "best_f1": max((it["dev_f1"] for it in epochs), default=None),
        "log": list(status.log),
        "reason": status.reason if state == "failed" else "",
        "is_killed": state == "failed" and job.status == -9,
        "can_resume": status.can_resume,
        "comparison": finished.comparison if finished else None,
        "is_in_use": job.name == in_use,
    }


def describe_models_here(
    models: ModelChoice, trained: list[TrainedModel], in_use: str | None
) -> dict[str, Any]:
    """The models that a project may use: those trained on it, the newest first, and the others."""
    names = {model.name for model in trained}
    rows: list[dict[str, Any]] = [
        {
            "name": model.name,
            "num_corrections": model.about.get("num_corrections"),
            "f1": model.dev_f1,
            "verdict": model.comparison and model.comparison["verdict"],
            "read_at": model.about["read_at"],
        }
        for model in trained
    ]
    rows += [{"name": model.name} for model in models if model.name not in names]
    return {"in_use": in_use, "models": rows}


def describe_curve(
    curve: dict[str, Any] | None, num_corrections: int, *, is_busy: bool
) -> dict[str, Any]:
    """A project's learning curve in words; the plot beside it draws the points.

    Args:
        curve: As `trainer.learning_curve` wrote it; None before the first.
        num_corrections: Sentences to learn from now.
        is_busy: Whether a job is under way, so that none can be started.
    """
    points = curve["points"] if curve else []
    return {
        "base": curve and Path(curve["encoder"]).name,
        "num_dev": curve and curve["num_dev"],
        "points": points,
        "num_measured": max((point["num_sentences"] for point in points), default=0),
        "num_now": num_corrections,
        "is_busy": is_busy,
    }
