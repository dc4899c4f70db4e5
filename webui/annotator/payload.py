"""Reads the fields of what a browser sent, none of which is trusted.

Every function raises `ValueError` for what it cannot take: it names the field, what was expected
and what came.
"""

import reprlib
from typing import Any, Final

from annotation_store.documents import MAX_NOTE_CHARACTERS
from ner_core.spans import Span, check_text

_MAX_ANNOTATOR_CHARACTERS: Final = 64
_MAX_IDS: Final = 1000
_MAX_STRING_CHARACTERS: Final = 1000
_MAX_TOKEN_CHARACTERS: Final = 64
# Saves wait for each other: more would keep the others waiting for seconds.
_MAX_SPANS: Final = 20_000
_MAX_DURATION_S: Final = 86_400.0
_MAX_INTEGER: Final = 2**63 - 1  # what the database can hold


def read_object(payload: object) -> dict[str, Any]:
    """What was sent, as a JSON object."""
    if not isinstance(payload, dict):
        raise ValueError(f"expected an object, got {type(payload).__name__}")
    return payload


def read_string(
    fields: dict[str, Any], name: str, *, max_characters: int = _MAX_STRING_CHARACTERS
) -> str:
    """A text, as it was sent."""
    value = fields.get(name)
    if not isinstance(value, str):
        raise ValueError(f"expected {name} to be a string, got {type(value).__name__}")
    # Messages quote a string that is wrong.
    if len(value) > max_characters:
        raise ValueError(
            f"expected {name} to have at most {max_characters} characters, got {len(value)}"
        )
    return value


def read_token(fields: dict[str, Any]) -> str:
    """The token to echo: short, and of characters that any answer can carry."""
    token = read_string(fields, "request")
    if not (1 <= len(token) <= _MAX_TOKEN_CHARACTERS and token.isascii() and token.isprintable()):
        raise ValueError(
            f"expected request to be 1 to {_MAX_TOKEN_CHARACTERS} printable ASCII characters,"
            f" got {len(token)} characters"
        )
    return token


def read_integer(fields: dict[str, Any], name: str) -> int:
    """A whole number from 0 on that the database can hold."""
    value = fields.get(name)
    # JSON's true is an int to Python.
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"expected {name} to be a whole number, got {type(value).__name__}")
    if not 0 <= value <= _MAX_INTEGER:
        raise ValueError(f"expected {name} from 0 to {_MAX_INTEGER}, got {reprlib.repr(value)}")
    return value


def read_integers(fields: dict[str, Any], name: str) -> tuple[int, ...]:
    """A list of numbers as `read_integer` takes them; none when the field is missing."""
    items = fields.get(name, [])
    if not isinstance(items, list) or len(items) > _MAX_IDS:
        raise ValueError(f"expected {name} to be a list of at most {_MAX_IDS} numbers")
    return tuple(read_integer({name: item}, name) for item in items)


def read_optional_name(fields: dict[str, Any], name: str) -> str:
    """A name of the page or of the person; "" when there is none."""
    value = read_string(fields, name).strip() if name in fields else ""
    check_text(value)
    if len(value) > _MAX_ANNOTATOR_CHARACTERS:
        raise ValueError(
            f"expected {name} of at most {_MAX_ANNOTATOR_CHARACTERS} characters, got {len(value)}"
        )
    return value


def read_optional_integer(fields: dict[str, Any], name: str) -> int | None:
    """A number as `read_integer` takes it; None when the field is missing or null."""
    return None if fields.get(name) is None else read_integer(fields, name)


def read_optional_duration(fields: dict[str, Any]) -> float | None:
    """The field `duration_s`, seconds up to a day; None when it is missing or null."""
    value = fields.get("duration_s")
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError(f"expected duration_s to be a number, got {type(value).__name__}")
    # NaN is in no range.
    if not 0 <= value <= _MAX_DURATION_S:
        raise ValueError(
            f"expected duration_s from 0 to {_MAX_DURATION_S:g} seconds, got {reprlib.repr(value)}"
        )
    return float(value)


def read_spans(fields: dict[str, Any], name: str) -> tuple[Span, ...]:
    """A list of {start, end, label}, sorted, each once; the text is not looked at."""
    items = fields.get(name)
    if not isinstance(items, list):
        raise ValueError(f"expected {name} to be a list, got {type(items).__name__}")
    if len(items) > _MAX_SPANS:
        raise ValueError(f"expected at most {_MAX_SPANS} {name}, got {len(items)}")
    spans = set()
    for item in items:
        span = read_object(item)
        spans.add(
            Span(read_integer(span, "start"), read_integer(span, "end"), read_string(span, "label"))
        )
    return tuple(sorted(spans))


def read_annotator(fields: dict[str, Any]) -> str:
    """The field `annotator`: the name that a person goes by."""
    annotator = read_string(fields, "annotator").strip()
    check_text(annotator)
    if not 1 <= len(annotator) <= _MAX_ANNOTATOR_CHARACTERS:
        raise ValueError(
            f"expected an annotator's name of 1 to {_MAX_ANNOTATOR_CHARACTERS} characters,"
            f" got {len(annotator)}"
        )
    return annotator


def read_optional_note(fields: dict[str, Any]) -> str:
    """A few words for others; "" when there are none."""
    if "note" not in fields:
        return ""
    note = read_string(fields, "note", max_characters=MAX_NOTE_CHARACTERS).strip()
    check_text(note)
    return note
