r"""Where a mention stands, when its offsets are in nobody knows which unit.

See `annotation_store.formats.offsets` for the units.
"""

from collections.abc import Iterator
from typing import get_args

from annotation_store.formats.offsets import OffsetUnit, place_offsets


def find_mention(text: str, start: int, end: int, mention: str | None) -> tuple[int, int] | None:
    """The half-open range of a mention, in code points; None if no reading of the offsets fits.

    Tried are half-open and inclusive ends in each unit, code points first. Exact readings count
    before those in which blanks of the mention are missing or written otherwise.

    Args:
        text: The text.
        start: As the other program gave it.
        end: The same.
        mention: What the other program says stands there; None or "" if it does not say, and then
            the offsets are taken for half-open code points.
    """
    if not mention:
        return start, end
    readings = list(_read_offsets(text, start, end))
    for first, stop in readings:
        if text[first:stop] == mention:
            return first, stop
    squeezed = _squeeze(mention)
    for first, stop in readings:
        if squeezed and _squeeze(text[first:stop]) == squeezed:
            return first, stop
    return None


def _read_offsets(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for unit in get_args(OffsetUnit):
        places = place_offsets(text, unit)
        for stop in (end, end + 1):
            if start in places and stop in places:
                yield places[start], places[stop]


def _squeeze(mention: str) -> str:
    r"""Without blanks; some versions of Label Studio write a line end as `\\n`."""
    return "".join(mention.replace("\\n", "\n").split())
