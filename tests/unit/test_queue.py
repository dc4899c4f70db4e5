"""Who is given which document: orders, filters, leases."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotation_store.document_filter import DocumentFilter
from annotation_store.leases import Holder, hold, read_holders, release
from annotation_store.predictions import (
    NewPrediction,
    find_unread,
    read_progress,
    write_predictions,
)
from annotation_store.project_changes import add_label, remove_label, rename_label
from annotation_store.queue import (
    ORDERS,
    UNREVIEWED,
    Order,
    count_queue,
    read_annotators,
    take_documents,
)
from annotation_store.store import AnnotationStore, DocumentNotFound, NewDocument
from annotation_store.upkeep import verify
from ner_core.labels import LabelSet
from ner_core.spans import Span

MEI = Holder("page-mei", "梅")
LEI = Holder("page-lei", "雷")
ALL = DocumentFilter()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AnnotationStore]:
    """Documents 1 to 5 of project "default", 6 of project "other"."""
    with AnnotationStore.open(tmp_path / "annotations.db") as store:
        store.create_project("default", LabelSet(("name", "place")))
        store.create_project("other", LabelSet(("name",)))
        store.add(NewDocument(f"第{number}篇：叶老桂在杭州") for number in range(1, 6))
        store.add([NewDocument("另一个项目")], project="other")
        yield store
        assert verify(store.database).problems == ()


def take(store: AnnotationStore, holder: Holder = MEI, **asked: object) -> list[int]:
    arguments: dict[str, object] = {"project": "default", "limit": 9} | asked
    return [d.id for d in take_documents(store.database, holder=holder, **arguments)]  # type: ignore[arg-type]


def rank(store: AnnotationStore, *uncertainties: tuple[float, float], model: str = "m") -> None:
    """The model reads documents 1, 2, ...: path and token uncertainty of each."""
    predictions = [
        NewPrediction(number, (), path, token)
        for number, (path, token) in enumerate(uncertainties, start=1)
    ]
    write_predictions(store.database, project="default", model=model, predictions=predictions)


def save(store: AnnotationStore, document_id: int, *spans: Span, annotator: str = "梅") -> None:
    base = store.get(document_id).revision_number
    store.save(document_id, base_revision=base, spans=spans, status="accepted", annotator=annotator)


# Orders


@pytest.mark.parametrize(
    ("order", "expected"),
    [("path", [2, 3, 1, 4, 5]), ("token", [3, 1, 2, 4, 5]), ("position", [1, 2, 3, 4, 5])],
)
def test_the_most_uncertain_come_first_and_what_no_model_has_read_last(
    store: AnnotationStore, order: Order, expected: list[int]
) -> None:
    rank(store, (0.1, 0.8), (0.9, 0.2), (0.5, 0.9))
    assert take(store, order=order) == expected


def test_the_random_order_is_the_same_for_everybody_and_not_that_of_the_texts(
    store: AnnotationStore,
) -> None:
    store.add(NewDocument(f"文本{number}") for number in range(50))
    first = take(store, order="random", limit=55)
    release(store.database, MEI.token)
    assert take(store, LEI, order="random", limit=55) == first
    assert first != sorted(first)


def test_another_model_ranks_anew(store: AnnotationStore) -> None:
    rank(store, (0.1, 0.1), (0.9, 0.9))
    assert take(store, limit=1) == [2]
    release(store.database, MEI.token)
    rank(store, (0.8, 0.8), (0.2, 0.2), model="trained")
    assert take(store, limit=1) == [1]


def test_what_was_seen_is_passed_over(store: AnnotationStore) -> None:
    rank(store, (0.1, 0.1), (0.9, 0.9))
    assert take(store, seen=[2, 3]) == [1, 4, 5]


def test_in_the_order_of_position_the_next_is_behind_the_last(store: AnnotationStore) -> None:
    assert take(store, order="position", after=3) == [4, 5]
    with pytest.raises(DocumentNotFound, match="expected a document of default, got 6"):
        take(store, order="position", after=6)


def test_a_reviewed_document_leaves_the_queue(store: AnnotationStore) -> None:
    save(store, 1)
    assert take(store) == [2, 3, 4, 5]
    assert count_queue(store.database, project="default", token=MEI.token).num_matching == 4


def test_an_unknown_order_is_refused(store: AnnotationStore) -> None:
    with pytest.raises(ValueError, match="one of the orders path, token, random, position, got"):
        take(store, order="alphabet")
    assert len(ORDERS) == 4


# Filters


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (ALL, [1, 2, 3, 4, 5]),
        (UNREVIEWED, [3, 4, 5]),
        (DocumentFilter(status="accepted"), [1, 2]),
        (DocumentFilter(label="name"), [1, 3]),
        (DocumentFilter(label="place"), [2]),
        (DocumentFilter(annotator="梅"), [1]),
        (DocumentFilter(annotator="tagger"), []),
        (DocumentFilter(query="第4篇"), [4]),
        (DocumentFilter(query="100%"), []),
        (DocumentFilter(differs=True), [2]),
        (DocumentFilter(label="name", annotator="梅", query="篇", status="accepted"), [1]),
    ],
)
def test_a_filter_takes_what_it_says(
    store: AnnotationStore, wanted: DocumentFilter, expected: list[int]
) -> None:
    name = Span(4, 7, "name")
    save(store, 1, name)
    save(store, 2, Span(8, 10, "place"), annotator="雷")
    store.save(
        3,
        base_revision=0,
        spans=[],
        suggestions=[name],
        status="new",
        annotator="tagger",
        source="model",
    )
    found = [NewPrediction(number, (name,), 0.5, 0.5) for number in (1, 2, 3)]
    write_predictions(store.database, project="default", model="m", predictions=found)
    assert take(store, order="position", wanted=wanted) == expected
    counts = count_queue(store.database, project="default", token=LEI.token, wanted=wanted)
    assert (counts.num_matching, counts.num_held) == (len(expected), len(expected))


def test_a_label_is_found_under_its_former_name(store: AnnotationStore) -> None:
    save(store, 1, Span(4, 7, "name"))
    rename_label(store.database, "default", "name", "person")
    assert take(store, wanted=DocumentFilter(label="person")) == [1]
    with pytest.raises(ValueError, match="expected one of the labels person, place, got 'name'"):
        take(store, wanted=DocumentFilter(label="name"))


def test_a_mention_that_looks_like_a_label_is_none(store: AnnotationStore) -> None:
    (document_id,) = store.add([NewDocument('{"place": {"x": 1}}')]).added_ids
    save(store, document_id, Span(0, 19, "name"))
    assert take(store, wanted=DocumentFilter(label="place")) == []
    assert take(store, wanted=DocumentFilter(label="name")) == [document_id]


def test_a_search_of_endless_length_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 1000 characters for what is searched for"):
        DocumentFilter(query="x" * 1001)


def test_annotators_are_those_who_saved_and_no_models(store: AnnotationStore) -> None:
    save(store, 1, annotator="雷")
    save(store, 2, annotator="梅")
    save(store, 2, annotator="梅")
    store.save(3, base_revision=0, spans=[], status="new", annotator="tagger", source="model")
    preannotated = NewDocument("工具标的", annotator="tool", is_preannotated=True)
    store.add([preannotated, NewDocument("导入的", (), annotator="王")])
    assert read_annotators(store.database, project="default") == tuple(sorted("雷梅王"))


# Leases


def test_two_people_are_not_given_the_same_document(store: AnnotationStore) -> None:
    rank(store, (0.1, 0.1), (0.9, 0.9))
    assert take(store, MEI, limit=2) == [2, 1]
    assert take(store, LEI, limit=2) == [3, 4]
    assert take(store, MEI, limit=2, seen=[2, 1]) == [5]
    assert take(store, LEI, limit=2, seen=[3, 4]) == []
    counts = count_queue(store.database, project="default", token=LEI.token)
    assert (counts.num_matching, counts.num_held) == (5, 3)


def test_a_lease_expires_unless_it_is_renewed(store: AnnotationStore) -> None:
    assert take(store, MEI, limit=2, lease_s=0.3) == [1, 2]
    hold(store.database, MEI, [2], lease_s=60)
    assert take(store, LEI, limit=1) == [1]  # released, as it was not renewed
    assert read_holders(store.database, [1, 2, 3], other_than="") == {1: "雷", 2: "梅"}
    assert take(store, MEI, limit=1, seen=[2], lease_s=0.2) == [3]
    time.sleep(0.25)
    assert take(store, LEI, limit=1, seen=[1]) == [3]


def test_a_page_that_is_left_gives_its_documents_back(store: AnnotationStore) -> None:
    assert take(store, MEI) == [1, 2, 3, 4, 5]
    assert take(store, LEI) == []
    release(store.database, MEI.token)
    assert take(store, LEI) == [1, 2, 3, 4, 5]


def test_what_somebody_else_holds_is_named_and_not_taken(store: AnnotationStore) -> None:
    take(store, MEI, limit=1)
    assert hold(store.database, LEI, [1, 2, 99]) == {1: "梅"}
    assert read_holders(store.database, [1, 2], other_than=LEI.token) == {1: "梅"}
    assert hold(store.database, MEI, [1, 2]) == {2: "雷"}


def test_whoever_holds_a_document_may_take_it_again(store: AnnotationStore) -> None:
    assert take(store, MEI, limit=1) == take(store, MEI, limit=1) == [1]


@pytest.mark.parametrize("token", ["", "x" * 65, "a\x00"])
def test_a_holder_without_a_proper_token_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        Holder(token, "a")


# What the model has read


def test_a_model_reads_every_text_once_the_unreviewed_first(store: AnnotationStore) -> None:
    save(store, 1)
    unread = find_unread(store.database, project="default", model="m", limit=9)
    assert [text.document_id for text in unread] == [2, 3, 4, 5, 1]
    rank(store, (0.1, 0.1), (0.2, 0.2), (0.3, 0.3))
    unread = find_unread(store.database, project="default", model="m", limit=1)
    assert [text.document_id for text in unread] == [4]
    progress = read_progress(store.database, project="default", model="m")
    assert (progress.num_read, progress.num_total) == (3, 5)
    progress = read_progress(store.database, project="default", model="trained")
    assert progress.num_read == 0


def test_differences_are_counted_when_the_model_reads_and_when_people_save(
    store: AnnotationStore,
) -> None:
    name, place = Span(4, 7, "name"), Span(8, 10, "place")
    save(store, 1, name)
    found = NewPrediction(1, (name, place, Span(0, 1, "planet")), 0.5, 0.5)
    write_predictions(store.database, project="default", model="m", predictions=[found])
    assert take(store, wanted=DocumentFilter(differs=True)) == [1]
    save(store, 1, name, place)
    assert take(store, wanted=DocumentFilter(differs=True)) == []
    save(store, 1, Span(4, 7, "place"), place)
    assert take(store, wanted=DocumentFilter(differs=True)) == [1]


def test_a_rename_makes_no_differences(store: AnnotationStore) -> None:
    name = Span(4, 7, "name")
    found = NewPrediction(1, (name,), 0.5, 0.5)
    write_predictions(store.database, project="default", model="m", predictions=[found])
    rename_label(store.database, "default", "name", "person")
    save(store, 1, Span(4, 7, "person"))
    assert take(store, wanted=DocumentFilter(differs=True)) == []


def test_other_labels_mean_that_the_model_reads_again(store: AnnotationStore) -> None:
    for change in (
        lambda: add_label(store.database, "default", "time"),
        lambda: remove_label(store.database, "default", "time"),
    ):
        rank(store, *[(0.5, 0.5)] * 5)
        assert not find_unread(store.database, project="default", model="m", limit=9)
        change()
        assert len(find_unread(store.database, project="default", model="m", limit=9)) == 5


def test_a_prediction_for_a_document_of_another_project_is_passed_over(
    store: AnnotationStore,
) -> None:
    found = [NewPrediction(6, (), 0.5, 0.5), NewPrediction(99, (), 0.5, 0.5)]
    write_predictions(store.database, project="default", model="m", predictions=found)
    assert read_progress(store.database, project="other", model="m").num_read == 0


# What is kept at hand for the filters


def test_a_text_that_only_the_model_has_read_is_found_by_what_the_model_finds(
    store: AnnotationStore,
) -> None:
    name, place = Span(4, 7, "name", 0.9), Span(8, 10, "place", 0.9)
    found = [NewPrediction(number, (name,), 0.5, 0.5) for number in (1, 2)]
    write_predictions(store.database, project="default", model="m", predictions=found)
    assert take(store, wanted=DocumentFilter(status="new", label="name")) == [1, 2]
    again = [NewPrediction(1, (place,), 0.5, 0.5)]
    write_predictions(store.database, project="default", model="trained", predictions=again)
    assert take(store, wanted=DocumentFilter(status="new", label="name")) == [2]
    save(store, 2, Span(8, 10, "place"))
    # A person has spoken: what the model goes on finding there is no longer shown.
    write_predictions(store.database, project="default", model="trained", predictions=found[1:])
    assert take(store, wanted=DocumentFilter(label="name")) == []
    assert take(store, wanted=DocumentFilter(label="place")) == [1, 2]


def test_a_label_that_is_gone_from_the_newest_revision_finds_nothing(
    store: AnnotationStore,
) -> None:
    save(store, 1, Span(4, 7, "name"), Span(8, 10, "place"))
    save(store, 1, Span(8, 10, "place"))
    assert take(store, wanted=DocumentFilter(label="name")) == []


def test_annotators_of_another_project_are_not_offered(store: AnnotationStore) -> None:
    save(store, 6, annotator="雷")
    assert read_annotators(store.database, project="default") == ()
    assert read_annotators(store.database, project="other") == ("雷",)
