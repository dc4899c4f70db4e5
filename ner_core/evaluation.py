"""Strict precision, recall and F1 of entity spans, and CLUENER's official score. No torch.

Strict: a predicted span is right if start, end and label equal those of a gold span; nothing is
counted for a part, and never a single tag. seqeval reports the same in its strict mode with IOB2.

Official: F1 over mentions instead of spans (a string and its label, once in each sentence, wherever
it stands), for each label, then the mean over the labels
(https://github.com/CLUEbenchmark/CLUENER2020/blob/master/score.py). Where that script would divide
by zero, for a label that is never found, the F1 here is 0.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import asdict, astuple, dataclass

from ner_core.labels import LabelSet
from ner_core.spans import Span, check_spans


@dataclass(frozen=True, slots=True)
class Scores:
    """Precision, recall and F1 in [0, 1], each 0 where it would divide by zero.

    Attributes:
        precision: Share of the predicted spans that are right.
        recall: Share of the gold spans that were found.
        f1: Harmonic mean of the two.
        support: Number of gold spans.
    """

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How predicted spans compare with gold spans.

    Attributes:
        micro: Over all spans, whatever their label.
        per_label: For each label of the label set, in its order.
        official_macro_f1: CLUENER's official score (see the top of the module).
        num_examples: Texts compared.
    """

    micro: Scores
    per_label: dict[str, Scores]
    official_macro_f1: float
    num_examples: int

    @property
    def macro(self) -> Scores:
        """Means of the labels' strict scores; the support is that of all labels together.

        The F1 is the mean of the labels' F1, not the harmonic mean of the two other means, which
        is never lower (Opitz and Burst 2019, https://arxiv.org/abs/1911.03347).
        """
        scores = self.per_label.values()
        return Scores(
            precision=sum(label.precision for label in scores) / len(scores),
            recall=sum(label.recall for label in scores) / len(scores),
            f1=self.macro_f1,
            support=self.micro.support,
        )

    @property
    def macro_f1(self) -> float:
        """Mean of the labels' strict F1."""
        return sum(scores.f1 for scores in self.per_label.values()) / len(self.per_label)

    def to_json(self) -> dict[str, object]:
        """The evaluation as plain values, with the keys named above."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Counts:
    """What precision and recall are made of; counts of parts of a data set can be added.

    Attributes:
        tp: True positives: predicted and gold.
        num_predicted: All that were predicted.
        num_gold: All there are.
    """

    tp: int = 0
    num_predicted: int = 0
    num_gold: int = 0

    @classmethod
    def of(cls, gold: Set[object], predicted: Set[object]) -> "Counts":
        """Compare two sets."""
        return cls(len(gold & predicted), len(predicted), len(gold))

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.tp + other.tp,
            self.num_predicted + other.num_predicted,
            self.num_gold + other.num_gold,
        )

    def scores(self) -> Scores:
        """Precision, recall and F1 of the counts."""
        # F1 in this form, 2 tp / (predicted + gold), needs no case of its own for tp = 0.
        return Scores(
            precision=_ratio(self.tp, self.num_predicted),
            recall=_ratio(self.tp, self.num_gold),
            f1=_ratio(2 * self.tp, self.num_predicted + self.num_gold),
            support=self.num_gold,
        )


@dataclass(frozen=True, slots=True)
class SpanCounts:
    """Everything an `Evaluation` needs, for a part of a data set; parts are added.

    Several processes count the examples each of them predicted, all-reduce the sum of `to_list()`,
    and have the evaluation of the whole: a mean of their scores would not be it.

    Attributes:
        labels: Labels in the order of the label set; the two tuples have an entry for each.
        spans: Strict counts of spans.
        mentions: Counts of mentions, for the official score.
        num_examples: Texts counted.
    """

    labels: tuple[str, ...]
    spans: tuple[Counts, ...]
    mentions: tuple[Counts, ...]
    num_examples: int

    @classmethod
    def zero(cls, labels: LabelSet) -> "SpanCounts":
        """Counts of no example at all, to add to."""
        nothing = (Counts(),) * len(labels.labels)
        return cls(labels.labels, nothing, nothing, 0)

    @classmethod
    def of_example(
        cls, gold: Iterable[Span], predicted: Iterable[Span], text: str, labels: LabelSet
    ) -> "SpanCounts":
        """Counts of one text.

        Raises:
            ValueError: A span ends behind the text or has a label that is not in the set.
        """
        gold, predicted = set(gold), set(predicted)
        for spans in (gold, predicted):
            check_spans(text, spans)
            labels.check_spans(spans)
        span_counts, mention_counts = [], []
        for label in labels.labels:
            gold_spans = {span for span in gold if span.label == label}
            predicted_spans = {span for span in predicted if span.label == label}
            span_counts.append(Counts.of(gold_spans, predicted_spans))
            mention_counts.append(
                Counts.of(_mentions(gold_spans, text), _mentions(predicted_spans, text))
            )
        return cls(labels.labels, tuple(span_counts), tuple(mention_counts), 1)

    def __add__(self, other: "SpanCounts") -> "SpanCounts":
        if self.labels != other.labels:
            raise ValueError(f"expected counts of the labels {self.labels}, got {other.labels}")
        return SpanCounts(
            self.labels,
            tuple(map(Counts.__add__, self.spans, other.spans)),
            tuple(map(Counts.__add__, self.mentions, other.mentions)),
            self.num_examples + other.num_examples,
        )

    def to_list(self) -> list[int]:
        """All counts in a row, to be summed over processes; `from_list` reads them back."""
        counts = (*self.spans, *self.mentions)
        return [self.num_examples, *(number for count in counts for number in astuple(count))]

    @classmethod
    def from_list(cls, numbers: Sequence[int], labels: LabelSet) -> "SpanCounts":
        """The inverse of `to_list`.

        Raises:
            ValueError: The list has not the length that belongs to the labels.
        """
        num_labels = len(labels.labels)
        if len(numbers) != 1 + 6 * num_labels:
            raise ValueError(
                f"expected {1 + 6 * num_labels} counts for {num_labels} labels, got {len(numbers)}"
            )
        counts = tuple(Counts(*numbers[i : i + 3]) for i in range(1, len(numbers), 3))
        return cls(labels.labels, counts[:num_labels], counts[num_labels:], numbers[0])

    def evaluation(self) -> Evaluation:
        """The scores of everything counted."""
        mention_f1 = [count.scores().f1 for count in self.mentions]
        return Evaluation(
            micro=sum(self.spans, Counts()).scores(),
            per_label={
                label: count.scores() for label, count in zip(self.labels, self.spans, strict=True)
            },
            official_macro_f1=sum(mention_f1) / len(mention_f1),
            num_examples=self.num_examples,
        )


def count_spans(
    gold: Sequence[Sequence[Span]],
    predicted: Sequence[Sequence[Span]],
    texts: Sequence[str],
    labels: LabelSet,
) -> list[SpanCounts]:
    """Compare predicted spans with gold spans, one text at a time; spans given twice count once.

    The sum has the `evaluation()` of the whole; `ner_core.significance` resamples the single texts.

    Args:
        gold: Right spans of each text; they may overlap.
        predicted: Spans to judge, for each text.
        texts: What the spans point into.
        labels: The labels to report on.

    Raises:
        ValueError: The lengths differ, a span ends behind its text, or a label is not in the set.
    """
    if not len(gold) == len(predicted) == len(texts):
        raise ValueError(
            f"expected gold and predicted spans for each of {len(texts)} texts,"
            f" got {len(gold)} and {len(predicted)}"
        )
    return [
        SpanCounts.of_example(gold_spans, predicted_spans, text, labels)
        for gold_spans, predicted_spans, text in zip(gold, predicted, texts, strict=True)
    ]


def evaluate(
    gold: Sequence[Sequence[Span]],
    predicted: Sequence[Sequence[Span]],
    texts: Sequence[str],
    labels: LabelSet,
) -> Evaluation:
    """Scores of predicted spans against gold spans; arguments and errors as in `count_spans`."""
    counts = count_spans(gold, predicted, texts, labels)
    return sum(counts, SpanCounts.zero(labels)).evaluation()


def _mentions(spans: Iterable[Span], text: str) -> set[str]:
    return {text[span.start : span.end] for span in spans}


def _ratio(numerator: int, denominator: int) -> float:
    return numerator / denominator if denominator else 0.0
