"""Projects and their labels change; what people have annotated stays, and stays readable."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from annotation_store.predictions import NewPrediction, read_progress, write_predictions
from annotation_store.project_changes import (
    LabelInUse,
    add_label,
    change_label,
    count_label_documents,
    order_labels,
    remove_label,
    rename_label,
    rename_project,
    set_guideline,
    set_model,
)
from annotation_store.projects import LabelSettings, Project, ProjectSettings, read_settings
from annotation_store.store import AnnotationStore, NewDocument
from annotation_store.upkeep import verify
from ner_core.labels import LabelSet
from ner_core.spans import Span

TEXT = "叶老桂在杭州"
NAME = Span(0, 3, "name")
PLACE = Span(4, 6, "place")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AnnotationStore]:
    with AnnotationStore.open(tmp_path / "annotations.db") as store:
        store.create_project("default", LabelSet(("name", "place", "time")))
        store.create_project("other", LabelSet(("name",)))
        yield store
        assert verify(store.database).problems == ()


@pytest.fixture
def document_id(store: AnnotationStore) -> int:
    """A document with three revisions: a model's suggestion, a person's correction, another."""
    (document_id,) = store.add([NewDocument(TEXT)]).added_ids
    suggestion = Span(4, 6, "time", 0.5)
    for base, spans, suggestions in (
        (0, [], [suggestion]),
        (1, [NAME], [suggestion]),
        (2, [NAME, PLACE], []),
    ):
        store.save(
            document_id,
            base_revision=base,
            spans=spans,
            suggestions=suggestions,
            status="accepted",
            annotator="a",
        )
    return document_id


def project(store: AnnotationStore, name: str = "default") -> Project:
    return next(project for project in store.projects() if project.name == name)


def labels(store: AnnotationStore) -> tuple[str, ...]:
    return project(store).labels.labels


# Renaming labels


def test_a_renamed_label_has_its_new_name_in_every_revision(
    store: AnnotationStore, document_id: int
) -> None:
    rename_label(store.database, "default", "name", "person")
    assert labels(store) == ("person", "place", "time")
    for revision in store.history(document_id)[1:]:
        assert Span(0, 3, "person") in revision.spans
        assert revision.label["person"] == {"叶老桂": [[0, 2]]}
        assert "name" not in revision.label
    (example,) = store.examples()
    assert example.spans == (Span(0, 3, "person"), PLACE)
    (found,) = store.page().documents
    assert found == store.get(document_id)
    assert store.find(TEXT) == found


def test_a_rename_appends_no_revision_and_changes_none(
    store: AnnotationStore, document_id: int
) -> None:
    before = store.history(document_id)
    rename_label(store.database, "default", "name", "person")
    after = store.history(document_id)
    assert [r.created_at for r in after] == [r.created_at for r in before]
    assert [r.annotator for r in after] == [r.annotator for r in before]


def test_a_rename_is_seen_by_suggestions_too(store: AnnotationStore, document_id: int) -> None:
    rename_label(store.database, "default", "time", "date")
    (suggestion,) = store.history(document_id)[0].suggestions
    assert (suggestion.label, suggestion.score) == ("date", 0.5)


def test_a_rename_can_be_taken_back(store: AnnotationStore, document_id: int) -> None:
    before = store.history(document_id)
    rename_label(store.database, "default", "name", "person")
    rename_label(store.database, "default", "person", "human")
    rename_label(store.database, "default", "human", "name")
    assert store.history(document_id) == before
    assert dict(project(store).former_labels) == {"person": "name", "human": "name"}


def test_a_chain_of_renames_leads_every_former_name_to_the_present_one(
    store: AnnotationStore, document_id: int
) -> None:
    rename_label(store.database, "default", "name", "person")
    store.save(
        document_id,
        base_revision=3,
        spans=[Span(0, 3, "person")],
        status="accepted",
        annotator="a",
    )
    rename_label(store.database, "default", "person", "human")
    first, last = store.history(document_id)[1], store.history(document_id)[3]
    assert first.spans == last.spans == (Span(0, 3, "human"),)


def test_a_save_from_before_the_rename_arrives_under_the_new_name(
    store: AnnotationStore, document_id: int
) -> None:
    """Somebody had the page open; their work must not be refused."""
    rename_label(store.database, "default", "name", "person")
    revision = store.save(
        document_id, base_revision=3, spans=[NAME], status="accepted", annotator="b"
    )
    assert revision.spans == (Span(0, 3, "person"),)
    assert revision.num_changes == 1  # the place was removed, nothing else


def test_a_label_keeps_its_settings_and_its_place_when_it_is_renamed(
    store: AnnotationStore,
) -> None:
    change_label(store.database, "default", "place", color="#123456", guideline="towns")
    rename_label(store.database, "default", "place", "location")
    assert labels(store) == ("name", "location", "time")
    assert project(store).settings.labels == {
        "location": LabelSettings(color="#123456", guideline="towns")
    }


def test_other_projects_do_not_see_a_rename(store: AnnotationStore) -> None:
    store.add([NewDocument(TEXT, (NAME,))], project="other")
    rename_label(store.database, "default", "name", "person")
    (example,) = store.examples(project="other", status=None)
    assert example.spans == (NAME,)


def test_two_labels_that_would_fall_together_are_refused(store: AnnotationStore) -> None:
    with pytest.raises(ValueError, match="expected every label once, got place more than once"):
        rename_label(store.database, "default", "name", "place")


def test_a_former_name_never_goes_to_another_label(store: AnnotationStore) -> None:
    """Older revisions have it, and would change their meaning."""
    rename_label(store.database, "default", "name", "person")
    with pytest.raises(ValueError, match="'name', the former name of 'person'"):
        add_label(store.database, "default", "name")
    with pytest.raises(ValueError, match="a name that no other label has had, got 'name'"):
        rename_label(store.database, "default", "place", "name")
    assert labels(store) == ("person", "place", "time")


def test_a_models_spans_are_adopted_under_todays_names(store: AnnotationStore) -> None:
    rename_label(store.database, "default", "name", "person")
    found = project(store)
    spans = [Span(0, 3, "name", 0.9), Span(4, 6, "planet", 0.8)]
    assert found.adopt(spans) == (Span(0, 3, "person", 0.9),)
    assert [span.score for span in found.adopt(spans)] == [0.9]
    assert set(found.known_names.labels) == {"person", "place", "time", "name"}


# Adding, removing, ordering


def test_a_label_is_added_behind_the_others(store: AnnotationStore, document_id: int) -> None:
    add_label(store.database, "default", "event", LabelSettings(chinese="事件"))
    assert labels(store) == ("name", "place", "time", "event")
    assert project(store).settings.of("event").chinese == "事件"
    store.save(
        document_id,
        base_revision=3,
        spans=[Span(0, 1, "event")],
        status="accepted",
        annotator="a",
    )


def test_a_label_in_use_is_not_removed_and_the_refusal_counts(
    store: AnnotationStore, document_id: int
) -> None:
    store.add([NewDocument("乙", (Span(0, 1, "name"),)), NewDocument("丙", ())])
    rename_label(store.database, "default", "name", "person")
    with pytest.raises(LabelInUse, match="got person, which 2 documents have") as refusal:
        remove_label(store.database, "default", "person")
    assert refusal.value.num_documents == 2
    assert labels(store) == ("person", "place", "time")


def test_documents_are_counted_by_label_under_its_present_name(store: AnnotationStore) -> None:
    store.add([NewDocument("甲", (Span(0, 1, "name"),)), NewDocument("乙", (Span(0, 1, "place"),))])
    rename_label(store.database, "default", "name", "person")
    store.add([NewDocument("丙", (Span(0, 1, "person"),)), NewDocument("丁", ())])
    store.add([NewDocument("甲", (Span(0, 1, "name"),))], project="other")
    counts = count_label_documents(store.database, project="default")
    assert counts == {"person": 2, "place": 1}


def test_a_label_that_only_older_revisions_have_is_removed_and_history_stays_readable(
    store: AnnotationStore, document_id: int
) -> None:
    store.save(document_id, base_revision=3, spans=[], status="accepted", annotator="a")
    remove_label(store.database, "default", "place")
    assert labels(store) == ("name", "time")
    assert PLACE in store.history(document_id)[2].spans
    assert project(store).former_labels == {"place": None}
    with pytest.raises(ValueError, match="got 'place'"):
        store.save(document_id, base_revision=4, spans=[PLACE], status="accepted", annotator="a")


def test_a_removed_label_may_come_back_under_its_name_but_no_other_takes_it(
    store: AnnotationStore, document_id: int
) -> None:
    store.save(document_id, base_revision=3, spans=[], status="accepted", annotator="a")
    remove_label(store.database, "default", "place")
    with pytest.raises(ValueError, match="no other label has had, got 'place'"):
        rename_label(store.database, "default", "name", "place")
    add_label(store.database, "default", "place")
    assert labels(store) == ("name", "time", "place")
    assert project(store).former_labels == {}


def test_a_label_that_nothing_has_leaves_no_trace(store: AnnotationStore) -> None:
    change_label(store.database, "default", "time", color="#123456")
    remove_label(store.database, "default", "time")
    assert project(store) == Project("default", LabelSet(("name", "place")))


def test_suggestions_of_a_removed_label_are_not_shown(store: AnnotationStore) -> None:
    (document_id,) = store.add([NewDocument(TEXT)]).added_ids
    suggestions = [Span(0, 3, "name", 0.9), Span(4, 6, "time", 0.5)]
    store.save(
        document_id,
        base_revision=0,
        spans=[],
        suggestions=suggestions,
        status="new",
        annotator="m",
        source="model",
    )
    remove_label(store.database, "default", "time")
    assert [span.label for span in store.get(document_id).suggestions] == ["name"]


def test_the_last_label_is_not_removed(store: AnnotationStore) -> None:
    with pytest.raises(ValueError, match="expected another label beside 'name', got none"):
        remove_label(store.database, "other", "name")


def test_labels_are_put_in_order(store: AnnotationStore) -> None:
    order_labels(store.database, "default", ["time", "name", "place"])
    assert labels(store) == ("time", "name", "place")
    for wrong in (["time", "name"], ["time", "name", "name"], ["time", "name", "planet"]):
        with pytest.raises(ValueError, match="expected the labels time, name, place in another"):
            order_labels(store.database, "default", wrong)


# Names, looks, guidelines, models


def test_a_project_is_renamed_with_all_it_has(store: AnnotationStore, document_id: int) -> None:
    rename_project(store.database, "default", "新闻")
    assert [p.name for p in store.projects()] == ["新闻", "other"]
    assert store.get(document_id).project == "新闻"
    with pytest.raises(ValueError, match="expected a name that no project has, got 'other'"):
        rename_project(store.database, "新闻", "other")


def test_a_change_of_one_field_leaves_the_others(store: AnnotationStore) -> None:
    change_label(store.database, "default", "name", color="#123456", chinese="姓名")
    change_label(store.database, "default", "name", guideline="people", english="person")
    change_label(store.database, "default", "name", chinese="")
    set_guideline(store.database, "default", None, "every mention")
    set_guideline(store.database, "default", "place", "towns")
    set_model(store.database, "default", "cluener-small")
    assert project(store).settings == ProjectSettings(
        labels={
            "name": LabelSettings(color="#123456", english="person", guideline="people"),
            "place": LabelSettings(guideline="towns"),
        },
        guideline="every mention",
        model="cluener-small",
    )
    assert project(store).guidelines == {"name": "people", "place": "towns"}
    set_model(store.database, "default", None)
    assert project(store).settings.model is None


def test_settings_are_read_as_they_were_written() -> None:
    settings = ProjectSettings(
        {"a": LabelSettings("#abcdef", "甲", "a", "x\n😀")}, guideline="g", model="m"
    )
    assert read_settings(settings.to_json()) == settings
    assert read_settings({}) == ProjectSettings()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda d: change_label(d, "default", "x", color="#123456"),
            "labels name, place, time, go",
        ),
        (
            lambda d: change_label(d, "default", "name", color="red"),
            "a colour such as #0B7A75, got",
        ),
        (lambda d: change_label(d, "default", "name", chinese="x" * 201), "at most 200 characters"),
        (lambda d: set_guideline(d, "default", "name", "x" * 20_001), "at most 20000 characters"),
        (lambda d: set_guideline(d, "default", None, "x\x00"), "got NUL"),
        (lambda d: set_guideline(d, "default", "x", "y"), "labels name, place, time, got 'x'"),
        (lambda d: set_model(d, "gone", "m"), "one of the projects 'default', 'other', got 'gone'"),
        (lambda d: add_label(d, "default", "two words"), "expected labels without blanks"),
        (lambda d: add_label(d, "default", "name"), "every label once, got name more than once"),
        (lambda d: add_label(d, "default", "x" * 201), "at most 200 characters for a label"),
        (lambda d: rename_label(d, "default", "x", "y"), "labels name, place, time, got 'x'"),
        (lambda d: rename_label(d, "default", "name", ""), "expected labels without blanks"),
        (lambda d: remove_label(d, "default", "x"), "labels name, place, time, got 'x'"),
        (lambda d: rename_project(d, "default", "  "), "name of 1 to 200 characters, got '  '"),
        (lambda d: rename_project(d, "default", "x" * 201), "name of 1 to 200 characters"),
        (lambda d: rename_project(d, "gone", "x"), "one of the projects"),
    ],
)
def test_a_change_that_is_wrong_is_refused_and_changes_nothing(
    store: AnnotationStore, change: Callable[[object], None], message: str
) -> None:
    before = store.projects()
    with pytest.raises(ValueError, match=message):
        change(store.database)
    assert store.projects() == before


def test_a_model_is_asked_again_when_a_label_gets_the_name_that_it_uses(
    store: AnnotationStore, document_id: int
) -> None:
    prediction = NewPrediction(document_id, (NAME, Span(4, 6, "city")), 0.5, 0.5)
    write_predictions(store.database, project="default", model="m", predictions=[prediction])
    assert read_progress(store.database, project="default", model="m").num_read == 1
    rename_label(store.database, "default", "time", "moment")
    assert read_progress(store.database, project="default", model="m").num_read == 1
    rename_label(store.database, "default", "place", "city")
    assert read_progress(store.database, project="default", model="m").num_read == 0
