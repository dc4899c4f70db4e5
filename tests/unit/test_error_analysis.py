from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ner_core.error_analysis import (
    ERRORS,
    ErrorCounts,
    ExampleErrors,
    Outcome,
    SpanPair,
    find_worst,
    pair_spans,
)
from ner_core.evaluation import evaluate
from ner_core.labels import MSRA
from ner_core.spans import Example, Span

TEXT = "国中国中人民北京"


def spans_in(text, labels):
    bounds = st.lists(st.integers(0, len(text)), min_size=2, max_size=2, unique=True).map(sorted)
    spans = st.builds(lambda bounds, label: Span(*bounds, label), bounds, st.sampled_from(labels))
    return st.lists(spans, max_size=5)


SPANS = spans_in(TEXT, MSRA.labels)


def outcomes(gold, predicted):
    return [pair.outcome for pair in pair_spans(gold, predicted)]


def gold_and_predicted_of(pairs):
    return (
        [pair.gold for pair in pairs if pair.gold],
        [pair.predicted for pair in pairs if pair.predicted],
    )


@pytest.mark.parametrize(
    ("predicted", "outcome"),
    [
        (Span(2, 5, "PER"), Outcome.RIGHT),
        (Span(2, 5, "LOC"), Outcome.WRONG_LABEL),
        (Span(2, 4, "PER"), Outcome.WRONG_BORDERS),
        (Span(4, 8, "LOC"), Outcome.WRONG_LABEL_AND_BORDERS),
    ],
)
def test_a_prediction_that_overlaps_the_gold_span_is_judged_by_label_and_borders(
    predicted, outcome
):
    gold = Span(2, 5, "PER")
    assert pair_spans([gold], [predicted]) == (SpanPair(gold, predicted),)
    assert outcomes([gold], [predicted]) == [outcome]


def test_spans_that_only_touch_are_one_missed_and_one_spurious():
    assert outcomes([Span(0, 2, "PER")], [Span(2, 4, "PER")]) == [Outcome.MISSED, Outcome.SPURIOUS]


def test_a_prediction_that_swallows_two_gold_spans_stands_for_the_longer_one():
    gold = [Span(0, 2, "PER"), Span(2, 5, "PER")]
    assert outcomes(gold, [Span(0, 5, "PER")]) == [Outcome.MISSED, Outcome.WRONG_BORDERS]


def test_the_right_prediction_is_paired_before_one_that_only_overlaps():
    gold = [Span(2, 5, "PER")]
    predicted = [Span(0, 5, "PER"), Span(2, 5, "LOC"), Span(2, 5, "PER")]
    pairs = pair_spans(gold, predicted)
    assert [pair.predicted for pair in pairs if pair.gold] == [Span(2, 5, "PER")]
    assert Counter(outcomes(gold, predicted)) == {Outcome.RIGHT: 1, Outcome.SPURIOUS: 2}


def test_same_borders_count_more_than_the_same_label():
    gold = [Span(0, 2, "PER"), Span(0, 4, "LOC")]
    (first, second) = pair_spans(gold, [Span(0, 2, "LOC")])
    assert (first.outcome, second.outcome) == (Outcome.WRONG_LABEL, Outcome.MISSED)


def test_the_same_label_counts_more_than_more_characters():
    gold = [Span(0, 1, "PER"), Span(1, 6, "LOC")]
    assert outcomes(gold, [Span(0, 6, "PER")]) == [Outcome.WRONG_BORDERS, Outcome.MISSED]


def test_of_equally_good_partners_the_first_is_taken():
    gold = [Span(0, 2, "PER"), Span(2, 4, "PER")]
    assert outcomes(gold, [Span(1, 3, "PER")]) == [Outcome.WRONG_BORDERS, Outcome.MISSED]


def test_spans_given_twice_count_once_and_predictions_keep_their_score():
    gold = [Span(0, 2, "PER")] * 2
    (pair,) = pair_spans(gold, [Span(0, 2, "PER", 0.75), Span(0, 2, "PER")])
    assert pair.gold.score is None
    assert pair.predicted.score == 0.75


@given(SPANS, SPANS)
def test_every_span_is_in_exactly_one_pair(gold, predicted):
    pairs = pair_spans(gold, predicted)
    paired_gold, paired_predicted = gold_and_predicted_of(pairs)
    assert sorted(paired_gold) == sorted(set(gold))
    assert sorted(paired_predicted) == sorted(set(predicted))
    for pair in pairs:
        if pair.gold and pair.predicted:
            assert pair.gold.overlaps(pair.predicted)


@given(SPANS, SPANS)
def test_no_two_spans_left_over_could_have_been_a_pair(gold, predicted):
    pairs = pair_spans(gold, predicted)
    missed = [pair.gold for pair in pairs if pair.outcome is Outcome.MISSED]
    spurious = [pair.predicted for pair in pairs if pair.outcome is Outcome.SPURIOUS]
    assert not any(span.overlaps(other) for span in missed for other in spurious)


@given(SPANS, SPANS)
def test_the_order_of_the_spans_does_not_matter(gold, predicted):
    assert pair_spans(gold[::-1], predicted[::-1]) == pair_spans(gold, predicted)


@given(SPANS, SPANS)
def test_the_classes_add_up_to_the_strict_counts(gold, predicted):
    counts = ErrorCounts.of(pair_spans(gold, predicted), MSRA.labels)
    scores = evaluate([gold], [predicted], [TEXT], MSRA)
    total = {outcome: counts.total(outcome) for outcome in Outcome}
    num_gold = sum(total.values()) - total[Outcome.SPURIOUS]
    num_predicted = sum(total.values()) - total[Outcome.MISSED]
    assert num_gold == scores.micro.support
    assert num_predicted == len(set(predicted))
    assert total[Outcome.RIGHT] == round(scores.micro.recall * num_gold)
    assert counts.f1_if_repaired(Outcome.RIGHT) == scores.micro.f1
    assert counts.num_errors == sum(total[outcome] for outcome in ERRORS)


@given(SPANS, SPANS)
def test_rows_and_columns_of_the_confusion_table_add_up(gold, predicted):
    counts = ErrorCounts.of(pair_spans(gold, predicted), MSRA.labels)
    for label in MSRA.labels:
        row = [counts.confused(label, other) for other in MSRA.labels]
        num_gold = sum(row) + counts.found_elsewhere(label) + counts.missed(label)
        assert num_gold == len({span for span in gold if span.label == label})
        column = [counts.confused(other, label) for other in MSRA.labels]
        num_predicted = sum(column) + counts.misplaced(label) + counts.spurious(label)
        assert num_predicted == len({span for span in predicted if span.label == label})


@given(SPANS, SPANS, st.sampled_from(ERRORS))
def test_repairing_a_class_of_errors_gives_the_f1_that_is_promised(gold, predicted, outcome):
    """The oracle repairs the predictions themselves, and evaluates them again."""
    pairs = pair_spans(gold, predicted)
    repaired = [
        pair.gold if pair.outcome is outcome else pair.predicted
        for pair in pairs
        # A pair of this class becomes its gold span, which a spurious one does not have.
    ]
    expected = evaluate([gold], [[span for span in repaired if span]], [TEXT], MSRA).micro.f1
    counts = ErrorCounts.of(pairs, MSRA.labels)
    assert counts.f1_if_repaired(outcome) == pytest.approx(expected)


def test_confusions_of_a_small_case_are_those_counted_by_hand():
    gold = [Span(0, 1, "PER"), Span(1, 2, "PER"), Span(2, 4, "LOC"), Span(6, 7, "ORG")]
    predicted = [Span(0, 1, "PER"), Span(1, 2, "ORG"), Span(2, 3, "LOC"), Span(4, 5, "LOC")]
    counts = ErrorCounts.of(pair_spans(gold, predicted), MSRA.labels)
    assert (counts.confused("PER", "PER"), counts.confused("PER", "ORG")) == (1, 1)
    assert counts.confused("ORG", "PER") == 0
    assert (counts.found_elsewhere("LOC"), counts.misplaced("LOC")) == (1, 1)
    assert (counts.missed("ORG"), counts.spurious("LOC"), counts.missed("PER")) == (1, 1, 0)
    assert counts.num_errors == 4
    assert counts.f1_if_repaired(Outcome.RIGHT) == pytest.approx(2 / 8)
    assert counts.f1_if_repaired(Outcome.WRONG_LABEL) == pytest.approx(4 / 8)
    assert counts.f1_if_repaired(Outcome.SPURIOUS) == pytest.approx(2 / 7)
    assert counts.f1_if_repaired(Outcome.MISSED) == pytest.approx(4 / 9)


def judged(number, gold, predicted):
    return ExampleErrors(Example("", TEXT, tuple(gold)), number, pair_spans(gold, predicted))


def test_the_worst_texts_have_the_most_errors_then_the_surest_ones():
    right, missed = Span(0, 1, "PER"), Span(1, 2, "PER")
    sure, unsure = Span(4, 5, "LOC", 0.9), Span(4, 5, "LOC", 0.4)
    examples = [
        judged(1, [right], [right]),
        judged(2, [right], [unsure]),
        judged(3, [right], [right, unsure]),
        judged(4, [right], [right, sure]),
        judged(5, [right], [replace(right, score=1.0), unsure]),
        judged(6, [missed], []),
    ]
    assert [it.number for it in find_worst(examples, 50)] == [2, 4, 3, 5, 6]
    assert [it.number for it in find_worst(examples, 2)] == [2, 4]
    assert find_worst(examples[:1], 50) == []


def test_a_pair_is_one_error_though_both_its_spans_are_wrong():
    example = judged(1, [Span(0, 2, "PER")], [Span(0, 3, "PER", 0.5)])
    assert len(example.errors) == 1
    assert example.wrong_probability == 0.5
    (pair,) = example.errors
    assert (pair.start, pair.end) == (0, 3)
