"""How unsure a tagger is: against the enumeration of all taggings, and over segments and texts."""

import math
from itertools import pairwise, product
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ner_core.crf import CRF
from ner_core.labels import LabelSet
from ner_core.prediction import Predictor
from ner_core.uncertainty import SegmentConfidence, Uncertainty, measure_segments

ONE_LABEL = LabelSet(("river",))


def make_crf(seed: int) -> CRF:
    crf = CRF.for_labels(ONE_LABEL).double()
    generator = torch.Generator().manual_seed(seed)
    for parameter in crf.parameters():
        parameter.data.normal_(generator=generator)
    return crf


def enumerate_probabilities(crf: CRF, emissions: Tensor) -> dict[tuple[int, ...], float]:
    """Every tagging with its probability."""
    start, transitions, end = crf._tables()
    scores = {}
    for path in product(range(ONE_LABEL.num_tags), repeat=len(emissions)):
        score = start[path[0]] + end[path[-1]]
        score += sum(emissions[position, tag] for position, tag in enumerate(path))
        score += sum(transitions[i, j] for i, j in pairwise(path))
        scores[path] = score.item()
    total = math.log(sum(math.exp(score) for score in scores.values()))
    return {path: math.exp(score - total) for path, score in scores.items()}


@given(st.integers(0, 1000), st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_confidence_is_that_of_the_best_of_all_taggings(seed: int, lengths: list[int]) -> None:
    crf = make_crf(seed)
    generator = torch.Generator().manual_seed(seed)
    emissions = [
        2 * torch.randn(length, 3, generator=generator, dtype=torch.float64) for length in lengths
    ]
    for segment, found in zip(emissions, measure_segments(crf, emissions), strict=True):
        probabilities = enumerate_probabilities(crf, segment)
        best = max(probabilities, key=lambda path: probabilities[path])
        least = min(
            sum(p for path, p in probabilities.items() if path[position] == tag)
            for position, tag in enumerate(best)
        )
        assert found.num_characters == len(segment)
        assert found.log_probability == pytest.approx(math.log(probabilities[best]), abs=1e-6)
        assert found.least_probability == pytest.approx(least, abs=1e-6)


def test_a_text_is_as_uncertain_as_its_characters_on_average_and_its_worst_one() -> None:
    one = SegmentConfidence(num_characters=3, log_probability=-0.3, least_probability=0.9)
    other = SegmentConfidence(num_characters=1, log_probability=-0.5, least_probability=0.6)
    both = Uncertainty.of([one, other])
    assert both.path == pytest.approx(1 - math.exp(-0.8 / 4))
    assert both.token == pytest.approx(0.4)


def test_a_text_said_twice_is_as_uncertain_as_once() -> None:
    once = SegmentConfidence(num_characters=30, log_probability=-4.0, least_probability=0.3)
    assert Uncertainty.of([once, once]) == Uncertainty.of([once])


def test_no_segment_is_certain() -> None:
    assert Uncertainty.of([]) == Uncertainty(0.0, 0.0)
    assert measure_segments(make_crf(0), []) == []


def test_every_text_gets_its_own_uncertainty_in_order(shared_tiny_checkpoint: Path) -> None:
    predictor = Predictor.load(shared_tiny_checkpoint, device="cpu")
    long = "叶老桂博士在北京。" * 40
    texts = ["浙商银行", "", long, "叶老桂"]
    together = predictor.measure_uncertainty(texts, batch_size=2)
    assert together[1] == Uncertainty(0.0, 0.0)
    for text, found in zip(texts, together, strict=True):
        (alone,) = predictor.measure_uncertainty([text])
        assert (found.path, found.token) == pytest.approx((alone.path, alone.token), abs=1e-5)
        assert 0 <= found.path <= 1
        assert 0 <= found.token <= 1
    assert predictor.measure_uncertainty([]) == []


def test_what_cannot_be_tagged_cannot_be_measured(shared_tiny_checkpoint: Path) -> None:
    predictor = Predictor.load(shared_tiny_checkpoint, device="cpu")
    with pytest.raises(ValueError, match=r"NUL \(U\+0000\) at character 1"):
        predictor.measure_uncertainty(["a\x00b"])


def test_spans_and_uncertainty_come_from_one_reading(shared_tiny_checkpoint: Path) -> None:
    predictor = Predictor.load(shared_tiny_checkpoint, device="cpu")
    texts = ["浙商银行", "", "叶老桂博士在北京。" * 40, "叶老桂"]
    num_read = 0

    def count_rows(_module: object, inputs: tuple[torch.Tensor, ...]) -> None:
        nonlocal num_read
        num_read += len(inputs[0])

    predictor._tagger.register_forward_pre_hook(count_rows)
    apart = predictor.predict(texts)
    num_windows = num_read
    together = predictor.predict(texts, with_uncertainty=True)
    assert num_read == 2 * num_windows
    assert [it.spans for it in together] == [it.spans for it in apart]
    assert [it.uncertainty for it in apart] == [None] * 4
    assert [it.uncertainty for it in together] == predictor.measure_uncertainty(texts)
