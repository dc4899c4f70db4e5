"""Moments inside a query, as days and as seconds, on SQLite and PostgreSQL."""

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement, SQLColumnExpression, String, func

from annotation_store.database import Database

MAX_UTC_OFFSET_MIN: Final = 14 * 60
"""How far a clock may be from UTC, in minutes (Kiribati's is)."""


_JULIAN_DAY_OF_1970: Final = 2_440_587.5


def day_of(
    moment: SQLColumnExpression[Any], database: Database, utc_offset_min: int
) -> ColumnElement[str]:
    """The day of a moment by a clock, as "YYYY-MM-DD"."""
    check_utc_offset(utc_offset_min)
    if database.dialect == "sqlite":
        return func.date(moment, f"{utc_offset_min:+d} minutes", type_=String)
    local = func.timezone("UTC", moment) + func.make_interval(0, 0, 0, 0, 0, utc_offset_min)
    return func.to_char(local, "YYYY-MM-DD", type_=String)


def milliseconds_of(moment: SQLColumnExpression[Any], database: Database) -> ColumnElement[int]:
    """A moment as a whole number of milliseconds, from 1970: differences of such are exact."""
    if database.dialect == "sqlite":
        # Days as floating point; unixepoch() has whole seconds before SQLite 3.42.
        days = func.julianday(moment, type_=sa.Double) - _JULIAN_DAY_OF_1970
        return sa.cast(func.round(days * 86_400_000.0), sa.BigInteger)
    return sa.cast(func.round(sa.extract("epoch", moment) * 1000), sa.BigInteger)


def check_utc_offset(utc_offset_min: int) -> None:
    """Refuse what no clock shows.

    Raises:
        ValueError: Names the limits.
    """
    if not -MAX_UTC_OFFSET_MIN <= utc_offset_min <= MAX_UTC_OFFSET_MIN:
        raise ValueError(
            f"expected minutes from UTC between {-MAX_UTC_OFFSET_MIN} and {MAX_UTC_OFFSET_MIN},"
            f" got {utc_offset_min}"
        )
