"""Lint of single spans: blanks and punctuation at a border, and half of a pair of marks. No torch.

A mark and its half-width or full-width form pair with each other: "(微软）" is whole.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence

from ner_core.findings import Finding, FindingKind
from ner_core.spans import Example, Span

# Blanks to a reader although Python does not call them white space: zero-width space, word joiner,
# byte order mark, soft hyphen, direction marks. Joiners of emoji are not: they hold one together.
_INVISIBLE = frozenset("\u200b\u2060\ufeff\u00ad\u200e\u200f")

_PAIRS = (
    "《》",
    "〈〉",
    "（）",
    "()",
    "【】",
    "［］",
    "[]",
    "「」",
    "『』",
    "“”",
    "‘’",
    "〔〕",
    "{}",
)
# Both widths of a bracket as one.
_WIDTHS = {"（": "(", "）": ")", "［": "[", "］": "]"}
_CLOSING_OF = {_WIDTHS.get(pair[0], pair[0]): _WIDTHS.get(pair[1], pair[1]) for pair in _PAIRS}
_OPENING_OF = {closing: opening for opening, closing in _CLOSING_OF.items()}
_PAIRED = frozenset("".join(_PAIRS))

# After a Latin letter or a digit these belong to the name: Yahoo!, S.H.E., C++, 50%.
_ENDS_OF_LATIN_NAMES = frozenset("!.?'%&*#@-_/\\")

# They join the parts of a foreign name; at the end of a text, the text was cut behind them.
_JOINERS_OF_NAMES = frozenset("·•・‧")

# How sure a finding of each kind is: a blank is never meant, punctuation now and then is.
_SUSPICION_OF_BLANK, _SUSPICION_OF_HALF, _SUSPICION_OF_PUNCTUATION = 1.0, 0.95, 0.8


def lint_borders(examples: Sequence[Example]) -> Iterator[Finding]:
    """All findings of single spans, in order of the data."""
    takes_marks_in = _find_conventions(examples)
    for index, example in enumerate(examples):
        for span in example.spans:
            blank = _find_blanks(example.text, span)
            if blank is not None:
                yield Finding(
                    FindingKind.BLANK_AT_BORDER, index, span, *blank, suspicion=_SUSPICION_OF_BLANK
                )
            halves = _find_halves(example.text, span)
            if halves and not (
                takes_marks_in.get(span.label) and _are_cut_off(example.text, span, halves)
            ):
                proposal = _mend_halves(example.text, span, halves, takes_marks_in)
                yield Finding(FindingKind.HALF_PAIR, index, span, proposal, _SUSPICION_OF_HALF)
            stripped = _strip_punctuation(example.text, span)
            if stripped != span:
                yield Finding(
                    FindingKind.PUNCTUATION_AT_BORDER,
                    index,
                    span,
                    stripped,
                    _SUSPICION_OF_PUNCTUATION,
                )


def is_blank(character: str) -> bool:
    """Whether a reader sees nothing there: white space of any kind, or an invisible character."""
    return character.isspace() or character in _INVISIBLE


def _find_blanks(text: str, span: Span) -> tuple[Span | None] | None:
    """The span without the blanks at its borders, None in its place where nothing is left.

    None for the whole where there are no blanks.
    """
    start, end = span.start, span.end
    while start < end and is_blank(text[start]):
        start += 1
    while start < end and is_blank(text[end - 1]):
        end -= 1
    if (start, end) == (span.start, span.end):
        return None
    return (Span(start, end, span.label) if start < end else None,)


def _find_halves(text: str, span: Span) -> list[int]:
    """Positions of the marks in a span whose other half is not in the span."""
    halves: list[int] = []
    open_marks: list[int] = []
    for position in range(span.start, span.end):
        mark = _fold_width(text[position])
        if mark in _CLOSING_OF:
            open_marks.append(position)
        elif mark in _OPENING_OF and not _is_apostrophe(text, position):
            partner = next(
                (it for it in open_marks[::-1] if _fold_width(text[it]) == _OPENING_OF[mark]), None
            )
            if partner is None:
                halves.append(position)
            else:
                # What opened after the partner was never closed.
                halves += open_marks[open_marks.index(partner) + 1 :]
                del open_marks[open_marks.index(partner) :]
    return sorted(halves + open_marks)


def _are_cut_off(text: str, span: Span, halves: Sequence[int]) -> bool:
    """Whether the other halves stood before or behind the text, which was cut inside of the name.

    Corpora of sentences cut at a length are full of that: of 30 half pairs in CLUENER's dev set 26.
    """
    for half in halves:
        is_closing = _fold_width(text[half]) in _OPENING_OF
        if is_closing:
            reaches_edge, rest = span.start == 0, range(span.start, half)
        else:
            reaches_edge, rest = span.end == len(text), range(half + 1, span.end)
        if not reaches_edge:
            return False
        # A pair around it would have held its other half.
        facing = _CLOSING_OF if is_closing else _OPENING_OF
        if rest and any(
            _fold_width(text[other]) in facing
            for other in _find_halves(text, Span(rest.start, rest.stop, span.label))
        ):
            return False
    return True


def _mend_halves(
    text: str, span: Span, halves: Sequence[int], takes_marks_in: dict[str, bool]
) -> Span | None:
    """The span with whole pairs only, if one border can be moved to get there.

    The other half right outside is taken in where the data have the label's names with their marks
    more often than without; else a half at a border is left out.
    """
    if len(halves) == 1 and takes_marks_in.get(span.label, True):
        mark = _fold_width(text[halves[0]])
        before = _fold_width(text[span.start - 1]) if span.start else ""
        after = _fold_width(text[span.end]) if span.end < len(text) else ""
        if mark in _CLOSING_OF and after == _CLOSING_OF[mark]:
            return Span(span.start, span.end + 1, span.label)
        if mark in _OPENING_OF and before == _OPENING_OF[mark]:
            return Span(span.start - 1, span.end, span.label)
    start, end = span.start, span.end
    while start in halves:
        start += 1
    while end - 1 in halves:
        end -= 1
    if start >= end or any(start <= position < end for position in halves):
        return None
    return Span(start, end, span.label)


def _find_conventions(examples: Sequence[Example]) -> dict[str, bool]:
    """For each label with names in marks: whether the spans mostly take the marks in."""
    inside: Counter[str] = Counter()
    outside: Counter[str] = Counter()
    for example in examples:
        text = example.text
        for span in example.spans:
            if _is_pair(text[span.start], text[span.end - 1]):
                inside[span.label] += 1
            elif span.start and span.end < len(text):
                outside[span.label] += _is_pair(text[span.start - 1], text[span.end])
    return {label: inside[label] >= outside[label] for label in inside.keys() | outside.keys()}


def _strip_punctuation(text: str, span: Span) -> Span:
    """The span without punctuation at its borders; itself where all of it is punctuation."""
    start, end = span.start, span.end
    while start < end and _is_loose_punctuation(text, start, span.start):
        start += 1
    while start < end and _is_loose_punctuation(text, end - 1, span.start):
        end -= 1
    if start >= end or (start, end) == (span.start, span.end):
        return span
    return Span(start, end, span.label)


def _is_loose_punctuation(text: str, position: int, span_start: int) -> bool:
    """Whether a character is punctuation that neither pairs nor belongs to a Latin name."""
    character = text[position]
    if character in _JOINERS_OF_NAMES and position == len(text) - 1:
        return False
    if character in _PAIRED or not unicodedata.category(character).startswith("P"):
        return False
    before = text[position - 1] if position > span_start else ""
    is_after_latin = before.isascii() and before != "" and not before.isspace()
    return not (character in _ENDS_OF_LATIN_NAMES and is_after_latin)


def _is_pair(first: str, last: str) -> bool:
    return _CLOSING_OF.get(_fold_width(first)) == _fold_width(last)


def _is_apostrophe(text: str, position: int) -> bool:
    """Whether ’ is the one of McDonald’s and not the end of a quotation."""
    before = text[position - 1] if position else ""
    return text[position] == "’" and before.isascii() and before.isalnum()


def _fold_width(character: str) -> str:
    return _WIDTHS.get(character, character)
