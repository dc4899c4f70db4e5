"""Looking after a database: a copy of it as of one moment, and a check of all it holds."""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, case, func, select

from annotation_store.database import Database
from annotation_store.derived import find_differences
from annotation_store.documents import DamagedRow, Revision, StoreError, digest_text
from annotation_store.project_rows import PROJECT_COLUMNS, to_project
from annotation_store.rows import REVISION_COLUMNS, to_revision, to_suggestions
from annotation_store.stored_values import check_stored_moment, check_stored_text, naming
from annotation_store.tables import Base, DocumentRow, PredictionRow, ProjectRow, RevisionRow
from ner_core.labels import LabelSet
from ner_core.spans import Span

# Rows that a cursor fetches together.
_ROWS_AT_A_TIME = 500
# https://www.sqlite.org/fileformat.html, "Magic Header String"
_SQLITE_HEADER = b"SQLite format 3\x00"


@dataclass(frozen=True, slots=True)
class Verification:
    """What a database holds, and what is wrong with it.

    Attributes:
        num_projects: All projects.
        num_documents: All documents.
        num_revisions: All revisions.
        problems: One line each; none in a database that only this program has written.
        num_repairable: Those of them that `annotation_store.derived.repair` mends.
    """

    num_projects: int
    num_documents: int
    num_revisions: int
    problems: tuple[str, ...]
    num_repairable: int


def backup(database: Database, path: str | Path) -> None:
    """Copy an SQLite database as it is at this moment, while others go on writing.

    The copy is checked, and takes its name only when it is whole.

    Raises:
        StoreError: The database is no SQLite file, or cannot be read.
        ValueError: The copy would replace the database, or a file that is no database.
        OSError: The copy cannot be written.
    """
    if database.path is None:
        raise StoreError(
            f"expected an SQLite database; PostgreSQL's own pg_dump copies this one"
            f" ({database.name})"
        )
    database.check_target(path)
    target = Path(path).resolve()
    if target.is_file():
        with target.open("rb") as file:
            if file.read(len(_SQLITE_HEADER)) not in (b"", _SQLITE_HEADER):
                raise ValueError(f"expected a new file or an older backup to replace, got {path}")
    sibling = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        sibling.touch(exist_ok=False)  # an OSError says what is wrong better than SQLite does
        with (
            # SQLite does not say which of the two files it could not read or write.
            database.clear_errors(f"copying {database.name} to {path}"),
            closing(sqlite3.connect(database.path)) as source,
            closing(sqlite3.connect(sibling)) as copy,
        ):
            source.backup(copy)
            (verdict,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
            if verdict != "ok":
                raise StoreError(
                    f"expected an intact database, got {_in_one_line(verdict)} ({database.name})"
                )
        sibling.replace(target)
    except OSError as error:
        # Names the file that the caller asked for, not the sibling.
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        sibling.unlink(missing_ok=True)


def verify(database: Database) -> Verification:
    """Read everything and compare what is stored twice: mentions and texts, digests, revisions.

    Raises:
        StoreError: The database is too damaged to be read to its end.
    """
    with database.reading() as connection:

        def count(table: type[Base]) -> int:
            return connection.scalar(select(func.count()).select_from(table)) or 0

        checks = [_check_projects, _check_documents, _check_revisions, _check_predictions]
        if database.dialect == "sqlite":
            checks.insert(0, _check_sqlite)
        problems = [problem for check in checks for problem in check(connection)]
        differences = [difference.problem for difference in find_differences(connection)]
        return Verification(
            num_projects=count(ProjectRow),
            num_documents=count(DocumentRow),
            num_revisions=count(RevisionRow),
            problems=(*problems, *differences),
            num_repairable=len(differences),
        )


def _check_sqlite(connection: Connection) -> Iterator[str]:
    for (verdict,) in connection.exec_driver_sql("PRAGMA integrity_check"):
        if verdict != "ok":
            yield f"integrity_check: {_in_one_line(verdict)}"
    for table, row_id, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield f"foreign_key_check: row {row_id} of {table} names no row of {parent}"


def _check_projects(connection: Connection) -> Iterator[str]:
    for row in connection.execute(select(ProjectRow).order_by(ProjectRow.id)):
        try:
            to_project(row)
            with naming(f"project {row.name!r}"):
                check_stored_moment(row.created_at)
        except DamagedRow as error:
            yield str(error)


def _check_documents(connection: Connection) -> Iterator[str]:
    """Compare each text with its digest, and each document with its revisions."""
    newest = (
        select(
            RevisionRow.document_id,
            func.max(RevisionRow.number).label("number"),
            func.count().label("num_revisions"),
            func.max(case((~RevisionRow.is_independent, RevisionRow.number))).label("newest_other"),
            func.count(case((RevisionRow.is_independent, RevisionRow.annotator)).distinct()).label(
                "num_people"
            ),
        )
        .group_by(RevisionRow.document_id)
        .subquery()
    )
    rows = connection.execution_options(yield_per=_ROWS_AT_A_TIME).execute(
        select(
            DocumentRow.id,
            DocumentRow.text,
            DocumentRow.text_sha256,
            DocumentRow.external_id,
            DocumentRow.created_at,
            DocumentRow.revision_number,
            DocumentRow.num_revisions,
            DocumentRow.num_versions,
            func.coalesce(newest.c.number, 0).label("newest_number"),
            func.coalesce(newest.c.num_revisions, 0).label("num_found"),
            func.coalesce(newest.c.newest_other, 0).label("newest_other"),
            func.coalesce(newest.c.num_people, 0).label("num_people"),
            RevisionRow.source,
            RevisionRow.is_preannotated,
            RevisionRow.is_independent,
        )
        .outerjoin(newest, newest.c.document_id == DocumentRow.id)
        .outerjoin(
            RevisionRow,
            (RevisionRow.document_id == DocumentRow.id)
            & (RevisionRow.number == DocumentRow.revision_number),
        )
        .order_by(DocumentRow.id)
    )
    for row in rows:
        try:
            with naming(f"document {row.id}"):
                check_stored_moment(row.created_at)
                check_stored_text(row.external_id, "the document's external id")
                check_stored_text(row.text, "the document's text")
            if digest_text(row.text) != row.text_sha256:
                yield f"document {row.id}: the text does not have the digest stored with it"
        except DamagedRow as error:
            yield str(error)
        yield from _check_counting(row)


def _check_counting(row: Row[Any]) -> Iterator[str]:
    """Compare what a document says of its revisions with those that there are."""
    is_decided = bool(row.source) and row.source != "model" and not row.is_preannotated
    num_versions = 0 if is_decided else row.num_people
    if not row.num_revisions == row.newest_number == row.num_found:
        yield (
            f"document {row.id}: expected revisions 1 to {row.num_revisions},"
            f" got {row.num_found} up to {row.newest_number}"
        )
    elif row.revision_number != row.newest_other and not row.is_independent:
        yield (
            f"document {row.id}: expected revision {row.newest_other} to count,"
            f" got {row.revision_number}"
        )
    elif row.num_versions != num_versions:
        yield (
            f"document {row.id}: expected {num_versions} versions that wait for a decision,"
            f" got {row.num_versions}"
        )


class _Before:
    """What stood in a document before a revision, which may have followed on it."""

    def __init__(self, document_id: int) -> None:
        self.document_id = document_id
        self._number: int | None = 0  # of the revision before; None behind one that is missing
        self._spans: tuple[Span, ...] = ()
        self._own: dict[str, tuple[Span, ...]] = {}

    def count_changes(self, revision: Revision) -> set[int]:
        """The possible numbers of its changes; it then is the one before. Empty: nobody knows."""
        is_known = self._number is not None and revision.number == self._number + 1
        self._number = revision.number if is_known else None
        followed = [self._spans, *self._own.values()]  # versions that are alike may count
        if revision.is_independent:
            followed = [self._own.get(revision.annotator, self._spans)]
            self._own[revision.annotator] = revision.spans
        else:
            self._spans = revision.spans
        changes = {len(set(revision.spans) ^ set(spans)) for spans in followed}
        return changes if is_known else set()


def _check_revisions(connection: Connection) -> Iterator[str]:
    """Compare every revision with its text, its project's labels, and the revision before it."""
    before: _Before | None = None
    rows = connection.execution_options(yield_per=_ROWS_AT_A_TIME).execute(
        select(
            DocumentRow.id,
            DocumentRow.text,
            DocumentRow.revision_number,
            *PROJECT_COLUMNS,
            *REVISION_COLUMNS,
        )
        .join(DocumentRow, DocumentRow.id == RevisionRow.document_id)
        .join(ProjectRow, ProjectRow.id == DocumentRow.project_id)
        .order_by(RevisionRow.document_id, RevisionRow.number)
    )
    for row in rows:
        try:
            project = to_project(row)
            check_stored_text(row.text, "the document's text")
        except ValueError:
            continue  # named already, once and not with every revision
        try:
            revision = to_revision(row.id, row.text, row)
            with naming(f"document {row.id}, revision {row.number}"):
                # An older revision may have spans of a label that was removed since.
                is_newest = row.number == row.revision_number
                removed = () if is_newest else project.former_labels
                known = LabelSet(tuple(dict.fromkeys((*project.labels.labels, *removed))))
                known.check_spans((*revision.spans, *revision.suggestions))
            if before is None or before.document_id != row.id:
                before = _Before(row.id)
            possible = before.count_changes(revision)
            if possible and row.num_changes not in possible:
                yield (
                    f"document {row.id}, revision {row.number}: expected {min(possible)} changes,"
                    f" got {row.num_changes}"
                )
        except DamagedRow as error:
            yield str(error)


def _check_predictions(connection: Connection) -> Iterator[str]:
    """Compare what a model has found with the text."""
    rows = connection.execution_options(yield_per=_ROWS_AT_A_TIME).execute(
        select(
            DocumentRow.id,
            DocumentRow.text,
            PredictionRow.model,
            PredictionRow.spans,
            PredictionRow.created_at,
        )
        .join(PredictionRow, PredictionRow.document_id == DocumentRow.id)
        .order_by(DocumentRow.id)
    )
    for row in rows:
        try:
            with naming(f"prediction of document {row.id}"):
                check_stored_text(row.model, "the model's name")
                check_stored_moment(row.created_at)
                to_suggestions(row.text, row.spans)
        except DamagedRow as error:
            yield str(error)


def _in_one_line(verdict: str) -> str:
    return " ".join(verdict.split())
