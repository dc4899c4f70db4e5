"""Counts in SQL against the same counts in plain Python, on databases that Hypothesis makes up."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event, text

from annotation_store import store as store_module
from annotation_store.corrections import Corrections, count_corrections
from annotation_store.database import Database
from annotation_store.documents import SOURCES, STATUSES, Revision, Status
from annotation_store.project_changes import rename_label
from annotation_store.statistics import (
    DayProgress,
    LabelCount,
    LengthCount,
    count_labels,
    count_lengths,
    count_progress,
)
from annotation_store.store import AnnotationStore, NewDocument, StoreError
from annotation_store.working_time import PAUSE_S, PEOPLE, DayPace, count_pace, count_work
from ner_core.labels import LabelSet
from ner_core.spans import Span

# The counts have to survive what JSON and SQL write in a way of their own.
LABELS = LabelSet(("name", 'odd"label', "人名\\"))
Count = Callable[..., object]


def count_statuses(database: Database, *, project: str) -> dict[Status, int]:
    """What the card of statuses draws; the only count that is a method of the store."""
    return AnnotationStore(database).counts(project=project)


COUNTS: list[Count] = [
    count_statuses,
    count_progress,
    count_lengths,
    count_labels,
    count_work,
    count_pace,
    count_corrections,
]
BEGIN = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)


class Clock:
    """Stands in for the store's `_now`."""

    now = BEGIN

    def __call__(self) -> datetime:
        return self.now


CLOCK = Clock()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnnotationStore]:
    """One database for all tests of the module; each test and example has a project of its own."""
    with (
        pytest.MonkeyPatch.context() as patch,
        AnnotationStore.open(tmp_path_factory.mktemp("store") / "annotations.db") as store,
    ):
        patch.setattr(store_module, "_now", CLOCK)
        yield store


_NUMBERS = itertools.count()


def make_project(store: AnnotationStore) -> str:
    name = f"project {next(_NUMBERS)}"
    store.create_project(name, LABELS)
    CLOCK.now = BEGIN
    return name


def save(store: AnnotationStore, document_id: int, **options: object) -> Revision:
    document = store.get(document_id)
    values = {"spans": (), "status": "accepted", "annotator": "Lin"} | options
    return store.save(document_id, base_revision=document.revision_number, **values)  # type: ignore[arg-type]


# What the databases hold

ALPHABET = '叶老桂"\\\n𠮷😀é'


@st.composite
def spans_of(draw: st.DrawFn, length: int) -> tuple[Span, ...]:
    spans = set()
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, length - 1))
        end = draw(st.integers(start + 1, length))
        spans.add(Span(start, end, draw(st.sampled_from(LABELS.labels))))
    return tuple(sorted(spans))


@st.composite
def saves_of(draw: st.DrawFn, length: int) -> list[dict[str, object]]:
    return [
        {
            "source": (source := draw(st.sampled_from(SOURCES))),
            "annotator": draw(st.sampled_from(["", "Lin", "王芳"])),
            "status": draw(st.sampled_from(STATUSES)),
            "spans": () if source == "model" else draw(spans_of(length)),
            "suggestions": draw(spans_of(length)),
            "duration_s": draw(st.none() | st.sampled_from([0.0, 2.5, PAUSE_S, PAUSE_S + 1])),
            "after_s": draw(st.sampled_from([0.0, 0.25, 20.0, PAUSE_S, PAUSE_S + 0.5, 86_400.0])),
        }
        for _ in range(draw(st.integers(0, 4)))
    ]


@st.composite
def projects(draw: st.DrawFn) -> list[tuple[str, list[dict[str, object]]]]:
    texts = draw(st.lists(st.text(ALPHABET, min_size=1, max_size=6), unique=True, max_size=5))
    return [(each, draw(saves_of(len(each)))) for each in texts if not each.isspace()]


def fill(store: AnnotationStore, contents: list[tuple[str, list[dict[str, object]]]]) -> str:
    """Make a project of these texts; their saves come in turns, as those of several people do."""
    project = make_project(store)
    ids = store.add((NewDocument(each) for each, _ in contents), project=project).added_ids
    turns = itertools.zip_longest(*(saves for _, saves in contents))
    for document_id, options in (pair for turn in turns for pair in zip(ids, turn, strict=True)):
        if options is not None:
            values = dict(options)
            CLOCK.now += timedelta(seconds=values.pop("after_s"))  # type: ignore[arg-type]
            save(store, document_id, **values)
    return project


def histories(store: AnnotationStore, project: str) -> dict[int, tuple[str, tuple[Revision, ...]]]:
    documents = store.page(project=project, limit=100).documents
    return {each.id: (each.text, store.history(each.id)) for each in documents}


# The same counts without SQL


def local_day(moment: datetime, utc_offset_min: int) -> date:
    return (moment + timedelta(minutes=utc_offset_min)).date()


def is_restored(revision: Revision, history: tuple[Revision, ...]) -> bool:
    """Whether a reviewer's decision was taken back with it: nobody has worked on it."""
    before = history[revision.number - 2] if revision.number > 1 else None
    return revision.duration_s == 0 and before is not None and before.source == "review"


def people_with_times(
    revisions: dict[int, tuple[str, tuple[Revision, ...]]],
) -> dict[str, list[tuple[int, Revision, float | None]]]:
    """Each person's work: revisions with the document's id and the known time."""
    saves: dict[str, list[tuple[int, Revision]]] = defaultdict(list)
    for document_id, (_, history) in revisions.items():
        for revision in history:
            if revision.source in PEOPLE and not is_restored(revision, history):
                saves[revision.annotator].append((document_id, revision))
    timed = {}
    for annotator, some in saves.items():
        some.sort(key=lambda save: (save[1].created_at, save[0], save[1].number))
        timed[annotator] = []
        last: datetime | None = None
        for document_id, revision in some:
            seconds = revision.duration_s
            if seconds is None and last is not None:
                seconds = (revision.created_at - last).total_seconds()
            if seconds is not None and seconds > PAUSE_S:
                seconds = None
            last = revision.created_at
            timed[annotator].append((document_id, revision, seconds))
    return timed


def plain_corrections(revisions: dict[int, tuple[str, tuple[Revision, ...]]]) -> set[Corrections]:
    sides: list[tuple[int, str, bool, bool]] = []
    compared = 0
    for document_id, (_, history) in revisions.items():
        suggested = [each for each in history if each.source == "model" or each.is_preannotated]
        newest = history[-1] if history else None
        if newest is None or newest.status != "accepted" or newest.source not in PEOPLE:
            continue
        if not suggested:
            continue
        compared += 1
        offered = {(s.start, s.end, s.label) for s in suggested[-1].suggestions}
        confirmed = {(s.start, s.end, s.label) for s in newest.spans}
        sides += [
            (document_id, span[2], span in confirmed, span in offered)
            for span in offered | confirmed
        ]

    def sum_up(label: str | None, num_documents: int | None = None) -> Corrections:
        own = [side for side in sides if label in (None, side[1])]
        return Corrections(
            label,
            sum(is_confirmed and is_offered for _, _, is_confirmed, is_offered in own),
            sum(is_confirmed and not is_offered for _, _, is_confirmed, is_offered in own),
            sum(is_offered and not is_confirmed for _, _, is_confirmed, is_offered in own),
            len({side[0] for side in own}) if num_documents is None else num_documents,
            len({side[0] for side in own if side[2] != side[3]}),
        )

    return {sum_up(None, compared), *(sum_up(label) for label in {side[1] for side in sides})}


@given(
    contents=projects(),
    utc_offset_min=st.sampled_from([0, 480, -330, 840]),
    is_renamed=st.booleans(),
)
def test_each_query_counts_what_plain_python_counts(
    store: AnnotationStore,
    contents: list[tuple[str, list[dict[str, object]]]],
    utc_offset_min: int,
    is_renamed: bool,
) -> None:
    project = fill(store, contents)
    if is_renamed:
        rename_label(store.database, project, "name", "person")
    revisions = histories(store, project)
    newest = {key: history[-1] for key, (_, history) in revisions.items() if history}

    days = Counter(
        local_day(min(r.created_at for r in history if r.status != "new"), utc_offset_min)
        for _, history in revisions.values()
        if history and history[-1].status != "new"
    )
    assert count_progress(store.database, project=project, utc_offset_min=utc_offset_min) == tuple(
        DayProgress(*pair) for pair in sorted(days.items())
    )

    lengths = Counter(len(each) for each, _ in revisions.values())
    assert count_lengths(store.database, project=project) == tuple(
        LengthCount(*pair) for pair in sorted(lengths.items())
    )

    for status in (None, "accepted"):
        spans: Counter[tuple[str, str]] = Counter()
        documents: Counter[tuple[str, str]] = Counter()
        for revision in newest.values():
            if status in (None, revision.status):
                spans.update((span.label, revision.annotator) for span in revision.spans)
                documents.update({(span.label, revision.annotator) for span in revision.spans})
        assert set(count_labels(store.database, project=project, status=status)) == {
            LabelCount(*key, spans[key], documents[key]) for key in spans
        }

    timed = people_with_times(revisions)
    work = {each.annotator: each for each in count_work(store.database, project=project)}
    people = {it.annotator for _, of in revisions.values() for it in of if it.source in PEOPLE}
    assert work.keys() == people
    assert timed.keys() == {name for name, of in work.items() if of.num_revisions}
    for annotator, saves in timed.items():
        found = work[annotator]
        own = [revision for revision in newest.values() if is_by(revision, annotator)]
        assert found.num_revisions == len(saves)
        assert found.num_changes == sum(revision.num_changes for _, revision, _ in saves)
        assert found.num_documents == {
            status: sum(revision.status == status for revision in own) for status in STATUSES
        }
        assert found.num_spans == sum(len(revision.spans) for revision in own)
        known = [(key, seconds) for key, _, seconds in saves if seconds is not None]
        assert found.num_timed_documents == len({key for key, _ in known})
        # SQLite tells moments to a millisecond.
        assert found.seconds == pytest.approx(sum(seconds for _, seconds in known), abs=0.01)

    paces: dict[tuple[date, str], list[tuple[int, float]]] = defaultdict(list)
    for annotator, saves in timed.items():
        for key, revision, seconds in saves:
            if seconds is not None:
                day = local_day(revision.created_at, utc_offset_min)
                paces[day, annotator].append((key, seconds))
    assert count_pace(store.database, project=project, utc_offset_min=utc_offset_min) == tuple(
        DayPace(
            day,
            annotator,
            len({key for key, _ in known}),
            pytest.approx(sum(seconds for _, seconds in known), abs=0.01),
        )
        for (day, annotator), known in sorted(paces.items())
    )

    assert set(count_corrections(store.database, project=project)) == plain_corrections(revisions)


def is_by(revision: Revision, annotator: str) -> bool:
    return revision.source in PEOPLE and revision.annotator == annotator


def test_a_pause_counts_neither_as_time_nor_as_a_document(store: AnnotationStore) -> None:
    project = make_project(store)
    texts = [NewDocument(each) for each in "甲乙丙丁"]
    ids = store.add(texts, project=project).added_ids
    for document_id, after_s in zip(ids, (0, 30, 3600, 30), strict=True):
        CLOCK.now += timedelta(seconds=after_s)
        save(store, document_id)
    (lin,) = count_work(store.database, project=project)
    assert (lin.num_timed_documents, round(lin.seconds, 3)) == (2, 60.0)
    assert lin.documents_per_hour == pytest.approx(120)


def test_a_time_that_was_taken_counts_and_not_the_time_between_saves(
    store: AnnotationStore,
) -> None:
    project = make_project(store)
    ids = store.add([NewDocument("甲"), NewDocument("乙")], project=project).added_ids
    save(store, ids[0], duration_s=10.0)
    CLOCK.now += timedelta(seconds=100)
    save(store, ids[1], duration_s=20.0)
    (lin,) = count_work(store.database, project=project)
    assert (lin.num_timed_documents, lin.seconds) == (2, 30.0)


def test_work_in_another_project_is_no_work_in_this_one(store: AnnotationStore) -> None:
    first = make_project(store)
    (first_id,) = store.add([NewDocument("甲")], project=first).added_ids
    second = make_project(store)
    (second_id,) = store.add([NewDocument("甲")], project=second).added_ids
    save(store, first_id, spans=[Span(0, 1, "name")])
    assert count_work(store.database, project=second) == ()
    assert count_labels(store.database, project=second) == ()
    save(store, second_id)
    (lin,) = count_work(store.database, project=second)
    assert (lin.num_revisions, lin.documents_per_hour) == (1, None)


def test_the_days_follow_the_readers_clock(store: AnnotationStore) -> None:
    project = make_project(store)
    (document_id,) = store.add([NewDocument("甲")], project=project).added_ids
    save(store, document_id)  # 23:30 in Greenwich, 07:30 of the next day in Beijing
    for minutes, day in ((0, 21), (480, 22)):
        (progress,) = count_progress(store.database, project=project, utc_offset_min=minutes)
        assert progress.day == date(2026, 11, day)


def test_accepted_suggestions_are_kept_although_each_is_a_change(store: AnnotationStore) -> None:
    project = make_project(store)
    (document_id,) = store.add([NewDocument("叶老桂")], project=project).added_ids
    right, wrong = Span(0, 3, "name", 0.9), Span(0, 1, "name", 0.4)
    save(store, document_id, source="model", status="new", suggestions=[right, wrong])
    saved = save(store, document_id, spans=[right, Span(1, 2, "name")])
    assert saved.num_changes == 2
    assert count_corrections(store.database, project=project) == (
        Corrections(None, 1, 1, 1, 1, 1),
        Corrections("name", 1, 1, 1, 1, 1),
    )


def test_a_suggestion_of_before_a_rename_is_the_same_span(store: AnnotationStore) -> None:
    project = make_project(store)
    (document_id,) = store.add([NewDocument("叶老桂")], project=project).added_ids
    save(store, document_id, source="model", status="new", suggestions=[Span(0, 3, "name")])
    rename_label(store.database, project, "name", "person")
    save(store, document_id, spans=[Span(0, 3, "person")])
    assert count_corrections(store.database, project=project)[1] == (
        Corrections("person", 1, 0, 0, 1, 0)
    )


def test_a_project_without_documents_counts_nothing(store: AnnotationStore) -> None:
    project = make_project(store)
    for count in (count_progress, count_lengths, count_labels, count_work, count_pace):
        assert count(store.database, project=project) == ()
    assert count_corrections(store.database, project=project) == (Corrections(None, 0, 0, 0, 0, 0),)


@pytest.mark.parametrize("count", COUNTS)
def test_one_query_counts_however_many_documents_there_are(
    store: AnnotationStore, count: Count
) -> None:
    project = make_project(store)
    for document_id in store.add(
        [NewDocument(f"第{number}条") for number in range(9)], project=project
    ).added_ids:
        save(store, document_id, spans=[Span(0, 1, "name")], annotator="梅", status="accepted")
    statements = []

    def keep(*arguments: object) -> None:
        statements.append(str(arguments[2]))

    event.listen(Engine, "before_cursor_execute", keep)
    try:
        assert count(store.database, project=project)
    finally:
        event.remove(Engine, "before_cursor_execute", keep)
    # The others find the project.
    assert sum("revision" in it or "document." in it for it in statements) == 1


@pytest.mark.parametrize("count", COUNTS)
def test_an_unknown_project_is_refused(store: AnnotationStore, count: Count) -> None:
    with pytest.raises(ValueError, match="expected one of the projects"):
        count(store.database, project="no such project")


@pytest.mark.parametrize("count", [count_progress, count_pace])
def test_no_clock_is_further_from_utc_than_14_hours(store: AnnotationStore, count: object) -> None:
    project = make_project(store)
    with pytest.raises(ValueError, match="expected minutes from UTC between -840 and 840, got 841"):
        count(store.database, project=project, utc_offset_min=841)  # type: ignore[operator]


def test_json_that_is_none_is_the_databases_fault(tmp_path: Path) -> None:
    with AnnotationStore.open(tmp_path / "damaged.db") as store:
        store.create_project("default", LABELS)
        store.add([NewDocument("甲", (Span(0, 1, "name"),))])
        with store.database.writing() as connection:
            connection.execute(text("DROP TRIGGER revision_no_update"))
            connection.execute(text("UPDATE revision SET label = '{'"))
        with pytest.raises(StoreError, match=r"expected JSON in every revision, .* verify"):
            count_labels(store.database, project="default")
