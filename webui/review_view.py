"""The components of the page Review: templates that never change, scripts, and the page's words."""

from pathlib import Path
from typing import Final

import gradio as gr

from webui.texts import TEXTS
from webui.wording.page import PAGE
from webui.wording.review import REVIEW

_ASSETS: Final = Path(__file__).parent / "page"
_NAME_SCRIPT: Final = Path(__file__).parent / "annotator" / "annotator_name.js"


def make_view(name: str, scripts: tuple[str, ...]) -> gr.HTML:
    """The component `page/NAME.html` with scripts from the same folder, in this order."""
    keys = PAGE.keys() | REVIEW.keys()
    paths = (_NAME_SCRIPT, *(_ASSETS / f"{it}.js" for it in scripts))
    return gr.HTML(
        html_template=(_ASSETS / f"{name}.html").read_text(encoding="utf-8"),
        js_on_load="\n".join(path.read_text(encoding="utf-8") for path in paths),
        texts={language: {key: table[key] for key in keys} for language, table in TEXTS.items()},
        apply_default_css=False,
        elem_id=name,
    )
