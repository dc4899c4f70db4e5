"""Several people label a text without seeing each other's work: who sees what, and what counts."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from annotation_store.document_filter import DocumentFilter
from annotation_store.documents import Document, Revision, Status
from annotation_store.independence import (
    IndependenceCounts,
    count_independence,
    decide,
    find_counting,
    is_chosen,
    is_waiting,
    num_wanted,
    show_own,
)
from annotation_store.leases import Holder, release
from annotation_store.project_changes import (
    LabelInUse,
    remove_label,
    rename_label,
    set_annotators_per_text,
)
from annotation_store.projects import ProjectSettings
from annotation_store.queue import UNREVIEWED, QueueCounts, count_queue, take_documents
from annotation_store.statistics import count_labels, count_progress
from annotation_store.store import AnnotationStore, NewDocument, StaleRevision
from annotation_store.tables import DocumentRow
from annotation_store.upkeep import verify
from annotation_store.working_time import count_work
from ner_core.labels import LabelSet
from ner_core.spans import Span

TEXT = "叶老桂在杭州"
NAME, PLACE = Span(0, 3, "name"), Span(4, 6, "place")
SUGGESTED = Span(4, 6, "place", 0.8)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a project in which two people label each text."""
    path = tmp_path_factory.mktemp("template") / "annotations.db"
    with AnnotationStore.open(path) as store:
        store.create_project("default", LabelSet(("name", "place")))
        set_annotators_per_text(store.database, "default", 2, percent=100)
    return path


@pytest.fixture
def store(template: Path, tmp_path: Path) -> Iterator[AnnotationStore]:
    """A copy of the template."""
    with AnnotationStore.open(shutil.copy(template, tmp_path)) as store:
        yield store
        assert verify(store.database).problems == ()


@pytest.fixture
def document_id(store: AnnotationStore) -> int:
    """A text with a model's suggestion."""
    (document_id,) = store.add([NewDocument(TEXT)]).added_ids
    suggest(store, document_id)
    return document_id


def suggest(store: AnnotationStore, document_id: int, model: str = "tagger") -> None:
    store.save(
        document_id,
        base_revision=store.get(document_id).revision_number,
        spans=(),
        suggestions=[SUGGESTED],
        status="new",
        annotator=model,
        source="model",
    )


def see(store: AnnotationStore, document_id: int, annotator: str) -> Document:
    """The document as a person sees it."""
    document, _history = show_own(store.get(document_id), store.history(document_id), annotator)
    return document


def save(
    store: AnnotationStore, document_id: int, annotator: str, *spans: Span, **fields: Any
) -> Revision:
    base = see(store, document_id, annotator).revision_number
    arguments: dict[str, Any] = {"base_revision": base, "status": "accepted"} | fields
    return store.save(document_id, spans=spans, annotator=annotator, **arguments)


def review(store: AnnotationStore, document_id: int, *spans: Span) -> Revision:
    newest = store.history(document_id)[-1].number
    return save(store, document_id, "Chief", *spans, source="review", base_revision=newest)


def take(
    store: AnnotationStore,
    annotator: str,
    wanted: DocumentFilter = UNREVIEWED,
    project: str = "default",
) -> list[int]:
    """What the queue gives a person, who gives it back at once."""
    holder = Holder(f"page-{annotator}", annotator)
    found = take_documents(store.database, project=project, holder=holder, wanted=wanted, limit=99)
    release(store.database, holder.token)
    return [document.id for document in found]


def count(store: AnnotationStore, annotator: str) -> QueueCounts:
    return count_queue(store.database, project="default", token="page", annotator=annotator)


# What each of them sees


def test_nobody_sees_what_the_other_has_made_of_a_text(store: AnnotationStore, document_id: int):
    before = store.get(document_id)
    mine = save(store, document_id, "梅", NAME, PLACE)
    assert mine.is_independent
    assert see(store, document_id, "梅").spans == (NAME, PLACE)
    shown, history = show_own(store.get(document_id), store.history(document_id), "雷")
    assert shown == store.get(document_id) == before
    assert [revision.annotator for revision in history] == ["tagger"]


def test_the_second_persons_save_is_no_conflict(store: AnnotationStore, document_id: int):
    save(store, document_id, "梅", NAME)
    yours = save(store, document_id, "雷", PLACE)
    assert (yours.number, yours.spans, yours.is_independent) == (3, (PLACE,), True)
    # The changes are those that the person made, not the distance from somebody else.
    assert yours.num_changes == 1


def test_ones_own_second_save_follows_on_ones_first(store: AnnotationStore, document_id: int):
    set_annotators_per_text(store.database, "default", 3, percent=100)
    mine = save(store, document_id, "梅", NAME)
    save(store, document_id, "雷", PLACE)
    again = store.save(
        document_id,
        base_revision=mine.number,
        spans=[NAME, PLACE],
        status="accepted",
        annotator="梅",
    )
    assert (again.number, again.num_changes) == (4, 1)
    assert see(store, document_id, "雷").spans == (PLACE,)


def test_ones_own_stale_save_is_refused_with_ones_own_version(
    store: AnnotationStore, document_id: int
):
    mine = save(store, document_id, "梅", NAME)
    save(store, document_id, "雷", PLACE)
    for base in (1, 3, 99):  # what stood there before, the other one's version, none at all
        with pytest.raises(StaleRevision) as error:
            save(store, document_id, "梅", base_revision=base)
        assert error.value.current == mine
    assert len(store.history(document_id)) == 3


def test_a_version_is_closed_once_all_are_in(store: AnnotationStore, document_id: int):
    """Review shows them from then on; whoever changed theirs now would be independent no more."""
    mine = save(store, document_id, "梅", NAME)
    save(store, document_id, "梅", NAME, PLACE)  # nobody can have seen it yet
    save(store, document_id, "雷", PLACE)
    before = store.history(document_id)
    for annotator in ("梅", "雷", "王"):
        with pytest.raises(ValueError, match="all 2 independent versions: Review decides"):
            save(store, document_id, annotator, PLACE)
    with pytest.raises(StaleRevision):  # who has not seen their own newest is told that first
        save(store, document_id, "梅", PLACE, base_revision=mine.number)
    assert store.history(document_id) == before
    review(store, document_id, NAME)
    assert not save(store, document_id, "梅", PLACE).is_independent


def test_a_version_is_open_again_when_more_are_wanted(store: AnnotationStore, document_id: int):
    save(store, document_id, "梅", NAME)
    save(store, document_id, "雷", PLACE)
    set_annotators_per_text(store.database, "default", 3, percent=100)
    assert save(store, document_id, "梅", NAME, PLACE).is_independent
    save(store, document_id, "王", PLACE)
    with pytest.raises(ValueError, match="all 3 independent versions"):
        save(store, document_id, "梅", NAME)


def test_a_text_without_suggestions_is_labelled_independently_too(store: AnnotationStore):
    (document_id,) = store.add([NewDocument(TEXT)]).added_ids
    save(store, document_id, "梅", NAME)
    assert store.get(document_id).revision is None
    assert see(store, document_id, "雷").revision is None
    save(store, document_id, "雷", NAME)
    assert store.get(document_id).spans == (NAME,)


def test_what_people_have_confirmed_is_a_text_like_others(store: AnnotationStore):
    (imported,) = store.add([NewDocument(TEXT, (NAME,))], annotator="王").added_ids
    saved = save(store, imported, "梅", NAME, PLACE)
    assert not saved.is_independent
    assert see(store, imported, "雷").spans == (NAME, PLACE)


# What counts


def test_a_text_counts_once_as_many_as_are_wanted_say_the_same(
    store: AnnotationStore, document_id: int
):
    save(store, document_id, "梅", NAME)
    assert store.counts()["new"] == 1
    assert list(store.examples()) == []
    save(store, document_id, "雷", NAME)
    document = store.get(document_id)
    assert (document.status, document.spans, document.revision_number) == ("accepted", (NAME,), 3)
    assert [example.spans for example in store.examples()] == [(NAME,)]
    assert see(store, document_id, "王").spans == (NAME,)


def test_versions_that_differ_do_not_count_until_a_reviewer_decides(
    store: AnnotationStore, document_id: int
):
    save(store, document_id, "梅", NAME)
    save(store, document_id, "雷", PLACE)
    assert store.get(document_id).status == "new"
    assert store.get(document_id).suggestions == (SUGGESTED,)
    review(store, document_id, NAME, PLACE)
    assert store.get(document_id).spans == (NAME, PLACE)
    assert see(store, document_id, "雷").spans == (NAME, PLACE)
    assert not save(store, document_id, "雷", PLACE).is_independent


def test_a_reviewer_who_has_not_seen_the_newest_version_is_refused(
    store: AnnotationStore, document_id: int
):
    set_annotators_per_text(store.database, "default", 3, percent=100)
    for annotator in ("梅", "雷", "王"):
        save(store, document_id, annotator, PLACE if annotator == "王" else NAME)
    with pytest.raises(StaleRevision):
        save(store, document_id, "Chief", NAME, source="review", base_revision=3)


def test_a_decision_that_is_taken_back_leaves_the_versions(
    store: AnnotationStore, document_id: int
):
    save(store, document_id, "梅", NAME)
    save(store, document_id, "雷", PLACE)
    before = store.get(document_id).suggestions
    decision = review(store, document_id, NAME)
    store.withdraw(document_id, base_revision=decision.number)
    document = store.get(document_id)
    assert (document.status, document.suggestions, document.spans) == ("new", before, ())
    assert see(store, document_id, "雷").spans == (PLACE,)
    with pytest.raises(ValueError, match="Review decides"):  # still: they have seen the decision
        save(store, document_id, "雷", NAME)


def test_a_decision_on_a_text_without_suggestions_can_be_taken_back(store: AnnotationStore):
    (document_id,) = store.add([NewDocument(TEXT)]).added_ids
    save(store, document_id, "梅", NAME)
    save(store, document_id, "雷", PLACE)
    decision = review(store, document_id, NAME)
    store.withdraw(document_id, base_revision=decision.number)
    assert (store.get(document_id).status, store.get(document_id).spans) == ("new", ())
    assert take(store, "王") == []
    assert see(store, document_id, "梅").spans == (NAME,)


def test_only_a_decision_that_counts_can_be_taken_back(store: AnnotationStore, document_id: int):
    for base in (1, 2):
        with pytest.raises(StaleRevision):
            store.withdraw(document_id, base_revision=base)
    save(store, document_id, "梅", NAME)
    decision = review(store, document_id, NAME)
    save(store, document_id, "雷", PLACE)
    with pytest.raises(StaleRevision):
        store.withdraw(document_id, base_revision=decision.number)


def test_whoever_agreed_goes_on_from_their_own_version(store: AnnotationStore, document_id: int):
    """The page still has that one on screen when the other person's save decides the text."""
    mine = save(store, document_id, "梅", NAME)
    save(store, document_id, "雷", NAME)
    again = save(store, document_id, "梅", NAME, PLACE, base_revision=mine.number)
    assert not again.is_independent
    assert store.get(document_id).spans == (NAME, PLACE)


@pytest.mark.parametrize("status", ["rejected", "ignored", "flagged"])
def test_nobody_goes_on_over_what_another_decided(
    store: AnnotationStore, document_id: int, status: Status
):
    mine = save(store, document_id, "梅", NAME)
    decided = save(store, document_id, "雷", NAME, status=status)
    with pytest.raises(StaleRevision) as refusal:
        save(store, document_id, "梅", NAME, PLACE, base_revision=mine.number)
    assert refusal.value.current.number == decided.number
    assert store.get(document_id).status == status


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (("accepted", NAME), ("accepted", NAME), ("accepted", NAME)),
        (("flagged", NAME), ("accepted", NAME), ("flagged", NAME)),
        (("accepted", NAME), ("flagged", PLACE), None),
        (("ignored", NAME), ("accepted", PLACE), ("ignored", NAME)),
        (("accepted", NAME), ("rejected", PLACE), ("rejected", PLACE)),
    ],
)
def test_two_versions_decide(
    store: AnnotationStore,
    document_id: int,
    first: tuple[Status, Span],
    second: tuple[Status, Span],
    expected: tuple[Status, Span] | None,
):
    for annotator, (status, span) in (("梅", first), ("雷", second)):
        save(store, document_id, annotator, span, status=status)
    document = store.get(document_id)
    if expected is None:
        assert (document.status, document.spans) == ("new", ())
    else:
        assert (document.status, document.spans) == (expected[0], (expected[1],))


def test_another_model_suggests_anew_while_others_are_at_work(
    store: AnnotationStore, document_id: int
):
    mine = save(store, document_id, "梅", NAME)
    suggest(store, document_id, "trained")
    assert see(store, document_id, "梅").revision == mine
    shown = see(store, document_id, "雷")
    assert (shown.revision_number, shown.suggestions) == (3, (SUGGESTED,))
    save(store, document_id, "雷", NAME)
    assert store.get(document_id).status == "accepted"


# Which texts


def test_the_share_is_that_of_the_texts_and_the_same_in_sql():
    project = ProjectSettings(annotators_per_text=3, independent_percent=10)
    with TemporaryDirectory() as folder, AnnotationStore.open(f"{folder}/a.db") as store:
        store.create_project("default", LabelSet(("name",)))
        texts = [f"第{number}条" for number in range(2000)]
        store.add(map(NewDocument, texts))
        with store.database.reading() as connection:
            chosen = set(connection.scalars(select(DocumentRow.text).where(is_chosen(project))))
    assert chosen == {text for text in texts if num_wanted(project, text) == 3}
    assert 150 < len(chosen) < 250
    more = replace(project, independent_percent=20)
    assert chosen < {text for text in texts if num_wanted(more, text) == 3}


@pytest.mark.parametrize("percent", [1, 99, 100])
@pytest.mark.parametrize("annotators", [1, 2])
def test_one_annotator_or_all_texts_are_what_they_say(annotators: int, percent: int):
    project = ProjectSettings(annotators_per_text=annotators, independent_percent=percent)
    wanted = {num_wanted(project, f"第{number}条") for number in range(500)}
    assert wanted == ({1} if annotators == 1 else {2} if percent == 100 else {1, 2})


def test_a_text_that_was_not_chosen_is_labelled_by_one(store: AnnotationStore):
    set_annotators_per_text(store.database, "default", 2, percent=50)
    ids = store.add(NewDocument(f"第{number}条") for number in range(20)).added_ids
    for document_id in ids:
        save(store, document_id, "梅")
    counts = store.counts()
    assert counts["accepted"] + counts["new"] == 20
    assert 0 < counts["accepted"] < 20
    assert len(take(store, "雷")) == counts["new"]


@pytest.mark.parametrize(
    ("annotators", "percent"), [(0, 10), (6, 10), (2, 0), (2, 101), (True, 10), (2, 1.5)]
)
def test_numbers_out_of_their_range_are_refused(
    store: AnnotationStore, annotators: Any, percent: Any
):
    with pytest.raises(ValueError, match="expected 1 to"):
        set_annotators_per_text(store.database, "default", annotators, percent=percent)


# The setting changes


def test_fewer_annotators_settle_what_waited_for_more(store: AnnotationStore):
    agreed, differing, waiting = store.add(
        NewDocument(f"{TEXT}{number}") for number in range(3)
    ).added_ids
    set_annotators_per_text(store.database, "default", 3, percent=100)
    for annotator, span in (("梅", NAME), ("雷", PLACE)):
        save(store, agreed, annotator, NAME)
        save(store, differing, annotator, span)
    save(store, waiting, "梅", NAME)
    assert count_independence(store.database, project="default") == IndependenceCounts(3, 3, 0)
    set_annotators_per_text(store.database, "default", 1, percent=100)
    assert [store.get(it).status for it in (agreed, differing, waiting)] == [
        "accepted",
        "new",
        "accepted",
    ]
    assert count_independence(store.database, project="default") == IndependenceCounts(0, 0, 1)
    assert take(store, "王") == []  # the second one waits for a reviewer
    review(store, differing, NAME)
    assert count_independence(store.database, project="default") == IndependenceCounts(0, 0, 0)


def test_more_annotators_undo_nothing_that_was_decided(store: AnnotationStore, document_id: int):
    save(store, document_id, "梅", NAME)
    save(store, document_id, "雷", NAME)
    set_annotators_per_text(store.database, "default", 3, percent=100)
    assert store.get(document_id).status == "accepted"


# The queue


def test_the_queue_gives_a_text_to_each_of_them_once(store: AnnotationStore, document_id: int):
    (other,) = store.add([NewDocument("第二篇")]).added_ids
    assert take(store, "梅") == take(store, "雷") == [document_id, other]
    save(store, document_id, "梅", NAME)
    assert (take(store, "梅"), take(store, "雷")) == ([other], [document_id, other])
    assert count(store, "梅") == QueueCounts(num_matching=1, num_held=0, num_left_out=1)
    assert count(store, "雷") == QueueCounts(num_matching=2, num_held=0)
    save(store, document_id, "雷", PLACE)
    # There are enough versions: a third person has nothing to do here, a reviewer has.
    assert take(store, "梅") == take(store, "雷") == take(store, "王") == [other]
    assert count(store, "王") == QueueCounts(num_matching=1, num_held=0, num_left_out=1)
    review(store, document_id, NAME)
    assert count(store, "王") == QueueCounts(num_matching=1, num_held=0)
    assert take(store, "王", DocumentFilter(status="accepted")) == [document_id]


def test_the_queue_of_all_texts_leaves_out_what_waits_for_others(
    store: AnnotationStore, document_id: int
):
    everything = DocumentFilter()
    (done,) = store.add([NewDocument("第二篇", (), status="accepted")], annotator="王").added_ids
    save(store, document_id, "梅", NAME)
    assert take(store, "梅", everything) == [done]  # their own version is in
    assert take(store, "雷", everything) == [document_id, done]
    save(store, document_id, "雷", PLACE)
    for annotator in ("梅", "雷", "王"):  # there are enough versions
        assert take(store, annotator, everything) == [done]
    counts = count_queue(store.database, project="default", token="page", wanted=everything)
    assert counts == QueueCounts(num_matching=1, num_held=0, num_left_out=1)
    review(store, document_id, NAME)
    assert take(store, "雷", everything) == [document_id, done]


def test_two_people_do_not_have_the_text_at_the_same_moment(
    store: AnnotationStore, document_id: int
):
    mei, lei = Holder("page-mei", "梅"), Holder("page-lei", "雷")
    (given,) = take_documents(store.database, project="default", holder=mei)
    assert given.id == document_id
    assert take_documents(store.database, project="default", holder=lei) == ()
    save(store, document_id, "梅", NAME)
    release(store.database, mei.token)
    (given,) = take_documents(store.database, project="default", holder=lei)
    assert (given.id, given.spans) == (document_id, ())


def test_no_filter_finds_a_text_by_what_is_not_to_be_seen(store: AnnotationStore, document_id: int):
    save(store, document_id, "梅", NAME)
    assert take(store, "雷", DocumentFilter(label="name")) == []
    assert take(store, "雷", DocumentFilter(label="place")) == [document_id]
    assert take(store, "雷", DocumentFilter(differs=True)) == []
    assert take(store, "雷", DocumentFilter(status="accepted")) == []


# Labels and figures


def test_a_label_that_only_a_waiting_version_has_is_in_use(
    store: AnnotationStore, document_id: int
):
    save(store, document_id, "梅", NAME)
    with pytest.raises(LabelInUse, match="which 1 documents have"):
        remove_label(store.database, "default", "name")


def test_a_rename_between_two_versions_makes_no_difference(
    store: AnnotationStore, document_id: int
):
    save(store, document_id, "梅", NAME)
    rename_label(store.database, "default", "name", "person")
    save(store, document_id, "雷", Span(0, 3, "person"))
    assert store.get(document_id).status == "accepted"


def test_the_figures_count_a_text_when_it_is_done_and_the_work_of_each(
    store: AnnotationStore, document_id: int
):
    def work() -> dict[str, tuple[int, int]]:
        return {
            it.annotator: (it.num_documents["accepted"], it.num_spans)
            for it in count_work(store.database, project="default")
        }

    save(store, document_id, "梅", NAME, PLACE)
    save(store, document_id, "梅", NAME)
    assert count_progress(store.database, project="default") == ()
    assert count_labels(store.database, project="default") == ()
    assert work() == {"梅": (1, 1)}
    save(store, document_id, "雷", NAME)
    assert [day.num_documents for day in count_progress(store.database, project="default")] == [1]
    (of_label,) = count_labels(store.database, project="default")
    assert (of_label.label, of_label.num_documents) == ("name", 1)
    assert work() == {"梅": (1, 1), "雷": (1, 1)}
    save(store, document_id, "王", NAME, PLACE)
    assert work() == {"梅": (0, 0), "雷": (0, 0), "王": (1, 2)}


def test_a_decision_that_is_taken_back_is_no_work_of_whom_it_gives_the_word(
    store: AnnotationStore, monkeypatch: pytest.MonkeyPatch
):
    (document_id,) = store.add([NewDocument(TEXT)]).added_ids
    (other,) = store.add([NewDocument(f"{TEXT}。")]).added_ids
    start = datetime(2026, 1, 1, tzinfo=UTC)

    def at(seconds: int) -> None:
        monkeypatch.setattr(
            "annotation_store.store._now", lambda: start + timedelta(seconds=seconds)
        )

    set_annotators_per_text(store.database, "default", 1, percent=100)
    at(0)
    save(store, document_id, "梅", NAME, duration_s=20.0)
    at(30)
    decision = review(store, document_id, PLACE)
    before = count_work(store.database, project="default")
    at(60)
    store.withdraw(document_id, base_revision=decision.number)
    mei = next(it for it in count_work(store.database, project="default") if it.annotator == "梅")
    # The text is hers again, as it was; nothing was done to it, by her or by anybody.
    assert (mei.num_documents["accepted"], mei.num_spans) == (1, 1)
    assert (mei.num_revisions, mei.num_changes, mei.num_timed_documents) == (1, 1, 1)
    assert mei.seconds == 20
    assert [it.num_revisions for it in before] == [1, 1]
    # Nor does it shorten the time to her next save.
    at(100)
    save(store, other, "梅", PLACE)
    mei = next(it for it in count_work(store.database, project="default") if it.annotator == "梅")
    assert mei.seconds == 20 + 100


# Whatever happens, in whichever order

PEOPLE = ("梅", "雷", "王")
STEPS = st.lists(
    st.one_of(
        *(  # one for each person, so that nearly half of the steps are saves
            st.tuples(
                st.just("save"),
                st.just(person),
                st.sampled_from([(), (NAME,), (PLACE,)]),
                st.sampled_from(["accepted", "accepted", "flagged", "ignored"]),
            )
            for person in PEOPLE
        ),
        st.tuples(st.just("suggest"), st.sampled_from(["tagger", "trained"])),
        st.tuples(st.just("review")),
        st.tuples(st.just("withdraw")),
        st.tuples(st.just("annotators"), st.integers(1, 3)),
    ),
    max_size=12,
)


@settings(
    max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(STEPS)
def test_nothing_leaks_and_what_counts_follows_from_the_revisions(
    store: AnnotationStore, steps: list[tuple[Any, ...]]
) -> None:
    project, wanted = uuid4().hex, 2  # the database is one for all examples
    store.create_project(project, LabelSet(("name", "place")))
    set_annotators_per_text(store.database, project, wanted, percent=100)
    (document_id,) = store.add([NewDocument(TEXT)], project=project).added_ids
    for step in steps:
        document = store.get(document_id)
        history = store.history(document_id)
        is_open = document.revision is None or not document.revision.is_confirmed
        match step:
            case ("save", annotator, spans, status):
                versions = {it.annotator for it in history if it.is_independent}
                if is_open and len(versions) >= max(wanted, 1) and versions:
                    with pytest.raises(ValueError, match="Review decides"):
                        save(store, document_id, annotator, *spans, status=status)
                else:
                    saved = save(store, document_id, annotator, *spans, status=status)
                    assert saved.is_independent == (is_open and (wanted > 1 or bool(versions)))
            case ("suggest", model) if is_open:
                suggest(store, document_id, model)
            case ("review",) if history:
                review(store, document_id, NAME, PLACE)
            case ("withdraw",):
                with contextlib.suppress(StaleRevision):
                    store.withdraw(document_id, base_revision=document.revision_number)
            case ("annotators", number):
                wanted = number
                set_annotators_per_text(store.database, project, number, percent=100)
        check_document(store, project, document_id, wanted)


def check_document(store: AnnotationStore, project: str, document_id: int, wanted: int) -> None:
    document, history = store.get(document_id), store.history(document_id)
    counting = document.revision
    assert [revision.number for revision in history] == list(range(1, len(history) + 1))
    if counting is not None and counting.is_independent:
        # Decided by its versions, perhaps when fewer were wanted.
        assert any(find_counting(history, number) == counting for number in (1, 2, 3))
    else:
        assert find_counting(history, wanted) == counting
    if counting is None or not counting.is_confirmed:
        for person in PEOPLE:
            shown, seen = show_own(document, history, person)
            assert all(it.annotator == person for it in seen if it.is_independent)
            assert shown.revision in (counting, *(it for it in seen if it.is_independent))
            assert not shown.spans or shown.revision.annotator == person  # type: ignore[union-attr]
        versions = {it.annotator: it for it in history if it.is_independent}
        assert decide(versions.values(), wanted) is None or not versions
        with store.database.reading() as connection:
            waits = is_waiting(ProjectSettings(annotators_per_text=wanted))
            query = select(func.count()).where(DocumentRow.id == document_id, waits)
            waiting = connection.scalar(query)
        assert waiting == int(0 < len(versions) < wanted)
        for person in PEOPLE:
            is_done = bool(versions) and (person in versions or len(versions) >= wanted)
            expected = [] if is_done else [document_id]
            assert take(store, person, project=project) == expected
