"""Where versions of a text differ, and what can be chosen there.

Two versions stand side by side. Of a text that more people have labelled independently, a decision
settles what all of them differ in: so what a further one says is offered beside the two, there and
in places where only it differs.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from ner_core.error_analysis import Outcome, SpanPair, pair_spans
from ner_core.spans import Span

# What is chosen of a difference: the left side, the right side, or one of the others by its number.
_SIDES = ("l", "r")
_FIRST_OTHER = 3


@dataclass(frozen=True, slots=True)
class Other:
    """What further versions say in a place.

    Attributes:
        names: Whose they are.
        span: None for nothing.
    """

    names: tuple[str, ...]
    span: Span | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A place in which versions differ.

    Attributes:
        left: What the left side says; None for nothing.
        right: What the right side says; the same as the left one where only others differ.
        others: What others say that neither side does.
    """

    left: Span | None
    right: Span | None
    others: tuple[Other, ...] = ()

    @property
    def outcome(self) -> Outcome | None:
        """How the two sides differ; None where only others do."""
        return None if self.left == self.right else SpanPair(self.left, self.right).outcome

    @property
    def spans(self) -> tuple[Span, ...]:
        """All that can be chosen; at least one."""
        said = (self.left, self.right, *(other.span for other in self.others))
        return tuple(dict.fromkeys(span for span in said if span is not None))

    @property
    def start(self) -> int:
        """First character of a span, in code points."""
        return min(span.start for span in self.spans)

    @property
    def end(self) -> int:
        """One past the last character of a span, in code points."""
        return max(span.end for span in self.spans)

    @property
    def options(self) -> dict[str, Span | None]:
        """What can be chosen, by the character that chooses it: l, r, 3, 4 and so on."""
        numbers = map(str, range(_FIRST_OTHER, _FIRST_OTHER + len(self.others)))
        said = (self.left, self.right, *(other.span for other in self.others))
        return dict(zip((*_SIDES, *numbers), said, strict=True))


@dataclass(slots=True)
class _Place:
    left: Span | None
    right: Span | None
    others: dict[Span | None, list[str]] = field(default_factory=dict)

    @property
    def first_other(self) -> Span | None:
        return next(iter(self.others), None)


def find_differences(
    pairs: Iterable[SpanPair], others: Mapping[str, Iterable[Span]]
) -> tuple[Difference, ...]:
    """The places in which versions differ, in order of the text.

    Args:
        pairs: The spans of both sides, as `pair_spans` pairs them.
        others: The spans of further versions, by name.
    """
    places = [_Place(pair.gold, pair.predicted) for pair in pairs]
    for name, spans in others.items():
        _add(places, name, spans)
    differences = (
        Difference(
            place.left,
            place.right,
            tuple(Other(tuple(names), span) for span, names in place.others.items()),
        )
        for place in places
        if place.left != place.right or place.others
    )
    return tuple(sorted(differences, key=lambda it: (it.start, it.end)))


def _add(places: list[_Place], name: str, spans: Iterable[Span]) -> None:
    """Add another version: each of its spans to one place, which may be a new one."""
    free = dict.fromkeys(spans)
    said: dict[int, Span] = {}
    for index, place in enumerate(places):
        for span in (place.left, place.right, *place.others):
            if index not in said and span in free:
                said[index] = span
                del free[span]
    stands_for: tuple[Callable[[_Place], Span | None], ...] = (
        lambda place: place.left,
        lambda place: place.right,
        lambda place: place.first_other,
    )
    for span_of in stands_for:
        waiting = {
            span: index
            for index, place in enumerate(places)
            if index not in said and (span := span_of(place)) is not None
        }
        for pair in pair_spans(waiting, free):
            if pair.gold is not None and pair.predicted is not None:
                said[waiting[pair.gold]] = pair.predicted
                del free[pair.predicted]
    for index, place in enumerate(places):
        span = said.get(index)
        if span not in (place.left, place.right):
            place.others.setdefault(span, []).append(name)
    places += [_Place(None, None, {span: [name]}) for span in free]
