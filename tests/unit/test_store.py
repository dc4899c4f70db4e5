from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from annotation_store.store import (
    AnnotationStore,
    DocumentNotFound,
    NewDocument,
    Project,
    StaleRevision,
)
from ner_core.labels import CLUENER, MSRA, LabelSet
from ner_core.spans import Example, Span

TEXT = "浙商银行企业信贷部叶老桂博士"
COMPANY = Span(0, 4, "company")
NAME = Span(9, 12, "name")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AnnotationStore]:
    with AnnotationStore.open(tmp_path / "annotations.db") as store:
        store.create_project("default", CLUENER)
        yield store


def add(store: AnnotationStore, *texts: str) -> tuple[int, ...]:
    return store.add(NewDocument(text) for text in texts).added_ids


# Projects


def test_projects_keep_the_order_of_their_labels(store: AnnotationStore) -> None:
    odd = LabelSet(("b", "a", "人名"))
    store.create_project("second", odd)
    assert store.projects() == (Project("default", CLUENER), Project("second", odd))
    assert store.project("second") == Project("second", odd)


def test_making_a_project_again_with_the_same_labels_changes_nothing(
    store: AnnotationStore,
) -> None:
    store.create_project("default", CLUENER)
    assert len(store.projects()) == 1


def test_a_project_keeps_its_labels(store: AnnotationStore) -> None:
    with pytest.raises(ValueError, match=r"expected project 'default' with its labels address, .*"):
        store.create_project("default", MSRA)


@pytest.mark.parametrize("name", ["", " ", "x" * 201, "a\x00b"])
def test_a_project_name_that_cannot_be_read_is_refused(store: AnnotationStore, name: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        store.create_project(name, CLUENER)


def test_an_unknown_project_is_named_with_those_there_are(store: AnnotationStore) -> None:
    with pytest.raises(ValueError, match="expected one of the projects 'default', got 'other'"):
        store.page(project="other")
    with pytest.raises(ValueError, match="expected one of the projects 'default', got 'other'"):
        store.project("other")


def test_projects_do_not_see_each_other(store: AnnotationStore) -> None:
    store.create_project("msra", MSRA)
    (first,) = add(store, TEXT)
    (second,) = store.add([NewDocument(TEXT)], project="msra").added_ids
    assert store.get(second).position == 1
    assert store.get(second).project == "msra"
    assert store.counts(project="msra")["new"] == 1
    assert store.next(after=first) is None
    with pytest.raises(ValueError, match="expected one of the labels PER, LOC, ORG, got 'name'"):
        store.save(second, base_revision=0, spans=[NAME], status="accepted", annotator="a")


# Adding


def test_an_added_text_comes_back_character_for_character(store: AnnotationStore) -> None:
    texts = [
        " 前后有空格 ",
        "a\r\nb\rc\n",
        "e\u0301 é ﬁ",
        "👩‍👩‍👧𠮷\u2028\u0085\ufeff",
        "\u3000全角\t",
    ]
    assert [store.get(document_id).text for document_id in add(store, *texts)] == texts


def test_a_document_that_nobody_labelled_has_revision_0(store: AnnotationStore) -> None:
    (document_id,) = add(store, TEXT)
    document = store.get(document_id)
    assert (document.revision, document.revision_number, document.status) == (None, 0, "new")
    assert (document.spans, document.suggestions) == ((), ())
    assert store.history(document_id) == ()


def test_a_labelled_document_begins_with_revision_1(store: AnnotationStore) -> None:
    new = NewDocument(TEXT, (NAME, COMPANY), external_id="7", status="accepted")
    (document_id,) = store.add([new], annotator="gold.json").added_ids
    document = store.get(document_id)
    assert document.external_id == "7"
    revision = document.revision
    assert revision is not None
    assert revision.label == {"company": {"浙商银行": [[0, 3]]}, "name": {"叶老桂": [[9, 11]]}}
    assert revision.spans == (COMPANY, NAME)
    assert (revision.number, revision.num_changes) == (1, 2)
    assert (revision.status, revision.source, revision.annotator) == (
        "accepted",
        "import",
        "gold.json",
    )
    assert abs(revision.created_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_labelled_as_without_entities_is_not_the_same_as_unlabelled(
    store: AnnotationStore,
) -> None:
    (document_id,) = store.add([NewDocument(TEXT, ())]).added_ids
    assert store.get(document_id).revision_number == 1


def test_a_text_is_added_once_and_counted_the_other_times(store: AnnotationStore) -> None:
    first = store.add([NewDocument("甲"), NewDocument("乙"), NewDocument("甲")])
    second = store.add([NewDocument("丙"), NewDocument("乙")])
    assert (len(first.added_ids), first.num_duplicates) == (2, 1)
    assert (len(second.added_ids), second.num_duplicates) == (1, 1)
    assert [document.text for document in store.page().documents] == ["甲", "乙", "丙"]
    assert [document.position for document in store.page().documents] == [1, 2, 3]


def test_texts_that_only_look_alike_are_not_duplicates(store: AnnotationStore) -> None:
    composed, decomposed = "é", "e\u0301"
    result = store.add([NewDocument(composed), NewDocument(decomposed), NewDocument("é ")])
    assert result.num_duplicates == 0


def test_one_bad_document_keeps_the_whole_batch_out(store: AnnotationStore) -> None:
    documents = [NewDocument("甲"), NewDocument("乙", (Span(0, 1, "planet"),))]
    with pytest.raises(ValueError, match=r"got 'planet' .*\(document 2 of 2\)"):
        store.add(documents)
    assert store.page().num_total == 0


def test_a_source_of_documents_that_fails_leaves_nothing_behind(store: AnnotationStore) -> None:
    def documents() -> Iterator[NewDocument]:
        yield NewDocument("甲")
        raise RuntimeError("the file ended early")

    with pytest.raises(RuntimeError):
        store.add(documents())
    assert store.page().num_total == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a text with a character that is not blank, got 0 blank characters"),
        (" \u3000\n", "got 3 blank characters"),
        ("a\x00", r"got NUL \(U\+0000\) at character 1"),
        ("ab\ud83d", r"got a lone surrogate \(U\+D83D\) at character 2"),
    ],
)
def test_a_text_that_cannot_be_annotated_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NewDocument(text)


def test_a_span_behind_the_text_is_refused() -> None:
    with pytest.raises(ValueError, match=r"inside the text of 1 characters, got 0:2 \(name\)"):
        NewDocument("甲", (Span(0, 2, "name"),))


# Finding


def test_an_id_without_document_is_named(store: AnnotationStore) -> None:
    for ask in (store.get, store.history):
        with pytest.raises(DocumentNotFound, match="expected the id of a document, got 99"):
            ask(99)
    with pytest.raises(DocumentNotFound, match="99"):
        store.save(99, base_revision=0, spans=[], status="new", annotator="")


def test_a_document_is_found_by_its_exact_text(store: AnnotationStore) -> None:
    (document_id,) = add(store, TEXT)
    found = store.find(TEXT)
    assert found is not None and found.id == document_id
    assert store.find(TEXT + " ") is None


def test_next_and_previous_walk_through_a_project_in_order(store: AnnotationStore) -> None:
    ids = add(store, "甲", "乙", "丙")
    forward, here = [], None
    while document := store.next(after=here):
        forward.append(here := document.id)
    backward, here = [], None
    while document := store.previous(before=here):
        backward.append(here := document.id)
    assert forward == list(ids)
    assert backward == list(reversed(ids))


def test_next_passes_over_documents_of_another_status(store: AnnotationStore) -> None:
    ids = add(store, "甲", "乙", "丙", "丁")
    store.save(ids[1], base_revision=0, spans=[], status="accepted", annotator="a")
    store.save(ids[3], base_revision=0, spans=[], status="flagged", annotator="a")
    after_first = store.next(after=ids[0], status="new")
    before_last = store.previous(before=ids[3], status="accepted")
    assert after_first is not None and after_first.id == ids[2]
    assert before_last is not None and before_last.id == ids[1]
    assert store.next(after=ids[0], status="rejected") is None


def test_next_needs_a_document_of_the_project(store: AnnotationStore) -> None:
    store.create_project("msra", MSRA)
    (document_id,) = store.add([NewDocument("甲")], project="msra").added_ids
    with pytest.raises(DocumentNotFound, match=f"got document {document_id} of project 'msra'"):
        store.next(after=document_id)


def test_a_page_is_a_part_of_the_listing(store: AnnotationStore) -> None:
    ids = add(store, *(f"第{number}号" for number in range(7)))
    page = store.page(offset=5, limit=3)
    assert [document.id for document in page.documents] == list(ids[5:])
    assert page.num_total == 7
    assert store.page(limit=0).documents == ()
    store.save(ids[6], base_revision=0, spans=[], status="ignored", annotator="a")
    assert [document.id for document in store.page(status="ignored").documents] == [ids[6]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("100%", ["涨了100%吗"]),
        ("_", ["a_b"]),
        ("\\", ["c\\d"]),
        ("/", ["e/f"]),
        ("A", ["a_b"]),
        ("%%", []),
        ("", ["涨了100%吗", "a_b", "c\\d", "e/f", "涨了1000吗"]),
        ("涨了", ["涨了100%吗", "涨了1000吗"]),
    ],
)
def test_a_search_finds_the_string_itself(
    store: AnnotationStore, query: str, expected: list[str]
) -> None:
    add(store, "涨了100%吗", "a_b", "c\\d", "e/f", "涨了1000吗")
    page = store.page(query=query)
    assert [document.text for document in page.documents] == expected
    assert page.num_total == len(expected)


def test_what_cannot_be_listed_is_refused(store: AnnotationStore) -> None:
    with pytest.raises(ValueError, match="at most 1000 characters to search for, got 1001"):
        store.page(query="甲" * 1001)
    with pytest.raises(ValueError, match="expected offset and limit from 0, got -1 and 50"):
        store.page(offset=-1)
    with pytest.raises(ValueError, match=r"expected one of the statuses new, .*, got 'done'"):
        store.page(status="done")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="NUL"):
        store.page(query="\x00")


def test_counts_name_every_status(store: AnnotationStore) -> None:
    ids = add(store, "甲", "乙")
    store.save(ids[0], base_revision=0, spans=[], status="rejected", annotator="a")
    assert store.counts() == {"new": 1, "accepted": 0, "rejected": 1, "ignored": 0, "flagged": 0}


# Saving


def test_a_save_appends_a_revision_and_keeps_the_old_ones(store: AnnotationStore) -> None:
    (document_id,) = add(store, TEXT)
    suggestion = Span(9, 12, "name", 0.75)
    first = store.save(
        document_id,
        base_revision=0,
        spans=[],
        suggestions=[suggestion],
        status="new",
        annotator="cluener-small",
        source="model",
    )
    second = store.save(
        document_id, base_revision=1, spans=[NAME, COMPANY], status="accepted", annotator="li"
    )
    assert (first.number, first.label, first.num_changes) == (1, {}, 0)
    assert [(span, span.score) for span in first.suggestions] == [(suggestion, 0.75)]
    assert (second.number, second.spans, second.suggestions) == (2, (COMPANY, NAME), ())
    assert (second.source, second.annotator, second.num_changes) == ("human", "li", 2)
    assert store.history(document_id) == (first, second)
    assert store.get(document_id).revision == second


def test_changes_count_spans_that_came_or_went(store: AnnotationStore) -> None:
    (document_id,) = store.add([NewDocument(TEXT, (COMPANY, NAME))]).added_ids
    moved = Span(9, 14, "name")
    revision = store.save(
        document_id, base_revision=1, spans=[COMPANY, moved], status="new", annotator="li"
    )
    assert revision.num_changes == 2
    revision = store.save(
        document_id, base_revision=2, spans=[moved, COMPANY], status="accepted", annotator="li"
    )
    assert revision.num_changes == 0


def test_a_save_that_started_from_an_old_revision_is_refused(store: AnnotationStore) -> None:
    (document_id,) = add(store, TEXT)
    mine = store.save(document_id, base_revision=0, spans=[NAME], status="accepted", annotator="a")
    with pytest.raises(StaleRevision) as refusal:
        store.save(document_id, base_revision=0, spans=[COMPANY], status="new", annotator="b")
    assert refusal.value.current == mine
    assert str(refusal.value) == (
        f"expected base revision 1, the newest, got 0 (document {document_id})"
    )
    assert store.history(document_id) == (mine,)


def test_a_save_from_a_revision_that_never_was_is_refused(store: AnnotationStore) -> None:
    """A browser's draft can be newer than a database that was restored from a backup."""
    (document_id,) = add(store, TEXT)
    with pytest.raises(StaleRevision) as refusal:
        store.save(document_id, base_revision=3, spans=[], status="new", annotator="a")
    assert refusal.value.current.number == 0
    assert refusal.value.current.spans == ()


def test_five_quick_saves_in_a_row_are_five_revisions(store: AnnotationStore) -> None:
    (document_id,) = add(store, TEXT)
    for base in range(5):
        store.save(
            document_id, base_revision=base, spans=[NAME] * (base % 2), status="new", annotator="a"
        )
    assert [revision.number for revision in store.history(document_id)] == [1, 2, 3, 4, 5]


def test_spans_may_overlap_and_carry_two_labels(store: AnnotationStore) -> None:
    (document_id,) = add(store, TEXT)
    spans = (COMPANY, Span(0, 4, "organization"), Span(0, 9, "company"), Span(2, 6, "organization"))
    revision = store.save(
        document_id, base_revision=0, spans=spans, status="accepted", annotator="a"
    )
    assert revision.spans == tuple(sorted(spans))
    assert store.get(document_id).spans == tuple(sorted(spans))


def test_a_span_that_is_given_twice_is_stored_once(store: AnnotationStore) -> None:
    (document_id,) = add(store, TEXT)
    revision = store.save(
        document_id,
        base_revision=0,
        spans=[NAME, Span(9, 12, "name", 0.5)],
        suggestions=[Span(9, 12, "name", 0.9), Span(0, 4, "company", 0.4)],
        status="new",
        annotator="a",
    )
    assert revision.spans == (NAME,)
    assert revision.suggestions == (COMPANY,), "what is confirmed is no suggestion any more"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"spans": [Span(0, 99, "name")]}, "expected a span inside the text of 14 characters"),
        ({"spans": [Span(0, 1, "planet")]}, "expected one of the labels .* got 'planet'"),
        ({"suggestions": [Span(0, 99, "name", 0.5)]}, "expected a span inside the text"),
        ({"suggestions": [Span(0, 1, "planet", 0.5)]}, "got 'planet'"),
        ({"status": "done"}, "expected one of the statuses"),
        (
            {"source": "magic"},
            "expected one of the sources model, human, import, review, got 'magic'",
        ),
        ({"annotator": "a\ud800"}, "a lone surrogate"),
    ],
)
def test_a_save_that_is_wrong_is_refused_and_stores_nothing(
    store: AnnotationStore, changes: dict[str, object], message: str
) -> None:
    (document_id,) = add(store, TEXT)
    arguments = {"base_revision": 0, "spans": [], "status": "new", "annotator": "a"} | changes
    with pytest.raises(ValueError, match=message):
        store.save(document_id, **arguments)  # type: ignore[arg-type]
    assert store.history(document_id) == ()


# Examples


def test_examples_are_the_newest_accepted_revisions_in_order(store: AnnotationStore) -> None:
    first, second, third = add(store, TEXT, "乙", "丙")
    store.save(third, base_revision=0, spans=[], status="accepted", annotator="a")
    store.save(first, base_revision=0, spans=[NAME], status="accepted", annotator="a")
    store.save(first, base_revision=1, spans=[COMPANY], status="accepted", annotator="a")
    store.save(second, base_revision=0, spans=[], status="accepted", annotator="a")
    store.save(second, base_revision=1, spans=[], status="flagged", annotator="a")
    assert list(store.examples()) == [Example("", TEXT, (COMPANY,)), Example("", "丙")]
    assert [example.text for example in store.examples(status="flagged")] == ["乙"]
    assert [example.text for example in store.examples(status=None)] == [TEXT, "乙", "丙"]


def test_examples_leave_suggestions_out(store: AnnotationStore) -> None:
    (document_id,) = add(store, TEXT)
    store.save(
        document_id,
        base_revision=0,
        spans=[],
        suggestions=[Span(0, 4, "company", 0.9)],
        status="accepted",
        annotator="m",
        source="model",
    )
    assert list(store.examples()) == [Example("", TEXT)]


def test_examples_show_one_state_while_others_save(store: AnnotationStore) -> None:
    ids = store.add(
        NewDocument(f"第{number}号", (), status="accepted") for number in range(1200)
    ).added_ids
    examples = store.examples()
    next(examples)
    store.save(ids[-1], base_revision=1, spans=[Span(0, 1, "name")], status="new", annotator="a")
    rest = list(examples)
    assert len(rest) == 1199
    assert rest[-1].spans == ()
