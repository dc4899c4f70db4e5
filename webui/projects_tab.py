"""The page 项目 / Projects: make a project; its labels, guidelines, model, annotators per text.

Every change is stored at once and by itself, so that two people who look after one project do not
undo each other's changes. The component sends the event "change_project" with {action, ...}.
"""

import reprlib
import uuid
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import gradio as gr

from annotation_store.independence import count_independence
from annotation_store.project_changes import (
    LabelInUse,
    add_label,
    change_label,
    check_label,
    count_label_documents,
    order_labels,
    remove_label,
    rename_label,
    rename_project,
    set_annotators_per_text,
    set_guideline,
    set_model,
)
from annotation_store.projects import MAX_ANNOTATORS_PER_TEXT, Project, check_project_name
from annotation_store.store import AnnotationStore
from ner_core.labels import LabelSet
from webui.background_reader import BackgroundReader
from webui.label_style import style_labels
from webui.messages import Refusal, reports_errors
from webui.model_choice import ModelChoice
from webui.page_language import language_of
from webui.project_choice import ProjectChoice, describe_choice, find_project
from webui.texts import TEXTS, Language
from webui.wording.projects import PROJECTS

_ASSETS: Final = Path(__file__).parent / "page"
_MAX_LABELS: Final = 200


class ProjectsPage:
    """What answers the page."""

    def __init__(
        self, store: AnnotationStore, models: ModelChoice, reader: BackgroundReader
    ) -> None:
        self._store = store
        self._models = models
        self._reader = reader
        self._actions: dict[str, Callable[[Project, dict[str, Any], Language], str | None]] = {
            "create": self._create,
            "rename_project": self._rename_project,
            "set_model": self._set_model,
            "set_annotators": self._set_annotators,
            "set_guideline": self._set_guideline,
            "add_label": self._add_label,
            "rename_label": self._rename_label,
            "change_label": self._change_label,
            "remove_label": self._remove_label,
            "order_labels": self._order_labels,
        }

    def show(self, name: str, request: gr.Request) -> dict[str, Any]:
        """What the page draws of a project."""
        return self.describe(find_project(self._store, name, language_of(request)))

    def change(
        self, name: str, event: gr.EventData, request: gr.Request
    ) -> tuple[dict[str, Any], str, dict[str, Any]]:
        """Do what the page asks for: its new value, the project now worked on, the selector's.

        Raises:
            Refusal: It cannot be done; the message says why, in the visitor's language.
        """
        asked = event._data if isinstance(event._data, dict) else {}
        language = language_of(request)
        project = find_project(self._store, name, language)
        action = self._actions.get(str(asked.get("action")))
        if action is None:
            raise Refusal(f"expected an action, got {reprlib.repr(asked.get('action'))}")
        try:
            now = action(project, asked, language) or project.name
        except Refusal:
            raise
        except LabelInUse as error:
            text = TEXTS[language]["projects.in_use"]
            message = text.format(label=_text(asked, "label"), count=error.num_documents)
            raise Refusal(message) from None
        except ValueError as error:  # the page offers nothing that leads here
            raise Refusal(str(error)) from error
        shown = find_project(self._store, now, language)
        return self.describe(shown), now, describe_choice(self._store, now)

    def describe(self, project: Project) -> dict[str, Any]:
        """What the page draws of a project, and of the others as far as it lists them."""
        counts = count_label_documents(self._store.database, project=project.name)
        styles = style_labels(project.labels, project.settings)
        best = self._models.best_for(project.known_names)
        former: dict[str, list[str]] = {}
        for old, present in project.former_labels.items():
            former.setdefault(present or "", []).append(old)
        return {
            # What is equal to the value before is not drawn, and a refused change has to be.
            "nonce": uuid.uuid4().hex,
            "name": project.name,
            "projects": [self._summarise(other) for other in self._store.projects()],
            "labels": [
                asdict(style)
                | {
                    "own": asdict(project.settings.of(style.label)),
                    "num_documents": counts.get(style.label, 0),
                    "former": former.get(style.label, []),
                }
                for style in styles
            ],
            "guideline": project.settings.guideline,
            "model": project.settings.model,
            "annotators_per_text": project.settings.annotators_per_text,
            "most_annotators": MAX_ANNOTATORS_PER_TEXT,
            "independent_percent": project.settings.independent_percent,
            "independent": asdict(count_independence(self._store.database, project=project.name)),
            "models": [
                {"name": model.name, "labels": list(model.labels.labels)} for model in self._models
            ],
            "best_model": best.name if best else None,
        }

    def _summarise(self, project: Project) -> dict[str, Any]:
        return {
            "name": project.name,
            "num_labels": len(project.labels.labels),
            "num_documents": sum(self._store.counts(project=project.name).values()),
        }

    def _create(self, _project: Project, asked: dict[str, Any], language: Language) -> str:
        name = self._check_new_name(_text(asked, "name").strip(), language)
        labels = _list(asked, "labels")
        for label in labels:
            _check_new_label(label, language)
        if not labels:
            raise Refusal(TEXTS[language]["projects.last_label"])
        self._store.create_project(name, LabelSet(tuple(dict.fromkeys(labels))))
        return name

    def _rename_project(self, project: Project, asked: dict[str, Any], language: Language) -> str:
        name = _text(asked, "name").strip()
        if name != project.name:
            self._check_new_name(name, language)
            rename_project(self._store.database, project.name, name)
        return name

    def _check_new_name(self, name: str, language: Language) -> str:
        try:
            check_project_name(name)
        except ValueError:
            raise Refusal(TEXTS[language]["projects.name_invalid"]) from None
        if any(project.name == name for project in self._store.projects()):
            raise Refusal(TEXTS[language]["projects.name_taken"].format(name=name))
        return name

    def _set_model(self, project: Project, asked: dict[str, Any], language: Language) -> None:
        set_model(self._store.database, project.name, _text(asked, "model") or None)
        # It ranks the queue anew at once, not when somebody sees its bar.
        self._reader.look_at(find_project(self._store, project.name, language))

    def _set_annotators(self, project: Project, asked: dict[str, Any], language: Language) -> None:
        annotators, percent = asked.get("annotators"), asked.get("percent")
        # type() and not isinstance(): JSON's true would pass as the integer 1.
        if type(annotators) is not int or type(percent) is not int or not 1 <= percent <= 100:
            raise Refusal(TEXTS[language]["projects.percent_invalid"])
        set_annotators_per_text(self._store.database, project.name, annotators, percent=percent)

    def _set_guideline(self, project: Project, asked: dict[str, Any], _language: Language) -> None:
        label = _text(asked, "label") or None
        set_guideline(self._store.database, project.name, label, _text(asked, "text"))

    def _add_label(self, project: Project, asked: dict[str, Any], language: Language) -> None:
        label = _text(asked, "label").strip()
        _check_new_label(label, language)
        if label in project.labels.labels or project.former_labels.get(label):
            raise Refusal(TEXTS[language]["projects.label_taken"].format(name=label))
        if len(project.labels.labels) >= _MAX_LABELS:
            raise Refusal(f"expected at most {_MAX_LABELS} labels")
        add_label(self._store.database, project.name, label)

    def _rename_label(self, project: Project, asked: dict[str, Any], language: Language) -> None:
        label, name = _text(asked, "label"), _text(asked, "name").strip()
        _check_new_label(name, language)
        is_other = name in project.labels.labels and name != label
        is_former = project.former_labels.get(name, label) != label
        if is_other or is_former:
            raise Refusal(TEXTS[language]["projects.label_taken"].format(name=name))
        styles = {style.label: style for style in style_labels(project.labels, project.settings)}
        if label in styles:  # known labels have their colour by name
            color = styles[label].color
            change_label(self._store.database, project.name, label, color=color)
        rename_label(self._store.database, project.name, label, name)

    def _change_label(self, project: Project, asked: dict[str, Any], _language: Language) -> None:
        changes = {
            name: _text(asked, name)
            for name in ("color", "chinese", "english", "guideline")
            if name in asked
        }
        change_label(self._store.database, project.name, _text(asked, "label"), **changes)

    def _remove_label(self, project: Project, asked: dict[str, Any], language: Language) -> None:
        if len(project.labels.labels) == 1:
            raise Refusal(TEXTS[language]["projects.last_label"])
        remove_label(self._store.database, project.name, _text(asked, "label"))

    def _order_labels(self, project: Project, asked: dict[str, Any], _language: Language) -> None:
        order_labels(self._store.database, project.name, _list(asked, "labels"))


def build(
    store: AnnotationStore, models: ModelChoice, reader: BackgroundReader, choice: ProjectChoice
) -> gr.HTML:
    """Build the page inside the current Gradio context; its view sends "change_project", "show"."""
    page = ProjectsPage(store, models, reader)
    keys = PROJECTS.keys()
    view = gr.HTML(
        html_template=(_ASSETS / "projects.html").read_text(encoding="utf-8"),
        js_on_load=(_ASSETS / "projects.js").read_text(encoding="utf-8"),
        texts={language: {key: table[key] for key in keys} for language, table in TEXTS.items()},
        apply_default_css=False,
        elem_id="projects",
    )
    changed = view.change_project(
        reports_errors(page.change),
        inputs=choice.current,
        outputs=[view, choice.current, choice.selector],
        trigger_mode="multiple",
        concurrency_limit=1,
        concurrency_id="change_project",
        show_progress="hidden",
        api_visibility="private",
    )
    # What was typed and refused is taken back on screen.
    for listen in (view.show, choice.current.change, changed.failure):
        listen(
            reports_errors(page.show),
            inputs=choice.current,
            outputs=view,
            show_progress="hidden",
            api_visibility="private",
        )
    return view


def _check_new_label(label: str, language: Language) -> None:
    try:
        check_label(label)
    except ValueError:
        raise Refusal(TEXTS[language]["projects.label_invalid"]) from None


def _text(asked: dict[str, Any], name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str):
        raise Refusal(f"expected {name} as text, got {type(value).__name__}")
    return value


def _list(asked: dict[str, Any], name: str) -> list[str]:
    items = asked.get(name)
    if not isinstance(items, list) or len(items) > _MAX_LABELS:
        raise Refusal(f"expected {name} as a list of at most {_MAX_LABELS} labels")
    return [_text({name: item}, name) for item in items]
