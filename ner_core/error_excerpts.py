"""Texts as the error page shows them: cut around their errors, and into runs between borders.

Within a run no span begins or ends, so that a page can draw brackets above and below it. Offsets
are half-open and count code points. No torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ner_core.error_analysis import ExampleErrors, Outcome, SpanPair
from ner_core.spans import Span

# All in characters. CLUENER's sentences have at most 50 and are shown whole.
_SHOWN_WHOLE = 160
_CONTEXT = 40
_SMALLEST_CUT = 10
_SHOWN_OF_ONE_ERROR = 240
_SHOWN_OF_ONE_TEXT = 600
# A page breaks its lines between runs; this many characters fit on the narrowest screen.
_LONGEST_RUN = 8


@dataclass(frozen=True, slots=True)
class Mark:
    """A part of one gold or predicted span, above or below a run.

    Attributes:
        label: The span's label.
        is_gold: Whether the span is a gold one.
        outcome: The class of the span's pair.
        number: The pair's number among the errors that are listed, from 1; None for all others.
        lane: 0 next to the text, more for a span that overlaps another of its side.
        is_first: Whether the span begins with this run.
        is_last: Whether the span ends with this run.
    """

    label: str
    is_gold: bool
    outcome: Outcome
    number: int | None
    lane: int
    is_first: bool
    is_last: bool

    @property
    def is_labelled(self) -> bool:
        """Whether the label is written here: once for each span, once for both where they agree."""
        return self.is_first and (self.is_gold or self.outcome is not Outcome.RIGHT)


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text with the spans that cover it.

    Attributes:
        text: At least one character.
        gold: Marks of gold spans.
        predicted: Marks of predicted spans.
    """

    text: str
    gold: tuple[Mark, ...]
    predicted: tuple[Mark, ...]

    @property
    def is_marked(self) -> bool:
        """Whether any span covers the run."""
        return bool(self.gold or self.predicted)

    @property
    def is_continued(self) -> bool:
        """Whether a span goes on in the next run."""
        return not all(mark.is_last for mark in (*self.gold, *self.predicted))


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a text.

    Attributes:
        start: First character shown.
        end: One past the last character shown.
        is_start: Whether the text begins here.
        is_end: Whether the text ends here.
        runs: Together they are the text from start to end.
    """

    start: int
    end: int
    is_start: bool
    is_end: bool
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Excerpts:
    """What is shown of one text.

    Attributes:
        parts: In order of the text.
        errors: The errors that they show; the n-th is number n in the marks.
        num_hidden_errors: How many more there are.
    """

    parts: tuple[Excerpt, ...]
    errors: tuple[SpanPair, ...]
    num_hidden_errors: int


@dataclass(frozen=True, slots=True)
class _PlacedSpan:
    """A span with all that its marks say of it."""

    span: Span
    is_gold: bool
    outcome: Outcome
    number: int | None
    lane: int


def cut_excerpts(example: ExampleErrors) -> Excerpts:
    """The whole of a short text; of a long one the first errors and what stands around them."""
    text, errors = example.example.text, example.errors
    if len(text) <= _SHOWN_WHOLE:
        ranges, shown = [(0, len(text))], errors
    else:
        ranges, num_shown = _cut_ranges(errors, len(text))
        shown = errors[:num_shown]
    placed = _place_spans(example.pairs, shown)
    parts = tuple(
        Excerpt(
            start,
            end,
            is_start=start == 0,
            is_end=end == len(text),
            runs=_cut_runs(text, start, end, placed),
        )
        for start, end in ranges
    )
    return Excerpts(parts, shown, len(errors) - len(shown))


def _cut_ranges(
    errors: Sequence[SpanPair], num_characters: int
) -> tuple[list[tuple[int, int]], int]:
    """Ranges around the first errors, merged where they touch, and how many errors they show."""
    ranges: list[tuple[int, int]] = []
    num_shown = 0
    for pair in errors:
        start = max(0, pair.start - _CONTEXT)
        end = min(num_characters, pair.end + _CONTEXT, pair.start + _SHOWN_OF_ONE_ERROR)
        if start < _SMALLEST_CUT:
            start = 0
        if num_characters - end < _SMALLEST_CUT:
            end = num_characters
        merged = list(ranges)
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
        if ranges and sum(end - start for start, end in merged) > _SHOWN_OF_ONE_TEXT:
            break
        ranges = merged
        num_shown += 1
    return ranges, num_shown


def _place_spans(pairs: Sequence[SpanPair], shown: Sequence[SpanPair]) -> list[_PlacedSpan]:
    numbers = {pair: number for number, pair in enumerate(shown, start=1)}
    gold_lanes = _assign_lanes([pair.gold for pair in pairs if pair.gold])
    predicted_lanes = _assign_lanes([pair.predicted for pair in pairs if pair.predicted])
    placed = []
    for pair in pairs:
        outcome, number = pair.outcome, numbers.get(pair)
        if pair.gold:
            placed.append(_PlacedSpan(pair.gold, True, outcome, number, gold_lanes[pair.gold]))
        if pair.predicted:
            lane = predicted_lanes[pair.predicted]
            placed.append(_PlacedSpan(pair.predicted, False, outcome, number, lane))
    return placed


def _assign_lanes(spans: Sequence[Span]) -> dict[Span, int]:
    """The lowest lane for each span in which nothing overlaps it."""
    lane_ends: list[int] = []
    lanes = {}
    for span in sorted(spans):
        lane = next((i for i, end in enumerate(lane_ends) if end <= span.start), len(lane_ends))
        lane_ends[lane : lane + 1] = [span.end]
        lanes[span] = lane
    return lanes


def _cut_runs(text: str, start: int, end: int, placed: Sequence[_PlacedSpan]) -> tuple[Run, ...]:
    here = [it for it in placed if it.span.start < end and start < it.span.end]
    borders = {start, end}
    for it in here:
        # Long spans have further borders, where a line may break.
        borders.update(range(it.span.start, it.span.end, _LONGEST_RUN), [it.span.end])
    cuts = sorted(border for border in borders if start <= border <= end)
    runs = []
    for run_start, run_end in pairwise(cuts):
        covering = [it for it in here if it.span.start <= run_start and run_end <= it.span.end]
        runs.append(
            Run(
                text[run_start:run_end],
                tuple(_mark(it, run_start, run_end) for it in covering if it.is_gold),
                tuple(_mark(it, run_start, run_end) for it in covering if not it.is_gold),
            )
        )
    return tuple(runs)


def _mark(placed: _PlacedSpan, run_start: int, run_end: int) -> Mark:
    return Mark(
        placed.span.label,
        placed.is_gold,
        placed.outcome,
        placed.number,
        placed.lane,
        is_first=placed.span.start == run_start,
        is_last=placed.span.end == run_end,
    )
