"""The server's half of the span editor: what it answers, and what it refuses to believe."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from annotation_store.leases import read_holders
from annotation_store.predictions import NewPrediction, write_predictions
from annotation_store.project_changes import rename_label, set_annotators_per_text
from annotation_store.store import AnnotationStore, DocumentNotFound, NewDocument
from ner_core.labels import CLUENER, MSRA, LabelSet
from ner_core.prediction import Prediction
from ner_core.spans import Span
from webui.annotate_tab import AnnotatePage
from webui.label_style import style_labels
from webui.model_choice import ModelChoice

TEXT = "叶老桂😀在杭州"
NAME = Span(0, 3, "name", 0.9)
PLANET = Span(5, 7, "planet", 0.8)
VISITOR = SimpleNamespace(username=None)


class FixedPredictor:
    """Suggests the same spans for every text and counts how often it is asked."""

    name = "fixed"
    labels = CLUENER

    def __init__(self, *spans: Span) -> None:
        self.spans = spans
        self.num_calls = 0

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        self.num_calls += 1
        return [Prediction(text, self.spans) for text in texts]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AnnotationStore]:
    with AnnotationStore.open(tmp_path / "annotations.db") as store:
        store.create_project("default", CLUENER)
        yield store


@pytest.fixture
def predictor() -> FixedPredictor:
    return FixedPredictor(NAME)


@pytest.fixture
def page(store: AnnotationStore, predictor: FixedPredictor) -> AnnotatePage:
    return AnnotatePage(store, ModelChoice([predictor]))


def open_(page: AnnotatePage, **asked: Any) -> dict[str, Any]:
    payload = {"request": "token", "num_documents": 4} | asked
    return page.answer_open("default", gr.EventData(None, payload), VISITOR)


def save(page: AnnotatePage, saved_id: int, /, **fields: Any) -> dict[str, Any]:
    payload = {
        "request": "token",
        "document_id": saved_id,
        "base_revision": 1,
        "spans": [{"start": 5, "end": 7, "label": "address"}],
        "suggestions": [],
        "status": "accepted",
        "annotator": "annotator-1",
    } | fields
    return page.answer_save(gr.EventData(None, payload), VISITOR)


def add(store: AnnotationStore, *texts: str) -> list[int]:
    return list(store.add([NewDocument(text) for text in texts]).added_ids)


def shown(message: dict[str, Any]) -> list[int]:
    return [document["id"] for document in message["documents"]]


@pytest.fixture
def opened(page: AnnotatePage, store: AnnotationStore) -> int:
    """A document that has the model's suggestions as its first revision."""
    (document_id,) = add(store, TEXT)
    open_(page, document_id=document_id)
    return document_id


def test_a_document_nobody_labelled_gets_the_models_suggestions_once(page, store, predictor):
    (document_id,) = add(store, TEXT)
    message = open_(page)
    (document,) = message["documents"]
    assert document["suggestions"] == [{"start": 0, "end": 3, "label": "name", "score": 0.9}]
    assert document["spans"] == []
    assert document["revision"] == 1
    revision = store.get(document_id).revision
    assert revision is not None
    assert (revision.source, revision.annotator, revision.label) == ("model", "fixed", {})
    open_(page)
    assert predictor.num_calls == 1


def test_another_model_suggests_anew_but_not_where_a_person_was(page, store, predictor):
    untouched, corrected = add(store, TEXT, TEXT + "。")
    open_(page)
    save(page, corrected)
    trained = FixedPredictor(Span(5, 7, "address", 0.8))
    trained.name = "trained"
    page = AnnotatePage(store, ModelChoice([trained]))
    (first,) = open_(page, document_id=untouched)["documents"]
    (second,) = open_(page, document_id=corrected, num_documents=1)["documents"]
    assert [span["label"] for span in first["suggestions"]] == ["address"]
    assert [revision.annotator for revision in store.history(untouched)] == ["fixed", "trained"]
    assert second["suggestions"] == []
    assert store.get(corrected).revision_number == 2


def test_labels_that_the_project_does_not_have_are_not_suggested(page, store, predictor):
    predictor.spans = (NAME, PLANET)
    add(store, TEXT)
    (document,) = open_(page)["documents"]
    assert [span["label"] for span in document["suggestions"]] == ["name"]


def test_a_model_that_knows_no_label_of_the_project_stores_no_revision(page, store, predictor):
    """A stored one would say for good that a model had found nothing."""
    predictor.labels = MSRA  # of all models that are offered
    (document_id,) = add(store, TEXT)
    (document,) = open_(page)["documents"]
    assert (document["revision"], document["suggestions"], document["history"]) == (0, [], [])
    assert store.get(document_id).revision is None
    save(page, document_id, base_revision=0)
    assert store.get(document_id).revision_number == 1


def test_the_model_that_fits_the_project_suggests_wherever_it_stands_in_the_choice(
    store, predictor
):
    other = FixedPredictor(Span(0, 3, "PER", 0.9))
    other.name, other.labels = "msra", MSRA
    page = AnnotatePage(store, ModelChoice([other, predictor]))
    (document_id,) = add(store, TEXT)
    (document,) = open_(page)["documents"]
    assert [span["label"] for span in document["suggestions"]] == ["name"]
    revision = store.get(document_id).revision
    assert revision is not None
    assert (revision.annotator, other.num_calls) == ("fixed", 0)


def test_another_model_beside_the_one_that_fits_changes_no_suggestion(page, store, predictor):
    (document_id,) = add(store, TEXT)
    open_(page)
    other = FixedPredictor(Span(0, 3, "PER", 0.9))
    other.name, other.labels = "msra", MSRA
    both = AnnotatePage(store, ModelChoice([other, predictor]))
    open_(both)
    assert store.get(document_id).revision_number == 1
    assert (predictor.num_calls, other.num_calls) == (1, 0)


def test_suggestions_give_way_to_a_revision_that_came_first(page, store, predictor):
    (document_id,) = add(store, TEXT)

    def predict_while_somebody_saves(texts: Sequence[str]) -> list[Prediction]:
        store.save(document_id, base_revision=0, spans=[NAME], status="accepted", annotator="b")
        return [Prediction(text, ()) for text in texts]

    predictor.predict = predict_while_somebody_saves
    (document,) = open_(page)["documents"]
    assert document["status"] == "accepted"
    assert document["revision"] == 1


def test_the_first_document_that_nobody_reviewed_is_shown_first(page, store):
    first, second, third = add(store, "第一篇", "第二篇", "第三篇")
    store.save(first, base_revision=0, spans=(), status="accepted", annotator="a")
    message = open_(page)
    assert shown(message) == [second, third]
    assert (message["num_total"], message["num_reviewed"]) == (3, 1)
    assert message["request"] == "token"


def test_a_queue_that_is_done_begins_again_at_its_first_document(page, store):
    (only,) = add(store, "第一篇")
    store.save(only, base_revision=0, spans=(), status="accepted", annotator="a")
    assert shown(open_(page)) == [only]


def test_neighbours_are_found_and_the_ends_of_the_queue_are_empty(page, store):
    first, second, third = add(store, "第一篇", "第二篇", "第三篇")
    in_order = {"order": "position", "status": "all"}
    assert shown(open_(page, after=first, queue=in_order)) == [second, third]
    assert shown(open_(page, after=first, num_documents=1, queue=in_order)) == [second]
    assert shown(open_(page, before=third, num_documents=1)) == [second]
    assert shown(open_(page, after=third, queue=in_order)) == []
    assert shown(open_(page, before=first)) == []


def test_the_most_uncertain_document_comes_next_and_none_twice(page, store):
    first, second, third = add(store, "第一篇", "第二篇", "第三篇")
    predictions = [NewPrediction(first, (), 0.2, 0.2), NewPrediction(third, (), 0.9, 0.9)]
    write_predictions(store.database, project="default", model="fixed", predictions=predictions)
    assert shown(open_(page)) == [third, first, second]
    assert shown(open_(page, after=third, seen=[third])) == [first, second]
    assert shown(open_(page, document_id=first, seen=[third])) == [first, second]
    assert shown(open_(page, after=second, seen=[third, first])) == []


def test_two_pages_are_given_different_documents_until_one_is_left(page, store):
    first, second, third = add(store, "第一篇", "第二篇", "第三篇")
    visit = SimpleNamespace(username=None, session_hash="visit-1")
    payload = {"request": "t", "num_documents": 2, "holder": "page-1", "annotator": "梅"}
    page.answer_open("default", gr.EventData(None, payload), visit)
    assert shown(open_(page, holder="page-2", annotator="雷")) == [third]
    (document,) = open_(page, holder="page-2", document_id=first, num_documents=1)["documents"]
    assert document["held_by"] == "梅"
    page.keep_held(gr.EventData(None, {"document_ids": [second], "holder": "page-1"}), visit)
    assert shown(open_(page, holder="page-2", seen=[third])) == [first]
    page.leave(visit)
    assert shown(open_(page, holder="page-2", seen=[first, third])) == [second]


def test_whoever_finds_everything_in_other_hands_is_given_nothing(page, store):
    reviewed, last = add(store, "第一篇", "第二篇")
    store.save(reviewed, base_revision=0, spans=(), status="accepted", annotator="a")
    assert shown(open_(page, holder="page-1")) == [last]
    assert shown(open_(page, holder="page-2")) == []


def test_a_page_that_was_loaded_again_keeps_what_it_holds(page, store):
    """Gradio says that the visit before has ended, early or late."""
    (first,) = add(store, "第一篇")
    before, now = (SimpleNamespace(username=None, session_hash=name) for name in ("1", "2"))
    payload = {"request": "t", "num_documents": 1, "holder": "page-1"}
    for visit in (before, now):
        message = page.answer_open("default", gr.EventData(None, payload), visit)
        assert shown(message) == [first]
    page.leave(before)
    assert read_holders(store.database, [first], other_than="") == {first: ""}
    page.leave(now)
    assert read_holders(store.database, [first], other_than="") == {}


def test_what_the_model_has_read_already_is_not_read_again(page, store, predictor):
    (document_id,) = add(store, TEXT)
    found = [NewPrediction(document_id, (Span(5, 7, "address", 0.8), PLANET), 0.1, 0.1)]
    write_predictions(store.database, project="default", model="fixed", predictions=found)
    (document,) = open_(page)["documents"]
    assert document["suggestions"] == [{"start": 5, "end": 7, "label": "address", "score": 0.8}]
    assert predictor.num_calls == 0


@pytest.mark.parametrize(
    "asked",
    [
        {"queue": {"order": "alphabet"}},
        {"queue": {"label": "planet"}},
        {"seen": "all"},
        {"seen": [-1]},
        {"seen": [1] * 1001},
        {"holder": "x" * 65},
        {"annotator": 5},
    ],
)
def test_a_queue_that_makes_no_sense_is_refused(page, store, asked):
    add(store, TEXT)
    assert open_(page, **asked)["kind"] == "refused"


def test_an_empty_store_gives_no_document(page):
    message = open_(page)
    assert message["kind"] == "documents"
    assert shown(message) == []


def test_a_document_of_another_project_is_not_shown(page, store):
    store.create_project("other", MSRA)
    (document_id,) = store.add([NewDocument(TEXT)], project="other").added_ids
    with pytest.raises(DocumentNotFound):
        page.open_document("default", document_id, VISITOR)
    assert open_(page, document_id=document_id)["kind"] == "refused"


def test_a_save_on_its_way_arrives_although_another_project_was_chosen(page, store):
    """Its labels are checked against those of its own project."""
    store.create_project("other", MSRA)
    (document_id,) = store.add([NewDocument(TEXT)], project="other").added_ids
    wrong = save(page, document_id, base_revision=0)
    assert (wrong["kind"], store.get(document_id).revision) == ("refused", None)
    location = {"start": 5, "end": 7, "label": "LOC"}
    saved = save(page, document_id, base_revision=0, spans=[location])
    assert (saved["kind"], store.get(document_id).spans) == ("saved", (Span(5, 7, "LOC"),))


def test_a_project_that_is_gone_is_named_in_the_refusal(page, store):
    payload = {"request": "token", "num_documents": 1}
    message = page.answer_open("gone", gr.EventData(None, payload), VISITOR)
    assert message["kind"] == "refused"
    assert "There is no project 'gone'" in message["reason"]


def test_each_project_shows_its_own_documents_and_labels(page, store):
    store.create_project("other", MSRA)
    add(store, TEXT)
    (document_id,) = store.add([NewDocument(TEXT)], project="other").added_ids
    payload = {"request": "token", "num_documents": 4}
    message = page.answer_open("other", gr.EventData(None, payload), VISITOR)
    assert shown(message) == [document_id]
    assert message["project"] == "other"
    assert [style["label"] for style in message["labels"]] == list(MSRA.labels)


def test_a_save_stores_what_the_person_confirmed(page, store, opened):
    message = save(page, opened)
    assert message["kind"] == "saved"
    assert message["request"] == "token"
    assert message["revision"]["number"] == 2
    document = store.get(opened)
    assert document.spans == (Span(5, 7, "address"),)
    assert document.suggestions == ()
    assert document.status == "accepted"


def test_an_undecided_suggestion_keeps_the_score_of_the_model_not_of_the_request(
    page, store, opened
):
    forged = {"start": 0, "end": 3, "label": "name", "score": 0.1}
    message = save(page, opened, suggestions=[forged], status="flagged")
    assert message["kind"] == "saved"
    (kept,) = store.get(opened).suggestions
    assert (kept, kept.score) == (NAME, 0.9)


def test_an_undecided_suggestion_is_kept_although_its_label_was_renamed_meanwhile(
    page, store, opened
):
    rename_label(store.database, "default", "name", "person")
    left = {"start": 0, "end": 3, "label": "name"}
    message = save(page, opened, suggestions=[left], status="flagged")
    assert message["kind"] == "saved", message
    assert store.get(opened).suggestions == (Span(0, 3, "person"),)


def test_the_text_of_a_request_is_ignored(page, store, opened):
    save(page, opened, text="something else entirely")
    assert store.get(opened).text == TEXT


def test_a_stale_save_is_answered_with_the_current_version(page, store, opened):
    save(page, opened)
    message = save(page, opened, spans=[], base_revision=1, annotator="b")
    assert message["kind"] == "conflict"
    assert message["document"]["revision"] == 2
    assert message["document"]["spans"] == [{"start": 5, "end": 7, "label": "address"}]
    assert message["document"]["history"][0]["annotator"] == "annotator-1"
    assert store.get(opened).revision_number == 2


def test_somebody_who_signed_in_cannot_save_under_another_name(page, store, opened):
    payload = {
        "request": "token",
        "document_id": opened,
        "base_revision": 1,
        "spans": [],
        "suggestions": [],
        "status": "accepted",
        "annotator": "somebody-else",
    }
    page.answer_save(gr.EventData(None, payload), SimpleNamespace(username="mei"))
    revision = store.get(opened).revision
    assert revision is not None
    assert revision.annotator == "mei"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"document_id": 999}, "999"),
        ({"document_id": True}, "expected document_id to be a whole number, got bool"),
        ({"document_id": "1"}, "expected document_id to be a whole number, got str"),
        ({"base_revision": 1.5}, "expected base_revision to be a whole number, got float"),
        ({"spans": None}, "expected spans to be a list, got NoneType"),
        ({"spans": [[0, 3, "name"]]}, "expected an object, got list"),
        ({"spans": [{"start": 3, "end": 3, "label": "name"}]}, "expected a span with 0 <= start"),
        ({"spans": [{"start": -1, "end": 3, "label": "name"}]}, "expected start from 0 to"),
        ({"document_id": 10**30}, "expected document_id from 0 to 9223372036854775807"),
        ({"base_revision": 2**63}, "expected base_revision from 0 to"),
        ({"spans": [{"start": 0, "end": 8, "label": "name"}]}, "inside the text of 7 characters"),
        ({"spans": [{"start": 0, "end": 3, "label": "planet"}]}, "got 'planet'"),
        ({"suggestions": [{"start": 0, "end": 2, "label": "name"}]}, "suggestions of revision 1"),
        ({"spans": [None] * 20_001}, "expected at most 20000 spans, got 20001"),
        ({"suggestions": [None] * 20_001}, "expected at most 20000 suggestions, got 20001"),
        ({"status": "done"}, "expected a status of new, accepted"),
        ({"annotator": "  "}, "name of 1 to 64 characters, got 0"),
        ({"annotator": "x" * 65}, "name of 1 to 64 characters, got 65"),
        ({"annotator": "a\x00b"}, "got NUL"),
        ({"annotator": "\ud83d"}, "got a lone surrogate"),
        ({"status": "x" * 1001}, "expected status to have at most 1000 characters, got 1001"),
    ],
)
def test_a_save_that_makes_no_sense_is_refused_with_the_reason(page, store, opened, fields, reason):
    message = save(page, opened, **fields)
    assert message["kind"] == "refused"
    assert reason in message["reason"]
    json.dumps(message, ensure_ascii=False).encode()  # every answer can be sent
    assert store.get(opened).revision_number == 1


@pytest.mark.parametrize("payload", [None, [], "text", {"request": 5}, {"request": "t"}])
def test_a_request_of_the_wrong_shape_is_refused(page, payload):
    assert page.answer_open("default", gr.EventData(None, payload), VISITOR)["kind"] == "refused"
    assert page.answer_save(gr.EventData(None, payload), VISITOR)["kind"] == "refused"


@pytest.mark.parametrize("token", ["", "x" * 65, "x" * 5_000_000, "\ud83d", "令牌", "a\nb", "\x00"])
def test_a_token_that_no_answer_should_carry_is_refused_and_not_sent_back(page, opened, token):
    for message in (open_(page, request=token), save(page, opened, request=token)):
        assert message["kind"] == "refused"
        assert message["request"] is None
        assert "expected request to" in message["reason"]
        assert len(message["reason"]) < 200


@pytest.mark.parametrize("num_documents", [0, 9, 10**9])
def test_nobody_can_ask_for_the_whole_store_at_once(page, num_documents):
    assert open_(page, num_documents=num_documents)["kind"] == "refused"


@pytest.mark.parametrize("name", ["document_id", "after", "before"])
@pytest.mark.parametrize("number", [-1, 2**63, 10**30])
def test_a_number_that_no_database_holds_is_refused(page, name, number):
    message = open_(page, **{name: number})
    assert message["kind"] == "refused"
    assert f"expected {name} from 0 to" in message["reason"]


def test_equal_answers_differ_in_their_nonce(page, opened):
    first, second = (page.open_document("default", opened, VISITOR) for _ in range(2))
    assert first.pop("nonce") != second.pop("nonce")
    assert first == second


def test_every_label_of_a_set_has_a_style_and_known_labels_keep_theirs():
    styles = style_labels(LabelSet(("planet", "company", *(f"x{n}" for n in range(30)))), None)
    assert len(styles) == 32
    assert (styles[1].chinese, styles[1].color) == ("公司", "#23705E")
    assert styles[0].chinese == styles[0].english == "planet"
    # As long as colours last, no two labels share one.
    assert len({style.color for style in styles[:10]}) == 10


# Texts that several people label without seeing each other's work


@pytest.fixture
def shared(page: AnnotatePage, store: AnnotationStore) -> int:
    """A text that two people are to label; 梅 has done so."""
    set_annotators_per_text(store.database, "default", 2, percent=100)
    (document_id,) = add(store, TEXT)
    open_(page, document_id=document_id, annotator="梅")
    save(page, document_id, annotator="梅")
    return document_id


def test_no_way_to_a_text_shows_what_somebody_else_has_made_of_it(page, store, shared):
    (other,) = add(store, TEXT + "。")
    ways = (
        {"document_id": shared},
        {"before": other},
        {"queue": {"order": "position"}},
    )
    for way in ways:
        document = open_(page, annotator="雷", holder="lei", **way)["documents"][0]
        assert (document["id"], document["spans"], document["status"]) == (shared, [], "new")
        assert [span["start"] for span in document["suggestions"]] == [0]
        assert [revision["source"] for revision in document["history"]] == ["model"]
        assert document["is_independent"]
    (document,) = page.open_document("default", shared, VISITOR)["documents"]
    assert document["spans"] == []


def test_everybody_comes_back_to_their_own_version(page, store, shared):
    (document,) = open_(page, document_id=shared, num_documents=1, annotator="梅")["documents"]
    assert document["spans"] == [{"start": 5, "end": 7, "label": "address"}]
    assert (document["revision"], document["status"]) == (2, "accepted")
    message = save(page, shared, annotator="梅", base_revision=2, spans=[])
    assert (message["kind"], message["revision"]["number"]) == ("saved", 3)
    save(page, shared, annotator="雷", spans=[])
    assert store.get(shared).revision_number == 4  # both have found nothing


def test_who_changes_a_version_that_is_closed_is_told_why(page, store, shared):
    (document,) = open_(page, document_id=shared, num_documents=1, annotator="梅")["documents"]
    assert (document["is_independent"], document["is_closed"]) == (True, False)
    save(page, shared, annotator="雷", spans=[])
    (document,) = open_(page, document_id=shared, num_documents=1, annotator="梅")["documents"]
    assert (document["is_independent"], document["is_closed"]) == (True, True)
    message = save(page, shared, annotator="梅", base_revision=2, spans=[])
    assert message["kind"] == "refused"
    assert message["reason"] == (
        "expected a text that people are still to label,"
        " got one with all 2 independent versions: Review decides"
    )
    assert len(store.history(shared)) == 3


def test_a_conflict_with_oneself_shows_ones_own_version_only(page, store, shared):
    save(page, shared, annotator="雷", spans=[{"start": 0, "end": 1, "label": "game"}])
    for base in (1, 3):  # what stood there before; the other's version
        message = save(page, shared, annotator="梅", base_revision=base)
        assert message["kind"] == "conflict"
        assert message["document"]["revision"] == 2
        assert "game" not in json.dumps(message)
        assert [it["annotator"] for it in message["document"]["history"]] == ["梅", "fixed"]


def test_who_signs_in_sees_their_own_version_whatever_name_is_sent(page, store, shared):
    payload = {"request": "t", "num_documents": 1, "document_id": shared, "annotator": "梅"}
    lei = SimpleNamespace(username="雷")
    message = page.answer_open("default", gr.EventData(None, payload), lei)
    assert message["documents"][0]["spans"] == []
    (document,) = page.open_document("default", shared, SimpleNamespace(username="梅"))["documents"]
    assert document["revision"] == 2


def test_the_queue_gives_a_text_to_the_second_person_and_not_again_to_the_first(page, shared):
    assert shown(open_(page, annotator="雷", holder="a")) == [shared]
    assert shown(open_(page, annotator="梅", holder="b")) == []


def test_a_version_that_is_saved_frees_the_text_for_the_next_person(page, store, shared):
    assert shown(open_(page, annotator="雷", holder="a")) == [shared]
    assert shown(open_(page, annotator="王", holder="b")) == []
    set_annotators_per_text(store.database, "default", 3, percent=100)
    save(page, shared, annotator="雷")
    assert shown(open_(page, annotator="王", holder="b")) == [shared]


def test_once_it_is_decided_everybody_sees_the_same(page, store, shared):
    save(page, shared, annotator="雷")
    (document,) = open_(page, document_id=shared, num_documents=1, annotator="王")["documents"]
    assert document["spans"] == [{"start": 5, "end": 7, "label": "address"}]
    assert not document["is_independent"]
    assert len(document["history"]) == 3


def test_a_flag_says_why_until_the_next_save_says_otherwise(page, store, opened):
    message = save(page, opened, status="flagged", note=" 是人名吗？\n")
    assert message["revision"]["note"] == "是人名吗？"
    (document,) = open_(page, document_id=opened, num_documents=1)["documents"]
    assert document["note"] == store.get(opened).note == "是人名吗？"
    save(page, opened, base_revision=2)
    assert store.get(opened).note == ""
    assert [revision.note for revision in store.history(opened)] == ["", "是人名吗？", ""]


@pytest.mark.parametrize("note", ["长" * 501, 5, None, "half a pair \ud800"])
def test_a_note_that_cannot_be_stored_is_refused(page, store, opened, note):
    assert save(page, opened, status="flagged", note=note)["kind"] == "refused"
    assert store.get(opened).revision_number == 1
