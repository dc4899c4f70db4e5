"""The page 训练 / Train: from corrections to a better model, and to putting it to use."""

import logging
import math
import reprlib
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import gradio as gr
import pandas as pd

from annotation_store.project_changes import set_model
from annotation_store.projects import Project
from annotation_store.store import AnnotationStore, StoreError
from ner_core.prediction import Predictor
from ner_core.pretrained import CheckpointError
from webui.messages import Refusal, reports_errors
from webui.model_choice import ModelChoice
from webui.page_language import language_of, translated
from webui.predict_tab import describe_offer
from webui.project_choice import find_project
from webui.texts import TEXTS, Language
from webui.train_view import (
    describe_curve,
    describe_data,
    describe_job,
    describe_models_here,
    make_train_view,
)
from webui.trained_models import find_trained_models, finish_training, read_trained_model
from webui.training_job import Job, JobRunning, TrainingJobs, choose_name
from webui.training_plan import (
    Plan,
    PlanOptions,
    make_plan,
    prepare_curve,
    prepare_training,
    read_curve,
)
from webui.training_set import FileKind, ReferenceFiles, TrainingSet, collect_training_set
from webui.uploads import take_upload

MIN_TRAIN: Final = 5
"""Fewer sentences than this teach a model nothing but themselves."""

_POLL_S: Final = 2.0
# Limits of the advanced fields: name of the field, lowest, highest value.
_LIMITS: Final = {
    "epochs": (1, 200),
    "rate": (0.001, 10.0),
    "mix": (0.0, 1000.0),
    "seed": (0, 2**32 - 1),
}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Draft:
    """What a training would be if it were started now."""

    project: Project
    predictor: Predictor
    data: TrainingSet
    plan: Plan | None


class TrainHandlers:
    """The event handlers of the page, over its store, models and training folder."""

    def __init__(self, store: AnnotationStore, models: ModelChoice, jobs: TrainingJobs) -> None:
        self._store = store
        self._models = models
        self._jobs = jobs
        self._finishing = threading.Lock()
        # Why a model could not be compared, by its name.
        self._uncompared: dict[str, str] = {}

    # What the page shows

    @reports_errors
    def refresh(self, project: object, request: gr.Request) -> list[Any]:
        """Everything: data, models, job, its two plots, and whether to look again."""
        language = language_of(request)
        draft = self._draft(find_project(self._store, project, language), PlanOptions())
        return [
            describe_data(
                draft.data,
                draft.plan,
                draft.project,
                draft.predictor.name,
                self._since(draft) is None,
            ),
            self._describe_models(draft.project),
            *self._describe_curve(draft, language),
            *self._describe_job(draft.project, language),
        ]

    @reports_errors
    def refresh_job(self, project: object, request: gr.Request) -> list[Any]:
        """The job, its two plots, and whether to look again."""
        language = language_of(request)
        return self._describe_job(find_project(self._store, project, language), language)

    def _describe_job(self, project: Project, language: Language) -> list[Any]:
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
        if job is not None and job.name in self._uncompared:
            value["reason"] = self._uncompared[job.name]
        texts = TEXTS[language]
        steps = [it for it in status.records if it["event"] == "step"]
        epochs = [it for it in status.records if it["event"] == "epoch"]
        losses = pd.DataFrame([(it["step"], it["loss"]) for it in steps], columns=["step", "loss"])
        scores = pd.DataFrame(
            [(it["epoch"], it["dev_f1"]) for it in epochs], columns=["epoch", "f1"]
        )
        return [
            value,
            gr.LinePlot(losses, visible=bool(steps), x_title=texts["train.step"]),
            gr.LinePlot(scores, visible=bool(epochs), x_title=texts["train.epoch"]),
            gr.Timer(active=status.state == "running" or is_comparing),
        ]

    def _describe_curve(self, draft: _Draft, language: Language) -> list[Any]:
        curve = read_curve(self._jobs.folder, draft.project)
        is_busy = self._jobs.status().state == "running"
        points = (
            [(point["num_sentences"], point["f1"]) for point in curve["points"]] if curve else []
        )
        frame = pd.DataFrame(points, columns=["sentences", "f1"])
        title = TEXTS[language]["train.curve_sentences"]
        return [
            describe_curve(curve, len(draft.data.train), is_busy=is_busy),
            gr.LinePlot(frame, visible=bool(points), x_title=title),
        ]

    def _describe_models(self, project: Project) -> dict[str, Any]:
        in_use = self._models.for_project(project)
        trained = find_trained_models(self._jobs.folder, project.name)
        return describe_models_here(self._models, trained, in_use.name if in_use else None)

    # Training

    @reports_errors
    def start(
        self,
        project: object,
        epochs: object,
        rate: object,
        mix: object,
        seed: object,
        request: gr.Request,
    ) -> list[Any]:
        """Start a training."""
        language = language_of(request)
        found = find_project(self._store, project, language)
        values = {"epochs": epochs, "rate": rate, "mix": mix, "seed": seed}
        numbers = {name: _check_number(name, value, language) for name, value in values.items()}
        options = PlanOptions(
            epochs=None if numbers["epochs"] is None else int(numbers["epochs"]),
            rate=numbers["rate"],
            original_per_correction=numbers["mix"],
            seed=42 if numbers["seed"] is None else int(numbers["seed"]),
        )
        draft = self._draft(found, options)
        plan = self._check(draft, language)
        folder = self._jobs.folder
        name = choose_name(folder, found.name, self._models.names)
        self._start(prepare_training(folder, name, plan, draft.data, found), language)
        return self._describe_job(found, language)

    @reports_errors
    def start_curve(self, project: object, request: gr.Request) -> list[Any]:
        """Measure the learning curve: curve, its plot, job, its two plots, and the timer."""
        language = language_of(request)
        found = find_project(self._store, project, language)
        draft = self._draft(found, PlanOptions(), is_from_root=True)
        plan = self._check(draft, language)
        job = prepare_curve(self._jobs.folder, plan, draft.data, draft.project)
        self._start(job, language)
        return [
            *self._describe_curve(draft, language),
            *self._describe_job(draft.project, language),
        ]

    def _check(self, draft: _Draft, language: Language) -> Plan:
        """The plan, if it can be carried out."""
        texts = TEXTS[language]
        if draft.plan is None:
            raise Refusal(texts["train.no_base"].format(model=draft.predictor.name))
        if len(draft.data.train) < MIN_TRAIN:
            count = len(draft.data.train)
            raise Refusal(texts["train.too_few"].format(limit=MIN_TRAIN, count=count))
        if not draft.data.dev:
            raise Refusal(texts["train.no_dev"])
        if self._jobs.status().state == "running":
            raise Refusal(texts["train.busy"])
        return draft.plan

    def _start(self, job: Job, language: Language) -> None:
        try:
            self._jobs.start(job, self._finish)
        except JobRunning:
            raise Refusal(TEXTS[language]["train.busy"]) from None

    @reports_errors
    def cancel(self, project: object, request: gr.Request) -> list[Any]:
        """Ask the trainer to end."""
        self._jobs.cancel()
        return self.refresh_job(project, request)

    @reports_errors
    def resume(self, project: object, request: gr.Request) -> list[Any]:
        """Go on with a training that was cancelled or interrupted."""
        language = language_of(request)
        found = find_project(self._store, project, language)
        try:
            self._jobs.resume(self._finish)
        except JobRunning:
            raise Refusal(TEXTS[language]["train.busy"]) from None
        except ValueError:
            logger.info("nothing to resume")  # another visitor was faster
        return self._describe_job(found, language)

    def _finish(self, job: Job) -> None:
        """Compare what a training has made with what it began from."""
        if job.kind != "training":
            return
        with self._finishing:
            try:
                project = next(p for p in self._store.projects() if p.name == job.project)
                finish_training(self._jobs.folder, job, project)
            except StopIteration:  # renamed or deleted meanwhile
                self._uncompared[job.name] = f"there is no project {job.project!r} any more"
            except (CheckpointError, StoreError, OSError) as error:
                self._uncompared[job.name] = str(error)

    def _finish_later(self, job: Job) -> None:
        if not self._finishing.locked():
            threading.Thread(target=self._finish, args=(job,), daemon=True).start()

    # Models

    @reports_errors
    def use(self, project: object, event: gr.EventData, request: gr.Request) -> list[Any]:
        """Put a model to use: models here, the job's result, and the views of the page Predict."""
        language = language_of(request)
        found = find_project(self._store, project, language)
        name = event._data.get("name") if isinstance(event._data, dict) else None
        trained = {it.name: it.path for it in find_trained_models(self._jobs.folder, found.name)}
        is_known = isinstance(name, str) and (name in trained or name in self._models.names)
        if not is_known:
            problem = TEXTS[language]["train.no_such_model"]
            raise Refusal(problem.format(name=reprlib.repr(name)))
        assert isinstance(name, str)
        self._models.use(trained.get(name, Path(name)))
        set_model(self._store.database, found.name, name)
        found = find_project(self._store, found.name, language)
        return [
            *self.refresh(found.name, request),
            *describe_offer(self._models, found, chosen=name),
        ]

    # Files

    @reports_errors
    def add_dev(self, project: object, upload: object, request: gr.Request) -> list[Any]:
        """Keep a file to judge on."""
        return self._add_file(project, "dev", upload, request)

    @reports_errors
    def add_original(self, project: object, upload: object, request: gr.Request) -> list[Any]:
        """Keep a file of original data."""
        return self._add_file(project, "original", upload, request)

    def _add_file(
        self, project: object, kind: FileKind, upload: object, request: gr.Request
    ) -> list[Any]:
        language = language_of(request)
        found = find_project(self._store, project, language)
        data, name = take_upload(upload, language)
        try:
            ReferenceFiles(self._jobs.folder, found).save(kind, data, name)
        except ValueError as error:
            raise Refusal(str(error)) from None
        return self.refresh(found.name, request)

    @reports_errors
    def remove_file(self, project: object, event: gr.EventData, request: gr.Request) -> list[Any]:
        """Forget a file."""
        found = find_project(self._store, project, language_of(request))
        kind = event._data.get("kind") if isinstance(event._data, dict) else None
        if kind not in ("dev", "original"):
            raise Refusal(f"expected dev or original, got {reprlib.repr(kind)}")
        ReferenceFiles(self._jobs.folder, found).remove(kind)
        return self.refresh(found.name, request)

    def _draft(
        self, project: Project, options: PlanOptions, *, is_from_root: bool = False
    ) -> _Draft:
        """A training from the model in use, or from the one that all of the project's came from."""
        predictor = self._models.for_project(project) or self._models.default
        source = self._models.source_of(predictor.name)
        since = self._read_at(project, predictor)
        if is_from_root:
            # A model that has learned from the corrections already would make a flat curve.
            trained = {it.name: it for it in find_trained_models(self._jobs.folder, project.name)}
            name = predictor.name
            while name in trained:
                about = trained[name].about
                name, source = about["base"], about["base_source"]
            if name != predictor.name and source is not None:
                predictor = self._models.find(name) or Predictor.load(source)
        files = ReferenceFiles(self._jobs.folder, project)
        data = collect_training_set(self._store, project, files, since=since)
        plan = source and make_plan(data, project, predictor, source, options)
        return _Draft(project, predictor, data, plan or None)

    def _since(self, draft: _Draft) -> object:
        return self._read_at(draft.project, draft.predictor)

    def _read_at(self, project: Project, predictor: Predictor) -> Any:
        """When the data of a model was read; None for one that was not trained on this project."""
        found = find_trained_models(self._jobs.folder, project.name)
        return next((it.read_at for it in found if it.name == predictor.name), None)


def _check_number(name: str, value: object, language: Language) -> float | None:
    """The number in a field, as the field's text or as a number; None for an empty field."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    low, high = _LIMITS[name]
    try:
        number = float(value) if isinstance(value, str | int | float) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if isinstance(value, bool) or not low <= number <= high:  # never true of nan
        texts = TEXTS[language]
        label = texts[f"train.{name}"]
        raise Refusal(
            texts["train.bad_number"].format(name=label, low=f"{low:g}", high=f"{high:g}")
        )
    return number


def build(
    store: AnnotationStore,
    models: ModelChoice,
    jobs: TrainingJobs,
    *,
    current_project: gr.State,
    model_views: list[gr.HTML],
    tab: gr.Tab,
    blocks: gr.Blocks,
) -> None:
    """Build the page inside the current Gradio context.

    Args:
        store: Where the annotations are.
        models: What is on offer.
        jobs: Runs the trainings.
        current_project: The visitor's project.
        model_views: What shows the models on the page Predict, see `predict_tab.describe_offer`.
        tab: The page is drawn anew when it is opened.
        blocks: And when the whole page is loaded.
    """
    handlers = TrainHandlers(store, models, jobs)
    with gr.Row(elem_classes="page-columns"):
        with gr.Column(elem_classes="page-main"):
            with gr.Column(elem_classes="card"):
                data = make_train_view("data")
                with gr.Row(elem_classes="train-files"):
                    dev_file, original_file = (
                        gr.UploadButton(
                            translated(f"train.upload_{kind}"),
                            file_types=[".json", ".jsonl", ".bio", ".conll", ".txt"],
                            size="sm",
                            min_width=0,
                            elem_id=f"train-upload-{kind}",
                        )
                        for kind in ("dev", "original")
                    )
                gr.Markdown(translated("train.files_note"), elem_classes="quiet small")
                with gr.Accordion(translated("train.advanced"), open=False), gr.Row():
                    numbers = [
                        # Not gr.Number: Gradio 6.31 writes 0 into an empty one.
                        gr.Textbox(
                            label=translated(f"train.{name}"),
                            placeholder=translated("train.automatic"),
                            max_lines=1,
                            min_width=120,
                            elem_id=f"train-{name}",
                        )
                        for name in _LIMITS
                    ]
                start = gr.Button(
                    translated("train.start"), variant="primary", elem_id="train-start"
                )
            with gr.Column(elem_classes="card"):
                job = make_train_view("job")
                with gr.Row(elem_classes="train-plots"):
                    loss = gr.LinePlot(
                        x="step",
                        y="loss",
                        label=translated("train.loss_curve"),
                        y_title=" ",
                        y_lim=[0, None],
                        height=230,
                        visible=False,
                    )
                    scores = gr.LinePlot(
                        x="epoch",
                        y="f1",
                        label=translated("train.f1_curve"),
                        y_title=" ",
                        height=230,
                        visible=False,
                    )
        with gr.Column(elem_classes="page-aside"):
            models_view = make_train_view("models")
            with gr.Column(elem_classes="card"):
                curve = make_train_view("curve")
                curve_plot = gr.LinePlot(
                    x="sentences",
                    y="f1",
                    label=translated("train.f1_curve"),
                    y_title=" ",
                    height=230,
                    visible=False,
                    elem_id="train-curve-plot",
                )

    timer = gr.Timer(_POLL_S, active=False)
    job_parts = [job, loss, scores, timer]
    curve_parts = [curve, curve_plot]
    everything = [data, models_view, *curve_parts, *job_parts]
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    for event in (blocks.load, tab.select, current_project.change, job.ended):
        event(handlers.refresh, inputs=current_project, outputs=everything, **quiet)
    timer.tick(handlers.refresh_job, inputs=current_project, outputs=job_parts, **quiet)
    start.click(handlers.start, inputs=[current_project, *numbers], outputs=job_parts, **quiet)
    curve.start(
        handlers.start_curve,
        inputs=current_project,
        outputs=[*curve_parts, *job_parts],
        **quiet,
    )
    job.cancel(handlers.cancel, inputs=current_project, outputs=job_parts, **quiet)
    job.resume(handlers.resume, inputs=current_project, outputs=job_parts, **quiet)
    for view in (job, models_view):
        view.use(handlers.use, inputs=current_project, outputs=[*everything, *model_views], **quiet)
    data.remove(handlers.remove_file, inputs=current_project, outputs=everything, **quiet)
    for upload, add in ((dev_file, handlers.add_dev), (original_file, handlers.add_original)):
        upload.upload(add, inputs=[current_project, upload], outputs=everything, **quiet)
