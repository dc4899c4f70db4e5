"""Rows into plain values, and the queries that fetch them.

Any program can write to the database. What a row holds is therefore checked before it becomes a
value, and a row that cannot be ours is named (`DamagedRow`).
"""

import reprlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, select

from annotation_store.documents import (
    DamagedRow,
    Document,
    DocumentNotFound,
    Revision,
    Source,
    Status,
    check_duration,
    check_origin,
    check_status,
)
from annotation_store.tables import DocumentRow, ProjectRow, RevisionRow
from ner_core.formats import cluener_to_spans
from ner_core.labels import LabelSet
from ner_core.spans import Span, check_spans, check_text

# What `to_revision` reads; its table also has a `status`, as the document does.
REVISION_COLUMNS = (
    RevisionRow.number,
    RevisionRow.label,
    RevisionRow.suggestions,
    RevisionRow.status,
    RevisionRow.source,
    RevisionRow.annotator,
    RevisionRow.created_at,
    RevisionRow.num_changes,
    RevisionRow.duration_s,
    RevisionRow.is_preannotated,
)


# SQLite compares patterns of at most 50,000 bytes; nobody types that much into a search box.
_MAX_QUERY_CHARACTERS = 1000


def read_projects(connection: Connection) -> dict[str, LabelSet]:
    """All projects by name, the oldest first.

    Raises:
        DamagedRow: One of them cannot be read.
    """
    rows = connection.execute(select(ProjectRow.name, ProjectRow.labels).order_by(ProjectRow.id))
    return {row.name: to_labels(row.name, row.labels) for row in rows}


def find_project(
    connection: Connection, name: str, *, for_update: bool = False
) -> tuple[int, LabelSet]:
    """A project's id and labels.

    Args:
        connection: In a transaction.
        name: The project's name.
        for_update: Make other transactions that want to add documents to it wait. PostgreSQL needs
            this; SQLite has one writer at a time.

    Raises:
        ValueError: There is none of this name.
        DamagedRow: It cannot be read.
    """
    query = select(ProjectRow.id, ProjectRow.name, ProjectRow.labels).where(ProjectRow.name == name)
    row = connection.execute(query.with_for_update() if for_update else query).first()
    if row is None:
        names = ", ".join(map(repr, read_projects(connection))) or "(none yet)"
        raise ValueError(f"expected one of the projects {names}, got {name!r}")
    return row.id, to_labels(row.name, row.labels)


def filter_documents(
    connection: Connection, project: str, status: Status | None = None, query: str = ""
) -> list[ColumnElement[bool]]:
    """Conditions for a project's documents, of one status or of all, that hold a string or any.

    Raises:
        ValueError: There is no such project or status, or the string is too long.
    """
    project_id, _labels = find_project(connection, project)
    conditions: list[ColumnElement[bool]] = [DocumentRow.project_id == project_id]
    if status is not None:
        check_status(status)
        conditions.append(DocumentRow.status == status)
    if query:
        check_text(query)
        if len(query) > _MAX_QUERY_CHARACTERS:
            raise ValueError(
                f"expected at most {_MAX_QUERY_CHARACTERS} characters to search for,"
                f" got {len(query)}"
            )
        conditions.append(DocumentRow.text.icontains(query, autoescape=True))
    return conditions


def select_documents(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Documents with their project's name and their newest revision, for `to_document`."""
    return (
        select(
            DocumentRow.id,
            DocumentRow.text,
            DocumentRow.position,
            DocumentRow.external_id,
            ProjectRow.name.label("project"),
            *REVISION_COLUMNS,
        )
        .join(ProjectRow, ProjectRow.id == DocumentRow.project_id)
        .outerjoin(
            RevisionRow,
            and_(
                RevisionRow.document_id == DocumentRow.id,
                RevisionRow.number == DocumentRow.revision_number,
            ),
        )
        .where(*conditions)
    )


def get_document(connection: Connection, document_id: int) -> Document:
    """One document.

    Raises:
        DocumentNotFound: There is none of this id.
        DamagedRow: It cannot be read.
    """
    row = connection.execute(select_documents(DocumentRow.id == document_id)).first()
    if row is None:
        raise DocumentNotFound(f"expected the id of a document, got {document_id}")
    return to_document(row)


def to_labels(name: object, labels: object) -> LabelSet:
    """A project's label set, from what stands in the columns `name` and `labels`.

    Raises:
        DamagedRow: The project cannot be read.
    """
    with naming(f"project {name!r}"):
        check_stored_text(name, "the project's name")
        if not isinstance(labels, list) or any(type(label) is not str for label in labels):
            raise ValueError(f"expected a list of labels, got {reprlib.repr(labels)}")
        return LabelSet(tuple(labels))


def to_document(row: Row[Any]) -> Document:
    """A row of `select_documents` as a document.

    Raises:
        DamagedRow: The document or its newest revision cannot be read.
    """
    with naming(f"document {row.id}"):
        check_stored_text(row.project, "the project's name")
        check_stored_text(row.text, "the document's text")
        check_stored_text(row.external_id, "the document's external id")
        _check_number(row.position, "the document's position")
    return Document(
        id=row.id,
        project=row.project,
        text=row.text,
        position=row.position,
        revision=None if row.number is None else to_revision(row.id, row.text, row),
        external_id=row.external_id,
    )


def to_revision(document_id: int, text: str, row: Row[Any]) -> Revision:
    """A row with the REVISION_COLUMNS as a revision.

    Raises:
        DamagedRow: The revision cannot be read, or does not fit its text.
    """
    with naming(f"document {document_id}, revision {row.number}"):
        _check_number(row.number, "the revision's number")
        _check_number(row.num_changes, "the number of changes")
        check_stored_moment(row.created_at)
        check_stored_text(row.annotator, "the annotator's name")
        check_origin(row.source, row.annotator)
        check_status(row.status)
        check_duration(row.duration_s)
        return Revision(
            number=row.number,
            label=row.label,
            spans=cluener_to_spans(text, row.label),
            suggestions=_to_suggestions(text, row.suggestions),
            status=cast(Status, row.status),
            source=cast(Source, row.source),
            annotator=row.annotator,
            created_at=row.created_at,
            num_changes=row.num_changes,
            duration_s=row.duration_s,
            is_preannotated=row.is_preannotated,
        )


def no_revision(connection: Connection, document_id: int) -> Revision:
    """The state before the first revision, as revision 0.

    Raises:
        DamagedRow: The document's moment cannot be read.
    """
    created_at = connection.scalar(
        select(DocumentRow.created_at).where(DocumentRow.id == document_id)
    )
    assert created_at is not None, f"document {document_id} is gone"
    with naming(f"document {document_id}"):
        check_stored_moment(created_at)
    return Revision(0, {}, (), (), "new", "import", "", created_at, 0)


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
    """Refuse a stored value that is no text: SQLite keeps any type in any column.

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


def _check_number(value: object, what: str) -> None:
    if not isinstance(value, int):
        raise ValueError(f"expected a whole number as {what}, got {reprlib.repr(value)}")


def _to_suggestions(text: str, items: object) -> tuple[Span, ...]:
    if not isinstance(items, list):
        raise ValueError(f"expected a list of suggestions, got {reprlib.repr(items)}")
    suggestions = tuple(map(_to_suggestion, items))
    check_spans(text, suggestions)
    return suggestions


def _to_suggestion(item: object) -> Span:
    if isinstance(item, dict) and item.keys() == {"start", "end", "label", "score"}:
        start, end, label, score = item["start"], item["end"], item["label"], item["score"]
        # type() and not isinstance(): JSON's true would pass as the integer 1.
        if [type(start), type(end), type(label)] == [int, int, str] and (
            score is None or type(score) in (int, float)
        ):
            check_text(label)
            return Span(start, end, label, score)
    raise ValueError(
        f"expected a suggestion with start, end, label and score, got {reprlib.repr(item)}"
    )
