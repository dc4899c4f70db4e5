"""How sure a tagger is that no entity touches a range: against enumeration, and over segments."""

import math
from itertools import pairwise, product
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ner_core.crf import CRF
from ner_core.decoding import outside_probabilities
from ner_core.labels import LabelSet
from ner_core.prediction import Predictor
from ner_core.spans import Span

ONE_LABEL = LabelSet(("river",))


def sum_paths_outside(crf: CRF, emissions: torch.Tensor, start: int, end: int) -> float:
    """Probability of all taggings with O from start to end, by enumeration."""
    starts, transitions, ends = crf._tables()
    weights = {}
    for path in product(range(ONE_LABEL.num_tags), repeat=len(emissions)):
        score = starts[path[0]] + ends[path[-1]]
        score += sum(emissions[position, tag] for position, tag in enumerate(path))
        score += sum(transitions[i, j] for i, j in pairwise(path))
        weights[path] = math.exp(score.item())
    outside = sum(weight for path, weight in weights.items() if not any(path[start:end]))
    return outside / sum(weights.values())


@given(seed=st.integers(0, 1000), lengths=st.lists(st.integers(1, 5), min_size=1, max_size=3))
def test_the_probability_is_the_sum_over_all_taggings_without_an_entity_there(seed, lengths):
    generator = torch.Generator().manual_seed(seed)
    crf = CRF.for_labels(ONE_LABEL).double()
    for parameter in crf.parameters():
        parameter.data.normal_(generator=generator)
    emissions = [
        2 * torch.randn(length, 3, generator=generator, dtype=torch.float64) for length in lengths
    ]
    ranges = [(length // 3, length // 3 + 1 + (length - 1) // 2) for length in lengths]
    found = outside_probabilities(crf, emissions, ranges)
    for segment, (start, end), probability in zip(emissions, ranges, found, strict=True):
        expected = sum_paths_outside(crf, segment, start, end)
        assert probability == pytest.approx(expected, abs=1e-6)


def test_no_segment_has_no_probability():
    assert outside_probabilities(CRF.for_labels(ONE_LABEL), [], []) == []


@pytest.fixture(scope="module")
def predictor(shared_tiny_checkpoint: Path) -> Predictor:
    return Predictor.load(shared_tiny_checkpoint, device="cpu")


def test_the_answers_stand_in_the_order_of_the_spans(predictor: Predictor) -> None:
    texts = ["叶老桂在北京。", "没有", "浙商银行企业信贷部叶老桂博士"]
    spans = [[Span(4, 6, "x"), Span(0, 3, "y")], [], [Span(0, 14, "z")]]
    together = predictor.outside_probabilities(texts, spans)
    assert [len(of_text) for of_text in together] == [2, 0, 1]
    for text, its_spans, found in zip(texts, spans, together, strict=True):
        for span, probability in zip(its_spans, found, strict=True):
            ((alone,),) = predictor.outside_probabilities([text], [[span]])
            assert probability == pytest.approx(alone, abs=1e-5)
            assert 0 <= probability <= 1


def test_a_span_over_several_segments_has_the_product_of_its_parts(predictor: Predictor) -> None:
    sentence = "叶老桂在北京" * 20 + "。"
    text = sentence * 6
    border = len(sentence)
    ((over, before, behind),) = predictor.outside_probabilities(
        [text],
        [
            [
                Span(border - 2, border + 2, "x"),
                Span(border - 2, border, "x"),
                Span(border, border + 2, "x"),
            ]
        ],
    )
    assert len(list(predictor._split([text]))) == 6
    assert over == pytest.approx(before * behind, rel=1e-4)


def test_a_span_behind_its_text_is_refused(predictor: Predictor) -> None:
    with pytest.raises(ValueError, match="expected a span inside the text of 2 characters"):
        predictor.outside_probabilities(["北京"], [[Span(0, 3, "x")]])
