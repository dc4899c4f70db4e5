"""The page 训练 / Train: from corrections to a better model, and to putting it to use."""

import logging
import reprlib
from pathlib import Path
from typing import Any

import gradio as gr

from annotation_store.project_changes import set_model
from annotation_store.projects import Project
from annotation_store.store import AnnotationStore
from webui.background_reader import BackgroundReader
from webui.messages import Refusal, reports_errors
from webui.model_choice import ModelChoice
from webui.page_language import language_of
from webui.predict_tab import describe_offer
from webui.project_choice import find_project
from webui.texts import TEXTS, Language
from webui.train_curve import make_curve_card, show_curve
from webui.train_data import describe_data, describe_start, make_data_card
from webui.train_job import JobWatch, make_job_card
from webui.train_models import describe_models
from webui.train_view import make_train_view
from webui.trained_models import find_trained_models
from webui.training_draft import Draft, Drafts, read_options
from webui.training_job import Job, JobRunning, TrainingJobs, choose_name
from webui.training_plan import PlanOptions, prepare_curve, prepare_training
from webui.training_set import FileKind, ReferenceFiles
from webui.uploads import take_upload

# What has been started shows below the card whose button started it.
_SHOW_JOB = "() => document.querySelector('#train-job').scrollIntoView({behavior: 'smooth'})"

logger = logging.getLogger(__name__)


class TrainHandlers:
    """The event handlers of the page, over its store, models, training folder and reader."""

    def __init__(
        self,
        store: AnnotationStore,
        models: ModelChoice,
        jobs: TrainingJobs,
        reader: BackgroundReader,
    ) -> None:
        self._store = store
        self._models = models
        self._jobs = jobs
        self._reader = reader
        self._drafts = Drafts(store, models, jobs)
        self._watch = JobWatch(store, models, jobs)

    # What the page shows

    @reports_errors
    def refresh(self, project: object, request: gr.Request) -> list[Any]:
        """Everything: data, models, curve, its plot, what `refresh_job` answers, and the start."""
        language = language_of(request)
        draft = self._drafts.make(find_project(self._store, project, language), PlanOptions())
        return [
            describe_data(draft),
            self._describe_models(draft.project),
            *self._show_curve(draft, language),
            *self._watch.describe(draft.project, language),
            *describe_start(draft, language),
        ]

    @reports_errors
    def refresh_job(self, project: object, request: gr.Request) -> list[Any]:
        """The job, its two plots, and whether to look again."""
        language = language_of(request)
        return self._watch.describe(find_project(self._store, project, language), language)

    def _show_curve(self, draft: Draft, language: Language) -> list[Any]:
        return show_curve(self._jobs, draft, language)

    def _describe_models(self, project: Project) -> dict[str, Any]:
        in_use = self._models.for_project(project)
        trained = find_trained_models(self._jobs.folder, project.name)
        return describe_models(self._models, trained, in_use.name if in_use else None)

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
        draft = self._drafts.make(found, read_options(epochs, rate, mix, seed, language))
        plan = self._drafts.check(draft, language)
        folder = self._jobs.folder
        name = choose_name(folder, found.name, self._models.names)
        self._start(prepare_training(folder, name, plan, draft.data, found), language)
        return self._watch.describe(found, language)

    @reports_errors
    def start_curve(self, project: object, request: gr.Request) -> list[Any]:
        """Measure the learning curve: curve, its plot, and what `refresh_job` answers."""
        language = language_of(request)
        found = find_project(self._store, project, language)
        draft = self._drafts.make(found, PlanOptions(), is_from_root=True)
        plan = self._drafts.check(draft, language)
        self._start(prepare_curve(self._jobs.folder, plan, draft.data, found), language)
        return [*self._show_curve(draft, language), *self._watch.describe(found, language)]

    def _start(self, job: Job, language: Language) -> None:
        try:
            self._jobs.start(job, self._watch.finish)
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
            self._jobs.resume(self._watch.finish)
        except JobRunning:
            raise Refusal(TEXTS[language]["train.busy"]) from None
        except ValueError:
            logger.info("nothing to resume")  # another visitor was faster
        return self._watch.describe(found, language)

    # Models

    @reports_errors
    def use(self, project: object, event: gr.EventData, request: gr.Request) -> list[Any]:
        """Put a model to use: what `refresh` answers, and the views of the page Predict."""
        language = language_of(request)
        found = find_project(self._store, project, language)
        name = event._data.get("name") if isinstance(event._data, dict) else None
        trained = {it.name: it.path for it in find_trained_models(self._jobs.folder, found.name)}
        if not (isinstance(name, str) and (name in trained or name in self._models.names)):
            problem = TEXTS[language]["train.no_such_model"]
            raise Refusal(problem.format(name=reprlib.repr(name)))
        self._models.use(trained.get(name, Path(name)))
        set_model(self._store.database, found.name, name)
        found = find_project(self._store, found.name, language)
        # The queue is ranked anew from now on, and not only when somebody sees its bar.
        self._reader.look_at(found)
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


def build(
    store: AnnotationStore,
    models: ModelChoice,
    jobs: TrainingJobs,
    reader: BackgroundReader,
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
        reader: Ranks the queue by the model in use.
        current_project: The visitor's project.
        model_views: What shows the models on the page Predict, see `predict_tab.describe_offer`.
        tab: The page is drawn anew when it is opened.
        blocks: And when the whole page is loaded.
    """
    handlers = TrainHandlers(store, models, jobs, reader)
    with gr.Row(elem_classes="page-columns"):
        with gr.Column(elem_classes="page-main"):
            data = make_data_card()
            job = make_job_card()
        with gr.Column(elem_classes="page-aside"):
            models_view = make_train_view("models")
            curve = make_curve_card()

    everything = [data.view, models_view, *curve.parts, *job.parts, *data.start_parts]
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    for event in (blocks.load, tab.select, current_project.change, job.view.ended):
        event(handlers.refresh, inputs=current_project, outputs=everything, **quiet)
    job.timer.tick(handlers.refresh_job, inputs=current_project, outputs=job.parts, **quiet)
    for started in (
        data.start.click(
            handlers.start, inputs=[current_project, *data.numbers], outputs=job.parts, **quiet
        ),
        curve.view.start(
            handlers.start_curve,
            inputs=current_project,
            outputs=[*curve.parts, *job.parts],
            **quiet,
        ),
    ):
        started.success(None, js=_SHOW_JOB, **quiet)
    job.view.cancel(handlers.cancel, inputs=current_project, outputs=job.parts, **quiet)
    job.view.resume(handlers.resume, inputs=current_project, outputs=job.parts, **quiet)
    for view in (job.view, models_view):
        view.use(handlers.use, inputs=current_project, outputs=[*everything, *model_views], **quiet)
    data.view.remove(handlers.remove_file, inputs=current_project, outputs=everything, **quiet)
    for upload, add in (
        (data.dev_file, handlers.add_dev),
        (data.original_file, handlers.add_original),
    ):
        upload.upload(add, inputs=[current_project, upload], outputs=everything, **quiet)
