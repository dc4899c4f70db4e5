"""The page Review without a browser: comparing, deciding, taking back, refusing."""

from types import SimpleNamespace

import gradio as gr
import pytest

from annotation_store.project_changes import rename_label, set_annotators_per_text
from annotation_store.store import AnnotationStore, DocumentNotFound, NewDocument
from ner_core.labels import CLUENER, MSRA
from ner_core.prediction import Prediction
from ner_core.spans import Span
from webui.model_choice import ModelChoice
from webui.prediction_cache import PredictionCache
from webui.review_part import choose_document
from webui.review_tab import ReviewHandlers

TEXT = "浙商银行叶老桂在北京"
COMPANY, GOVERNMENT = Span(0, 4, "company"), Span(0, 4, "government")
NAME, LONG_NAME = Span(4, 7, "name"), Span(4, 8, "name")
CITY = Span(8, 10, "address")
VISITOR = SimpleNamespace(username=None, headers={})
ANNA_AND_BO = {"left": "human:Anna", "right": "human:Bo"}
ALL = {"kind": "all", "label": "", "left_label": "", "right_label": "", "state": "open"}


class CountingPredictor:
    """Finds the same spans in every text and keeps what it was asked."""

    labels = CLUENER

    def __init__(self, *spans, name="counting"):
        self.name = name
        self.spans = spans
        self.texts = []

    def predict(self, texts):
        self.texts += texts
        return [
            Prediction(text, tuple(span for span in self.spans if span.end <= len(text)))
            for text in texts
        ]


@pytest.fixture
def store(tmp_path):
    with AnnotationStore.open(tmp_path / "annotations.db") as store:
        store.create_project("default", CLUENER)
        yield store


@pytest.fixture
def predictor():
    return CountingPredictor(Span(0, 4, "company", 0.9), Span(4, 8, "name", 0.7))


@pytest.fixture
def handlers(store, predictor):
    return ReviewHandlers(store, ModelChoice([predictor]), PredictionCache())


@pytest.fixture
def document_id(store):
    """A text in which Anna and Bo differ in a label, a border and a span that only Anna has."""
    (document_id,) = add(store, TEXT)
    save(store, document_id, "Anna", COMPANY, NAME, CITY)
    save(store, document_id, "Bo", GOVERNMENT, LONG_NAME)
    return document_id


def add(store, *texts):
    return store.add([NewDocument(text) for text in texts]).added_ids


def save(store, document_id, annotator, *spans, status="accepted", note=""):
    store.save(
        document_id,
        base_revision=store.get(document_id).revision_number,
        spans=spans,
        status=status,
        annotator=annotator,
        note=note,
    )


def event(**fields):
    return gr.EventData(None, {"request": "token", "order": "position", "offset": 0} | ALL | fields)


def compare(handlers, *, project="default", **fields):
    return list(handlers.compare(project, event(**fields), VISITOR))


def list_(handlers, **fields):
    return handlers.list_documents("default", event(**fields), VISITOR)


def decide(handlers, shown, choices, **fields):
    fields = {
        **ANNA_AND_BO,
        "document_id": shown["id"],
        "base_revision": shown["revision"],
        "state": shown["state"],
        "choices": choices,
        "annotator": "Chief",
    } | fields
    return handlers.decide("default", gr.EventData(None, {"request": "token"} | fields), VISITOR)


def undo(handlers, document_id, revision, **fields):
    payload = {"request": "token", "document_id": document_id, "base_revision": revision}
    return handlers.undo("default", gr.EventData(None, payload | ANNA_AND_BO | fields), VISITOR)


# Sides


def test_two_annotators_are_offered_first_then_models(handlers, document_id):
    message = handlers.show_sides("default", VISITOR)
    assert [side["value"] for side in message["sides"]] == [
        "confirmed:",
        "human:Anna",
        "human:Bo",
        "model:counting",
    ]
    assert (message["left"], message["right"]) == ("human:Anna", "human:Bo")


def test_one_annotator_is_compared_with_the_model(handlers, store):
    (document_id,) = add(store, TEXT)
    save(store, document_id, "Anna")
    message = handlers.show_sides("default", VISITOR)
    assert (message["left"], message["right"]) == ("confirmed:", "model:counting")


def test_a_model_without_a_label_of_the_project_is_not_offered(store):
    predictor = CountingPredictor()
    predictor.labels = MSRA
    handlers = ReviewHandlers(store, ModelChoice([predictor]), PredictionCache())
    message = handlers.show_sides("default", VISITOR)
    assert (message["right"], message["num_people"]) == (None, 0)


# Comparing


def test_a_comparison_has_figures_and_differences_of_every_kind(handlers, document_id):
    (message,) = compare(handlers, **ANNA_AND_BO)
    assert message["kind"] == "comparison"
    agreement = message["agreement"]
    assert (agreement["num_texts"], agreement["num_same_texts"]) == (1, 0)
    assert agreement["total"]["f1"] == 0
    assert agreement["kinds"] == {
        "label": 1,
        "border": 1,
        "both": 0,
        "left_only": 1,
        "right_only": 0,
    }
    labels = list(CLUENER.labels)
    company, government = labels.index("company"), labels.index("government")
    assert agreement["matrix"][company][government] == 1
    (document,) = message["documents"]
    assert [it["kind"] for it in document["differences"]] == ["label", "border", "left_only"]
    assert document["differences"][1]["right"]["text"] == "叶老桂在"
    assert document["parts"] == [{"start": 0, "text": TEXT}]


def test_a_model_reads_each_text_once_however_often_it_is_compared(handlers, store, predictor):
    for index, document_id in enumerate(add(store, *(f"浙商银行第{n}条" for n in range(10, 80)))):
        save(store, document_id, "Anna", *([COMPANY] if index else []))
    sides = {"left": "confirmed:", "right": "model:counting"}
    *progress, message = compare(handlers, **sides)
    assert [(it["done"], it["total"]) for it in progress] == [(0, 70), (64, 70), (70, 70)]
    assert len(predictor.texts) == 70
    assert message["agreement"]["total"]["num_right"] == 140
    compare(handlers, **sides)
    list_(handlers, **sides)
    assert len(predictor.texts) == 70


def test_only_what_has_changed_is_compared_again(handlers, store, document_id):
    (other,) = add(store, "叶老桂")
    save(store, other, "Anna")
    compare(handlers, **ANNA_AND_BO)
    save(store, other, "Bo", Span(0, 3, "name"))
    save(store, document_id, "Bo", COMPANY, NAME, CITY)
    (message,) = compare(handlers, **ANNA_AND_BO)
    assert [document["id"] for document in message["documents"]] == [other]
    assert message["agreement"]["num_same_texts"] == 1


def test_a_comparison_with_a_model_can_be_stopped(handlers, store):
    for document_id in add(store, *(f"第{n}条" for n in range(70))):
        save(store, document_id, "Anna")
    steps = handlers.compare(
        "default", event(left="confirmed:", right="model:counting", request="one"), VISITOR
    )
    assert next(steps)["kind"] == "progress"
    handlers.stops.ask(gr.EventData(None, {"request": "one"}))
    assert [step["kind"] for step in steps] == ["stopped"]


def test_a_long_text_is_shown_around_its_differences_only(handlers, store):
    text = "水" * 1000 + "浙商银行" + "水" * 1000
    (document_id,) = add(store, text)
    save(store, document_id, "Anna", Span(1000, 1004, "company"), Span(0, 2, "scene"))
    save(store, document_id, "Bo", Span(0, 2, "scene"))
    (message,) = compare(handlers, **ANNA_AND_BO)
    (document,) = message["documents"]
    assert document["parts"] == [{"start": 940, "text": text[940:1064]}]
    assert document["agreed"] == []
    assert document["length"] == 2004


def test_a_renamed_label_is_the_same_label_to_the_model(handlers, store, document_id):
    rename_label(store.database, "default", "company", "firm")
    save(store, document_id, "Bo", Span(0, 4, "firm"), LONG_NAME)
    *_, message = compare(handlers, left="human:Bo", right="model:counting")
    assert message["agreement"]["num_same_texts"] == 1


# Filters


def test_documents_are_filtered_by_kind_label_pair_and_state(handlers, store, document_id):
    (other,) = add(store, "叶老桂")
    save(store, other, "Anna")
    save(store, other, "Bo", Span(0, 3, "name"))

    def found(**filters):
        message = list_(handlers, **ANNA_AND_BO, **filters)
        return [document["id"] for document in message["documents"]]

    assert found() == [document_id, other]
    assert found(kind="right_only") == [other]
    assert found(label="government") == [document_id]
    assert found(left_label="company", right_label="government") == [document_id]
    assert found(left_label="government") == []
    assert found(state="reviewed") == []
    assert found(offset=1) == [other]


def test_where_the_model_is_surest_can_come_first(handlers, store):
    first, second = add(store, "浙商银行的叶老桂", "浙商银行")
    save(store, first, "Anna", COMPANY)
    save(store, second, "Anna")
    sides = {"left": "confirmed:", "right": "model:counting"}
    message = list_(handlers, **sides, order="certainty")
    assert [document["id"] for document in message["documents"]] == [second, first]


# Deciding


def test_a_decision_is_a_revision_of_source_review(handlers, store, document_id):
    (message,) = compare(handlers, **ANNA_AND_BO)
    answer = decide(handlers, message["documents"][0], "lrr")
    assert (answer["kind"], answer["revision"]) == ("decided", 3)
    revision = store.get(document_id).revision
    assert revision.spans == (COMPANY, LONG_NAME)
    assert (revision.source, revision.annotator, revision.status) == ("review", "Chief", "accepted")
    (message,) = compare(handlers, **ANNA_AND_BO)
    assert (message["num_open"], message["documents"]) == (0, [])
    reviewed = list_(handlers, **ANNA_AND_BO, state="reviewed")["documents"]
    assert [(it["id"], it["reviewer"]) for it in reviewed] == [(document_id, "Chief")]


def test_who_signed_in_decides_whatever_name_the_browser_sends(handlers, store, document_id):
    (message,) = compare(handlers, **ANNA_AND_BO)
    shown = message["documents"][0]
    fields = {
        "request": "token",
        **ANNA_AND_BO,
        "document_id": shown["id"],
        "base_revision": shown["revision"],
        "state": shown["state"],
        "choices": "lll",
        "annotator": "Chief",
    }
    signed_in = SimpleNamespace(username="dora", headers={})
    handlers.decide("default", gr.EventData(None, fields), signed_in)
    assert store.get(document_id).revision.annotator == "dora"


def test_a_decision_on_an_old_version_is_refused_and_shows_the_new_one(
    handlers, store, document_id
):
    (message,) = compare(handlers, **ANNA_AND_BO)
    save(store, document_id, "Bo", COMPANY, NAME)
    answer = decide(handlers, message["documents"][0], "lll")
    assert (answer["kind"], answer["document_id"]) == ("stale", document_id)
    assert [it["kind"] for it in answer["document"]["differences"]] == ["left_only"]
    assert store.get(document_id).revision.annotator == "Bo"


def test_a_decision_on_what_no_longer_differs_is_refused_without_a_document(
    handlers, store, document_id
):
    (message,) = compare(handlers, **ANNA_AND_BO)
    save(store, document_id, "Bo", COMPANY, NAME, CITY)
    answer = decide(handlers, message["documents"][0], "lll")
    assert (answer["kind"], answer["document"]) == ("stale", None)


@pytest.mark.parametrize("choices", ["", "ll", "llll", "llx"])
def test_there_must_be_one_choice_for_each_difference(handlers, store, document_id, choices):
    (message,) = compare(handlers, **ANNA_AND_BO)
    answer = decide(handlers, message["documents"][0], choices)
    assert answer["kind"] == "refused"
    assert "expected a choice for each of 3 differences" in answer["reason"]
    assert store.get(document_id).revision_number == 2


def test_a_third_persons_newer_version_is_pointed_out(handlers, store, document_id):
    save(store, document_id, "Cem", COMPANY)
    (message,) = compare(handlers, **ANNA_AND_BO)
    assert message["documents"][0]["newer"] == "Cem"


def test_why_somebody_flagged_a_text_stands_beside_the_versions(handlers, store, document_id):
    save(store, document_id, "Bo", GOVERNMENT, LONG_NAME, status="flagged", note="一家还是两家？")
    (message,) = compare(handlers, **ANNA_AND_BO)
    assert message["documents"][0]["notes"] == [{"name": "Bo", "text": "一家还是两家？"}]


def test_a_decision_can_be_taken_back(handlers, store, document_id):
    (message,) = compare(handlers, **ANNA_AND_BO)
    revision = decide(handlers, message["documents"][0], "lll")["revision"]
    answer = undo(handlers, document_id, revision)
    assert answer["kind"] == "undone"
    assert len(answer["document"]["differences"]) == 3
    newest = store.get(document_id).revision
    assert newest.spans == (GOVERNMENT, LONG_NAME)
    assert (newest.number, newest.source, newest.annotator) == (4, "human", "Bo")
    assert undo(handlers, document_id, 4)["kind"] == "stale"


def test_what_somebody_saved_after_a_decision_is_not_taken_back(handlers, store, document_id):
    (message,) = compare(handlers, **ANNA_AND_BO)
    revision = decide(handlers, message["documents"][0], "lll")["revision"]
    save(store, document_id, "Bo")
    assert undo(handlers, document_id, revision)["kind"] == "stale"
    assert store.get(document_id).revision_number == 4


# Refusing


@pytest.mark.parametrize(
    ("sides", "reason"),
    [
        ({"left": "human:Anna", "right": "human:Anna"}, "expected two sides"),
        ({"left": "model:counting", "right": "model:counting"}, "expected two sides"),
        ({"left": "human:Anna", "right": "model:gone"}, "expected one of the models counting"),
        ({"left": "human:Anna", "right": None}, "expected whose version"),
        ({"left": "review:Anna", "right": "human:Bo"}, "expected whose version"),
        ({"left": "confirmed:x", "right": "human:Bo"}, "expected whose version"),
        (ANNA_AND_BO | {"kind": "unknown"}, "expected a kind of difference"),
        (ANNA_AND_BO | {"state": 1}, "expected state to be a string"),
        (ANNA_AND_BO | {"offset": -1}, "expected offset to be a whole number"),
        (ANNA_AND_BO | {"offset": True}, "expected offset to be a whole number"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(handlers, document_id, sides, reason):
    message = compare(handlers, **sides)[-1]
    assert (message["kind"], message["request"]) == ("refused", "token")
    assert reason in message["reason"]


def test_another_projects_documents_are_not_decided_taken_back_or_opened(
    handlers, store, document_id
):
    (message,) = compare(handlers, **ANNA_AND_BO)
    decide(handlers, message["documents"][0], "lll")
    store.create_project("other", CLUENER)
    payload = ANNA_AND_BO | {"request": "t", "document_id": document_id, "base_revision": 3}
    decision = payload | {"state": "x", "choices": "lll", "annotator": "Chief"}
    assert handlers.decide("other", gr.EventData(None, decision), VISITOR)["kind"] == "stale"
    assert handlers.undo("other", gr.EventData(None, payload), VISITOR)["kind"] == "stale"
    assert store.get(document_id).revision_number == 3
    event = gr.EventData(None, {"id": document_id})
    with pytest.raises(DocumentNotFound):
        choose_document(store, "other", event, VISITOR)
    opened = choose_document(store, "default", event, VISITOR)
    assert opened == document_id


# Independent versions


@pytest.fixture
def blind_id(store):
    """A text that Anna and Bo have labelled without seeing each other's work."""
    set_annotators_per_text(store.database, "default", 2, percent=100)
    (document_id,) = add(store, TEXT)
    suggest(store, document_id)
    for annotator, span in (("Anna", COMPANY), ("Bo", GOVERNMENT)):
        store.save(
            document_id, base_revision=1, spans=[span], status="accepted", annotator=annotator
        )
    return document_id


def suggest(store, document_id):
    store.save(
        document_id,
        base_revision=0,
        spans=[],
        suggestions=[NAME],
        status="new",
        annotator="m",
        source="model",
    )


def test_the_pair_that_waits_for_a_decision_comes_first(handlers, store, blind_id):
    set_annotators_per_text(store.database, "default", 1, percent=100)
    for text in "甲乙丙":
        save(store, add(store, text)[0], "Zoe")
    message = handlers.show_sides("default", VISITOR)
    assert (message["left"], message["right"]) == ("human:Anna", "human:Bo")
    assert message["undecided"] == [{"left": "human:Anna", "right": "human:Bo", "count": 1}]


def test_figures_are_those_of_the_independent_texts(handlers, store, blind_id):
    (message,) = compare(handlers, **ANNA_AND_BO)
    agreement = message["agreement"]
    assert (agreement["num_texts"], agreement["num_independent"]) == (1, 1)
    # Another text, on which Bo has seen what Anna had made of it.
    set_annotators_per_text(store.database, "default", 1, percent=100)
    (seen,) = add(store, TEXT + "。")
    save(store, seen, "Anna", NAME)
    save(store, seen, "Bo", NAME, CITY)
    (message,) = compare(handlers, **ANNA_AND_BO)
    agreement = message["agreement"]
    assert (agreement["num_texts"], agreement["num_independent"]) == (2, 1)
    assert (agreement["num_measured"], agreement["total"]["num_left"]) == (1, 1)
    assert agreement["kinds"]["right_only"] == 1  # the list has the differences of both
    assert [document["id"] for document in message["documents"]] == [blind_id, seen]


def test_without_independent_texts_the_figures_are_those_of_all(handlers, document_id):
    (message,) = compare(handlers, **ANNA_AND_BO)
    agreement = message["agreement"]
    assert (agreement["num_independent"], agreement["num_measured"]) == (0, 1)


def test_a_decision_finishes_a_text_and_can_be_taken_back(handlers, store, blind_id):
    (message,) = compare(handlers, **ANNA_AND_BO)
    (shown,) = message["documents"]
    assert (shown["newer"], shown["reviewer"], shown["is_reviewed"]) == (None, None, False)
    answer = decide(handlers, shown, "r")
    assert answer["kind"] == "decided"
    assert (store.get(blind_id).spans, store.get(blind_id).status) == ((GOVERNMENT,), "accepted")
    answer = undo(handlers, blind_id, answer["revision"])
    assert answer["kind"] == "undone"
    assert not answer["document"]["is_reviewed"]
    assert (store.get(blind_id).suggestions, store.get(blind_id).status) == ((NAME,), "new")
    assert decide(handlers, answer["document"], "l")["kind"] == "decided"
    assert store.get(blind_id).spans == (COMPANY,)


@pytest.fixture
def three_id(store):
    """A text that three people have labelled independently; Cem has a city that nobody else has."""
    set_annotators_per_text(store.database, "default", 3, percent=100)
    (document_id,) = add(store, TEXT)
    versions = {"Anna": [COMPANY, NAME], "Bo": [GOVERNMENT, NAME], "Cem": [COMPANY, CITY]}
    for annotator, spans in versions.items():
        store.save(
            document_id, base_revision=0, spans=spans, status="accepted", annotator=annotator
        )
    return document_id


PAIRS = [
    {"left": f"human:{left}", "right": f"human:{right}"}
    for left, right in (("Anna", "Bo"), ("Anna", "Cem"), ("Bo", "Cem"))
]


@pytest.mark.parametrize("sides", PAIRS)
def test_a_third_version_is_shown_beside_any_two(handlers, three_id, sides):
    (message,) = compare(handlers, **sides)
    (shown,) = message["documents"]
    offered = [
        [it["left"], it["right"], *(other["span"] for other in it["others"])]
        for it in shown["differences"]
    ]
    assert [{span and span["text"] for span in spans} for spans in offered] == [
        {"浙商银行"},
        {"叶老桂", None},
        {"北京", None},
    ]
    assert {span["label"] for span in offered[0]} == {"company", "government"}
    assert shown["agreed"] == []


def test_what_only_a_third_version_differs_in_is_a_kind_of_its_own(handlers, three_id):
    (message,) = compare(handlers, **ANNA_AND_BO)
    assert message["agreement"]["kinds"] == {
        "label": 1,
        "border": 0,
        "both": 0,
        "left_only": 0,
        "right_only": 0,
        "other": 2,
    }
    assert list_(handlers, **ANNA_AND_BO, kind="other")["num_matching"] == 1
    assert list_(handlers, **ANNA_AND_BO, label="address")["num_matching"] == 1
    assert list_(handlers, **ANNA_AND_BO, kind="border")["num_matching"] == 0


def test_a_decision_on_one_pair_is_one_on_all_versions(handlers, store, three_id):
    assert len(handlers.show_sides("default", VISITOR)["undecided"]) == 3
    (message,) = compare(handlers, **ANNA_AND_BO)
    (shown,) = message["documents"]
    name, city = shown["differences"][1:]
    assert (name["left"], name["others"]) == (name["right"], [{"names": ["Cem"], "span": None}])
    assert (city["left"], city["right"], city["others"][0]["names"]) == (None, None, ["Cem"])
    assert decide(handlers, shown, "rl4")["kind"] == "refused"
    decided = decide(handlers, shown, "rl3")
    assert store.get(three_id).spans == (GOVERNMENT, NAME, CITY)
    assert handlers.show_sides("default", VISITOR)["undecided"] == []
    for sides in PAIRS:
        (message,) = compare(handlers, **sides)
        assert (message["documents"], message["num_open"]) == ([], 0)
        (shown,) = list_(handlers, **sides, state="reviewed")["documents"]
        assert (shown["is_reviewed"], shown["reviewer"]) == (True, "Chief")
    undo(handlers, three_id, decided["revision"], **PAIRS[2])
    assert len(handlers.show_sides("default", VISITOR)["undecided"]) == 3
    for sides in PAIRS:
        (message,) = compare(handlers, **sides)
        assert not message["documents"][0]["is_reviewed"]


def test_a_decision_between_a_person_and_a_model_shows_the_others_too(handlers, store, three_id):
    *_, message = compare(handlers, left="human:Anna", right="model:counting")
    (shown,) = message["documents"]
    names = {
        name for it in shown["differences"] for other in it["others"] for name in other["names"]
    }
    assert names == {"Bo", "Cem"}


def test_a_version_saved_since_makes_a_decision_stale(handlers, store, blind_id):
    (message,) = compare(handlers, **ANNA_AND_BO)
    (shown,) = message["documents"]
    # More people are wanted for a while, so that Bo can change his version.
    set_annotators_per_text(store.database, "default", 3, percent=100)
    store.save(blind_id, base_revision=3, spans=[NAME], status="accepted", annotator="Bo")
    set_annotators_per_text(store.database, "default", 2, percent=100)
    answer = decide(handlers, shown, "l")
    assert answer["kind"] == "stale"
    assert store.get(blind_id).status == "new"
    (message,) = compare(handlers, **ANNA_AND_BO)
    assert message["agreement"]["kinds"]["right_only"] == 1
