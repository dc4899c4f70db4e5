"""How far two versions of the same labelled texts agree: strict F1, Cohen's kappa, confusion.

Neither version is the right one: F1 of two annotators is the same whichever is called gold, which
precision and recall are not (Hripcsak and Rothschild 2005, https://doi.org/10.1197/jamia.M1733).

Cohen's kappa (Cohen 1960, https://doi.org/10.1177/001316446002000104) is the agreement beyond what
two raters with the same habits would reach by chance: (p_o - p_e) / (1 - p_e), with p_o the share
of units on which they agree and p_e = sum over categories of the product of their two shares. Units
are characters: spans are none, because nobody can count the spans that both left out.

- Of one label there are two categories: the character is inside a span of the label, or it is not.
- Over all labels the category of a character is the set of labels of the spans over it; most often
  that is no label or one.

Kappa is undefined where p_e is 1, that is, where both versions put every character into the same
one category, such as a label that neither uses. Chance agreement on the many characters without a
label is high, so kappa of a rare label can lie far below its F1. No torch.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ner_core.error_analysis import ErrorCounts, SpanPair
from ner_core.evaluation import Counts
from ner_core.spans import Span

_NO_LABEL: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class KappaCounts:
    """How often two raters put a unit into each pair of categories; the parts of a whole add up.

    Attributes:
        pairs: Number of units by the first rater's category and the second's.
    """

    pairs: Counter[tuple[frozenset[str], frozenset[str]]]

    @classmethod
    def of_text(
        cls, left: Iterable[Span], right: Iterable[Span], num_characters: int
    ) -> "KappaCounts":
        """Counts of one text, by the sets of labels over each of its characters."""
        labels_left, labels_right = _labels_by_character(left), _labels_by_character(right)
        labelled = labels_left.keys() | labels_right.keys()
        pairs = Counter(
            (
                frozenset(labels_left.get(position, ())),
                frozenset(labels_right.get(position, ())),
            )
            for position in labelled
        )
        pairs[_NO_LABEL, _NO_LABEL] += num_characters - len(labelled)
        return cls(pairs)

    def kappa(self) -> float | None:
        """Cohen's kappa over the sets of labels, in [-1, 1]; None where it is undefined."""
        return _kappa(self.pairs)

    def kappa_of(self, label: str) -> float | None:
        """Cohen's kappa of one label against all else, in [-1, 1]; None where it is undefined."""
        of_label: Counter[tuple[bool, bool]] = Counter()
        for (left, right), count in self.pairs.items():
            of_label[label in left, label in right] += count
        return _kappa(of_label)


@dataclass(frozen=True, slots=True)
class LabelAgreement:
    """Agreement on one label, or on all of them.

    Attributes:
        f1: Strict F1 of spans, in [0, 1]: start, end and label are the same.
        kappa: Cohen's kappa of characters; None where it is undefined.
        num_left: Spans of the first version.
        num_right: Spans of the second version.
        num_same: Spans that both have.
    """

    f1: float
    kappa: float | None
    num_left: int
    num_right: int
    num_same: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two versions of a set of texts agree.

    Attributes:
        total: Over all labels.
        per_label: For each label, in the order given.
        confusion: Which labels stand for which; the first version is called gold there.
        num_texts: Texts compared.
        num_same_texts: Texts in which both have the same spans.
    """

    total: LabelAgreement
    per_label: dict[str, LabelAgreement]
    confusion: ErrorCounts
    num_texts: int
    num_same_texts: int


@dataclass(frozen=True, slots=True)
class TextComparison:
    """Two versions of one text, compared.

    Attributes:
        num_characters: Length of the text.
        left: Spans of the first version.
        right: Spans of the second version.
        pairs: Their spans, paired by `ner_core.error_analysis.pair_spans`; gold is the first.
    """

    num_characters: int
    left: tuple[Span, ...]
    right: tuple[Span, ...]
    pairs: tuple[SpanPair, ...]


def measure_agreement(comparisons: Sequence[TextComparison], labels: Sequence[str]) -> Agreement:
    """Agreement over all texts.

    Args:
        comparisons: The two versions of each text.
        labels: The labels to report on, in their order.
    """
    categories: Counter[tuple[frozenset[str], frozenset[str]]] = Counter()
    spans: defaultdict[str, Counts] = defaultdict(Counts)
    for it in comparisons:
        categories.update(KappaCounts.of_text(it.left, it.right, it.num_characters).pairs)
        left, right = set(it.left), set(it.right)
        for label in {span.label for span in left | right}:
            spans[label] += Counts.of(
                {span for span in left if span.label == label},
                {span for span in right if span.label == label},
            )
    kappas = KappaCounts(categories)
    return Agreement(
        total=_agreement(sum(spans.values(), Counts()), kappas.kappa()),
        per_label={label: _agreement(spans[label], kappas.kappa_of(label)) for label in labels},
        confusion=ErrorCounts.of((pair for it in comparisons for pair in it.pairs), tuple(labels)),
        num_texts=len(comparisons),
        num_same_texts=sum(set(it.left) == set(it.right) for it in comparisons),
    )


def _agreement(counts: Counts, kappa: float | None) -> LabelAgreement:
    return LabelAgreement(
        counts.scores().f1, kappa, counts.num_gold, counts.num_predicted, counts.tp
    )


def _labels_by_character(spans: Iterable[Span]) -> dict[int, set[str]]:
    labels: defaultdict[int, set[str]] = defaultdict(set)
    for span in spans:
        for position in range(span.start, span.end):
            labels[position].add(span.label)
    return labels


def _kappa(
    pairs: Counter[tuple[frozenset[str], frozenset[str]]] | Counter[tuple[bool, bool]],
) -> float | None:
    # Whole numbers until the end: a share that rounds to 1 would divide by nearly nothing.
    num_units = sum(pairs.values())
    left: Counter[object] = Counter()
    right: Counter[object] = Counter()
    num_agreed = 0
    for (first, second), count in pairs.items():
        left[first] += count
        right[second] += count
        num_agreed += count if first == second else 0
    by_chance = sum(count * right[category] for category, count in left.items())
    if by_chance == num_units * num_units:
        return None
    return (num_agreed * num_units - by_chance) / (num_units * num_units - by_chance)
