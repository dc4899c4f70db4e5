"""Lint by a model: labels that it contradicts with high probability. No torch.

Two different taggings of the same characters exclude each other, so a model that gives a span the
probability p gives each span that overlaps it at most 1 - p. The probabilities are exact ones of
the CRF, summed over all taggings of the rest (see `ner_core.decoding`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ner_core.findings import Finding, FindingKind
from ner_core.spans import Example, Span


@dataclass(frozen=True, slots=True)
class ModelOpinion:
    """What a model says of one example.

    Attributes:
        predicted: The spans it finds, each with its probability as score.
        outside: For each span of the example, in their order: its probability that no entity
            touches the span's characters; 0 where it finds one there; None for a label that it
            does not know, on which it has nothing to say.
    """

    predicted: tuple[Span, ...]
    outside: tuple[float | None, ...]


def lint_by_model(
    examples: Sequence[Example],
    opinions: Sequence[ModelOpinion],
    *,
    min_probability: float,
) -> Iterator[Finding]:
    """Spans that the model is sure are wrong or missing, in order of the data.

    A span is contradicted by a prediction that overlaps it, or by the probability that there is no
    entity at all. A prediction without any overlap is a span that is missing.

    Args:
        examples: The data.
        opinions: One for each example.
        min_probability: How sure the model must be.

    Raises:
        ValueError: The lengths differ.
    """
    if len(examples) != len(opinions):
        raise ValueError(
            f"expected an opinion on each of {len(examples)} texts, got {len(opinions)}"
        )
    for index, (example, opinion) in enumerate(zip(examples, opinions, strict=True)):
        if len(opinion.outside) != len(example.spans):
            raise ValueError(
                f"expected a probability for each of {len(example.spans)} spans,"
                f" got {len(opinion.outside)} (text {index + 1})"
            )
        present = set(example.spans)
        # What agrees with a span of the example contradicts no other one: both may be meant.
        news = [span for span in opinion.predicted if span not in present]
        for span, outside in zip(example.spans, opinion.outside, strict=True):
            if outside is None:
                continue
            rivals = [other for other in news if other.overlaps(span)]
            proposal = max(rivals, key=lambda it: it.score or 0.0, default=None)
            suspicion = outside if proposal is None else proposal.score or 0.0
            if suspicion >= min_probability:
                yield Finding(FindingKind.CONTRADICTED, index, span, proposal, suspicion)
        for span in news:
            if (span.score or 0.0) >= min_probability and not any(
                span.overlaps(other) for other in example.spans
            ):
                yield Finding(FindingKind.CONTRADICTED, index, None, span, span.score or 0.0)
