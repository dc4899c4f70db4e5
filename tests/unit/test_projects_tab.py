"""The page Projects: what it asks for is done at once, or refused in the visitor's language."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from annotation_store.projects import Project
from annotation_store.store import AnnotationStore, NewDocument
from ner_core.labels import LabelSet
from ner_core.spans import Span
from webui.messages import Refusal
from webui.model_choice import ModelChoice
from webui.projects_tab import ProjectsPage

VISITOR = SimpleNamespace(headers={"accept-language": "en"}, username=None)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AnnotationStore]:
    with AnnotationStore.open(tmp_path / "annotations.db") as store:
        store.create_project("default", LabelSet(("name", "place", "time")))
        store.add([NewDocument("叶老桂", (Span(0, 3, "name"),))])
        yield store


class Reader:
    """Stands in for the background reader: notes which model it was woken for."""

    def __init__(self) -> None:
        self.models: list[str | None] = []

    def look_at(self, project: Project) -> None:
        self.models.append(project.settings.model)


@pytest.fixture
def page(store: AnnotationStore) -> ProjectsPage:
    model = SimpleNamespace(name="m", labels=LabelSet(("name", "place")))
    return ProjectsPage(store, ModelChoice([model]), Reader())  # type: ignore[list-item, arg-type]


def change(page: ProjectsPage, action: str, **asked: object) -> dict[str, Any]:
    event = gr.EventData(None, {"action": action, **asked})
    value, _now, _choice = page.change("default", event, VISITOR)  # type: ignore[arg-type]
    return value


def shown_labels(value: dict[str, Any]) -> list[str]:
    return [style["label"] for style in value["labels"]]


def test_each_action_is_stored_and_shown(page: ProjectsPage, store: AnnotationStore) -> None:
    change(page, "add_label", label=" event ")
    change(page, "rename_label", label="name", name="person")
    change(page, "order_labels", labels=["event", "person", "place", "time"])
    change(page, "change_label", label="person", color="#123456", chinese="人")
    change(page, "set_guideline", label="", text="every mention")
    change(page, "set_guideline", label="place", text="towns")
    change(page, "set_model", model="m")
    value = change(page, "remove_label", label="time")
    assert shown_labels(value) == ["event", "person", "place"]
    person = value["labels"][1]
    assert (person["color"], person["chinese"], person["num_documents"]) == ("#123456", "人", 1)
    assert person["former"] == ["name"]
    assert (value["guideline"], value["model"], value["best_model"]) == ("every mention", "m", "m")
    assert store.projects()[0].guidelines == {"place": "towns"}


def test_another_model_begins_to_read_at_once(page: ProjectsPage) -> None:
    change(page, "add_label", label="event")
    change(page, "set_model", model="m")
    assert page._reader.models == ["m"]  # type: ignore[attr-defined]


def test_a_new_project_is_the_one_worked_on_from_now_on(page: ProjectsPage) -> None:
    asked = {"action": "create", "name": " 新闻 ", "labels": ["人名", "地名", "人名"]}
    value, now, choice = page.change("default", gr.EventData(None, asked), VISITOR)  # type: ignore[arg-type]
    assert (now, value["name"], shown_labels(value)) == ("新闻", "新闻", ["人名", "地名"])
    assert choice == {"projects": ["default", "新闻"], "current": "新闻"}


def test_a_renamed_project_stays_the_one_worked_on(page: ProjectsPage) -> None:
    asked = {"action": "rename_project", "name": "CLUENER"}
    value, now, choice = page.change("default", gr.EventData(None, asked), VISITOR)  # type: ignore[arg-type]
    assert (value["name"], now, choice["projects"]) == ("CLUENER", "CLUENER", ["CLUENER"])


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"action": "remove_label", "label": "name"}, "1 texts have entities of name, so it"),
        ({"action": "add_label", "label": "name"}, "name is a label already, or was the name"),
        ({"action": "add_label", "label": "two words"}, "1 to 200 characters and no blanks"),
        ({"action": "rename_label", "label": "name", "name": "place"}, "place is a label already"),
        ({"action": "rename_label", "label": "name", "name": ""}, "no blanks"),
        ({"action": "rename_label", "label": "x", "name": "y"}, "expected one of the labels"),
        ({"action": "rename_project", "name": " "}, "A project's name has 1 to 200"),
        ({"action": "create", "name": "default", "labels": ["a"]}, "There is a project default"),
        ({"action": "create", "name": "x", "labels": []}, "There must be at least one label"),
        ({"action": "create", "name": "x", "labels": "abc"}, "expected labels as a list"),
        ({"action": "create", "name": "x", "labels": ["a b"]}, "no blanks"),
        ({"action": "change_label", "label": "name", "color": "red"}, "expected a colour such as"),
        ({"action": "set_model", "model": 5}, "expected model as text, got int"),
        ({"action": "drop"}, "expected an action, got 'drop'"),
        ({}, "expected an action, got None"),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(
    page: ProjectsPage, store: AnnotationStore, asked: dict[str, object], message: str
) -> None:
    before = store.projects()
    with pytest.raises(Refusal, match=message):
        page.change("default", gr.EventData(None, asked), VISITOR)  # type: ignore[arg-type]
    assert store.projects() == before


def test_a_former_name_is_taken_for_others_and_free_for_its_own_label(page: ProjectsPage) -> None:
    change(page, "rename_label", label="name", name="person")
    with pytest.raises(Refusal, match="name is a label already, or was the name"):
        change(page, "rename_label", label="place", name="name")
    with pytest.raises(Refusal, match="name is a label already, or was the name"):
        change(page, "add_label", label="name")
    value = change(page, "rename_label", label="person", name="name")
    assert shown_labels(value) == ["name", "place", "time"]


def test_annotators_per_text_are_stored_and_counted(
    page: ProjectsPage, store: AnnotationStore
) -> None:
    value = change(page, "set_annotators", annotators=2, percent=100)
    assert (value["annotators_per_text"], value["independent_percent"]) == (2, 100)
    (document_id,) = store.add([NewDocument("杭州")]).added_ids
    for annotator, label in (("梅", "name"), ("雷", "place")):
        span = Span(0, 2, label)
        store.save(
            document_id, base_revision=0, spans=[span], status="accepted", annotator=annotator
        )
        value = change(page, "set_annotators", annotators=2, percent=100)
    counts = {"num_chosen": 2, "num_waiting": 0, "num_undecided": 1}
    assert value["independent"] == counts
    assert store.projects()[0].settings.annotators_per_text == 2


@pytest.mark.parametrize(
    ("annotators", "percent", "reason"),
    [
        (2, 0, "1 to 100"),
        (2, 101, "1 to 100"),
        (2, 2.5, "1 to 100"),
        ("2", 5, "1 to 100"),
        (9, 5, "9"),
    ],
)
def test_a_share_or_number_that_is_none_is_refused(
    page: ProjectsPage, store: AnnotationStore, annotators: object, percent: object, reason: str
) -> None:
    with pytest.raises(Refusal, match=reason):
        change(page, "set_annotators", annotators=annotators, percent=percent)
    assert store.projects()[0].settings.annotators_per_text == 1
