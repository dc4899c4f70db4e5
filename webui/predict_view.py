"""The parts of the page Predict that draw themselves in the browser.

Each is a `gr.HTML` with a constant template whose script draws every text with text nodes. They
share the models' names, labels and examples, and speak to each other by events of the document:

    ner:model      the visitor has chosen a model (its name)
    ner:entities   the result shows these entities (its text, model and spans; null for none)
    ner:point      an entity of the table is pointed at (its span; null for none)
"""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import gradio as gr

from ner_core.labels import LabelSet
from ner_core.prediction import Prediction
from webui.annotator.component import TAGGED_TEXT_SCRIPTS
from webui.examples import examples_for
from webui.label_style import style_labels
from webui.model_choice import ModelChoice
from webui.texts import TEXTS
from webui.wording.page import PAGE
from webui.wording.predict import PREDICT

_PAGE_ASSETS: Final = Path(__file__).parent / "page"
_ANNOTATOR_ASSETS: Final = Path(__file__).parent / "annotator"
_MODELS_SCRIPT: Final = _PAGE_ASSETS / "models.js"
_PERCENT_SCRIPT: Final = _ANNOTATOR_ASSETS / "percent.js"

ModelDescription = dict[str, Any]


def describe_models(models: ModelChoice) -> list[ModelDescription]:
    """What the browser knows of each model: name, labels with their styles, and examples."""
    return [
        {
            "name": model.name,
            "labels": [asdict(style) for style in style_labels(model.labels, None)],
            "examples": _describe_examples(model.labels),
        }
        for model in models
    ]


def _describe_examples(labels: LabelSet) -> list[dict[str, Any]]:
    styles = {style.label: style for style in style_labels(labels, None)}
    described = []
    for example in examples_for(labels):
        style = styles.get(example.label or "")
        if style:
            names = {"zh": [style.chinese, style.english], "en": [style.english, style.chinese]}
        else:
            names = {language: [table[example.name_key]] for language, table in TEXTS.items()}
        color = style.color if style else None
        described.append({"text": example.text, "names": names, "color": color})
    return described


def describe_result(prediction: Prediction, model: str, seconds: float) -> dict[str, Any]:
    """What the result view draws, as its value.

    Args:
        prediction: The text and its spans.
        model: The name of the model that found them.
        seconds: How long it took.
    """
    return {
        "text": prediction.text,
        "model": model,
        "seconds": seconds,
        "spans": [
            {"start": span.start, "end": span.end, "label": span.label, "score": span.score}
            for span in prediction.spans
        ],
    }


def make_model_view(described: list[ModelDescription]) -> gr.HTML:
    """The choice of a model, whose name is its value; not shown where there is but one."""
    return make_view(
        "model",
        [_MODELS_SCRIPT],
        value=described[0]["name"],
        models=described,
        chosen=None,
        # Not False: Gradio 6.31 does not run the script of a view that is shown only later.
        visible=True if len(described) > 1 else "hidden",
    )


def make_examples_view(described: list[ModelDescription]) -> gr.HTML:
    """The chosen model's examples as buttons; its event "choose" carries model and index of one."""
    return make_view("examples", [_MODELS_SCRIPT], models=described)


def make_result_view(described: list[ModelDescription], *, device: str) -> gr.HTML:
    """The coloured text with legend and threshold.

    Its event "correct" carries the text shown; "retag" carries it too, with the model that the
    visitor has chosen for it now. Its prop "suggesting" names the model whose suggestions a text
    gets in the editor, which depends on the visitor's project.

    Args:
        described: The models.
        device: Where they run, as shown beside the latency.
    """
    scripts = (
        _MODELS_SCRIPT,
        *(_ANNOTATOR_ASSETS / name for name in TAGGED_TEXT_SCRIPTS),
    )
    return make_view(
        "result",
        scripts,
        models=described,
        device=device,
        suggesting=None,
    )


def make_details_view(described: list[ModelDescription]) -> gr.HTML:
    """The table of entities and the CLUENER JSON of what the result view shows."""
    return make_view("details", [_MODELS_SCRIPT, _PERCENT_SCRIPT], models=described)


def make_about_view(described: list[ModelDescription], *, example: str) -> gr.HTML:
    """How to call the chosen model from a program, and what the app stores.

    Args:
        described: The models.
        example: Python code with ADDRESS and, in a line of its own, "MODEL".
    """
    return make_view("about", [_MODELS_SCRIPT], models=described, example=example)


def make_batch_model_view(described: list[ModelDescription]) -> gr.HTML:
    """Which model will read a file; not shown where there is but one."""
    visible = True if len(described) > 1 else "hidden"
    return make_view("batch_model", [_MODELS_SCRIPT], models=described, visible=visible)


def make_view(name: str, scripts: Iterable[Path] = (), **props: Any) -> gr.HTML:
    """The component `page/NAME.html` with its script, which runs after those that it needs."""
    paths = (*scripts, _PAGE_ASSETS / f"{name}.js")
    keys = PAGE.keys() | PREDICT.keys()
    return gr.HTML(
        html_template=(_PAGE_ASSETS / f"{name}.html").read_text(encoding="utf-8"),
        js_on_load="\n".join(path.read_text(encoding="utf-8") for path in paths),
        texts={language: {key: table[key] for key in keys} for language, table in TEXTS.items()},
        apply_default_css=False,
        elem_id=f"predict-{name}",
        **props,
    )
