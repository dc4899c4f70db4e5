import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ner_core import significance
from ner_core.evaluation import Counts, SpanCounts
from ner_core.labels import CLUENER, MSRA, LabelSet
from ner_core.significance import Interval, compare, f1_interval

ONE_LABEL = LabelSet(("PER",))


def counts_of(*rows, labels=ONE_LABEL):
    """Counts of one text for each row of (tp, predicted, gold), all of the first label."""
    empty = (Counts(),) * (len(labels.labels) - 1)
    return [
        SpanCounts(labels.labels, (Counts(*row), *empty), (Counts(), *empty), 1) for row in rows
    ]


def random_texts(num_texts, recall, seed, num_gold=3):
    """Texts with as many predictions as gold spans, each right with the same probability."""
    generator = np.random.default_rng(seed)
    right = generator.binomial(num_gold, recall, size=num_texts).tolist()
    return counts_of(*((tp, num_gold, num_gold) for tp in right))


def micro_f1(counts):
    return sum(counts[1:], counts[0]).evaluation().micro.f1


@st.composite
def texts_of_two(draw):
    """Counts of two systems on the same texts."""
    num_gold = draw(st.lists(st.integers(0, 4), min_size=1, max_size=12))

    def system():
        rows = []
        for gold in num_gold:
            tp = draw(st.integers(0, gold))
            rows.append((tp, tp + draw(st.integers(0, 2)), gold))
        return counts_of(*rows)

    return system(), system()


TWO = texts_of_two()


# The interval


def test_the_interval_holds_the_score_of_ordinary_data():
    counts = random_texts(400, recall=0.7, seed=1)
    interval = f1_interval(counts)
    assert interval.low < micro_f1(counts) < interval.high


def test_the_interval_is_as_wide_as_the_normal_approximation_says():
    """One label, one gold span and one prediction a text: F1 is a mean of zeros and ones."""
    counts = random_texts(1000, recall=0.8, seed=2, num_gold=1)
    f1 = micro_f1(counts)
    interval = f1_interval(counts, num_resamples=5000)
    half_width = 1.96 * np.sqrt(f1 * (1 - f1) / 1000)
    assert interval.low == pytest.approx(f1 - half_width, abs=0.002)
    assert interval.high == pytest.approx(f1 + half_width, abs=0.002)


def test_about_95_of_100_intervals_hold_the_true_value():
    # Found by simulation: every draw is right with probability 0.8, so the true F1 is 0.8.
    samples = [random_texts(150, recall=0.8, seed=seed) for seed in range(200)]
    intervals = [f1_interval(counts, num_resamples=400) for counts in samples]
    num_right = sum(interval.low <= 0.8 <= interval.high for interval in intervals)
    assert 180 <= num_right <= 199


def test_the_interval_is_of_the_micro_score_whatever_the_number_of_labels():
    counts = random_texts(60, recall=0.7, seed=4)
    unused = Counts()
    of_two_labels = [
        SpanCounts(("PER", "LOC"), (text.spans[0], unused), (unused, unused), 1) for text in counts
    ]
    assert f1_interval(of_two_labels) == f1_interval(counts)


def test_the_same_seed_gives_the_same_interval():
    counts = random_texts(50, recall=0.5, seed=3)
    assert f1_interval(counts) == f1_interval(counts)
    assert f1_interval(counts) != f1_interval(counts, seed=1)


def test_texts_that_are_all_alike_leave_no_room():
    assert f1_interval(counts_of(*[(1, 2, 2)] * 9)) == Interval(0.5, 0.5)
    assert f1_interval(counts_of((0, 0, 0))) == Interval(0.0, 0.0)


def test_resamples_in_several_parts_are_as_good_as_in_one(monkeypatch):
    counts = random_texts(50, recall=0.5, seed=3)
    whole = f1_interval(counts, num_resamples=300)
    monkeypatch.setattr(significance, "_MAX_WEIGHTS", 50 * 7)
    assert f1_interval(counts, num_resamples=300) == whole


@settings(max_examples=30)
@given(TWO)
def test_resampled_scores_are_those_of_the_texts_that_were_drawn(two):
    """The oracle adds up the drawn texts one by one."""
    num_resamples, num_texts = 20, len(two[0])
    drawn = np.random.default_rng(5).integers(num_texts, size=(num_resamples, num_texts))
    scores = [[micro_f1([counts[index] for index in row]) for row in drawn] for counts in two]
    comparison = compare(*two, num_resamples=num_resamples, seed=5)
    low, high = np.quantile(np.subtract(scores[1], scores[0]), [0.025, 0.975])
    assert comparison.interval.low == pytest.approx(low, abs=1e-12)
    assert comparison.interval.high == pytest.approx(high, abs=1e-12)
    low, high = np.quantile(scores[0], [0.025, 0.975])
    interval = f1_interval(two[0], num_resamples=num_resamples, seed=5)
    assert (interval.low, interval.high) == (pytest.approx(low), pytest.approx(high))


# The comparison


@settings(max_examples=30)
@given(TWO)
def test_a_system_is_not_better_than_itself(two):
    comparison = compare(two[0], two[0], num_resamples=100)
    assert (comparison.difference, comparison.p_value) == (0.0, 1.0)
    assert comparison.interval == Interval(0.0, 0.0)
    assert comparison.verdict == "not shown"


@settings(max_examples=30)
@given(TWO)
def test_turning_the_comparison_round_turns_its_result_round(two):
    there, back = compare(*two, num_resamples=100), compare(*two[::-1], num_resamples=100)
    assert back.difference == -there.difference
    assert back.p_value == there.p_value
    assert back.interval.low == pytest.approx(-there.interval.high, abs=1e-12)
    opposite = {"better": "worse", "worse": "better", "not shown": "not shown"}
    assert back.verdict == opposite[there.verdict]


@settings(max_examples=100)
@given(TWO, st.sampled_from([39, 40, 100, 999]))
def test_a_verdict_never_contradicts_the_interval(two, num_resamples):
    comparison = compare(*two, num_resamples=num_resamples)
    assert 0 < comparison.p_value <= 1
    if comparison.verdict == "better":
        assert comparison.interval.low > 0
    elif comparison.verdict == "worse":
        assert comparison.interval.high < 0


def test_a_system_that_wins_on_most_texts_is_better():
    a = random_texts(300, recall=0.6, seed=1)
    b = random_texts(300, recall=0.8, seed=2)
    comparison = compare(a, b)
    assert (comparison.verdict, compare(b, a).verdict) == ("better", "worse")
    assert comparison.difference == pytest.approx(micro_f1(b) - micro_f1(a))
    assert comparison.p_value == pytest.approx(2 / 1001)  # no resample in which A wins
    assert (comparison.a.micro.f1, comparison.b.micro.f1) == (micro_f1(a), micro_f1(b))


def test_a_difference_that_chance_explains_is_not_shown():
    # Two texts more in 60: the same pair of systems could easily have come out the other way.
    rows_a = [(1, 1, 1)] * 30 + [(0, 1, 1)] * 30
    rows_b = [(0, 1, 1)] * 10 + [(1, 1, 1)] * 20 + [(1, 1, 1)] * 12 + [(0, 1, 1)] * 18
    comparison = compare(counts_of(*rows_a), counts_of(*rows_b))
    assert comparison.difference == pytest.approx(2 / 60)
    assert comparison.interval.low < 0 < comparison.interval.high
    assert comparison.p_value > 0.3
    assert comparison.verdict == "not shown"


def test_pairing_shows_what_two_separate_intervals_hide():
    """B finds what A finds and one more in every tenth text."""
    rows_a = [(0, 1, 1)] * 100 + [(1, 1, 1)] * 100
    rows_b = [(1, 1, 1)] * 10 + rows_a[10:]
    a, b = counts_of(*rows_a), counts_of(*rows_b)
    assert f1_interval(b).low < f1_interval(a).high
    assert compare(a, b).verdict == "better"


def test_equal_systems_are_seldom_called_different():
    num_false_alarms = 0
    for seed in range(100):
        a = random_texts(100, recall=0.7, seed=2 * seed)
        b = random_texts(100, recall=0.7, seed=2 * seed + 1)
        num_false_alarms += compare(a, b, num_resamples=200).verdict != "not shown"
    assert num_false_alarms <= 12  # 5 are expected


def test_labels_are_compared_one_by_one():
    def counts(person, place):
        return SpanCounts(("PER", "LOC"), (Counts(*person), Counts(*place)), (Counts(),) * 2, 1)

    a = [counts((1, 1, 1), (0, 1, 1))] * 20
    b = [counts((0, 1, 1), (1, 1, 1))] * 20
    comparison = compare(a, b)
    assert comparison.difference == 0.0
    person, place = comparison.per_label["PER"], comparison.per_label["LOC"]
    assert (person.f1_a, person.f1_b, person.difference) == (1.0, 0.0, -1.0)
    assert (place.difference, place.interval) == (1.0, Interval(1.0, 1.0))


def test_what_cannot_be_compared_is_refused():
    texts = counts_of((1, 1, 1), (0, 1, 2))
    with pytest.raises(ValueError, match="at least one text, got none"):
        f1_interval([])
    with pytest.raises(ValueError, match="at least one text, got none"):
        compare([], [])
    with pytest.raises(ValueError, match="at least one resample, got 0"):
        f1_interval(texts, num_resamples=0)
    with pytest.raises(ValueError, match="same texts, got 2 and 1 texts"):
        compare(texts, texts[:1])
    with pytest.raises(ValueError, match=r"got \[1\] and \[2\] gold spans .* \(text 1\)"):
        compare(texts, texts[::-1])
    with pytest.raises(ValueError, match="same labels"):
        compare([SpanCounts.zero(MSRA)], [SpanCounts.zero(CLUENER)])
