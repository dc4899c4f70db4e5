"""The part Lint of the page Review without a browser: checking, dismissing, mending."""

from types import SimpleNamespace

import gradio as gr
import pytest

from annotation_store.store import AnnotationStore, NewDocument
from ner_core.labels import CLUENER
from ner_core.prediction import Prediction
from ner_core.spans import Span
from webui.lint_tab import LintHandlers
from webui.model_choice import ModelChoice
from webui.prediction_cache import PredictionCache

VISITOR = SimpleNamespace(username=None, headers={})
REPEAT = NewDocument("叶老桂说叶老桂", spans=(Span(0, 3, "name"),), status="accepted")
BLANK = NewDocument("在 北京 见", spans=(Span(1, 4, "address"),), status="accepted")
BLANKS = NewDocument(
    "到 上海 ，到 广州", spans=(Span(1, 5, "address"), Span(7, 10, "address")), status="accepted"
)


class SurePredictor:
    """Calls the first two characters of every text a scene; sure that there is nothing else."""

    name = "sure"
    labels = CLUENER

    def __init__(self):
        self.texts = []

    def predict(self, texts):
        self.texts += texts
        return [Prediction(text, (Span(0, 2, "scene", 0.99),)) for text in texts]

    def outside_probabilities(self, texts, spans):
        return [[0.98 for _ in of_text] for of_text in spans]


@pytest.fixture
def store(tmp_path):
    with AnnotationStore.open(tmp_path / "annotations.db") as store:
        store.create_project("default", CLUENER)
        yield store


@pytest.fixture
def predictor():
    return SurePredictor()


@pytest.fixture
def handlers(store, predictor):
    return LintHandlers(store, ModelChoice([predictor]), PredictionCache())


def event(**fields):
    defaults = {"request": "t", "kind": "all", "offset": 0, "shows_dismissed": False}
    return gr.EventData(None, defaults | {"annotator": "Chief", "model": None} | fields)


def check(handlers, **fields):
    *_, message = handlers.check("default", event(**fields), VISITOR)
    assert message["kind"] == "findings", message
    return message


def act(handler, finding, **fields):
    name = {"document_id": finding["document_id"], "key": finding["key"]}
    return handler("default", event(**name, **fields), VISITOR)


def kinds(message):
    return [finding["kind"] for finding in message["findings"]]


def test_the_page_says_how_many_texts_can_be_checked_and_by_which_models(handlers, store):
    assert handlers.show("default", VISITOR)["num_confirmed"] == 0
    store.add([REPEAT, BLANK, NewDocument("没有标过")])
    message = handlers.show("default", VISITOR)
    assert (message["num_confirmed"], message["models"]) == (2, ["sure"])


def test_findings_come_with_their_text_ranked_and_counted(handlers, store):
    store.add([REPEAT, BLANK])
    message = check(handlers)
    assert kinds(message) == ["blank-at-border", "unlabelled-repeat"]
    assert message["counts"]["unlabelled-repeat"] == 1
    assert (message["num_documents"], message["num_safe"]) == (2, 1)
    blank = message["findings"][0]
    assert (blank["text"], blank["start"], blank["is_cut"]) == ("在 北京 见", 0, [False, False])
    assert blank["proposal"] == {"start": 2, "end": 4, "label": "address", "text": "北京"}
    assert kinds(check(handlers, kind="unlabelled-repeat")) == ["unlabelled-repeat"]


def test_a_mended_finding_is_a_revision_that_keeps_the_status(handlers, store):
    (document_id,) = store.add([BLANK]).added_ids
    (finding,) = check(handlers)["findings"]
    message = act(handlers.repair, finding)
    assert (message["num_repaired"], message["findings"]) == (1, [])
    revision = store.get(document_id).revision
    assert revision.spans == (Span(2, 4, "address"),)
    assert (revision.source, revision.annotator, revision.status) == ("human", "Chief", "accepted")


def test_a_repeat_is_mended_by_labelling_it(handlers, store):
    (document_id,) = store.add([REPEAT]).added_ids
    act(handlers.repair, check(handlers)["findings"][0])
    assert store.get(document_id).spans == (Span(0, 3, "name"), Span(4, 7, "name"))


def test_all_blanks_are_taken_off_at_once_and_nothing_else(handlers, store):
    repeat, blank, blanks = store.add([REPEAT, BLANK, BLANKS]).added_ids
    check(handlers)
    message = handlers.repair_all("default", event(), VISITOR)
    assert message["num_repaired"] == 3
    assert kinds(message) == ["unlabelled-repeat"]
    assert [store.get(it).revision_number for it in (repeat, blank, blanks)] == [1, 2, 2]
    assert store.get(blanks).spans == (Span(2, 4, "address"), Span(8, 10, "address"))


def test_a_dismissed_finding_stays_away_until_it_is_brought_back(handlers, store):
    store.add([BLANK])
    (finding,) = check(handlers)["findings"]
    assert act(handlers.dismiss, finding)["findings"] == []
    message = check(handlers)
    assert (message["findings"], message["num_dismissed"], message["num_safe"]) == ([], 1, 0)
    assert handlers.repair_all("default", event(), VISITOR)["num_repaired"] == 0
    (dismissed,) = check(handlers, shows_dismissed=True)["findings"]
    assert dismissed["is_dismissed"]
    act(handlers.dismiss, dismissed, is_dismissed=False)
    assert len(check(handlers)["findings"]) == 1


def test_a_span_that_somebody_has_changed_meanwhile_is_not_mended(handlers, store):
    (document_id,) = store.add([BLANK]).added_ids
    (finding,) = check(handlers)["findings"]
    store.save(document_id, base_revision=1, spans=(), status="accepted", annotator="Anna")
    message = act(handlers.repair, finding)
    assert (message["kind"], store.get(document_id).revision_number) == ("refused", 2)
    assert handlers.repair_all("default", event(), VISITOR)["num_repaired"] == 0


def test_what_somebody_has_labelled_meanwhile_is_not_labelled_again(handlers, store):
    (document_id,) = store.add([REPEAT]).added_ids
    (finding,) = check(handlers)["findings"]
    spans = (Span(0, 3, "name"), Span(3, 7, "book"))
    store.save(document_id, base_revision=1, spans=spans, status="accepted", annotator="Anna")
    assert act(handlers.repair, finding)["kind"] == "refused"
    assert store.get(document_id).spans == spans


def test_a_model_is_asked_once_about_each_text(handlers, store, predictor):
    store.add([BLANK])
    message = check(handlers, model="sure")
    assert message["counts"]["contradicted"] == 1
    assert message["findings"][1]["suspicion"] == 0.99
    check(handlers, model="sure")
    assert predictor.texts == [BLANK.text]


def test_nothing_is_mended_before_a_check(handlers, store):
    assert handlers.repair_all("default", event(), VISITOR)["kind"] == "gone"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"kind": "other"}, "expected a kind of finding"),
        ({"model": "gone"}, "expected one of the models sure"),
        ({"offset": -1}, "expected offset to be a whole number"),
    ],
)
def test_a_check_that_makes_no_sense_is_refused(handlers, store, fields, reason):
    store.add([BLANK])
    *_, message = handlers.check("default", event(**fields), VISITOR)
    assert (message["kind"], reason in message["reason"]) == ("refused", True)


def test_an_unknown_finding_is_refused(handlers, store):
    store.add([BLANK])
    check(handlers)
    message = handlers.repair("default", event(document_id=1, key="half-pair:0-2-x>"), VISITOR)
    assert "expected one of the findings" in message["reason"]
