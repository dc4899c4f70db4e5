"""Scores on mentions that the training data holds, and on those it does not.

A mention is a string and its label, exactly as they are written: 苹果 as company and 苹果 as book
are two mentions. A span, gold or predicted, is seen if its mention is annotated anywhere in the
training data; otherwise it is unseen. The span alone decides, so a right prediction is on the same
side as the gold span it equals, every span is on exactly one side, and precision, recall and F1 of
each side are the strict ones of the spans on it: the counts of both sides add up to those of the
micro score.

A wrong border moves a prediction: where the gold span is seen and the prediction a longer string
that is not, the seen side loses recall and the unseen side precision. Recall alone is free of that.
The distinction is that of Augenstein et al. 2017 (https://arxiv.org/abs/1701.02877). No torch.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

from ner_core.evaluation import Counts, Scores
from ner_core.spans import Example, Span


@dataclass(frozen=True, slots=True)
class SeenScores:
    """Strict scores by what the training data holds.

    Attributes:
        seen: Of spans whose string and label occur in the training data.
        unseen: Of all other spans.
    """

    seen: Scores
    unseen: Scores


def collect_mentions(examples: Iterable[Example]) -> frozenset[tuple[str, str]]:
    """String and label of every span of the training data."""
    return frozenset(_mention(span, example.text) for example in examples for span in example.spans)


def score_seen(
    gold: Sequence[Iterable[Span]],
    predicted: Sequence[Iterable[Span]],
    texts: Sequence[str],
    mentions: Set[tuple[str, str]],
) -> SeenScores:
    """Score seen and unseen spans apart; spans given twice count once.

    Args:
        gold: Right spans of each text.
        predicted: Spans to judge, for each text.
        texts: What the spans point into.
        mentions: What the training data holds (see `collect_mentions`).
    """
    seen, unseen = Counts(), Counts()
    for gold_spans, predicted_spans, text in zip(gold, predicted, texts, strict=True):
        gold_set, predicted_set = set(gold_spans), set(predicted_spans)
        seen_spans = {span for span in gold_set | predicted_set if _mention(span, text) in mentions}
        seen += Counts.of(gold_set & seen_spans, predicted_set & seen_spans)
        unseen += Counts.of(gold_set - seen_spans, predicted_set - seen_spans)
    return SeenScores(seen.scores(), unseen.scores())


def _mention(span: Span, text: str) -> tuple[str, str]:
    return text[span.start : span.end], span.label
