"""Versions of documents side by side: what each annotator's own newest revision says.

The history keeps every revision, so an annotator's version can be found after others have saved
over it. It need not be independent: whoever opens a document sees the version before.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select
from sqlalchemy.orm import aliased

from annotation_store.database import Database
from annotation_store.documents import Revision, Source, Status
from annotation_store.rows import REVISION_COLUMNS, filter_documents, to_revision
from annotation_store.tables import DocumentRow, ProjectRow, RevisionRow

AuthorSource = Literal["human", "import"]

# Nobody labels a text that is not to be used.
_UNUSED: Final[tuple[Status, ...]] = ("rejected", "ignored")
# Values that a statement names together; SQLite takes 32,766 at most.
_IDS_AT_A_TIME: Final = 500


@dataclass(frozen=True, slots=True, order=True)
class Author:
    """Who made a version: a person at the editor, or whoever labelled an imported file.

    Attributes:
        source: The source of their revisions.
        annotator: Their name; "" when unknown.
    """

    source: AuthorSource
    annotator: str


@dataclass(frozen=True, slots=True)
class AuthorCount:
    """An author and the number of documents of which there is a revision by them."""

    author: Author
    num_documents: int


@dataclass(frozen=True, slots=True)
class ReviewDocument:
    """A document with the versions that were asked for.

    Attributes:
        id: The store's number for it.
        position: 1 for the project's first document.
        text: Exactly as it was added.
        revision_number: Its newest revision, which the next save must name.
        newest_source: Who made that one.
        newest_annotator: Their name.
        versions: One revision for each author asked for, in their order.
    """

    id: int
    position: int
    text: str
    revision_number: int
    newest_source: Source
    newest_annotator: str
    versions: tuple[Revision, ...]

    @property
    def is_reviewed(self) -> bool:
        """Whether a reviewer has decided, and nobody has changed the document since."""
        return self.newest_source == "review"


def list_authors(database: Database, *, project: str) -> tuple[AuthorCount, ...]:
    """Everybody with a version of some document of a project, those with the most first.

    Raises:
        ValueError: There is no such project.
        StoreError: The database cannot be read.
    """
    num_documents = func.count(RevisionRow.document_id.distinct())
    with database.reading() as connection:
        rows = connection.execute(
            select(RevisionRow.source, RevisionRow.annotator, num_documents.label("num_documents"))
            .join(DocumentRow, DocumentRow.id == RevisionRow.document_id)
            .where(*filter_documents(connection, project), _is_by_author(), _is_confirmed())
            .group_by(RevisionRow.source, RevisionRow.annotator)
            .order_by(num_documents.desc(), RevisionRow.source, RevisionRow.annotator)
        )
        return tuple(
            AuthorCount(Author(row.source, row.annotator), row.num_documents) for row in rows
        )


def count_confirmed(database: Database, *, project: str) -> int:
    """The number of documents with a version that counts; see `read_versions`.

    Raises:
        ValueError: There is no such project.
        StoreError: The database cannot be read.
    """
    with database.reading() as connection:
        count = connection.scalar(
            select(func.count())
            .select_from(DocumentRow)
            .join(RevisionRow, RevisionRow.document_id == DocumentRow.id)
            .where(
                *filter_documents(connection, project),
                *_is_newest(),
                _is_confirmed(),
                RevisionRow.status.not_in(_UNUSED),
            )
        )
        return count or 0


def read_revision_numbers(database: Database, *, project: str) -> dict[int, int]:
    """The number of each document's newest revision by the document's id: what has changed since?

    Raises:
        ValueError: There is no such project.
        StoreError: The database cannot be read.
    """
    with database.reading() as connection:
        rows = connection.execute(
            select(DocumentRow.id, DocumentRow.revision_number).where(
                *filter_documents(connection, project)
            )
        )
        return {row.id: row.revision_number for row in rows}


def read_versions(
    database: Database,
    authors: Sequence[Author | None],
    *,
    project: str,
    document_ids: Collection[int] | None = None,
) -> list[ReviewDocument]:
    """The documents of which each of some authors has a version, in order.

    Left out are versions that reject or ignore the text, and pre-annotations, which nobody has
    confirmed.

    Args:
        database: To read; all comes from one state of it.
        authors: Whose versions; None stands for the version that counts, the newest one unless it
            is a model's.
        project: The project's name.
        document_ids: Look at these documents only; None for all.

    Raises:
        ValueError: There is no such project.
        StoreError: The database cannot be read.
    """
    assert authors, "expected somebody whose versions to read"
    found: list[ReviewDocument] = []
    with database.reading() as connection:
        of_project = filter_documents(connection, project)
        for some in _id_conditions(document_ids):
            conditions = [*of_project, *some]
            versions = [_read_newest(connection, author, conditions) for author in authors]
            wanted = set.intersection(*map(set, versions))
            rows = connection.execute(_select_newest(conditions))
            found += [
                ReviewDocument(
                    row.id,
                    row.position,
                    row.text,
                    row.revision_number,
                    cast(Source, row.source),
                    row.annotator,
                    tuple(of_author[row.id] for of_author in versions),
                )
                for row in rows
                if row.id in wanted
            ]
    return sorted(found, key=lambda document: document.position)


def _select_newest(
    conditions: Sequence[ColumnElement[bool]],
) -> Select[int, int, str, int, str, str]:
    """Documents with what is said of their newest revision, which itself is not read."""
    return (
        select(
            DocumentRow.id,
            DocumentRow.position,
            DocumentRow.text,
            DocumentRow.revision_number,
            RevisionRow.source,
            RevisionRow.annotator,
        )
        .join(
            RevisionRow,
            and_(
                RevisionRow.document_id == DocumentRow.id,
                RevisionRow.number == DocumentRow.revision_number,
            ),
        )
        .where(*conditions)
    )


def _read_newest(
    connection: Connection, author: Author | None, conditions: Sequence[ColumnElement[bool]]
) -> dict[int, Revision]:
    """Each document's newest revision by an author, by the document's id."""
    query = (
        select(DocumentRow.id, DocumentRow.text, ProjectRow.former_labels, *REVISION_COLUMNS)
        .join(ProjectRow, ProjectRow.id == DocumentRow.project_id)
        .join(RevisionRow, RevisionRow.document_id == DocumentRow.id)
        .where(*conditions)
    )
    if author is None:
        query = query.where(*_is_newest())
    else:
        other = aliased(RevisionRow)
        newest = (
            select(func.max(other.number))
            .where(other.document_id == DocumentRow.id)
            .where(other.source == author.source, other.annotator == author.annotator)
            .scalar_subquery()
        )
        query = query.where(RevisionRow.number == newest)
    rows = connection.execute(query.where(_is_confirmed()))
    return {row.id: to_revision(row.id, row.text, row) for row in rows if row.status not in _UNUSED}


def _is_by_author() -> ColumnElement[bool]:
    return RevisionRow.source.in_(("human", "import"))


def _is_newest() -> tuple[ColumnElement[bool], ...]:
    """The version that counts is the newest one, unless a model made it."""
    return RevisionRow.number == DocumentRow.revision_number, RevisionRow.source != "model"


def _is_confirmed() -> ColumnElement[bool]:
    return RevisionRow.is_preannotated.is_(False)


def _id_conditions(document_ids: Collection[int] | None) -> list[list[ColumnElement[bool]]]:
    """Conditions that together hold for the documents named; one that always holds for None."""
    if document_ids is None:
        return [[]]
    ids = sorted(document_ids)
    return [
        [DocumentRow.id.in_(ids[start : start + _IDS_AT_A_TIME])]
        for start in range(0, len(ids), _IDS_AT_A_TIME)
    ]
