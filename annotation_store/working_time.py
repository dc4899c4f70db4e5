"""What each person did and how long it took, from the revisions they saved; one SQL query each.

The work of people is what was saved with one of the sources `PEOPLE`. How long it took:

- The time of a save is its `duration_s`, how long the annotator had the text in front of them.
  Where nobody took that, it is the time since the same annotator's save before it in the project.
- A time of more than `PAUSE_S` holds a pause, and nobody knows how long the work was beside it; nor
  is the time before an annotator's first save known. These saves are left out: they count neither
  as time nor as a document.
- What counts again because a reviewer took a decision back (see `AnnotationStore.withdraw`) is its
  author's text, but nobody's work: no revision, no change and no time. It is known by its 0 seconds
  behind a decision.
- Documents per hour are the documents with a known time, each counted once for an annotator (once
  a day where days are told apart), over the sum of the known times.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import (
    ColumnElement,
    Connection,
    SQLColumnExpression,
    and_,
    case,
    exists,
    func,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.orm import aliased

from annotation_store.database import Database
from annotation_store.documents import STATUSES, Status
from annotation_store.label_json import reading_json, unfold_label
from annotation_store.moments import day_of, milliseconds_of
from annotation_store.rows import filter_documents
from annotation_store.tables import DocumentRow, RevisionRow

PEOPLE: Final = ("human", "review")
"""Sources of the revisions that a person made."""

PAUSE_S: Final = 300.0
"""Longest time that counts as work on one save, in seconds."""


@dataclass(frozen=True, slots=True)
class AnnotatorWork:
    """What one person did.

    Attributes:
        annotator: Their name; "" when nobody had to sign in.
        num_revisions: All they saved.
        num_changes: Confirmed spans they added or removed, over all of these revisions.
        num_documents: Documents of which their revision counts, by its status; all statuses are
            there. So do the versions of people who label a text independently, until somebody who
            has seen them saves it; see `annotation_store.independence`.
        num_spans: Confirmed spans in those revisions.
        num_timed_documents: Documents they saved in a known time; see the module.
        seconds: The sum of these times.
    """

    annotator: str
    num_revisions: int
    num_changes: int
    num_documents: dict[Status, int]
    num_spans: int
    num_timed_documents: int
    seconds: float

    @property
    def documents_per_hour(self) -> float | None:
        """None when no time is known."""
        return _per_hour(self.num_timed_documents, self.seconds)


@dataclass(frozen=True, slots=True)
class DayPace:
    """How fast one person worked on one day; see the module for the times."""

    day: date
    annotator: str
    num_timed_documents: int
    seconds: float

    @property
    def documents_per_hour(self) -> float | None:
        """None when the times are too short to be measured."""
        return _per_hour(self.num_timed_documents, self.seconds)


def count_work(database: Database, *, project: str) -> tuple[AnnotatorWork, ...]:
    """What each person did, by name.

    Raises:
        ValueError: There is no such project.
        StoreError: The database cannot be read.
    """
    by_label, by_mention = unfold_label(RevisionRow.label)
    num_spans = (
        select(func.sum(func.json_array_length(by_mention.c.value)))
        .select_from(by_label)
        .join(by_mention, true())
        .scalar_subquery()
    )
    with reading_json(database) as connection:
        saved = _timed_saves(
            connection,
            database,
            project,
            RevisionRow.num_changes,
            case((_counts(), RevisionRow.status)).label("counted_status"),
            case((_counts(), num_spans)).label("num_counted_spans"),
        )
        of_status = {status: saved.c.counted_status == status for status in STATUSES}
        rows = connection.execute(
            select(
                saved.c.annotator,
                func.count(case((saved.c.is_work, 1))).label("num_revisions"),
                func.sum(case((saved.c.is_work, saved.c.num_changes), else_=0)).label(
                    "num_changes"
                ),
                func.coalesce(func.sum(saved.c.num_counted_spans), 0).label("num_spans"),
                *(
                    func.count(case((condition, 1))).label(status)
                    for status, condition in of_status.items()
                ),
                *_sum_times(saved),
            )
            .group_by(saved.c.annotator)
            .order_by(saved.c.annotator)
        ).mappings()
        return tuple(
            AnnotatorWork(
                annotator=row["annotator"],
                num_revisions=row["num_revisions"],
                # PostgreSQL adds whole numbers up to a decimal.
                num_changes=int(row["num_changes"]),
                num_documents={status: row[status] for status in STATUSES},
                num_spans=int(row["num_spans"]),
                num_timed_documents=row["num_timed_documents"],
                seconds=row["seconds"],
            )
            for row in rows
        )


def count_pace(database: Database, *, project: str, utc_offset_min: int = 0) -> tuple[DayPace, ...]:
    """How fast each person worked, by day and name; days without a known time are left out.

    Args:
        database: Where the project is.
        project: Its name.
        utc_offset_min: From UTC to the clock that the days follow, in minutes, east positive.

    Raises:
        ValueError: There is no such project, or no clock is so far from UTC.
        StoreError: The database cannot be read.
    """
    with reading_json(database) as connection:
        saved = _timed_saves(
            connection,
            database,
            project,
            day_of(RevisionRow.created_at, database, utc_offset_min).label("day"),
        )
        rows = connection.execute(
            select(saved.c.day, saved.c.annotator, *_sum_times(saved))
            .where(saved.c.seconds.is_not(None))
            .group_by(saved.c.day, saved.c.annotator)
            .order_by(saved.c.day, saved.c.annotator)
        )
        return tuple(
            DayPace(
                date.fromisoformat(row.day), row.annotator, row.num_timed_documents, row.seconds
            )
            for row in rows
        )


def _counts() -> ColumnElement[bool]:
    """The condition that a revision is its annotator's work on the document, as it stands."""
    counting = aliased(RevisionRow, name="counting")
    later = aliased(RevisionRow, name="later")
    has_own_versions = or_(
        DocumentRow.num_versions > 0,
        exists().where(
            counting.document_id == DocumentRow.id,
            counting.number == DocumentRow.revision_number,
            counting.is_independent.is_(True),
        ),
    )
    is_superseded = exists().where(
        later.document_id == RevisionRow.document_id,
        later.annotator == RevisionRow.annotator,
        later.is_independent.is_(True),
        later.number > RevisionRow.number,
    )
    is_own_version = and_(RevisionRow.is_independent.is_(True), has_own_versions, ~is_superseded)
    return or_(RevisionRow.number == DocumentRow.revision_number, is_own_version)


def _per_hour(count: int, seconds: float) -> float | None:
    return count / seconds * 3600 if seconds > 0 else None


def _timed_saves(
    connection: Connection, database: Database, project: str, *columns: SQLColumnExpression[Any]
) -> sa.CTE:
    """People's revisions with their document, annotator and time in seconds, and more columns.

    The time is null where none is known.
    """
    decision = aliased(RevisionRow, name="decision")
    is_restored = and_(
        func.coalesce(RevisionRow.duration_s, -1) == 0,
        exists().where(
            decision.document_id == RevisionRow.document_id,
            decision.number == RevisionRow.number - 1,
            decision.source == "review",
        ),
    )
    created_at_ms = milliseconds_of(RevisionRow.created_at, database)
    gap_ms = created_at_ms - func.lag(created_at_ms).over(
        partition_by=(RevisionRow.annotator, is_restored),
        order_by=(RevisionRow.created_at, RevisionRow.document_id, RevisionRow.number),
    )
    saved = (
        select(
            RevisionRow.document_id,
            RevisionRow.annotator,
            func.coalesce(RevisionRow.duration_s, gap_ms / 1000.0).label("elapsed_s"),
            not_(is_restored).label("is_work"),
            *columns,
        )
        .join(DocumentRow, DocumentRow.id == RevisionRow.document_id)
        .where(*filter_documents(connection, project))
        .where(RevisionRow.source.in_(PEOPLE))
        .cte("saved")
    )
    is_timed = and_(saved.c.is_work, saved.c.elapsed_s <= PAUSE_S)
    return select(saved, case((is_timed, saved.c.elapsed_s)).label("seconds")).cte("timed")


def _sum_times(saved: sa.CTE) -> tuple[ColumnElement[Any], ...]:
    is_timed = saved.c.seconds.is_not(None)
    num_documents = func.count(case((is_timed, saved.c.document_id)).distinct())
    return (
        num_documents.label("num_timed_documents"),
        sa.cast(func.coalesce(func.sum(saved.c.seconds), 0), sa.Double).label("seconds"),
    )
