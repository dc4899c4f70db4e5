import itertools
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ner_core.agreement import KappaCounts, TextComparison, measure_agreement
from ner_core.error_analysis import Outcome, pair_spans
from ner_core.evaluation import evaluate
from ner_core.labels import MSRA
from ner_core.spans import Span

TEXT = "国中国中人民北京"


def compare(left, right):
    return TextComparison(
        len(TEXT), tuple(left), tuple(right), pair_spans(gold=left, predicted=right)
    )


def spans_in(text):
    bounds = st.lists(st.integers(0, len(text)), min_size=2, max_size=2, unique=True).map(sorted)
    spans = st.builds(lambda it, label: Span(*it, label), bounds, st.sampled_from(MSRA.labels))
    return st.lists(spans, max_size=4, unique=True)


def kappa_by_definition(categories_left, categories_right):
    """(p_o - p_e) / (1 - p_e) over two lists of categories; None where it is undefined."""
    num_units = len(categories_left)
    pairs = list(zip(categories_left, categories_right, strict=True))
    observed = Fraction(sum(left == right for left, right in pairs), num_units)
    # Every unit of one rater beside every unit of the other: what two blind raters would do.
    all_pairs = list(itertools.product(categories_left, categories_right))
    expected = Fraction(sum(left == right for left, right in all_pairs), len(all_pairs))
    return None if expected == 1 else float((observed - expected) / (1 - expected))


def labels_over(spans, position):
    return frozenset(span.label for span in spans if span.start <= position < span.end)


def test_kappa_of_a_table_worked_out_by_hand():
    # 50 characters: both inside 20, only the first 5, only the second 10, neither 15.
    # p_o = 35/50 = 0.7; p_e = (25/50)(30/50) + (25/50)(20/50) = 0.5; kappa = 0.2 / 0.5 = 0.4.
    left = [Span(0, 25, "LOC")]
    right = [Span(0, 20, "LOC"), Span(25, 35, "LOC")]
    counts = KappaCounts.of_text(left, right, 50)
    assert counts.kappa_of("LOC") == pytest.approx(0.4)
    assert counts.kappa() == pytest.approx(0.4)


def test_a_label_that_neither_uses_has_no_kappa_and_no_f1_to_speak_of():
    agreement = measure_agreement([compare([Span(0, 2, "LOC")], [])], MSRA.labels)
    assert agreement.per_label["PER"].kappa is None
    assert agreement.per_label["PER"].f1 == 0
    assert agreement.per_label["LOC"].kappa == 0


def test_no_text_at_all_has_no_kappa():
    agreement = measure_agreement([], MSRA.labels)
    assert (agreement.total.kappa, agreement.total.f1, agreement.num_texts) == (None, 0, 0)


def test_agreement_below_chance_is_negative():
    left, right = [Span(0, 4, "LOC")], [Span(4, 8, "LOC")]
    assert KappaCounts.of_text(left, right, 8).kappa_of("LOC") == -1


def test_a_character_with_two_labels_agrees_only_with_the_same_two():
    both = [Span(0, 1, "LOC"), Span(0, 1, "ORG")]
    counts = KappaCounts.of_text(both, both[:1], 2)
    assert counts.kappa_of("LOC") == 1
    assert counts.kappa() < 1


@given(left=spans_in(TEXT), right=spans_in(TEXT))
def test_kappa_is_that_of_its_definition(left, right):
    counts = KappaCounts.of_text(left, right, len(TEXT))
    categories_left, categories_right = (
        [labels_over(spans, position) for position in range(len(TEXT))] for spans in (left, right)
    )
    assert counts.kappa() == pytest.approx(kappa_by_definition(categories_left, categories_right))
    for label in MSRA.labels:
        expected = kappa_by_definition(
            [label in category for category in categories_left],
            [label in category for category in categories_right],
        )
        assert counts.kappa_of(label) == pytest.approx(expected)


@given(texts=st.lists(st.tuples(spans_in(TEXT), spans_in(TEXT)), max_size=4))
def test_f1_is_the_strict_one_and_the_same_both_ways(texts):
    agreement = measure_agreement([compare(*it) for it in texts], MSRA.labels)
    reverse = measure_agreement([compare(*it[::-1]) for it in texts], MSRA.labels)
    left, right = [it[0] for it in texts], [it[1] for it in texts]
    expected = evaluate(left, right, [TEXT] * len(texts), MSRA)
    assert agreement.total.f1 == reverse.total.f1 == pytest.approx(expected.micro.f1)
    assert agreement.total.kappa == pytest.approx(reverse.total.kappa)
    for label, scores in expected.per_label.items():
        assert agreement.per_label[label].f1 == pytest.approx(scores.f1)
        assert agreement.per_label[label].num_left == scores.support


@given(texts=st.lists(st.tuples(spans_in(TEXT), spans_in(TEXT)), min_size=1, max_size=4))
def test_texts_are_counted_as_one_long_text(texts):
    parts = [KappaCounts.of_text(left, right, len(TEXT)).pairs for left, right in texts]
    whole_left, whole_right = (
        [
            Span(span.start + index * len(TEXT), span.end + index * len(TEXT), span.label)
            for index, it in enumerate(texts)
            for span in it[side]
        ]
        for side in (0, 1)
    )
    whole = KappaCounts.of_text(whole_left, whole_right, len(TEXT) * len(texts))
    assert whole.pairs == sum(parts, Counter())


def test_confused_labels_are_those_of_the_pairs():
    left = [Span(0, 2, "LOC"), Span(4, 6, "PER")]
    right = [Span(0, 2, "ORG"), Span(4, 5, "PER")]
    agreement = measure_agreement([compare(left, right), compare([], [])], MSRA.labels)
    assert agreement.confusion.confused("LOC", "ORG") == 1
    assert agreement.confusion.total(Outcome.WRONG_BORDERS) == 1
    assert (agreement.num_texts, agreement.num_same_texts) == (2, 1)
