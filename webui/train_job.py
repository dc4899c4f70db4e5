"""The card of the page Train that follows a training: progress, curves, old against new model."""

import threading
from dataclasses import dataclass
from typing import Any, Final

import gradio as gr
import pandas as pd

from annotation_store.projects import Project
from annotation_store.store import AnnotationStore, StoreError
from ner_core.model_directory import CheckpointError
from webui.error_words import word_error, word_message
from webui.label_style import style_labels
from webui.model_choice import ModelChoice
from webui.texts import TEXTS, Language
from webui.train_view import make_plot, make_train_view
from webui.trained_models import TrainedModel, finish_training, read_trained_model
from webui.training_job import Job, JobStatus, TrainingJobs

_POLL_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class JobCard:
    """The components of the card.

    Attributes:
        view: Shows how the job stands; its events are "cancel", "resume", "use" and "ended".
        loss: The training loss by step.
        scores: F1 on the dev sentences by epoch.
        timer: Ticks while there is something to follow.
    """

    view: gr.HTML
    loss: gr.LinePlot
    scores: gr.LinePlot
    timer: gr.Timer

    @property
    def parts(self) -> list[Any]:
        """What `JobWatch.describe` has updates of, in its order."""
        return [self.view, self.loss, self.scores, self.timer]


class JobWatch:
    """Follows the last job, and compares what it has made with what it began from. Thread-safe.

    Args:
        store: Holds the projects.
        models: What is on offer.
        jobs: Runs the trainings.
    """

    def __init__(self, store: AnnotationStore, models: ModelChoice, jobs: TrainingJobs) -> None:
        self._store = store
        self._models = models
        self._jobs = jobs
        self._finishing = threading.Lock()
        # Why a model could not be compared, by its name; None for a bug, which the log has.
        self._uncompared: dict[str, Exception | None] = {}

    def describe(self, project: Project, language: Language) -> list[Any]:
        """The job, its two plots, and whether to look again."""
        status = self._jobs.status()
        finished = None
        is_comparing = False
        job = status.job
        is_made = job is not None and (self._jobs.folder / job.name).is_dir()
        if job is not None and job.kind == "training" and is_made:
            finished = read_trained_model(self._jobs.folder / job.name)
            is_compared = finished is not None and finished.comparison is not None
            is_comparing = not is_compared and job.name not in self._uncompared
            if status.state == "done" and is_comparing:
                self._finish_later(job)  # the app was killed before it could
        in_use = self._models.for_project(project)
        value = describe_job(
            status,
            finished,
            is_comparing=is_comparing,
            project=project,
            in_use=in_use.name if in_use else None,
        )
        texts = TEXTS[language]
        value["reason"] = word_message(value.get("reason", ""), language)
        if job is not None and job.name in self._uncompared:
            value["reason"] = self._explain(job, language)
        steps = [it for it in status.records if it["event"] == "step"]
        epochs = [it for it in status.records if it["event"] == "epoch"]
        losses = pd.DataFrame([(it["step"], it["loss"]) for it in steps], columns=["step", "loss"])
        # Epochs by name: on an axis of numbers they would have fractions between them.
        names = [str(it["epoch"]) for it in epochs]
        scores = pd.DataFrame({"epoch": names, "f1": [it["dev_f1"] for it in epochs]})
        return [
            value,
            gr.LinePlot(losses, visible=bool(steps), x_title=texts["train.step"]),
            gr.LinePlot(scores, visible=len(names) > 1, x_title=texts["train.epoch"], sort=names),
            gr.Timer(active=status.state == "running" or is_comparing),
        ]

    def finish(self, job: Job) -> None:
        """Compare what a training has made with what it began from."""
        if job.kind != "training":
            return
        with self._finishing:
            try:
                projects = {project.name: project for project in self._store.projects()}
                finish_training(self._jobs.folder, job, projects[job.project])
            except (CheckpointError, KeyError, StoreError, OSError) as error:
                self._uncompared[job.name] = error
            except Exception:
                # Kept in mind: whoever looks at the page would have it tried again and again.
                self._uncompared[job.name] = None
                raise

    def _explain(self, job: Job, language: Language) -> str:
        error = self._uncompared[job.name]
        if error is None:
            return TEXTS[language]["page.internal_error"]
        if isinstance(error, KeyError):  # renamed or deleted meanwhile
            return TEXTS[language]["page.no_such_project"].format(name=repr(job.project))
        return word_error(error, language)

    def _finish_later(self, job: Job) -> None:
        if not self._finishing.locked():
            threading.Thread(target=self.finish, args=(job,), daemon=True).start()


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


def make_job_card() -> JobCard:
    """Build the card inside the current Gradio context."""
    with gr.Column(elem_classes="card"):
        view = make_train_view("job")
        with gr.Row(elem_classes="train-plots"):
            loss = make_plot(
                "train.loss_curve", x="step", y="loss", elem_id="train-loss-plot", y_lim=[0, None]
            )
            scores = make_plot("train.f1_curve", x="epoch", y="f1", elem_id="train-f1-plot")
    return JobCard(view, loss, scores, gr.Timer(_POLL_S, active=False))
