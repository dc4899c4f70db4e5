"""What kinds of errors a tagger makes: every gold and predicted span in exactly one class.

Within one text, gold and predicted spans are paired one to one. Of all pairs that share a
character, these come first, and a span that is paired takes no part any more:

1. same borders and same label: right,
2. same borders, another label: wrong label,
3. other borders, same label: wrong borders,
4. other borders and another label: wrong label and borders;

among pairs of one kind the one that shares the most characters, then the one that stands first. A
gold span left over is missed, a predicted span left over is spurious. So a prediction that swallows
two gold spans is one span with wrong borders and one that is missed. The strict scores count the
right ones only. The classes are those of MUC-5, as SemEval 2013 uses them
(https://aclanthology.org/S13-2056), with partial matches told apart by their label. No torch.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ner_core.evaluation import Counts
from ner_core.spans import Example, Span


class Outcome(StrEnum):
    """The class of a pair, or of a span without a partner (see the top of the module)."""

    RIGHT = "right"
    WRONG_LABEL = "wrong_label"
    WRONG_BORDERS = "wrong_borders"
    WRONG_LABEL_AND_BORDERS = "wrong_label_and_borders"
    MISSED = "missed"
    SPURIOUS = "spurious"


# In the order in which reports list them.
ERRORS = tuple(outcome for outcome in Outcome if outcome is not Outcome.RIGHT)
_SAME_BORDERS = (Outcome.RIGHT, Outcome.WRONG_LABEL)
_OTHER_BORDERS = (Outcome.WRONG_BORDERS, Outcome.WRONG_LABEL_AND_BORDERS)
_PAIRING_ORDER = {outcome: rank for rank, outcome in enumerate((*_SAME_BORDERS, *_OTHER_BORDERS))}


@dataclass(frozen=True, slots=True)
class SpanPair:
    """A gold span and the predicted span that stands for it; at least one of the two.

    Attributes:
        gold: None for a spurious prediction.
        predicted: None for a gold span that was missed.
    """

    gold: Span | None
    predicted: Span | None

    @property
    def outcome(self) -> Outcome:
        """The class of the pair."""
        if self.predicted is None:
            return Outcome.MISSED
        if self.gold is None:
            return Outcome.SPURIOUS
        return _compare(self.gold, self.predicted)

    @property
    def start(self) -> int:
        """First character of either span, in code points."""
        return min(span.start for span in self.spans)

    @property
    def end(self) -> int:
        """One past the last character of either span, in code points."""
        return max(span.end for span in self.spans)

    @property
    def spans(self) -> tuple[Span, ...]:
        """The gold span, then the predicted one, as far as they exist."""
        return tuple(span for span in (self.gold, self.predicted) if span is not None)


def pair_spans(gold: Iterable[Span], predicted: Iterable[Span]) -> tuple[SpanPair, ...]:
    """Pair the spans of one text as the top of the module says.

    Args:
        gold: Right spans; they may overlap. A span given twice counts once.
        predicted: Spans to judge, likewise.

    Returns:
        Every span in exactly one pair, in order of the text.
    """
    gold, predicted = dict.fromkeys(gold), dict.fromkeys(predicted)
    shared = _count_shared_characters(gold, predicted)
    candidates = sorted(shared, key=lambda pair: (_rank(*pair), -shared[pair], pair))
    free_gold, free_predicted = dict(gold), dict(predicted)
    pairs = []
    for gold_span, predicted_span in candidates:
        if gold_span in free_gold and predicted_span in free_predicted:
            del free_gold[gold_span], free_predicted[predicted_span]
            pairs.append(SpanPair(gold_span, predicted_span))
    pairs += [SpanPair(span, None) for span in free_gold]
    pairs += [SpanPair(None, span) for span in free_predicted]
    return tuple(sorted(pairs, key=lambda pair: (pair.start, pair.end, pair.spans)))


def _count_shared_characters(
    gold: Iterable[Span], predicted: Iterable[Span]
) -> Counter[tuple[Span, Span]]:
    """For each gold and predicted span that overlap: the number of characters they share."""
    predicted_at: defaultdict[int, list[Span]] = defaultdict(list)
    for span in predicted:
        for position in range(span.start, span.end):
            predicted_at[position].append(span)
    return Counter(
        (gold_span, predicted_span)
        for gold_span in gold
        for position in range(gold_span.start, gold_span.end)
        for predicted_span in predicted_at.get(position, ())
    )


def _rank(gold: Span, predicted: Span) -> int:
    return _PAIRING_ORDER[_compare(gold, predicted)]


def _compare(gold: Span, predicted: Span) -> Outcome:
    """The class of two spans that overlap."""
    has_same_borders = (gold.start, gold.end) == (predicted.start, predicted.end)
    if gold.label == predicted.label:
        return Outcome.RIGHT if has_same_borders else Outcome.WRONG_BORDERS
    return Outcome.WRONG_LABEL if has_same_borders else Outcome.WRONG_LABEL_AND_BORDERS


@dataclass(frozen=True, slots=True)
class ErrorCounts:
    """How often each kind of pair occurs in a data set.

    Attributes:
        labels: Labels in the order of reports.
        pairs: Number of pairs by class, gold label (None: spurious) and predicted label (None:
            missed).
    """

    labels: tuple[str, ...]
    pairs: Mapping[tuple[Outcome, str | None, str | None], int]

    @classmethod
    def of(cls, pairs: Iterable[SpanPair], labels: tuple[str, ...]) -> "ErrorCounts":
        """Count pairs, of any number of texts."""
        return cls(
            labels,
            Counter(
                (
                    pair.outcome,
                    pair.gold.label if pair.gold else None,
                    pair.predicted.label if pair.predicted else None,
                )
                for pair in pairs
            ),
        )

    def total(self, outcome: Outcome) -> int:
        """Number of pairs of a class, whatever their labels."""
        return sum(count for (kind, _, _), count in self.pairs.items() if kind is outcome)

    @property
    def num_errors(self) -> int:
        """Number of pairs that are not right."""
        return sum(self.total(outcome) for outcome in ERRORS)

    def confused(self, gold_label: str, predicted_label: str) -> int:
        """Gold spans of a label that were found, with exact borders, under a label."""
        outcome = Outcome.RIGHT if gold_label == predicted_label else Outcome.WRONG_LABEL
        return self.pairs.get((outcome, gold_label, predicted_label), 0)

    def found_elsewhere(self, gold_label: str) -> int:
        """Gold spans of a label whose prediction has other borders."""
        return sum(
            count
            for (outcome, label, _), count in self.pairs.items()
            if label == gold_label and outcome in _OTHER_BORDERS
        )

    def misplaced(self, predicted_label: str) -> int:
        """Predicted spans of a label that stand for a gold span with other borders."""
        return sum(
            count
            for (outcome, _, label), count in self.pairs.items()
            if label == predicted_label and outcome in _OTHER_BORDERS
        )

    def missed(self, gold_label: str) -> int:
        """Gold spans of a label without any prediction."""
        return self.pairs.get((Outcome.MISSED, gold_label, None), 0)

    def spurious(self, predicted_label: str) -> int:
        """Predicted spans of a label that stand for no gold span."""
        return self.pairs.get((Outcome.SPURIOUS, None, predicted_label), 0)

    def f1_if_repaired(self, outcome: Outcome) -> float:
        """Micro F1 if all errors of one class, and no other, were repaired.

        A pair would then be right, a missed span found, a spurious one not predicted. The gains of
        the classes do not add up. The idea is that of TIDE (https://arxiv.org/abs/2008.08115).
        """
        totals = {kind: self.total(kind) for kind in Outcome}
        tp, num_repaired = totals[Outcome.RIGHT], totals[outcome]
        num_gold = sum(totals.values()) - totals[Outcome.SPURIOUS]
        num_predicted = sum(totals.values()) - totals[Outcome.MISSED]
        if outcome is Outcome.SPURIOUS:
            num_predicted -= num_repaired
        elif outcome is Outcome.MISSED:
            num_predicted += num_repaired
        if outcome not in (Outcome.SPURIOUS, Outcome.RIGHT):
            tp += num_repaired
        return Counts(tp, num_predicted, num_gold).scores().f1


@dataclass(frozen=True, slots=True)
class ExampleErrors:
    """One text with what is right and wrong in it.

    Attributes:
        example: The text with its gold spans.
        number: Place in the data set, counted from 1.
        pairs: Every gold and predicted span, in order of the text.
    """

    example: Example
    number: int
    pairs: tuple[SpanPair, ...]

    @property
    def errors(self) -> tuple[SpanPair, ...]:
        """The pairs that are not right."""
        return tuple(pair for pair in self.pairs if pair.outcome is not Outcome.RIGHT)

    @property
    def wrong_probability(self) -> float:
        """Sum of the probabilities that the model gives its wrong spans."""
        return sum(pair.predicted.score or 0.0 for pair in self.errors if pair.predicted)


def find_worst(examples: Iterable[ExampleErrors], limit: int) -> list[ExampleErrors]:
    """The texts with the most errors, at most `limit`; texts without errors are left out.

    A pair is one error, however many of its two spans are wrong. Of texts with equally many errors
    the one comes first whose wrong spans the model is surer of, then the one that stands first.
    """
    wrong = [example for example in examples if example.errors]
    wrong.sort(key=lambda it: (-len(it.errors), -it.wrong_probability, it.number))
    return wrong[:limit]
