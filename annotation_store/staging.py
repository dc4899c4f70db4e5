"""An import on its way into a project: staged where nobody sees it, then entered, in short writes.

To write 100,000 documents takes minutes on a busy machine, and nobody else could save meanwhile if
that were one transaction. So an import goes three ways, and dies well on each of them:

staging    The documents are written, some at a time, beside the project's. Whatever ends the import
           now leaves the project as it was; what a killed program has left is dropped later.
completing One row changes. From here on the import is certain.
entering   The documents move into the project, some at a time, as they were prepared. A program
           that is killed now has its import ended by the next one that opens the database.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    Connection,
    delete,
    exists,
    func,
    insert,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from annotation_store.appending import first_revision, labels_of
from annotation_store.database import Database
from annotation_store.document_labels import add_annotators, insert_labels, is_known_annotator
from annotation_store.documents import NewDocument, StoreError, digest_text
from annotation_store.project_rows import PROJECT_COLUMNS, find_project, to_project
from annotation_store.projects import Project
from annotation_store.tables import (
    DocumentRow,
    ProjectRow,
    RevisionRow,
    StagedDocumentRow,
    StagedImportRow,
)

logger = logging.getLogger(__name__)

# Documents that enter together: a person who saves waits for one such write.
_ENTERED_TOGETHER: Final = 250
_DROPPED_TOGETHER: Final = 2000
_STALE_AFTER: Final = timedelta(hours=1)
"""An import that has not moved for so long was that of a program that is gone."""

# What a staged document holds of the document and of its first revision under the same name.
_DOCUMENT_COLUMNS: Final = (
    *("text", "text_sha256", "external_id", "revision_number", "status", "created_at"),
)
_REVISION_COLUMNS: Final = (
    *("label", "suggestions", "status", "annotator", "num_changes", "created_at"),
    *("is_preannotated", "note"),
)


def begin_import(database: Database, project: str) -> tuple[int, Project]:
    """Begin an import into a project: its number, and the project as it is now.

    Raises:
        ValueError: There is no such project.
    """
    with database.writing() as connection:
        project_id, found = find_project(connection, project)
        values = {
            "project_id": project_id,
            "labels": [],
            "is_complete": False,
            "num_added": 0,
            "touched_at": _now(),
        }
        import_id = connection.scalar(
            insert(StagedImportRow).values(values).returning(StagedImportRow.id)
        )
        assert import_id is not None
        return import_id, found


def stage_documents(
    database: Database,
    import_id: int,
    documents: Sequence[NewDocument],
    *,
    first_number: int,
    annotator: str,
    now: datetime,
) -> None:
    """Write some documents where nobody sees them; a text that came before is passed over.

    Args:
        database: Where the import has begun.
        import_id: Its number.
        documents: Their labels are those of the project, under the names of the day.
        first_number: The first one's number, counted from 1 over the whole import.
        annotator: Who labelled those that do not say it.
        now: When they are said to have been added.

    Raises:
        StoreError: The import has been dropped.
    """
    rows = [
        _staged_row(document, annotator=annotator, now=now)
        | {"import_id": import_id, "number": number}
        for number, document in enumerate(documents, start=first_number)
    ]
    with database.writing() as connection:
        _touch(connection, import_id)
        make_insert: Any = (
            sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        )
        connection.execute(make_insert(StagedDocumentRow).on_conflict_do_nothing(), rows)


def complete_import(database: Database, import_id: int, labels: Iterable[str]) -> None:
    """Make an import certain.

    Args:
        database: Where it is.
        import_id: Its number.
        labels: Those of its confirmed spans.

    Raises:
        ValueError: The project has one of the labels no longer.
        StoreError: The import has been dropped.
    """
    labels = sorted(set(labels))
    with database.writing() as connection:
        row = connection.execute(
            select(*PROJECT_COLUMNS)
            .join(StagedImportRow, StagedImportRow.project_id == ProjectRow.id)
            .where(StagedImportRow.id == import_id)
            # Whoever wants to remove a label waits, and then finds it in use.
            .with_for_update(of=ProjectRow, read=True)
        ).first()
        if row is not None:
            project = to_project(row)
            for label in labels:
                project.check_label(project.former_labels.get(label) or label)
        _touch(connection, import_id, is_complete=True, labels=labels)


def enter_documents(database: Database, import_id: int) -> Iterator[int]:
    """Move the documents of a complete import into its project.

    Other programs may do the same at the same time. A text that the project has got meanwhile is
    passed over.

    Yields:
        The number of the last document that has entered, after each short write.
    """
    while (number := _enter_some(database, import_id)) is not None:
        yield number


def end_import(database: Database, import_id: int) -> int:
    """Forget an import that has entered; how many documents it has added."""
    with database.writing() as connection:
        of_import = StagedImportRow.id == import_id
        num_added = connection.scalar(select(StagedImportRow.num_added).where(of_import))
        connection.execute(delete(StagedImportRow).where(of_import))
        return num_added or 0


def drop_import(database: Database, import_id: int) -> None:
    """Forget an import that is not complete, and all that it has staged."""
    of_import = StagedDocumentRow.import_id == import_id
    some = select(StagedDocumentRow.number).where(of_import).limit(_DROPPED_TOGETHER)
    is_left = True
    while is_left:
        with database.writing() as connection:
            dropped = connection.execute(
                delete(StagedDocumentRow).where(of_import, StagedDocumentRow.number.in_(some))
            )
            is_left = dropped.rowcount > 0
            if not is_left:
                connection.execute(delete(StagedImportRow).where(StagedImportRow.id == import_id))


def recover_imports(database: Database) -> None:
    """End what programs that were killed have left behind; nearly always there is nothing."""
    with database.reading() as connection:
        rows = connection.execute(
            select(StagedImportRow.id, StagedImportRow.is_complete, StagedImportRow.touched_at)
        ).all()
    for row in rows:
        is_stale = row.touched_at < _now() - _STALE_AFTER
        if row.is_complete:
            for _number in enter_documents(database, row.id):
                pass
            if is_stale:  # else its own program may still want to know how many there were
                num_added = end_import(database, row.id)
                logger.info("an import of %d documents had been cut off and is ended", num_added)
        elif is_stale:
            drop_import(database, row.id)


def count_staged(connection: Connection, project_id: int, labels: Iterable[str]) -> int:
    """How many documents are about to enter a project in imports that have one of these labels."""
    wanted = set(labels)
    rows = connection.execute(
        select(StagedImportRow.id, StagedImportRow.labels).where(
            StagedImportRow.project_id == project_id, StagedImportRow.is_complete
        )
    )
    ids = [row.id for row in rows if not wanted.isdisjoint(row.labels)]
    count = select(func.count()).where(StagedDocumentRow.import_id.in_(ids))
    return (connection.scalar(count) or 0) if ids else 0


def _enter_some(database: Database, import_id: int) -> int | None:
    of_import = StagedDocumentRow.import_id == import_id
    with database.writing() as connection:
        project_id = connection.scalar(
            select(StagedImportRow.project_id)
            .where(StagedImportRow.id == import_id, StagedImportRow.is_complete)
            .with_for_update()
        )
        numbers = connection.scalars(
            select(StagedDocumentRow.number)
            .where(of_import)
            .order_by(StagedDocumentRow.number)
            .limit(_ENTERED_TOGETHER)
        ).all()
        if project_id is None or not numbers:
            return None
        part = of_import, StagedDocumentRow.number <= numbers[-1]
        num_added = _enter_part(connection, project_id, *part)
        connection.execute(delete(StagedDocumentRow).where(*part))
        _touch(connection, import_id, num_added=StagedImportRow.num_added + num_added)
        return numbers[-1]


def _enter_part(connection: Connection, project_id: int, *part: Any) -> int:
    """Copy staged documents that satisfy conditions; returns how many were new to the project."""
    # As everybody who adds documents to it does; the numbers of positions must not meet.
    connection.execute(select(ProjectRow.id).where(ProjectRow.id == project_id).with_for_update())
    of_project = DocumentRow.project_id == project_id
    last = connection.scalar(select(func.max(DocumentRow.position)).where(of_project)) or 0
    staged = StagedDocumentRow
    is_known = exists().where(of_project, DocumentRow.text_sha256 == staged.text_sha256)
    connection.execute(
        insert(DocumentRow).from_select(
            ["project_id", "position", "num_revisions", *_DOCUMENT_COLUMNS],
            select(
                literal(project_id),
                literal(last) + func.row_number().over(order_by=staged.number),
                staged.revision_number,
                *(getattr(staged, name) for name in _DOCUMENT_COLUMNS),
            ).where(*part, ~is_known),
        )
    )
    entered = (*part, of_project, DocumentRow.position > last)
    same_text = DocumentRow.text_sha256 == staged.text_sha256
    connection.execute(
        insert(RevisionRow).from_select(
            ["document_id", "number", "source", "duration_s", *_REVISION_COLUMNS],
            select(
                DocumentRow.id,
                literal(1),
                literal("import"),
                null(),
                *(getattr(staged, name) for name in _REVISION_COLUMNS),
            )
            .select_from(DocumentRow)
            .join(staged, same_text)
            .where(*entered, staged.revision_number > 0),
        )
    )
    rows = connection.execute(
        select(DocumentRow.id, staged.labels, staged.annotator, staged.is_preannotated)
        .select_from(DocumentRow)
        .join(staged, same_text)
        .where(*entered)
    ).all()
    insert_labels(connection, {row.id: row.labels for row in rows})
    people = (
        row.annotator
        for row in rows
        if is_known_annotator(row.annotator, "import", is_preannotated=row.is_preannotated)
    )
    add_annotators(connection, project_id, people)
    return len(rows)


def _staged_row(document: NewDocument, *, annotator: str, now: datetime) -> dict[str, Any]:
    revision = first_revision(document, source="import", annotator=annotator, now=now)
    return {name: revision[name] for name in _REVISION_COLUMNS} | {
        "text": document.text,
        "text_sha256": digest_text(document.text),
        "external_id": document.external_id,
        "revision_number": 1 if document.has_revision else 0,
        "annotator": revision["annotator"] if document.has_revision else "",
        "labels": sorted(labels_of(document)),
    }


def _touch(connection: Connection, import_id: int, **values: Any) -> None:
    touched = connection.execute(
        update(StagedImportRow)
        .where(StagedImportRow.id == import_id)
        .values(touched_at=_now(), **values)
    )
    if not touched.rowcount:
        raise StoreError(
            "expected an import that goes on, got one that stood still for so long that another"
            " program has dropped it: nothing of it was stored"
        )


def _now() -> datetime:
    return datetime.now(UTC)
