"""Findings of the lint that somebody has looked at and found to be right as they are."""

from datetime import UTC, datetime

from sqlalchemy import delete, insert, select

from annotation_store.database import Database
from annotation_store.documents import DocumentNotFound
from annotation_store.project_rows import find_project
from annotation_store.projects import check_length
from annotation_store.tables import DismissalRow, DocumentRow
from ner_core.spans import check_text

MAX_FINDING_CHARACTERS = 300


def dismiss(
    database: Database,
    document_id: int,
    finding: str,
    *,
    annotator: str,
    is_dismissed: bool = True,
) -> None:
    """Dismiss a finding, or take that back; doing it twice is doing it once.

    Args:
        database: Where the document is.
        document_id: The document that the finding is about.
        finding: What tells it from the document's other findings.
        annotator: Who says so.
        is_dismissed: False to take it back.

    Raises:
        DocumentNotFound: There is none of this id.
        ValueError: The finding is empty or too long.
    """
    check_text(annotator)
    check_length(finding, MAX_FINDING_CHARACTERS, "a finding")
    if not finding:
        raise ValueError("expected a finding, got an empty one")
    this = (DismissalRow.document_id == document_id) & (DismissalRow.finding == finding)
    with database.writing() as connection:
        document = select(DocumentRow.id).where(DocumentRow.id == document_id)
        # PostgreSQL lets two in at once; there, the second waits for the document's row.
        if connection.scalar(document.with_for_update()) is None:
            raise DocumentNotFound(f"expected the id of a document, got {document_id}")
        connection.execute(delete(DismissalRow).where(this))
        if is_dismissed:
            values = {
                "document_id": document_id,
                "finding": finding,
                "annotator": annotator,
                "created_at": datetime.now(UTC),
            }
            connection.execute(insert(DismissalRow), values)


def read_dismissals(database: Database, *, project: str) -> frozenset[tuple[int, str]]:
    """All dismissed findings of a project, as (document id, finding).

    Raises:
        ValueError: There is no such project.
    """
    with database.reading() as connection:
        project_id, _project = find_project(connection, project)
        rows = connection.execute(
            select(DismissalRow.document_id, DismissalRow.finding)
            .join(DocumentRow, DocumentRow.id == DismissalRow.document_id)
            .where(DocumentRow.project_id == project_id)
        )
        return frozenset((row.document_id, row.finding) for row in rows)
