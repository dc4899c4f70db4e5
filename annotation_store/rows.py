"""Rows into plain values, and the queries that fetch them."""

from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, select

from annotation_store.documents import (
    Document,
    DocumentNotFound,
    Revision,
    Source,
    Status,
    StoreError,
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
)


# SQLite compares patterns of at most 50,000 bytes; nobody types that much into a search box.
_MAX_QUERY_CHARACTERS = 1000


def read_projects(connection: Connection) -> dict[str, LabelSet]:
    """All projects by name, the oldest first."""
    rows = connection.execute(select(ProjectRow.name, ProjectRow.labels).order_by(ProjectRow.id))
    return {name: LabelSet(tuple(labels)) for name, labels in rows}


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
    """
    query = select(ProjectRow.id, ProjectRow.labels).where(ProjectRow.name == name)
    row = connection.execute(query.with_for_update() if for_update else query).first()
    if row is None:
        names = ", ".join(map(repr, read_projects(connection))) or "(none yet)"
        raise ValueError(f"expected one of the projects {names}, got {name!r}")
    return row.id, LabelSet(tuple(row.labels))


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
    """
    row = connection.execute(select_documents(DocumentRow.id == document_id)).first()
    if row is None:
        raise DocumentNotFound(f"expected the id of a document, got {document_id}")
    return to_document(row)


def to_document(row: Row[Any]) -> Document:
    """A row of `select_documents` as a document."""
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
        StoreError: The revision does not fit its text: the database was changed by other hands.
    """
    try:
        spans = cluener_to_spans(text, row.label)
        suggestions = tuple(
            Span(item["start"], item["end"], item["label"], item["score"])
            for item in row.suggestions
        )
        check_spans(text, suggestions)
    except (ValueError, TypeError, KeyError) as error:
        raise StoreError(
            f"expected a revision that fits its text, got {error}"
            f" (document {document_id}, revision {row.number})"
        ) from error
    return Revision(
        number=row.number,
        label=row.label,
        spans=spans,
        suggestions=suggestions,
        status=cast(Status, row.status),
        source=cast(Source, row.source),
        annotator=row.annotator,
        created_at=row.created_at,
        num_changes=row.num_changes,
    )


def no_revision(connection: Connection, document_id: int) -> Revision:
    """The state before the first revision, as revision 0."""
    created_at = connection.scalar(
        select(DocumentRow.created_at).where(DocumentRow.id == document_id)
    )
    assert created_at is not None, f"document {document_id} is gone"
    return Revision(0, {}, (), (), "new", "import", "", created_at, 0)
