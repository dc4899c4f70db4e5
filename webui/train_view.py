"""The components of the page Train: templates that never change, scripts, and the page's words."""

from pathlib import Path
from typing import Any, Final

import gradio as gr

from webui.page_language import translated
from webui.texts import TEXTS
from webui.wording.page import PAGE
from webui.wording.train import TRAIN

_ASSETS: Final = Path(__file__).parent / "page"
_PLOT_HEIGHT_PX: Final = 250


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


def make_plot(title: str, *, x: str, y: str, elem_id: str, **options: Any) -> gr.LinePlot:
    """A curve, hidden until there is a point of it; `title` is a key of the words."""
    return gr.LinePlot(
        x=x,
        y=y,
        label=translated(title),
        y_title=" ",
        height=_PLOT_HEIGHT_PX,
        visible=False,
        elem_id=elem_id,
        **options,
    )
