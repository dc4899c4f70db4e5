"""Could the score be chance? Bootstrap over texts: an interval for one tagger, a test for two.

The texts are resampled with replacement, as many as there are, and the micro F1 of each resample is
computed from the counts of its texts. This takes texts for independent of each other, and says how
much the score would vary on other texts of the same kind. It says nothing of another training seed.

Interval: the percentile bootstrap (Efron and Tibshirani 1993, An Introduction to the Bootstrap,
chapter 13). Test: the paired bootstrap (Koehn 2004, https://aclanthology.org/W04-3250), where both
taggers are scored on the same resamples. Koehn counts the resamples in which B does not win. Here
that share is doubled, for a difference in either direction, and one is added to both counts, so
that p is never 0 (Davison and Hinkley 1997, Bootstrap Methods and their Application, chapter 4).

Shapes: N texts, R resamples, K labels, S systems; counts hold tp, predicted and gold in this order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ner_core.evaluation import Evaluation, SpanCounts

NUM_RESAMPLES = 1000
LEVEL = 0.95
# Weights held at once while resampling, to bound memory on data of any size.
_MAX_WEIGHTS = 2**22

Verdict = Literal["better", "worse", "not shown"]


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a value lies in 95 % of the resamples.

    Attributes:
        low: Their 2.5th percentile.
        high: Their 97.5th percentile.
    """

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class LabelDifference:
    """How two taggers differ on one label.

    Attributes:
        f1_a: F1 of A.
        f1_b: F1 of B.
        difference: F1 of B minus F1 of A.
        interval: Of the difference.
    """

    f1_a: float
    f1_b: float
    difference: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Comparison:
    """How tagger B does against tagger A on the same texts.

    Attributes:
        a: Scores of A.
        b: Scores of B.
        difference: Micro F1 of B minus micro F1 of A.
        interval: Of the difference.
        p_value: How probable a difference this far from 0 is if there is none; in (0, 1].
        per_label: For each label, in the order of the label set. Of twenty intervals one leaves out
            0 by chance.
        num_resamples: How many were drawn.
    """

    a: Evaluation
    b: Evaluation
    difference: float
    interval: Interval
    p_value: float
    per_label: dict[str, LabelDifference]
    num_resamples: int

    @property
    def verdict(self) -> Verdict:
        """Whether B is better than A, at the 5 % level; then the interval leaves out 0."""
        if self.p_value < 1 - LEVEL:
            return "better" if self.interval.low > 0 else "worse"
        return "not shown"


def f1_interval(
    counts: Sequence[SpanCounts], *, num_resamples: int = NUM_RESAMPLES, seed: int = 0
) -> Interval:
    """The 95 % interval of micro F1.

    Args:
        counts: Of each text, see `ner_core.evaluation.count_spans`.
        num_resamples: How many to draw; the ends of the interval are less steady with fewer.
        seed: The same seed draws the same resamples.

    Raises:
        ValueError: There is no text, or no resample.
    """
    # Shape: (R, 1, K, 3)
    sums = _resample([counts], num_resamples, seed)
    # Shape: (R,)
    return _percentiles(_f1(sums.sum(axis=2))[:, 0])


def compare(
    counts_a: Sequence[SpanCounts],
    counts_b: Sequence[SpanCounts],
    *,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Compare two taggers on the same texts.

    Args:
        counts_a: Counts of A for each text, see `ner_core.evaluation.count_spans`.
        counts_b: Counts of B for the same texts, in the same order.
        num_resamples: How many to draw; p is at least 2 / (num_resamples + 1).
        seed: The same seed draws the same resamples.

    Raises:
        ValueError: There is no text or no resample, or the counts are of other labels or texts.
    """
    _check_same_texts(counts_a, counts_b)
    # Shape: (R, 2, K, 3)
    sums = _resample([counts_a, counts_b], num_resamples, seed)
    # Shape: (R, 2), then (R,)
    micro = _f1(sums.sum(axis=2))
    differences = micro[:, 1] - micro[:, 0]
    # Shape: (R, 2, K), then (R, K)
    by_label = _f1(sums)
    label_differences = by_label[:, 1] - by_label[:, 0]
    evaluation_a, evaluation_b = _evaluate(counts_a), _evaluate(counts_b)
    per_label = {}
    for index, label in enumerate(counts_a[0].labels):
        f1_a, f1_b = evaluation_a.per_label[label].f1, evaluation_b.per_label[label].f1
        interval = _percentiles(label_differences[:, index])
        per_label[label] = LabelDifference(f1_a, f1_b, f1_b - f1_a, interval)
    return Comparison(
        a=evaluation_a,
        b=evaluation_b,
        difference=evaluation_b.micro.f1 - evaluation_a.micro.f1,
        interval=_percentiles(differences),
        p_value=_p_value(differences),
        per_label=per_label,
        num_resamples=num_resamples,
    )


def _check_same_texts(counts_a: Sequence[SpanCounts], counts_b: Sequence[SpanCounts]) -> None:
    if len(counts_a) != len(counts_b):
        raise ValueError(
            f"expected counts of the same texts, got {len(counts_a)} and {len(counts_b)} texts"
        )
    for number, (a, b) in enumerate(zip(counts_a, counts_b, strict=True), start=1):
        if a.labels != b.labels:
            raise ValueError(f"expected counts of the same labels, got {a.labels} and {b.labels}")
        num_gold_a, num_gold_b = ([spans.num_gold for spans in it.spans] for it in (a, b))
        if num_gold_a != num_gold_b:
            raise ValueError(
                f"expected counts of the same texts, got {num_gold_a} and {num_gold_b} gold spans"
                f" for the labels (text {number})"
            )


def _evaluate(counts: Sequence[SpanCounts]) -> Evaluation:
    return sum(counts[1:], counts[0]).evaluation()


def _resample(
    systems: Sequence[Sequence[SpanCounts]], num_resamples: int, seed: int
) -> NDArray[np.float64]:
    """Summed counts of each resample, the same texts for every system. Shape: (R, S, K, 3)"""
    if not systems[0]:
        raise ValueError("expected counts of at least one text, got none")
    if num_resamples < 1:
        raise ValueError(f"expected at least one resample, got {num_resamples}")
    # Shape: (N, S, K, 3); whole numbers, which float64 adds without loss
    counts = np.array(
        [
            [[(c.tp, c.num_predicted, c.num_gold) for c in text.spans] for text in texts]
            for texts in zip(*systems, strict=True)
        ],
        dtype=np.float64,
    )
    num_texts = len(counts)
    flat = counts.reshape(num_texts, -1)
    generator = np.random.default_rng(seed)
    chunk_size = max(1, _MAX_WEIGHTS // num_texts)
    sums = []
    for start in range(0, num_resamples, chunk_size):
        num_rows = min(chunk_size, num_resamples - start)
        # Shape: (chunk, N)
        drawn = generator.integers(num_texts, size=(num_rows, num_texts))
        # How often each text was drawn turns the sum over texts into a product of matrices.
        drawn += np.arange(num_rows)[:, np.newaxis] * num_texts
        weights = np.bincount(drawn.ravel(), minlength=num_rows * num_texts)
        sums.append(weights.reshape(num_rows, num_texts).astype(np.float64) @ flat)
    return np.concatenate(sums).reshape(num_resamples, *counts.shape[1:])


def _f1(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """F1 of counts, 0 where there is nothing to find and nothing found. Shape: (..., 3) to (...)"""
    tp, num_predicted, num_gold = np.moveaxis(counts, -1, 0)
    total = num_predicted + num_gold
    return np.divide(2 * tp, total, out=np.zeros_like(total), where=total > 0)


def _percentiles(values: NDArray[np.float64]) -> Interval:
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))


def _p_value(differences: NDArray[np.float64]) -> float:
    num_on_the_smaller_side = min((differences <= 0).sum(), (differences >= 0).sum())
    return min(1.0, 2.0 * (1 + int(num_on_the_smaller_side)) / (1 + len(differences)))
