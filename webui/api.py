"""The endpoints for other programs: /predict, /predict_batch, /models and /export.

What the pages call themselves is private and stands in the modules of the pages. Gradio does not
check what a program sends, so every function here does.
"""

import reprlib
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final, TypeVar

import gradio as gr

from annotation_store.documents import STATUSES
from annotation_store.exchange import ExportFormat, ExportResult, export_file
from annotation_store.formats.catalog import FORMATS
from annotation_store.store import AnnotationStore
from ner_core.formats import spans_to_cluener
from ner_core.prediction import Prediction, Predictor
from webui.messages import Refusal, find_text_problem, reports_errors_to_programs
from webui.model_choice import ModelChoice
from webui.settings import Settings

MAX_TEXTS: Final = 10_000
MAX_BATCH_CHARACTERS: Final = 2_000_000
"""Of all texts of one call; a call keeps the others waiting."""
EXPORT_FORMATS: Final[tuple[ExportFormat, ...]] = tuple(FORMATS)

_Choice = TypeVar("_Choice", bound=str)


class EndpointBlocks(gr.Blocks):
    """Blocks whose public endpoints may be called with fewer values than they have parameters.

    Over plain HTTP values come by position, and Gradio 6.31 refuses a call that leaves out an
    optional one; only its Python client fills them in. Calls written before /predict took a model
    send a text alone.
    """

    def validate_inputs(self, block_fn: Any, inputs: list[Any]) -> None:
        """Fill up what is missing with None, which every endpoint checks itself."""
        if block_fn.api_visibility == "public":
            inputs.extend([None] * (len(block_fn.inputs) - len(inputs)))
        super().validate_inputs(block_fn, inputs)


def add_endpoints(store: AnnotationStore, models: ModelChoice, settings: Settings) -> None:
    """Add the endpoints to the current Gradio context."""

    @reports_errors_to_programs
    def predict(text: str, model: str | None = None) -> dict[str, Any]:
        """Tag one text.

        Args:
            text: Chinese text of up to 100,000 characters.
            model: The name of one of the models; the default model without it.

        Returns:
            The text and its entities, as CLUENER's label object and as half-open spans.
        """
        predictor = find_model(models, model)
        _check_text("", text)
        return _tag(predictor, [text])[0]

    @reports_errors_to_programs
    def predict_batch(texts: list[str], model: str | None = None) -> list[dict[str, Any]]:
        """Tag many texts at once, much faster than one by one.

        Args:
            texts: Up to 10,000 texts of up to 100,000 characters; up to 2,000,000 in all.
            model: The name of one of the models; the default model without it.

        Returns:
            One object for each text; the seconds in it are those of the whole call.
        """
        return predict_texts(find_model(models, model), texts)

    @reports_errors_to_programs
    def list_models() -> list[dict[str, Any]]:
        """The models that may be asked for.

        Returns:
            One object for each: its name, its labels, and whether it is the default.
        """
        return [
            {
                "name": model.name,
                "labels": list(model.labels.labels),
                "is_default": model is models.default,
            }
            for model in models
        ]

    @reports_errors_to_programs
    def export(format: str, status: str, project: str | None = None) -> str:
        """Write the documents of one status to a file.

        Args:
            format: txt, csv, jsonl, cluener, conll, doccano, label-studio or hugging-face (a zip).
            status: new, accepted, rejected, ignored, flagged, or all.
            project: The project's name; the app's own without it.

        Returns:
            The file.
        """
        names = [known.name for known in store.projects()]
        if project and project not in names:
            raise Refusal(f"expected a project of {', '.join(names)}, got {reprlib.repr(project)}")
        path, _ = write_export(store, settings, format=format, status=status, project=project or "")
        return str(path)

    gr.api(predict, api_name="predict", concurrency_limit=4)
    gr.api(predict_batch, api_name="predict_batch", concurrency_limit=1)
    gr.api(list_models, api_name="models")
    # gr.api() gives a path back as a string, not as a file; so this one has components.
    with gr.Row(visible=False):
        gr.Button().click(
            export,
            inputs=[
                gr.Textbox(label="format"),
                gr.Textbox("accepted", label="status"),
                gr.Textbox("", label="project"),
            ],
            outputs=gr.File(label="file"),
            api_name="export",
        )


def find_model(models: ModelChoice, name: object) -> Predictor:
    """The model of this name, or the default one for None.

    Raises:
        Refusal: There is none.
    """
    predictor = models.default if name is None else models.find(name)
    if predictor is None:
        raise Refusal(f"expected a model of {', '.join(models.names)}, got {reprlib.repr(name)}")
    return predictor


def predict_texts(predictor: Predictor, texts: object) -> list[dict[str, Any]]:
    """The answers of /predict_batch.

    Raises:
        Refusal: No list of at most `MAX_TEXTS` texts came, one of them cannot be tagged, or they
            have more than `MAX_BATCH_CHARACTERS` characters.
    """
    if not isinstance(texts, list) or len(texts) > MAX_TEXTS:
        got = f"{len(texts)} texts" if isinstance(texts, list) else type(texts).__name__
        raise Refusal(f"expected a list of at most {MAX_TEXTS} texts, got {got}")
    for index, text in enumerate(texts):
        _check_text(f"texts[{index}]: ", text)
    length = sum(len(text) for text in texts)
    if length > MAX_BATCH_CHARACTERS:
        raise Refusal(
            f"expected texts of at most {MAX_BATCH_CHARACTERS} characters in all, got {length}:"
            " send them in several calls"
        )
    return _tag(predictor, texts)


def _check_text(place: str, text: object) -> None:
    if not isinstance(text, str):
        raise Refusal(f"{place}expected a text, got {type(text).__name__}")
    problem = find_text_problem(text, "en")
    if problem:
        raise Refusal(place + problem)


def _tag(predictor: Predictor, texts: Sequence[str]) -> list[dict[str, Any]]:
    started = time.perf_counter()
    predictions = predictor.predict(texts)
    seconds = time.perf_counter() - started
    return [describe_prediction(prediction, predictor.name, seconds) for prediction in predictions]


def describe_prediction(prediction: Prediction, model: str, seconds: float) -> dict[str, Any]:
    """One answer of /predict: a JSON object that names offsets in both conventions."""
    text = prediction.text
    return {
        "text": text,
        "label": spans_to_cluener(text, prediction.spans),
        "spans": [
            {
                "start": span.start,
                "end": span.end,
                "label": span.label,
                "text": text[span.start : span.end],
                "score": span.score,
            }
            for span in prediction.spans
        ],
        "model": model,
        "seconds": seconds,
    }


def write_export(
    store: AnnotationStore, settings: Settings, *, format: object, status: object, project: str = ""
) -> tuple[Path, ExportResult]:
    """Write an export to a download folder of its own.

    Args:
        store: Where the documents are.
        settings: Name the folder.
        format: What to write.
        status: Only documents of this status, or all.
        project: The project's name; "" for the app's own.

    Raises:
        Refusal: There is no such format or status.
    """
    known_format = _choose("format", format, EXPORT_FORMATS)
    known_status = None if status == "all" else _choose("status", status, STATUSES, "all")
    name = f"{status}-{format}{FORMATS[known_format].suffix}"
    path = Path(mkdtemp(dir=settings.download_folder)) / name
    result = export_file(
        store, path, format=known_format, status=known_status, project=project or settings.project
    )
    return path, result


def _choose(name: str, value: object, choices: Sequence[_Choice], *others: str) -> _Choice:
    for choice in choices:
        if choice == value:
            return choice
    raise Refusal(
        f"expected a {name} of {', '.join((*choices, *others))}, got {reprlib.repr(value)}"
    )
