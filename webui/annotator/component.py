"""The span editor as a Gradio component.

The template never changes and holds no data: Gradio 6.31 runs `${...}` and `{{...}}` that it finds
in a value as script. Data reaches the scripts as `props` and is drawn with text nodes.
"""

import json
from pathlib import Path
from typing import Final

import gradio as gr

from webui.annotator.messages import Message
from webui.texts import TEXTS
from webui.wording.annotate import ANNOTATE

_FOLDER: Final = Path(__file__).parent

# In this order: of two rules that weigh the same, the later one wins. Gradio nests all in the id.
_STYLES: Final = (
    "base.css",
    "controls.css",
    "bar.css",
    "text.css",
    "entity.css",
    "tools.css",
    "side.css",
    "dialogs.css",
    "narrow.css",
)

# What draws a text with its entities, here and on the first page.
TAGGED_TEXT_SCRIPTS: Final = (
    "offsets.js",
    "percent.js",
    "elements.js",
    "text_blocks.js",
    "entity_runs.js",
    "drawn_block.js",
    "tagged_text.js",
)
# In this order: later files use the classes of earlier ones. All run in one function of the page.
_SCRIPTS: Final = (
    *TAGGED_TEXT_SCRIPTS,
    "annotation_state.js",
    "text_layout.js",
    "caret.js",
    "text_view.js",
    "word_hints.js",
    "annotator_name.js",
    "tab_presence.js",
    "drafts.js",
    "request_lane.js",
    "keys.js",
    "panels.js",
    "entity_list.js",
    "guideline_panel.js",
    "note_form.js",
    "conflict_view.js",
    "work_timer.js",
    "queue.js",
    "saves.js",
    "draft_offers.js",
    "route.js",
    "session.js",
    "save_status.js",
    "selection_commands.js",
    "commands.js",
    "pointer.js",
    "annotator.js",
)


def make_editor(value: Message | None = None) -> gr.HTML:
    """The editor; it sends "open", "save", "guideline" and "hold" (see `annotator.messages`)."""
    return gr.HTML(
        value,
        html_template=_read("annotator.html"),
        css_template="\n".join(map(_read, _STYLES)),
        js_on_load="\n".join(map(_read, _SCRIPTS)),
        apply_default_css=False,
        elem_id="annotator",
        # One string: Gradio 6.31 copies all properties of a component, value by value, for each
        # event of the page: these hundreds took a fifth of the time of Enter.
        texts=json.dumps(
            {language: {key: table[key] for key in ANNOTATE} for language, table in TEXTS.items()},
            ensure_ascii=False,
        ),
    )


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
