r"""Offsets of other programs, converted to code points.

Programs that run in a browser count UTF-16 units, in which an emoji is two; some count a line end
`\r\n` as one, because a browser shows one (https://github.com/doccano/doccano/issues/2114,
https://github.com/HumanSignal/label-studio/issues/1347).
"""

from typing import Literal

OffsetUnit = Literal["code-points", "utf-16", "one-per-line-end"]


def place_offsets(text: str, unit: OffsetUnit) -> dict[int, int]:
    r"""Where each offset of the other program stands, in code points; the end of the text too.

    Args:
        text: The text that the offsets count in.
        unit: "code-points"; "utf-16": a character beyond U+FFFF is two; "one-per-line-end": code
            points, but `\r\n` is one.
    """
    if unit == "code-points":
        return {index: index for index in range(len(text) + 1)}
    places = {}
    offset = 0
    for index, character in enumerate(text):
        # The line feed of a \r\n has no offset of its own: it belongs to the carriage return.
        is_folded = unit == "one-per-line-end" and character == "\n" and text[index - 1 : index]
        if is_folded == "\r":
            continue
        places[offset] = index
        offset += 2 if unit == "utf-16" and character > "\uffff" else 1
    places[offset] = len(text)
    return places


def convert_range(text: str, start: int, end: int, unit: OffsetUnit) -> tuple[int, int]:
    """A half-open range of the other program in code points.

    Raises:
        ValueError: An offset is behind the text or inside of a character.
    """
    if unit == "code-points":
        return start, end  # whoever makes a span of it checks them
    places = place_offsets(text, unit)
    for offset in (start, end):
        if offset not in places:
            raise ValueError(
                f"expected offsets that begin a character of the text ({unit}), got {offset}"
            )
    return places[start], places[end]
