"""Checks of what stands in the database: SQLite keeps any type, and any program can write there."""

import reprlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from annotation_store.documents import DamagedRow
from ner_core.spans import check_text


@contextmanager
def naming(place: str) -> Iterator[None]:
    """Say whose row it is that holds something wrong.

    Raises:
        DamagedRow: In the place of a ValueError.
    """
    try:
        yield
    except ValueError as error:
        raise DamagedRow(str(error), place) from error


def check_stored_text(value: object, what: str) -> None:
    """Refuse a stored value that is no text.

    Raises:
        ValueError: Names the value.
    """
    if not isinstance(value, str):
        raise ValueError(f"expected text as {what}, got {reprlib.repr(value)}")
    check_text(value)


def check_stored_moment(value: object) -> None:
    """Refuse a stored value that is no moment.

    Raises:
        ValueError: Names the value.
    """
    if not isinstance(value, datetime):
        raise ValueError(f"expected a date and a time, got {reprlib.repr(value)}")


def check_stored_number(value: object, what: str) -> None:
    """Refuse a stored value that is no whole number.

    Raises:
        ValueError: Names the value.
    """
    if not isinstance(value, int):
        raise ValueError(f"expected a whole number as {what}, got {reprlib.repr(value)}")
