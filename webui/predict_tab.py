"""The page 识别 / Predict: tag one text or a file of texts, and hand a text on to the editor."""

import reprlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import gradio as gr

from annotation_store.exchange import parse_upload
from annotation_store.store import AnnotationStore, NewDocument
from ner_core.prediction import Predictor
from webui.batch import BatchReport, tag_upload
from webui.examples import examples_for
from webui.label_style import style_labels
from webui.messages import find_text_problem, refuse, reports_errors, warn
from webui.page_language import language_of, translated
from webui.result_view import describe_result, make_details_view, make_result_view
from webui.settings import Settings
from webui.texts import PAGE, PREDICT, TEXTS
from webui.uploads import take_upload

_ASSETS: Final = Path(__file__).parent / "page"

CLIENT_EXAMPLE: Final = """from gradio_client import Client

client = Client("ADDRESS")
result = client.predict(
    text="曼联主帅弗格森昨天抵达北京。",
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
    """

    corrected: gr.events.Dependency
    document_id: gr.State


class PredictHandlers:
    """The event handlers of the page, over its store and predictor."""

    def __init__(self, store: AnnotationStore, predictor: Predictor, settings: Settings) -> None:
        self._store = store
        self._predictor = predictor
        self._settings = settings

    @reports_errors
    def predict(self, text: str, request: gr.Request) -> Any:
        """Tag the text of the text box."""
        language = language_of(request)
        problem = find_text_problem(text, language)
        if problem:
            warn(problem)
            return gr.skip()
        started = time.perf_counter()
        (prediction,) = self._predictor.predict([text])
        return describe_result(prediction, time.perf_counter() - started)

    @reports_errors
    def choose_example(self, event: gr.EventData) -> str:
        """The text of the example whose button was pressed."""
        index = event._data.get("index") if isinstance(event._data, dict) else None
        examples = examples_for(self._predictor.labels)
        if type(index) is not int or not 0 <= index < len(examples):
            raise refuse(
                f"expected the index of an example below {len(examples)}, got {reprlib.repr(index)}"
            )
        return examples[index].text

    @reports_errors
    def add_for_correction(self, event: gr.EventData, request: gr.Request) -> int:
        """Add the text shown to the store, unless it is there; the editor asks the model again."""
        text = event._data.get("text") if isinstance(event._data, dict) else None
        language = language_of(request)
        problem = find_text_problem(text, language)
        if problem:
            raise refuse(problem)
        assert isinstance(text, str)
        return find_or_add(self._store, text, project=self._settings.project)

    @reports_errors
    def predict_file(self, upload_path: object, request: gr.Request) -> Any:
        """Tag every text of a file: report, cancel button and download button at each step.

        The first step takes away what the file before has left, as this one may be refused.
        """
        yield None, gr.update(visible=False), gr.update(visible=False, value=None)
        data, name = take_upload(upload_path, language_of(request))
        upload = parse_upload(data, name, labels=None)
        for report in tag_upload(self._predictor, upload, self._settings.download_folder):
            yield (
                report.to_value(),
                gr.update(visible=report.state == "running"),
                gr.update(visible=report.path is not None, value=report.path),
            )

    def cancel_file(self) -> Any:
        """What the page shows after a batch has been stopped."""
        return BatchReport("cancelled").to_value(), gr.update(visible=False)


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


def build(store: AnnotationStore, predictor: Predictor, settings: Settings) -> PredictPage:
    """Build the page inside the current Gradio context."""
    handlers = PredictHandlers(store, predictor, settings)
    with gr.Row(elem_classes="page-columns"):
        with gr.Column(elem_classes="page-main"):
            with gr.Column(elem_classes="card predict-input"):
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
                examples = _make_examples(predictor)
            model = f"{predictor.name} · {predictor.device_name}"
            result = make_result_view(predictor.labels, model)
            _make_view("about", example=CLIENT_EXAMPLE)
        with gr.Column(elem_classes="page-aside"):
            make_details_view(predictor.labels)
            with gr.Column(elem_classes="card"):
                _build_batch(handlers)

    chosen = examples.choose(
        handlers.choose_example, outputs=text_box, api_visibility="private", show_progress="hidden"
    )
    for event in (run.click, text_box.submit, chosen.success):
        event(
            handlers.predict,
            inputs=text_box,
            outputs=result,
            api_visibility="private",
            show_progress="minimal",
        )
    clear.click(None, js="() => ['', null]", outputs=[text_box, result], api_visibility="private")
    document_id = gr.State(None)
    corrected = result.correct(
        handlers.add_for_correction, outputs=document_id, api_visibility="private"
    )
    return PredictPage(corrected, document_id)


def _make_length_counter(text_box: gr.Textbox) -> None:
    """Counts code points while the visitor types; no request is made."""
    counter = _make_view("length", value=0)
    text_box.change(
        None,
        js="(text) => Array.from(text ?? '').length",
        inputs=text_box,
        outputs=counter,
        api_visibility="private",
    )


def _make_examples(predictor: Predictor) -> gr.HTML:
    """The examples as buttons; its event "choose" carries the index of one."""
    styles = {style.label: style for style in style_labels(predictor.labels)}
    examples = []
    for example in examples_for(predictor.labels):
        style = styles.get(example.label or "")
        if style:
            names = {"zh": [style.chinese, style.english], "en": [style.english, style.chinese]}
        else:
            names = {language: [table[example.name_key]] for language, table in TEXTS.items()}
        color = style.color if style else None
        examples.append({"text": example.text, "names": names, "color": color})
    return _make_view("examples", examples=examples)


def _build_batch(handlers: PredictHandlers) -> None:
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
    report = _make_view("batch")
    running = upload.upload(
        handlers.predict_file,
        inputs=upload,
        outputs=[report, cancel, download],
        show_progress="hidden",
        api_visibility="private",
    )
    # First stop, then say so, and not through the queue: Gradio 6.31 closes the queue's stream when
    # an event is cancelled, and what is still on its way there would come last.
    cancel.click(None, cancels=running, api_visibility="private").then(
        handlers.cancel_file, outputs=[report, cancel], queue=False, api_visibility="private"
    )


def _make_view(name: str, **props: Any) -> gr.HTML:
    """A component with a constant template; its script draws what the props say."""
    keys = PAGE.keys() | PREDICT.keys()
    return gr.HTML(
        html_template=(_ASSETS / f"{name}.html").read_text(encoding="utf-8"),
        js_on_load=(_ASSETS / f"{name}.js").read_text(encoding="utf-8"),
        texts={language: {key: table[key] for key in keys} for language, table in TEXTS.items()},
        apply_default_css=False,
        elem_id=f"predict-{name}",
        **props,
    )
