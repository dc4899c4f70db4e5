"""What lint reports: a place in labelled data that is probably wrong, and what would repair it.

Offsets are half-open and count code points. No torch.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ner_core.spans import Span

MAX_KEY_CHARACTERS: Final = 200
"""Longest key of a finding; the store keeps keys of 300."""


class FindingKind(StrEnum):
    """What is suspicious; in this order in reports.

    BLANK_AT_BORDER: a span begins or ends with white space or an invisible character.
    PUNCTUATION_AT_BORDER: a span begins or ends with punctuation that belongs to the sentence.
    HALF_PAIR: a span holds one of two paired marks, such as 《 without 》.
    UNLABELLED_REPEAT: a string is labelled in a text, and stands there again without a label.
    UNLABELLED_ELSEWHERE: a string without a label that most other texts label.
    TWO_LABELS: a string with a label that the string has less often than, or as often as, another.
    CONTRADICTED: the model is sure that a span, its label or its absence is wrong.
    """

    BLANK_AT_BORDER = "blank-at-border"
    PUNCTUATION_AT_BORDER = "punctuation-at-border"
    HALF_PAIR = "half-pair"
    UNLABELLED_REPEAT = "unlabelled-repeat"
    UNLABELLED_ELSEWHERE = "unlabelled-elsewhere"
    TWO_LABELS = "two-labels"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True, slots=True)
class Finding:
    """One suspicious place.

    Attributes:
        kind: What is suspicious.
        index: Which example, counted from 0.
        span: The span in question; None where one seems to be missing.
        proposal: The span that would stand there instead; None where only a reader can tell.
        suspicion: How probable it is that the data are wrong, in [0, 1]: the model's probability
            where a model says so, a share of the data where the data contradict themselves, else a
            fixed number for each kind. It ranks findings; it is calibrated for the model only.
        num_like: Where strings are compared: how often the string is as it is here (without a
            label, or with this one); else 0.
        num_other: How often the string is as the proposal has it; else 0.
    """

    kind: FindingKind
    index: int
    span: Span | None
    proposal: Span | None
    suspicion: float
    num_like: int = 0
    num_other: int = 0

    def __post_init__(self) -> None:
        assert self.span or self.proposal, "expected a span or the proposal of one"

    @property
    def place(self) -> Span:
        """The span in question, or the one that is missing."""
        place = self.span or self.proposal
        assert place is not None
        return place

    @property
    def key(self) -> str:
        """Names the finding within its text, whatever else is found: to dismiss it for good.

        Counts and probabilities are no part of it; another place or proposal makes another key.
        At most `MAX_KEY_CHARACTERS` long: a label may have any length.
        """
        key = f"{self.kind}:{_key_of(self.span)}>{_key_of(self.proposal)}"
        if len(key) <= MAX_KEY_CHARACTERS:
            return key
        return f"{self.kind}:{hashlib.sha256(key.encode()).hexdigest()}"

    @property
    def is_safe(self) -> bool:
        """Whether the proposal needs no reader: it only takes blanks off a span."""
        return self.kind is FindingKind.BLANK_AT_BORDER and self.proposal is not None

    def repair(self, spans: Iterable[Span]) -> tuple[Span, ...]:
        """The spans of the text with the proposal in the place of the span in question.

        Raises:
            ValueError: There is no proposal, or the spans have changed since: the one in question
                is gone.
        """
        if self.proposal is None:
            raise ValueError(f"expected a finding with a proposal, got {self.key}")
        repaired = set(spans)
        if self.span is not None:
            if self.span not in repaired:
                raise ValueError(
                    f"expected the span {self.span.start}:{self.span.end} ({self.span.label}) among"
                    " the text's, got other spans"
                )
            repaired.remove(self.span)
        repaired.add(Span(self.proposal.start, self.proposal.end, self.proposal.label))
        return tuple(sorted(repaired))


def rank_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The most suspicious first; of equally suspicious ones the one that stands first."""
    order = {kind: rank for rank, kind in enumerate(FindingKind)}
    return tuple(
        sorted(findings, key=lambda it: (-it.suspicion, order[it.kind], it.index, it.place))
    )


def count_kinds(findings: Iterable[Finding]) -> dict[FindingKind, int]:
    """Number of findings of each kind; every kind is there."""
    counts = Counter(finding.kind for finding in findings)
    return {kind: counts[kind] for kind in FindingKind}


def _key_of(span: Span | None) -> str:
    return f"{span.start}-{span.end}-{span.label}" if span else ""
