"""The elements of a JSON list that is too large to be read at once."""

import re
from collections.abc import Iterable, Iterator

_MARKS = re.compile(r'["\\\[\]{},\n]')


def split_json_array(parts: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Each element of a list as its JSON, and the line on which it begins, counted from 1.

    What stands between the commas is not looked at: an element that is no JSON is found by whoever
    reads it, and the elements behind it are found all the same if its brackets and quotes match.

    Args:
        parts: The list, cut anywhere.

    Raises:
        ValueError: It is no list, does not end, or something follows it.
    """
    held: list[str] = []  # the parts of an element that has not ended yet
    line = begun_on = 1
    depth = num_elements = 0
    is_begun = is_over = is_string = False
    skipped = -1  # index of the character behind a backslash

    for part in parts:
        start = 0
        for match in _MARKS.finditer(part):
            index, mark = match.start(), match.group()
            line += mark == "\n"
            if index == skipped or mark == "\n":
                continue
            if is_string:
                if mark == "\\":
                    skipped = index + 1
                is_string = mark != '"'
                continue
            if is_over or not (is_begun or mark == "["):
                raise ValueError("expected one JSON list, got something beside it")
            depth += (mark in "[{") - (mark in "]}")
            is_string = mark == '"'
            is_opening, is_over = not is_begun, depth == 0
            if is_opening or is_over or (depth == 1 and mark == ","):
                element = "".join([*held, part[start:index]])
                held.clear()
                start = index + 1
                is_begun = True
                if is_opening and element.strip():
                    raise ValueError("expected one JSON list, got something beside it")
                if not is_opening and (element.strip() or num_elements or not is_over):
                    num_elements += 1
                    blank = element[: len(element) - len(element.lstrip())]
                    yield begun_on + blank.count("\n"), element
                begun_on = line
        held.append(part[start:])
        skipped = 0 if skipped == len(part) else -1
    if not is_over:
        raise ValueError("expected a JSON list to its end, got only a beginning of one")
    if any(piece.strip() for piece in held):
        raise ValueError("expected one JSON list, got something beside it")
