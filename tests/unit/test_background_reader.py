"""The model reads every text once, beside everything else, and again when the model changes."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from annotation_store.project_changes import set_model
from annotation_store.projects import Project
from annotation_store.store import AnnotationStore, NewDocument
from ner_core.labels import LabelSet
from ner_core.prediction import Prediction
from ner_core.spans import Span
from ner_core.uncertainty import Uncertainty
from webui.background_reader import BackgroundReader
from webui.model_choice import ModelChoice

LABELS = LabelSet(("name",))


class CountingPredictor:
    """Finds one entity in every text, is as unsure as the text is long, and keeps what it read."""

    def __init__(self, name: str, labels: LabelSet = LABELS) -> None:
        self.name = name
        self.labels = labels
        self.read: list[str] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def predict(self, texts: Sequence[str], *, with_uncertainty: bool) -> list[Prediction]:
        assert with_uncertainty
        assert self.may_go_on.wait(timeout=60)
        self.read += texts
        span = Span(0, 1, "name", 0.5)
        return [
            Prediction(text, (span,), Uncertainty(path=min(1.0, len(text) / 100), token=0.0))
            for text in texts
        ]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AnnotationStore]:
    with AnnotationStore.open(tmp_path / "annotations.db") as store:
        store.create_project("default", LABELS)
        store.add(NewDocument(f"文本{number}") for number in range(70))
        yield store


def project(store: AnnotationStore) -> Project:
    return store.projects()[0]


def test_every_text_is_read_once_and_then_nothing_goes_on(store: AnnotationStore) -> None:
    predictor = CountingPredictor("m")
    reader = BackgroundReader(store, ModelChoice([predictor]))  # type: ignore[list-item]
    reading = reader.look_at(project(store))
    assert (reading.model, reading.num_read, reading.num_total) == ("m", 0, 70)
    assert reading.is_going_on
    reader.wait()
    assert sorted(predictor.read) == sorted(d.text for d in store.page(limit=99).documents)
    reading = reader.look_at(project(store))
    assert (reading.num_read, reading.is_going_on) == (70, False)


def test_nobody_waits_for_the_model(store: AnnotationStore) -> None:
    predictor = CountingPredictor("m")
    predictor.may_go_on.clear()
    reader = BackgroundReader(store, ModelChoice([predictor]))  # type: ignore[list-item]
    assert reader.look_at(project(store)).is_going_on
    store.save(1, base_revision=0, spans=[], status="accepted", annotator="a")
    assert reader.look_at(project(store)).num_read == 0
    predictor.may_go_on.set()
    reader.wait()


def test_another_program_goes_on_where_the_last_one_stopped(store: AnnotationStore) -> None:
    first = CountingPredictor("m")
    reader = BackgroundReader(store, ModelChoice([first]))  # type: ignore[list-item]
    reader.look_at(project(store))
    reader.wait()
    store.add([NewDocument("新来的")])
    second = CountingPredictor("m")
    reader = BackgroundReader(store, ModelChoice([second]))  # type: ignore[list-item]
    assert reader.look_at(project(store)).num_read == 70
    reader.wait()
    assert second.read == ["新来的"]


def test_another_model_reads_everything_again(store: AnnotationStore) -> None:
    old, new = CountingPredictor("old"), CountingPredictor("new")
    reader = BackgroundReader(store, ModelChoice([old, new]))  # type: ignore[list-item]
    reader.look_at(project(store))
    reader.wait()
    set_model(store.database, "default", "new")
    reading = reader.look_at(project(store))
    assert (reading.model, reading.num_read, reading.is_going_on) == ("new", 0, True)
    reader.wait()
    assert len(new.read) == 70
    assert reader.look_at(project(store)).num_read == 70


def test_a_model_that_fails_is_not_asked_for_ever(
    store: AnnotationStore, caplog: pytest.LogCaptureFixture
) -> None:
    predictor = CountingPredictor("m")
    predictor.predict = lambda texts, **_options: [][1]  # type: ignore[method-assign]
    reader = BackgroundReader(store, ModelChoice([predictor]))  # type: ignore[list-item]
    reader.look_at(project(store))
    reader.wait()
    reading = reader.look_at(project(store))
    assert (reading.has_failed, reading.is_going_on) == (True, False)
    assert "m cannot read the texts of project default" in caplog.text
    assert "文本" not in caplog.text


def test_nothing_is_read_where_no_model_knows_a_label(store: AnnotationStore) -> None:
    predictor = CountingPredictor("m", LabelSet(("gene",)))
    reader = BackgroundReader(store, ModelChoice([predictor]))  # type: ignore[list-item]
    reading = reader.look_at(project(store))
    assert (reading.model, reading.is_going_on) == (None, False)
