import pytest

from annotation_store.project_changes import rename_label, set_annotators_per_text
from annotation_store.review import (
    Author,
    AuthorCount,
    UndecidedPair,
    count_confirmed,
    list_authors,
    list_undecided,
    read_revision_numbers,
    read_versions,
)
from annotation_store.store import AnnotationStore, NewDocument
from ner_core.labels import CLUENER
from ner_core.spans import Span

ANNA, BO = Author("human", "Anna"), Author("human", "Bo")
COMPANY, NAME = Span(0, 4, "company"), Span(4, 7, "name")
TEXT = "浙商银行叶老桂"


@pytest.fixture
def store(tmp_path):
    with AnnotationStore.open(tmp_path / "annotations.db") as store:
        store.create_project("default", CLUENER)
        yield store


def add(store, *texts, **attributes):
    return store.add([NewDocument(text, **attributes) for text in texts]).added_ids


def save(store, document_id, annotator, *spans, status="accepted", source="human"):
    base = store.get(document_id).revision_number
    return store.save(
        document_id,
        base_revision=base,
        spans=spans,
        status=status,
        annotator=annotator,
        source=source,
    )


def spans_of(documents):
    return [[version.spans for version in document.versions] for document in documents]


def test_each_annotators_own_newest_version_is_found_among_others(store):
    (document_id,) = add(store, TEXT)
    save(store, document_id, "Anna", COMPANY)
    save(store, document_id, "Anna", COMPANY, NAME)
    save(store, document_id, "Bo", NAME)
    save(store, document_id, "Cem")
    (document,) = read_versions(store.database, [ANNA, BO], project="default")
    assert spans_of([document]) == [[(COMPANY, NAME), (NAME,)]]
    assert (document.newest_annotator, document.newest_source) == ("Cem", "human")
    assert document.revision_number == 4
    assert (document.id, document.text, document.position) == (document_id, TEXT, 1)


def test_only_documents_that_all_have_labelled_are_compared_in_order(store):
    first, second, third = add(store, "北京", "上海", "广州")
    for document_id in (third, first):
        save(store, document_id, "Anna")
        save(store, document_id, "Bo")
    save(store, second, "Anna")
    documents = read_versions(store.database, [ANNA, BO], project="default")
    assert [document.id for document in documents] == [first, third]


def test_the_version_that_counts_is_the_newest_unless_a_model_made_it(store):
    by_human, by_model, reviewed, unlabelled = add(store, "北京", "上海", "广州", "深圳")
    save(store, by_human, "Anna", Span(0, 2, "address"))
    save(store, by_model, "cluener-small", source="model", status="new")
    save(store, reviewed, "Anna")
    save(store, reviewed, "Chief", Span(0, 2, "address"), source="review")
    documents = read_versions(store.database, [None], project="default")
    assert [document.id for document in documents] == [by_human, reviewed]
    assert [document.is_reviewed for document in documents] == [False, True]
    assert unlabelled not in [document.id for document in documents]
    assert count_confirmed(store.database, project="default") == 2


def test_rejected_and_ignored_texts_have_no_version(store):
    (document_id,) = add(store, "北京")
    save(store, document_id, "Anna", Span(0, 2, "address"))
    save(store, document_id, "Anna", status="rejected")
    assert read_versions(store.database, [ANNA], project="default") == []
    assert read_versions(store.database, [None], project="default") == []
    assert count_confirmed(store.database, project="default") == 0


def test_what_a_tool_labelled_is_nobodys_version(store):
    suggestion = Span(0, 2, "address", score=0.9)
    add(store, "北京", suggestions=(suggestion,), is_preannotated=True)
    add(store, "上海", spans=(Span(0, 2, "address"),), status="accepted")
    (document,) = read_versions(store.database, [None], project="default")
    assert document.text == "上海"
    assert list_authors(store.database, project="default") == (
        AuthorCount(Author("import", ""), 1),
    )


def test_authors_are_listed_by_their_documents_without_models_and_reviewers(store):
    first, second = add(store, "北京", "上海")
    for document_id in (first, second, second):
        save(store, document_id, "Bo")
    save(store, first, "Anna")
    save(store, first, "Chief", source="review")
    save(store, second, "cluener-small", source="model")
    assert list_authors(store.database, project="default") == (
        AuthorCount(BO, 2),
        AuthorCount(ANNA, 1),
    )


def test_another_projects_documents_are_not_compared(store):
    store.create_project("other", CLUENER)
    store.add([NewDocument("北京", spans=(), status="accepted")], project="other", annotator="Bo")
    assert read_versions(store.database, [None], project="default") == []
    assert list_authors(store.database, project="default") == ()
    with pytest.raises(ValueError, match="expected one of the projects"):
        list_authors(store.database, project="nobody's")


def test_a_flagged_text_is_its_authors_version_and_not_what_counts(store):
    (document_id,) = store.add([NewDocument("浙商银行的叶老桂")]).added_ids
    number = store.get(document_id).revision_number
    company = Span(0, 4, "company")
    store.save(
        document_id,
        base_revision=number,
        spans=(),
        suggestions=(company,),
        status="flagged",
        annotator="Bo",
    )
    bo = Author("human", "Bo")
    assert [it.id for it in read_versions(store.database, [bo], project="default")] == [document_id]
    assert read_versions(store.database, [None], project="default") == []
    assert count_confirmed(store.database, project="default") == 0


def test_some_documents_can_be_asked_for_however_many_there_are(store):
    texts = [f"第{number}条" for number in range(1200)]
    ids = store.add([NewDocument(text, spans=()) for text in texts]).added_ids
    asked = [ids[0], *ids[100:1150]]
    found = read_versions(store.database, [None], project="default", document_ids=asked)
    assert [document.id for document in found] == asked
    assert read_versions(store.database, [None], project="default", document_ids=[]) == []


def test_the_number_of_the_newest_revision_tells_what_has_changed(store):
    first, second = add(store, "北京", "上海")
    save(store, second, "Anna")
    assert read_revision_numbers(store.database, project="default") == {
        first: (0, 0),
        second: (1, 1),
    }


# Independent versions


def save_own(store, document_id, annotator, *spans, base=0, **fields):
    return store.save(
        document_id,
        base_revision=base,
        spans=spans,
        status="accepted",
        annotator=annotator,
        **fields,
    )


@pytest.fixture
def blind(store):
    """A text that Anna and Bo have labelled without seeing each other's work."""
    set_annotators_per_text(store.database, "default", 2, percent=100)
    (document_id,) = add(store, TEXT)
    save_own(store, document_id, "Anna", COMPANY)
    save_own(store, document_id, "Bo", NAME)
    return document_id


def test_nobodys_version_is_shown_while_somebody_is_still_to_label_the_text(store):
    set_annotators_per_text(store.database, "default", 3, percent=100)
    (document_id,) = add(store, TEXT)
    for annotator, span in (("Anna", COMPANY), ("Bo", NAME)):
        save_own(store, document_id, annotator, span)
        assert list_authors(store.database, project="default") == ()
        assert read_versions(store.database, [Author("human", annotator)], project="default") == []
        assert list_undecided(store.database, project="default") == ()
    save_own(store, document_id, "Cem", NAME)
    (document,) = read_versions(store.database, [ANNA, BO], project="default")
    assert spans_of([document]) == [[(COMPANY,), (NAME,)]]
    # Bo and Cem say the same.
    assert list_undecided(store.database, project="default") == (
        UndecidedPair(1, ("Anna", "Bo")),
        UndecidedPair(1, ("Anna", "Cem")),
    )


def test_a_label_renamed_between_two_versions_is_no_difference(store):
    set_annotators_per_text(store.database, "default", 3, percent=100)
    (document_id,) = add(store, TEXT)
    save_own(store, document_id, "Anna", COMPANY)
    rename_label(store.database, "default", "company", "firm")
    save_own(store, document_id, "Bo", Span(0, 4, "firm"))
    save_own(store, document_id, "Cem", NAME)
    assert list_undecided(store.database, project="default") == (
        UndecidedPair(1, ("Anna", "Cem")),
        UndecidedPair(1, ("Bo", "Cem")),
    )


def test_versions_that_differ_wait_for_a_decision(store, blind):
    (document,) = read_versions(store.database, [ANNA, BO], project="default")
    assert (document.is_independent, document.is_undecided) == (True, True)
    assert not document.is_reviewed
    assert document.revision_number == 2
    assert count_confirmed(store.database, project="default") == 0
    assert list_undecided(store.database, project="default") == (UndecidedPair(1, ("Anna", "Bo")),)
    save_own(store, blind, "Chief", NAME, base=2, source="review")
    (document,) = read_versions(store.database, [ANNA, BO], project="default")
    assert (document.is_undecided, document.is_reviewed) == (False, True)
    assert list_undecided(store.database, project="default") == ()


def test_an_independent_version_stays_what_it_was(store, blind):
    save_own(store, blind, "Chief", NAME, base=2, source="review")
    save(store, blind, "Anna", COMPANY, NAME)
    (document,) = read_versions(store.database, [ANNA, BO], project="default")
    assert spans_of([document]) == [[(COMPANY,), (NAME,)]]
    assert document.is_independent
    # It was decided on before Anna changed it once more.
    assert document.is_reviewed


def test_versions_are_independent_only_if_both_are(store, blind):
    save_own(store, blind, "Chief", NAME, base=2, source="review")
    save(store, blind, "Cem", COMPANY)
    (document,) = read_versions(store.database, [ANNA, Author("human", "Cem")], project="default")
    assert not document.is_independent
    (document,) = read_versions(store.database, [ANNA], project="default")
    assert not document.is_independent


def test_what_counts_is_no_second_independent_version(store):
    set_annotators_per_text(store.database, "default", 2, percent=100)
    (document_id,) = add(store, TEXT)
    save_own(store, document_id, "Anna", COMPANY)
    save_own(store, document_id, "Bo", COMPANY)
    (document,) = read_versions(store.database, [None, ANNA], project="default")
    assert not document.is_independent


def test_a_new_version_that_does_not_count_is_a_change_too(store, blind):
    set_annotators_per_text(store.database, "default", 3, percent=100)
    before = read_revision_numbers(store.database, project="default")
    save_own(store, blind, "Anna", COMPANY, base=1)
    assert read_revision_numbers(store.database, project="default") != before
