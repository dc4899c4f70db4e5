"""Findings of the lint that somebody has looked at and found to be right as they are."""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Delete, delete, insert, select

from annotation_store.database import Database
from annotation_store.rows import filter_documents, get_document
from annotation_store.tables import DismissalRow, DocumentRow
from ner_core.spans import check_text

MAX_FINDING_CHARACTERS: Final = 300


def read_dismissals(database: Database, *, project: str) -> frozenset[tuple[int, str]]:
    """Every dismissed finding of a project: the document's id and the finding's key.

    Raises:
        ValueError: There is no such project.
        StoreError: The database cannot be read.
    """
    with database.reading() as connection:
        rows = connection.execute(
            select(DismissalRow.document_id, DismissalRow.finding)
            .join(DocumentRow, DocumentRow.id == DismissalRow.document_id)
            .where(*filter_documents(connection, project))
        )
        return frozenset((row.document_id, row.finding) for row in rows)


def dismiss(database: Database, document_id: int, finding: str, *, annotator: str) -> None:
    """Keep a finding from being shown again; nothing happens if it is dismissed already.

    Args:
        database: To write to.
        document_id: The document.
        finding: The finding's key (`ner_core.findings.Finding.key`).
        annotator: Who says so.

    Raises:
        DocumentNotFound: There is none of this id.
        ValueError: The key or the name cannot be stored.
        StoreError: The database cannot be written.
    """
    check_text(annotator)
    _check_finding(finding)
    with database.writing() as connection:
        get_document(connection, document_id)
        # Not "on conflict do nothing": SQLite and PostgreSQL spell that in dialects of their own.
        connection.execute(_delete(document_id, finding))
        values = {
            "document_id": document_id,
            "finding": finding,
            "annotator": annotator,
            "created_at": datetime.now(UTC),
        }
        connection.execute(insert(DismissalRow), values)


def restore(database: Database, document_id: int, finding: str) -> None:
    """Take a dismissal back; nothing happens if there is none.

    Raises:
        StoreError: The database cannot be written.
    """
    with database.writing() as connection:
        connection.execute(_delete(document_id, finding))


def _delete(document_id: int, finding: str) -> Delete:
    return delete(DismissalRow).where(
        DismissalRow.document_id == document_id, DismissalRow.finding == finding
    )


def _check_finding(finding: str) -> None:
    check_text(finding)
    if not 1 <= len(finding) <= MAX_FINDING_CHARACTERS:
        raise ValueError(
            f"expected a finding's key of 1 to {MAX_FINDING_CHARACTERS} characters,"
            f" got {len(finding)}"
        )
