"""The read-only result of the first page: the tagged text, its table and its CLUENER JSON.

Two `gr.HTML` components with constant templates that draw every text with text nodes. The first one
draws the text and owns the threshold; in the browser it tells the second which entities it shows.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import gradio as gr

from ner_core.labels import LabelSet
from ner_core.prediction import Prediction
from webui.label_style import style_labels
from webui.texts import PAGE, PREDICT, TEXTS

_PAGE_ASSETS: Final = Path(__file__).parent / "page"
_ANNOTATOR_ASSETS: Final = Path(__file__).parent / "annotator"


def describe_result(prediction: Prediction, seconds: float) -> dict[str, Any]:
    """What the component draws, as its value.

    Args:
        prediction: The text and its spans.
        seconds: How long the model took.
    """
    return {
        "text": prediction.text,
        "seconds": seconds,
        "spans": [
            {"start": span.start, "end": span.end, "label": span.label, "score": span.score}
            for span in prediction.spans
        ],
    }


def make_result_view(labels: LabelSet, model: str) -> gr.HTML:
    """The coloured text with legend and threshold; its event "correct" carries the text shown.

    Args:
        labels: The label set, in the order of the legend.
        model: Name and device of the model, as shown beside the latency.
    """
    scripts = (
        _ANNOTATOR_ASSETS / "offsets.js",
        _ANNOTATOR_ASSETS / "tagged_text.js",
        _PAGE_ASSETS / "result.js",
    )
    return _make_view("result", scripts, labels, model=model)


def make_details_view(labels: LabelSet) -> gr.HTML:
    """The table of entities and the CLUENER JSON of what the result view shows."""
    return _make_view("details", (_PAGE_ASSETS / "details.js",), labels)


def _make_view(name: str, scripts: tuple[Path, ...], labels: LabelSet, **props: Any) -> gr.HTML:
    keys = PAGE.keys() | PREDICT.keys()
    return gr.HTML(
        html_template=(_PAGE_ASSETS / f"{name}.html").read_text(encoding="utf-8"),
        js_on_load="\n".join(path.read_text(encoding="utf-8") for path in scripts),
        texts={language: {key: table[key] for key in keys} for language, table in TEXTS.items()},
        labels=[asdict(style) for style in style_labels(labels)],
        apply_default_css=False,
        elem_id=f"predict-{name}",
        **props,
    )
