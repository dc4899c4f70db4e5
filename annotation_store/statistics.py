"""Counts of what a project's documents hold: progress, lengths, labels; one SQL query each.

What a document holds is said by the revision that counts: the newest one, unless people label it
independently (see `annotation_store.independence`). SQLite and PostgreSQL both answer the queries,
and unfold the JSON of the labels themselves: a count reads each row once and sends back a handful
of numbers, whatever the number of documents. `annotation_store.working_time` and
`annotation_store.corrections` count what people did.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import and_, func, or_, select, true

from annotation_store.database import Database
from annotation_store.documents import Status
from annotation_store.label_json import present_name, reading_json, unfold_label
from annotation_store.moments import day_of
from annotation_store.project_rows import find_project
from annotation_store.rows import filter_documents
from annotation_store.tables import DocumentRow, RevisionRow

IS_NEWEST: Final = and_(
    RevisionRow.document_id == DocumentRow.id, RevisionRow.number == DocumentRow.revision_number
)
"""Joins a document with the revision that counts."""


@dataclass(frozen=True, slots=True)
class DayProgress:
    """Documents that first got a status other than new on a day."""

    day: date
    num_documents: int


@dataclass(frozen=True, slots=True)
class LengthCount:
    """Documents whose text has a length, in code points."""

    length: int
    num_documents: int


@dataclass(frozen=True, slots=True)
class LabelCount:
    """Confirmed spans of one label in the newest revisions of one annotator.

    Attributes:
        label: By its present name.
        annotator: Who made the newest revision; "" when unknown.
        num_spans: All of them.
        num_documents: Documents with such a span. A document has one newest revision, so the
            numbers of several annotators can be added up.
    """

    label: str
    annotator: str
    num_spans: int
    num_documents: int


def count_progress(
    database: Database, *, project: str, utc_offset_min: int = 0
) -> tuple[DayProgress, ...]:
    """How many documents first got a status other than new, by day; days without any are left out.

    A document that is new again is left out.

    Args:
        database: Where the project is.
        project: Its name.
        utc_offset_min: From UTC to the clock that the days follow, in minutes, east positive.

    Raises:
        ValueError: There is no such project, or no clock is so far from UTC.
        StoreError: The database cannot be read.
    """
    with reading_json(database) as connection:
        decided = (
            select(func.min(RevisionRow.created_at).label("moment"))
            .join(DocumentRow, DocumentRow.id == RevisionRow.document_id)
            .where(*filter_documents(connection, project))
            .where(DocumentRow.status != "new", RevisionRow.status != "new")
            # Of independent versions, the one with which the text was decided.
            .where(
                or_(
                    RevisionRow.is_independent.is_(False),
                    RevisionRow.number == DocumentRow.revision_number,
                )
            )
            .group_by(RevisionRow.document_id)
            .subquery("decided")
        )
        day = day_of(decided.c.moment, database, utc_offset_min).label("day")
        rows = connection.execute(
            select(day, func.count().label("num_documents")).group_by(day).order_by(day)
        )
        return tuple(DayProgress(date.fromisoformat(row.day), row.num_documents) for row in rows)


def count_lengths(database: Database, *, project: str) -> tuple[LengthCount, ...]:
    """How many documents have which length, the shortest first.

    Raises:
        ValueError: There is no such project.
        StoreError: The database cannot be read.
    """
    with reading_json(database) as connection:
        length = func.length(DocumentRow.text).label("length")
        rows = connection.execute(
            select(length, func.count().label("num_documents"))
            .where(*filter_documents(connection, project))
            .group_by(length)
            .order_by(length)
        )
        return tuple(LengthCount(row.length, row.num_documents) for row in rows)


def count_labels(
    database: Database, *, project: str, status: Status | None = None
) -> tuple[LabelCount, ...]:
    """How often each label was confirmed, by label and annotator.

    Args:
        database: Where the project is.
        project: Its name.
        status: Only in documents of this status; None for all.

    Raises:
        ValueError: There is no such project or status.
        StoreError: The database cannot be read.
    """
    by_label, by_mention = unfold_label(RevisionRow.label)
    with reading_json(database) as connection:
        _id, found = find_project(connection, project)
        label = present_name(by_label.c.key, found.former_labels).label("label")
        rows = connection.execute(
            select(
                label,
                RevisionRow.annotator,
                func.sum(func.json_array_length(by_mention.c.value)).label("num_spans"),
                func.count(RevisionRow.document_id.distinct()).label("num_documents"),
            )
            .select_from(DocumentRow)
            .join(RevisionRow, IS_NEWEST)
            .join(by_label, true())
            .join(by_mention, true())
            .where(*filter_documents(connection, project, status))
            .group_by(label, RevisionRow.annotator)
            .order_by(label, RevisionRow.annotator)
        )
        return tuple(
            LabelCount(row.label, row.annotator, row.num_spans, row.num_documents) for row in rows
        )
