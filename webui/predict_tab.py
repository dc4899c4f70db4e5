"""The page 识别 / Predict: tag one text or a file of texts, and hand a text on to the editor."""

import reprlib
import time
from dataclasses import dataclass
from typing import Any, Final

import gradio as gr

from annotation_store.projects import Project
from annotation_store.store import AnnotationStore, NewDocument
from ner_core.prediction import Predictor
from webui.batch import BatchReport, tag_upload
from webui.examples import examples_for
from webui.messages import find_text_problem, refuse, reports_errors, warn
from webui.model_choice import ModelChoice
from webui.page_language import language_of, translated
from webui.predict_view import (
    ModelDescription,
    describe_models,
    describe_result,
    make_about_view,
    make_batch_model_view,
    make_details_view,
    make_examples_view,
    make_model_view,
    make_result_view,
    make_view,
)
from webui.project_choice import find_project
from webui.settings import Settings
from webui.texts import TEXTS, Language
from webui.uploads import read_upload, take_upload

CLIENT_EXAMPLE: Final = """from gradio_client import Client

client = Client("ADDRESS")
result = client.predict(
    text="曼联主帅弗格森昨天抵达北京。",
    model="MODEL",
    api_name="/predict",
)
print(result["spans"])
"""


@dataclass(frozen=True, slots=True)
class PredictPage:
    """What the rest of the layout needs of this page.

    Attributes:
        corrected: Succeeds when a text has been added to the store to be corrected.
        document_id: Then holds the document to open.
        model_views: What shows the models on offer; outputs for `describe_offer`.
    """

    corrected: gr.events.Dependency
    document_id: gr.State
    model_views: list[gr.HTML]


class PredictHandlers:
    """The event handlers of the page, over its store and models."""

    def __init__(self, store: AnnotationStore, models: ModelChoice, settings: Settings) -> None:
        self._store = store
        self._models = models
        self._settings = settings

    @reports_errors
    def predict(self, text: object, model: object, request: gr.Request) -> Any:
        """Tag the text of the text box with the chosen model."""
        language = language_of(request)
        predictor = self._find(model, language)
        problem = find_text_problem(text, language)
        if problem:
            warn(problem)
            return gr.skip()
        assert isinstance(text, str)
        started = time.perf_counter()
        (prediction,) = predictor.predict([text])
        return describe_result(prediction, predictor.name, time.perf_counter() - started)

    def predict_again(self, event: gr.EventData, request: gr.Request) -> Any:
        """Tag the text shown with the model that the visitor has chosen now."""
        asked = event._data if isinstance(event._data, dict) else {}
        return self.predict(asked.get("text"), asked.get("model"), request)

    @reports_errors
    def choose_example(self, event: gr.EventData, request: gr.Request) -> str:
        """The text of the example whose button was pressed."""
        asked = event._data if isinstance(event._data, dict) else {}
        index = asked.get("index")
        examples = examples_for(self._find(asked.get("model"), language_of(request)).labels)
        if type(index) is not int or not 0 <= index < len(examples):
            raise refuse(
                f"expected the index of an example below {len(examples)}, got {reprlib.repr(index)}"
            )
        return examples[index].text

    @reports_errors
    def add_for_correction(self, project: object, event: gr.EventData, request: gr.Request) -> int:
        """Add the text shown to the store, unless it is there; the editor asks the model again."""
        text = event._data.get("text") if isinstance(event._data, dict) else None
        language = language_of(request)
        name = find_project(self._store, project, language).name
        problem = find_text_problem(text, language)
        if problem:
            raise refuse(problem)
        assert isinstance(text, str)
        return find_or_add(self._store, text, project=name)

    @reports_errors
    def refresh_offer(self, project: object, request: gr.Request) -> list[Any]:
        """Updates of the model views when the page is opened or the project changes."""
        found = find_project(self._store, project, language_of(request))
        return describe_offer(self._models, found)

    @reports_errors
    def predict_file(self, upload_path: object, model: object, request: gr.Request) -> Any:
        """Tag every text of a file: report, cancel button and download button at each step.

        The first step takes away what the file before has left, as this one may be refused.
        """
        yield None, gr.update(visible=False), gr.update(visible=False, value=None)
        language = language_of(request)
        data, name = take_upload(upload_path, language)
        predictor = self._find(model, language)
        upload = read_upload(data, name, labels=None)
        folder = self._settings.download_folder
        for report in tag_upload(predictor, upload, folder, language=language):
            yield (
                report.to_value(),
                gr.update(visible=report.state == "running"),
                gr.update(visible=report.path is not None, value=report.path),
            )

    def cancel_file(self) -> Any:
        """What the page shows after a batch has been stopped."""
        return BatchReport("cancelled").to_value(), gr.update(visible=False)

    def _find(self, name: object, language: Language) -> Predictor:
        predictor = self._models.find(name)
        if predictor is None:  # the app was started again with others while the page was open
            texts = TEXTS[language]
            names = texts["page.separator"].join(self._models.names)
            message = texts["page.no_such_model"].format(name=reprlib.repr(name), names=names)
            raise refuse(message)
        return predictor


def describe_offer(
    models: ModelChoice, project: Project, *, chosen: str | None = None
) -> list[Any]:
    """Updates of `PredictPage.model_views`, in their order.

    Args:
        models: What is on offer now.
        project: The visitor's project.
        chosen: The name of the model to choose for the visitor; None leaves it to them.
    """
    described = describe_models(models)
    suggesting = models.for_project(project)
    visible = True if len(described) > 1 else "hidden"
    return [
        gr.update(models=described, chosen=chosen, visible=visible),
        gr.update(models=described, visible=visible),
        gr.update(suggesting=suggesting.name if suggesting else None),
    ]


def find_or_add(store: AnnotationStore, text: str, *, project: str) -> int:
    """The id of the document with exactly this text, which is added if there is none yet."""
    result = store.add([NewDocument(text)], project=project)
    if result.added_ids:
        return result.added_ids[0]
    offset = 0
    while True:
        page = store.page(project=project, query=text[:200], offset=offset)
        for document in page.documents:
            if document.text == text:
                return document.id
        offset += len(page.documents)
        assert page.documents, "the store called this text a duplicate"


def build(
    store: AnnotationStore,
    models: ModelChoice,
    settings: Settings,
    *,
    current_project: gr.State,
    blocks: gr.Blocks,
) -> PredictPage:
    """Build the page inside the current Gradio context, in these blocks."""
    handlers = PredictHandlers(store, models, settings)
    described = describe_models(models)
    with gr.Row(elem_classes="page-columns"):
        with gr.Column(elem_classes="page-main"):
            with gr.Column(elem_classes="card predict-input"):
                model = make_model_view(described)
                text_box = gr.Textbox(
                    label=translated("predict.text"),
                    placeholder=translated("predict.placeholder"),
                    lines=4,
                    max_lines=12,
                    elem_id="predict-text",
                )
                with gr.Row(elem_classes="predict-actions"):
                    _make_length_counter(text_box)
                    clear = gr.Button(translated("predict.clear"), size="sm", min_width=0)
                    run = gr.Button(
                        translated("predict.run"), variant="primary", elem_id="predict-run"
                    )
                examples = make_examples_view(described)
            result = make_result_view(described, device=models.default.device_name)
            make_about_view(described, example=CLIENT_EXAMPLE)
        with gr.Column(elem_classes="page-aside"):
            make_details_view(described)
            with gr.Column(elem_classes="card"):
                batch_model = _build_batch(handlers, model, described)

    chosen = examples.choose(
        handlers.choose_example, outputs=text_box, api_visibility="private", show_progress="hidden"
    )
    for event in (run.click, text_box.submit, chosen.success):
        event(
            handlers.predict,
            inputs=[text_box, model],
            outputs=result,
            api_visibility="private",
            show_progress="minimal",
        )
    result.retag(
        handlers.predict_again,
        outputs=result,
        trigger_mode="always_last",
        api_visibility="private",
        show_progress="minimal",
    )
    clear.click(None, js="() => ['', null]", outputs=[text_box, result], api_visibility="private")
    document_id = gr.State(None)
    corrected = result.correct(
        handlers.add_for_correction,
        inputs=current_project,
        outputs=document_id,
        api_visibility="private",
    )
    model_views = [model, batch_model, result]
    for event in (blocks.load, current_project.change):
        event(
            handlers.refresh_offer,
            inputs=current_project,
            outputs=model_views,
            show_progress="hidden",
            api_visibility="private",
        )
    return PredictPage(corrected, document_id, model_views)


def _make_length_counter(text_box: gr.Textbox) -> None:
    """Counts code points while the visitor types; no request is made."""
    counter = make_view("length", value=0)
    text_box.change(
        None,
        js="(text) => Array.from(text ?? '').length",
        inputs=text_box,
        outputs=counter,
        api_visibility="private",
    )


def _build_batch(
    handlers: PredictHandlers, model: gr.HTML, described: list[ModelDescription]
) -> gr.HTML:
    """The tools for a file of texts; returns what names the model that will read it."""
    gr.Markdown(translated("predict.batch"), elem_classes="card-title")
    gr.Markdown(translated("predict.batch_note"), elem_classes="quiet small")
    with gr.Row(elem_classes="batch-actions"):
        upload = gr.UploadButton(
            translated("predict.batch_upload"),
            file_types=[".txt", ".jsonl", ".json", ".csv"],
            size="sm",
            min_width=0,
            elem_id="batch-upload",
        )
        batch_model = make_batch_model_view(described)
        cancel = gr.Button(
            translated("predict.batch_cancel"), visible=False, size="sm", min_width=0
        )
        download = gr.DownloadButton(
            translated("predict.batch_download"),
            visible=False,
            size="sm",
            min_width=0,
            variant="primary",
            elem_id="batch-download",
        )
    report = make_view("batch")
    running = upload.upload(
        handlers.predict_file,
        inputs=[upload, model],
        outputs=[report, cancel, download],
        show_progress="hidden",
        api_visibility="private",
    )
    # First stop, then say so, and not through the queue: Gradio 6.31 closes the queue's stream when
    # an event is cancelled, and what is still on its way there would come last.
    cancel.click(None, cancels=running, api_visibility="private").then(
        handlers.cancel_file, outputs=[report, cancel], queue=False, api_visibility="private"
    )
    return batch_model
