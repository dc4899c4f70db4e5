"""Versions of documents side by side: what each annotator's own newest revision says.

The history keeps every revision, so an annotator's version can be found after others have saved
over it. It need not be independent: whoever opens a document sees the version before, unless the
project has several people label it without seeing each other's work. There, an annotator's version
is the newest that they made so; it is read once there are as many as are wanted.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Literal, cast

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, func, not_, or_, select
from sqlalchemy.orm import aliased

from annotation_store.database import Database
from annotation_store.documents import UNUSED, Revision, Source
from annotation_store.independence import is_waiting
from annotation_store.project_rows import find_project
from annotation_store.projects import Project
from annotation_store.rows import REVISION_COLUMNS, filter_documents, to_revision
from annotation_store.tables import DocumentRow, ProjectRow, RevisionRow

AuthorSource = Literal["human", "import"]

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


@dataclass(frozen=True, slots=True, order=True)
class UndecidedPair:
    """Two people whose independent versions of some documents differ.

    Attributes:
        num_documents: How many documents wait for a reviewer to decide between them.
        annotators: Their names, in order.
    """

    num_documents: int
    annotators: tuple[str, str]


@dataclass(frozen=True, slots=True)
class ReviewDocument:
    """A document with the versions that were asked for.

    Attributes:
        id: The store's number for it.
        position: 1 for the project's first document.
        text: Exactly as it was added.
        revision_number: Its newest revision, which a reviewer's save must name.
        newest_source: Who made the one that counts.
        newest_annotator: Their name.
        is_undecided: It waits for a reviewer to decide between independent versions.
        is_independent: The versions are those of people who did not see each other's work.
        versions: One revision for each author asked for, in their order.
        others: While it is undecided, the independent versions of everybody else, by name: a
            decision settles what any two of them differ in.
    """

    id: int
    position: int
    text: str
    revision_number: int
    newest_source: Source
    newest_annotator: str
    is_undecided: bool
    is_independent: bool
    versions: tuple[Revision, ...]
    others: Mapping[str, Revision]

    @property
    def is_reviewed(self) -> bool:
        """Whether a reviewer has decided, and nobody has changed the document since.

        Independent versions stay what they were, so what was changed since leaves them decided on.
        """
        return self.newest_source == "review" or (self.is_independent and not self.is_undecided)

    @property
    def notes(self) -> tuple[tuple[str, str], ...]:
        """What the authors of the versions wrote to say why, with their names."""
        revisions = (*self.versions, *self.others.values())
        return tuple((it.annotator, it.note) for it in revisions if it.note)


def list_authors(database: Database, *, project: str) -> tuple[AuthorCount, ...]:
    """Everybody with a version of some document of a project, those with the most first.

    Raises:
        ValueError: There is no such project.
        StoreError: The database cannot be read.
    """
    num_documents = func.count(RevisionRow.document_id.distinct())
    with database.reading() as connection:
        _id, found = find_project(connection, project)
        rows = connection.execute(
            select(RevisionRow.source, RevisionRow.annotator, num_documents.label("num_documents"))
            .join(DocumentRow, DocumentRow.id == RevisionRow.document_id)
            .where(*filter_documents(connection, project), _is_by_author(), _is_confirmed())
            .where(_is_to_be_seen(found))
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
                *_is_final(),
            )
        )
        return count or 0


def list_undecided(database: Database, *, project: str) -> tuple[UndecidedPair, ...]:
    """Between whose independent versions a reviewer is to decide, the most documents first.

    Raises:
        ValueError: There is no such project.
        StoreError: The database cannot be read.
    """
    with database.reading() as connection:
        project_id, found = find_project(connection, project)
        undecided = _read_undecided(connection, found, [DocumentRow.project_id == project_id])
    counts = Counter(
        (left, right)
        for versions in undecided.values()
        for left, right in combinations(sorted(versions), 2)
        if versions[left].spans != versions[right].spans
    )
    pairs = (UndecidedPair(count, annotators) for annotators, count in counts.items())
    return tuple(sorted(pairs, key=lambda pair: (-pair.num_documents, pair.annotators)))


def read_revision_numbers(database: Database, *, project: str) -> dict[int, tuple[int, int]]:
    """What tells whether a document has changed, by its id: numbers of two of its revisions.

    They are the newest one and the one that counts.

    Raises:
        ValueError: There is no such project.
        StoreError: The database cannot be read.
    """
    with database.reading() as connection:
        rows = connection.execute(
            select(DocumentRow.id, DocumentRow.num_revisions, DocumentRow.revision_number).where(
                *filter_documents(connection, project)
            )
        )
        return {row.id: (row.num_revisions, row.revision_number) for row in rows}


def read_versions(
    database: Database,
    authors: Sequence[Author | None],
    *,
    project: str,
    document_ids: Collection[int] | None = None,
) -> list[ReviewDocument]:
    """The documents of which each of some authors has a version, in order.

    Left out are versions that reject or ignore the text, and pre-annotations, which nobody has
    confirmed. So are flagged ones where None stands for an author: who flags a text leaves open
    what is in it, and suggestions that are still to be decided on would look like refused ones.

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
        _id, found_project = find_project(connection, project)
        of_project = filter_documents(connection, project)
        for some in _id_conditions(document_ids):
            conditions = [*of_project, *some]
            versions = [
                _read_newest(connection, found_project, author, conditions) for author in authors
            ]
            undecided = _read_undecided(connection, found_project, conditions)
            wanted = set.intersection(*map(set, versions))
            rows = connection.execute(_select_newest(conditions))
            for row in rows:
                if row.id in wanted:
                    own = tuple(of_author[row.id] for of_author in versions)
                    others = {
                        name: version
                        for name, version in sorted(undecided.get(row.id, {}).items())
                        if Author("human", name) not in authors
                    }
                    are_people = None not in authors
                    found.append(_to_review_document(row, own, others, are_people=are_people))
    return sorted(found, key=lambda document: document.position)


def _to_review_document(
    row: Row[int, int, str, int, int, str, str],
    versions: tuple[Revision, ...],
    others: Mapping[str, Revision],
    *,
    are_people: bool,
) -> ReviewDocument:
    return ReviewDocument(
        id=row.id,
        position=row.position,
        text=row.text,
        revision_number=row.num_revisions,
        # Where nothing counts yet, only independent versions, nobody has said anything.
        newest_source=cast(Source, row.source or "model"),
        newest_annotator=row.annotator or "",
        is_undecided=row.num_versions > 0,
        # What counts may be one of two versions because it is like the other one.
        is_independent=are_people
        and len(versions) > 1
        and all(version.is_independent for version in versions),
        versions=versions,
        others=others,
    )


def _select_newest(
    conditions: Sequence[ColumnElement[bool]],
) -> Select[int, int, str, int, int, str, str]:
    """Documents with what is said of the revision that counts, which itself is not read."""
    return (
        select(
            DocumentRow.id,
            DocumentRow.position,
            DocumentRow.text,
            DocumentRow.num_revisions,
            DocumentRow.num_versions,
            RevisionRow.source,
            RevisionRow.annotator,
        )
        .outerjoin(
            RevisionRow,
            and_(
                RevisionRow.document_id == DocumentRow.id,
                RevisionRow.number == DocumentRow.revision_number,
            ),
        )
        .where(*conditions)
    )


def _read_newest(
    connection: Connection,
    project: Project,
    author: Author | None,
    conditions: Sequence[ColumnElement[bool]],
) -> dict[int, Revision]:
    """Each document's newest revision by an author, by the document's id.

    Of independent revisions and others, the newest independent one.
    """
    query = (
        select(DocumentRow.id, DocumentRow.text, ProjectRow.former_labels, *REVISION_COLUMNS)
        .join(ProjectRow, ProjectRow.id == DocumentRow.project_id)
        .join(RevisionRow, RevisionRow.document_id == DocumentRow.id)
        .where(*conditions)
    )
    if author is None:
        query = query.where(*_is_final())
    else:
        other = aliased(RevisionRow)
        newest_own = func.max(case((other.is_independent.is_(True), other.number)))
        newest = (
            select(func.coalesce(newest_own, func.max(other.number)))
            .where(other.document_id == DocumentRow.id)
            .where(other.source == author.source, other.annotator == author.annotator)
            .scalar_subquery()
        )
        query = query.where(RevisionRow.number == newest, _is_to_be_seen(project))
    rows = connection.execute(query.where(_is_confirmed()))
    return {row.id: to_revision(row.id, row.text, row) for row in rows if row.status not in UNUSED}


def _read_undecided(
    connection: Connection, project: Project, conditions: Sequence[ColumnElement[bool]]
) -> dict[int, dict[str, Revision]]:
    """The independent versions that a reviewer is to decide between, by document and annotator."""
    rows = connection.execute(
        select(DocumentRow.id, DocumentRow.text, ProjectRow.former_labels, *REVISION_COLUMNS)
        .join(ProjectRow, ProjectRow.id == DocumentRow.project_id)
        .join(RevisionRow, RevisionRow.document_id == DocumentRow.id)
        .where(*conditions, DocumentRow.num_versions > 0, not_(is_waiting(project.settings)))
        .where(RevisionRow.is_independent.is_(True))
        .order_by(DocumentRow.id, RevisionRow.number)
    )
    versions: dict[int, dict[str, Revision]] = {}
    for row in rows:  # a later version of the same person takes the place of the one before
        of_document = versions.setdefault(row.id, {})
        of_document[row.annotator] = to_revision(row.id, row.text, row)
    return versions


def _is_by_author() -> ColumnElement[bool]:
    return RevisionRow.source.in_(("human", "import"))


def _is_final() -> tuple[ColumnElement[bool], ...]:
    """The version that counts, unless a model made it or its author left open what is right."""
    return (
        RevisionRow.number == DocumentRow.revision_number,
        RevisionRow.source != "model",
        RevisionRow.status.not_in((*UNUSED, "flagged")),
        _is_confirmed(),
    )


def _is_to_be_seen(project: Project) -> ColumnElement[bool]:
    """No independent version is shown while others are still to label the text."""
    return or_(RevisionRow.is_independent.is_(False), not_(is_waiting(project.settings)))


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
