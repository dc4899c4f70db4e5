"""The limits that each bundled model promises: quality, size, load time and speed."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.entity_free import find_false_alarms, read_sentences
from ner_core.labels import CLUENER, MSRA, LabelSet
from ner_core.prediction import Predictor

ROOT = Path(__file__).parents[2]
FORTY = "浙商银行企业信贷部叶老桂博士则从另一个角度对五道门槛进行了解读。叶老桂认为，对国"


@dataclass(frozen=True)
class Promise:
    """What a bundled model promises.

    Attributes:
        labels: Its label set.
        dev_f1: Lowest strict micro F1 on its dev set.
        text: A text, and some of the entities that it finds in it, as (mention, label).
    """

    labels: LabelSet
    dev_f1: float
    text: str
    entities: frozenset[tuple[str, str]]


PROMISES = {
    "cluener-small": Promise(
        CLUENER,
        0.75,
        "浙商银行的叶老桂在杭州玩《魔兽世界》。",
        frozenset({("浙商银行", "company"), ("《魔兽世界》", "game")}),
    ),
    "msra-small": Promise(
        MSRA,
        0.87,
        "新华社北京电：国务院总理李鹏昨天在上海会见了美国总统克林顿。",
        frozenset({("新华社", "ORG"), ("李鹏", "PER"), ("上海", "LOC"), ("克林顿", "PER")}),
    ),
}


@pytest.fixture(
    scope="module",
    params=sorted(ROOT.glob("models/*/config.json")),
    ids=lambda path: path.parent.name,
)
def model(request: pytest.FixtureRequest) -> Path:
    """The directory of each bundled model."""
    return request.param.parent


@pytest.fixture(scope="module")
def promise(model: Path) -> Promise:
    return PROMISES[model.name]


@pytest.fixture(scope="module")
def predictor(model: Path) -> Predictor:
    return Predictor.load(model, device="cpu")


def test_the_model_that_the_app_begins_with_is_bundled() -> None:
    assert (ROOT / "models" / "cluener-small" / "config.json").is_file()


def test_it_finds_entities_with_their_probabilities(predictor: Predictor, promise: Promise) -> None:
    (prediction,) = predictor.predict([promise.text])
    found = {(prediction.text[s.start : s.end], s.label) for s in prediction.spans}
    assert found >= promise.entities
    assert all(span.score is not None and span.score > 0 for span in prediction.spans)
    assert predictor.labels == promise.labels
    assert predictor.architecture == "bert-bilstm-crf"


def test_it_finds_next_to_nothing_in_sentences_without_entities(predictor: Predictor) -> None:
    alarms = find_false_alarms(predictor, read_sentences())
    assert alarms.rate <= 0.05, alarms.num_alarms


def test_it_takes_at_most_25_megabytes(model: Path) -> None:
    assert sum(path.stat().st_size for path in model.iterdir()) <= 25_000_000


def test_its_card_and_metrics_say_how_good_it_is(model: Path, promise: Promise) -> None:
    metrics = json.loads((model / "metrics.json").read_text(encoding="utf-8"))
    f1 = metrics["dev"]["micro"]["f1"]
    assert f1 >= promise.dev_f1
    card = (model / "README.md").read_text(encoding="utf-8")
    assert f"{f1:.4f}" in card
    assert "trainer.finetune" in card


@pytest.mark.alone
def test_it_loads_within_a_second(model: Path) -> None:
    program = (
        "import sys, time; from ner_core.prediction import Predictor; began = time.perf_counter();"
        " Predictor.load(sys.argv[1], device='cpu'); print(time.perf_counter() - began)"
    )
    # The best of three: other work on the machine can only add to it.
    times = []
    for _ in range(3):
        command = [sys.executable, "-c", program, str(model)]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        times.append(float(done.stdout))
        if times[-1] <= 1.0:
            break
    assert min(times) <= 1.0


@pytest.mark.alone
def test_it_tags_forty_characters_within_30_milliseconds(predictor: Predictor) -> None:
    assert len(FORTY) == 40
    times = []
    for _ in range(50):
        began = time.perf_counter()
        predictor.predict([FORTY])
        times.append(time.perf_counter() - began)
    assert min(times) <= 0.030
