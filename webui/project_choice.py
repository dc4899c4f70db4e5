"""Which of the database's projects a visitor works on: the selector in the page head.

Every page has the name of the project, the state `current`, among the inputs of its handlers, finds
the project by `find_project`, and draws itself anew on `current.change`. The browser keeps the
choice in a cookie: the state ends when the page is loaded again, as the language switch does.
"""

import reprlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import gradio as gr

from annotation_store.projects import Project
from annotation_store.store import AnnotationStore
from webui.messages import Refusal, reports_errors
from webui.page_language import language_of
from webui.settings import Settings
from webui.texts import TEXTS, Language
from webui.wording.page import PAGE

_ASSETS: Final = Path(__file__).parent / "page"
_COOKIE: Final = "ner_project"


@dataclass(frozen=True, slots=True)
class ProjectChoice:
    """The selector and what it has chosen.

    Attributes:
        current: The project's name; listen to its `change`.
        selector: The component; give it the value of `describe_choice` when projects have changed.
    """

    current: gr.State
    selector: gr.HTML


def find_project(store: AnnotationStore, name: object, language: Language) -> Project:
    """The project of this name.

    Raises:
        Refusal: There is none; somebody may have renamed it while the page was open.
    """
    for project in store.projects():
        if project.name == name:
            return project
    raise Refusal(TEXTS[language]["page.no_such_project"].format(name=reprlib.repr(name)))


def describe_choice(store: AnnotationStore, current: str) -> dict[str, Any]:
    """The value of the selector."""
    return {"projects": [project.name for project in store.projects()], "current": current}


def build(store: AnnotationStore, settings: Settings, blocks: gr.Blocks) -> ProjectChoice:
    """Build the selector inside the current Gradio context; it is hidden while there is no choice.

    Args:
        store: Holds the projects.
        settings: Names the project of a visitor who has chosen none.
        blocks: The whole page, which brings back the visitor's choice when it is loaded.
    """
    current = gr.State(settings.project)
    selector = gr.HTML(
        html_template=(_ASSETS / "project.html").read_text(encoding="utf-8"),
        js_on_load=(_ASSETS / "project.js").read_text(encoding="utf-8"),
        texts={language: {key: table[key] for key in PAGE} for language, table in TEXTS.items()},
        cookie=_COOKIE,
        apply_default_css=False,
        elem_id="header-project",
    )

    @reports_errors
    def bring_back(request: gr.Request) -> tuple[str, dict[str, Any]]:
        names = [project.name for project in store.projects()]
        chosen = _read_cookie(request)
        name = chosen if chosen in names else settings.project
        if name not in names:  # somebody renamed the project that the app was started with
            name = names[0]
        return name, describe_choice(store, name)

    @reports_errors
    def choose(event: gr.EventData, request: gr.Request) -> tuple[str, dict[str, Any]]:
        asked = event._data.get("name") if isinstance(event._data, dict) else None
        name = find_project(store, asked, language_of(request)).name
        return name, describe_choice(store, name)

    for listen, answer in ((blocks.load, bring_back), (selector.choose, choose)):
        listen(
            answer,
            inputs=None,
            outputs=[current, selector],
            show_progress="hidden",
            api_visibility="private",
        )
    return ProjectChoice(current, selector)


def _read_cookie(request: gr.Request) -> str | None:
    for pair in request.headers.get("cookie", "").split(";"):
        name, _, value = pair.strip().partition("=")
        if name == _COOKIE:
            return unquote(value)
    return None
