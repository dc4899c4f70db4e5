"""Spans of entities over a text: what is valid, in which order, and what overlaps.

Offsets are half-open and count Unicode code points, that is, they index a Python `str`.
"""

import re
from bisect import bisect
from collections.abc import Iterable
from dataclasses import dataclass, field

# U+D800..U+DFFF are halves of UTF-16 pairs: Python can hold one, no UTF-8 file or database can.
_UNSTORABLE_CHARACTERS = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """One entity: the half-open range `start:end` of a text, its label and perhaps a probability.

    Spans sort by start, then end, then label. The score takes no part in comparison, so that a
    predicted span equals the gold span it found.

    Attributes:
        start: First character, in code points.
        end: One past the last character, in code points.
        label: Entity type, for example "company"; never a tag such as "B-company".
        score: Probability in [0, 1] that the model gives the span; None for a human's span.

    Raises:
        ValueError: The range is empty or negative, the label is empty, or the score is not a
            probability.
    """

    start: int
    end: int
    label: str
    score: float | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(
                f"expected a span with 0 <= start < end, got start {self.start}, end {self.end}"
                f" (label {self.label!r})"
            )
        if not self.label:
            raise ValueError(f"expected a label, got an empty one (span {self.start}:{self.end})")
        if self.score is not None and not 0.0 <= self.score <= 1.0:
            raise ValueError(
                f"expected a probability between 0 and 1, got {self.score}"
                f" (span {self.start}:{self.end} {self.label})"
            )

    def overlaps(self, other: "Span") -> bool:
        """Whether the two spans share at least one character."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Example:
    """One text with its spans.

    Attributes:
        id: Where the example comes from; "" when nobody gave it an id.
        text: Exactly as it was read: never stripped, never normalised.
        spans: Sorted, without duplicates; they may overlap.

    Raises:
        ValueError: The text cannot be stored as UTF-8, or a span ends behind the text.
    """

    id: str
    text: str
    spans: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        check_text(self.text)
        check_spans(self.text, self.spans)
        object.__setattr__(self, "spans", tuple(sorted(set(self.spans))))


def check_text(text: str) -> None:
    """Refuse what no UTF-8 file and no database can hold.

    Raises:
        ValueError: The text holds NUL or half of a surrogate pair; the message names its position.
    """
    found = _UNSTORABLE_CHARACTERS.search(text)
    if found:
        code_point = ord(found.group())
        kind = "NUL" if code_point == 0 else "a lone surrogate"
        raise ValueError(
            f"expected text that UTF-8 can hold, got {kind} (U+{code_point:04X})"
            f" at character {found.start()}"
        )


def check_spans(text: str, spans: Iterable[Span]) -> None:
    """Refuse spans that end behind the text.

    Raises:
        ValueError: Names the span and the length of the text.
    """
    for span in spans:
        if span.end > len(text):
            raise ValueError(
                f"expected a span inside the text of {len(text)} characters,"
                f" got {span.start}:{span.end} ({span.label})"
            )


def find_overlaps(spans: Iterable[Span]) -> list[tuple[Span, Span]]:
    """Every pair of spans that shares a character, in order of the spans."""
    ordered = sorted(spans)
    pairs = []
    for index, first in enumerate(ordered):
        for second in ordered[index + 1 :]:
            if second.start >= first.end:
                break
            pairs.append((first, second))
    return pairs


def drop_overlaps(spans: Iterable[Span]) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Split spans into those that BIO tags can express together and the rest.

    The longest span wins; of two equally long ones the earlier, then the label that sorts first.

    Returns:
        The spans kept and the spans dropped, both sorted.
    """
    kept: list[Span] = []
    dropped: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start - span.end, span)):
        # What is kept is sorted and free of overlaps, so only the two neighbours can be in the way.
        place = bisect(kept, span)
        if any(span.overlaps(neighbour) for neighbour in kept[max(0, place - 1) : place + 1]):
            dropped.append(span)
        else:
            kept.insert(place, span)
    return tuple(kept), tuple(sorted(dropped))
