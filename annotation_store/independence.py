"""Independent annotation: several people label a text without seeing each other's work.

Label Studio calls it overlap, Prodigy feed_overlap; here that word belongs to spans. A project says
how many annotators such a text needs and for which share of its texts; a text's digest decides
whether it is one of them.

A text is annotated independently until somebody has decided: as long as what counts of it is
nothing, a model's suggestions or a pre-annotation. Each person's saves are then versions of their
own (`Revision.is_independent`). They follow on that person's own last one, or on what stood there
before any person, and do not count: everything else that reads the document goes on seeing what
stood there before. Once there are as many as the project wants, they are closed: Review shows them
to everybody, so that a change would not be independent any more, and a save is refused. They stay
closed when a decision is taken back, and open again only where more people are wanted than there
are versions. The text is decided

- by the versions, once there are as many as the project wants and they say the same: see `decide`;
- by a reviewer, with a revision that is none of the versions. From then on the text is like others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, false, func, select, true

from annotation_store.database import Database
from annotation_store.documents import UNUSED, Document, Revision, digest_text
from annotation_store.project_rows import find_project
from annotation_store.projects import ProjectSettings
from annotation_store.rows import REVISION_COLUMNS, to_revision
from annotation_store.tables import DocumentRow, ProjectRow, RevisionRow

# The last digits of the digest choose; its first ones are the queue's random order.
_CHOOSING_DIGITS: Final = 8
_DIGITS: Final = 64


@dataclass(frozen=True, slots=True)
class IndependenceCounts:
    """How far a project's independent annotation is.

    Attributes:
        num_chosen: Texts that several people are to label.
        num_waiting: Texts that some, but not all of them have labelled.
        num_undecided: Texts on which the versions differ, so that a reviewer has to decide.
    """

    num_chosen: int
    num_waiting: int
    num_undecided: int


def num_wanted(settings: ProjectSettings, text: str) -> int:
    """How many people are to label a text."""
    is_chosen = int(digest_text(text)[-_CHOOSING_DIGITS:], 16) < _limit(settings)
    return settings.annotators_per_text if is_chosen else 1


def is_chosen(
    settings: ProjectSettings, document: type[DocumentRow] = DocumentRow
) -> ColumnElement[bool]:
    """The condition that several people are to label a text; `document` may be an alias."""
    if settings.annotators_per_text == 1:
        return false()
    if settings.independent_percent == 100:
        return true()
    digits = func.substr(document.text_sha256, _DIGITS - _CHOOSING_DIGITS + 1)
    return digits < f"{_limit(settings):0{_CHOOSING_DIGITS}x}"


def is_waiting(
    settings: ProjectSettings, document: type[DocumentRow] = DocumentRow
) -> ColumnElement[bool]:
    """The condition that some people have labelled a text and others are still to do so."""
    return and_(
        document.num_versions > 0,
        document.num_versions < settings.annotators_per_text,
        is_chosen(settings, document),
    )


def newest_versions(revisions: Iterable[Revision]) -> dict[str, Revision]:
    """Each person's newest independent revision, by their name; `revisions` are in order."""
    return {revision.annotator: revision for revision in revisions if revision.is_independent}


def decide(versions: Iterable[Revision], wanted: int) -> Revision | None:
    """Which of the independent versions counts; None while some are missing, or they differ.

    If one of them rejects or ignores the text, it is not used: whoever labelled it cannot outvote
    that. Where all have the same spans, one that is flagged comes before the others.

    Args:
        versions: One of each person.
        wanted: How many there have to be.
    """
    in_order = sorted(versions, key=lambda version: version.number)
    if len(in_order) < wanted:
        return None
    unused = [version for version in in_order if version.status in UNUSED]
    if unused:
        return unused[-1]
    if len({version.spans for version in in_order}) != 1:
        return None
    flagged = [version for version in in_order if version.status == "flagged"]
    return (flagged or in_order)[-1]


def find_counting(revisions: Sequence[Revision], wanted: int) -> Revision | None:
    """The revision that counts of a document with these; None if there is nothing to count.

    Args:
        revisions: All of them, in order.
        wanted: How many people are to label the text.
    """
    others = [revision for revision in revisions if not revision.is_independent]
    newest = others[-1] if others else None
    if newest is not None and newest.is_confirmed:
        return newest
    versions = newest_versions(revisions)
    return (decide(versions.values(), wanted) if versions else None) or newest


def is_independent(
    document: Document, revisions: Iterable[Revision], settings: ProjectSettings
) -> bool:
    """Whether what a person saves of a document now is a version of their own.

    Args:
        document: With the revision that counts.
        revisions: At least its independent ones.
        settings: Those of its project.
    """
    if document.revision is not None and document.revision.is_confirmed:
        return False
    return num_wanted(settings, document.text) > 1 or bool(newest_versions(revisions))


def is_closed(document: Document, revisions: Iterable[Revision], settings: ProjectSettings) -> bool:
    """Whether all versions of a text are in and it waits for a reviewer: nobody may save one.

    Args:
        document: With the revision that counts.
        revisions: At least its independent ones.
        settings: Those of its project.
    """
    if document.revision is not None and document.revision.is_confirmed:
        return False
    num_versions = len(newest_versions(revisions))
    return num_versions > 0 and num_versions >= num_wanted(settings, document.text)


def show_own(
    document: Document, revisions: Sequence[Revision], annotator: str
) -> tuple[Document, tuple[Revision, ...]]:
    """A document and its revisions as far as a person may see them.

    Until it is decided that is nobody else's independent version.

    Args:
        document: With the revision that counts.
        revisions: All of them, in order.
        annotator: The person's name.
    """
    if document.revision is not None and document.revision.is_confirmed:
        return document, tuple(revisions)
    own = newest_versions(revisions).get(annotator)
    seen = (it for it in revisions if not it.is_independent or it.annotator == annotator)
    return replace(document, revision=own or document.revision), tuple(seen)


def read_revisions(
    connection: Connection, document: Document, number: int | None = None
) -> tuple[Revision, ...]:
    """A document's revisions, in order, or only the one with a number.

    Raises:
        DamagedRow: One of them cannot be read.
    """
    return _read(connection, document, true() if number is None else RevisionRow.number == number)


def read_independent(connection: Connection, document: Document) -> tuple[Revision, ...]:
    """A document's independent revisions, in order; most documents have none.

    Raises:
        DamagedRow: One of them cannot be read.
    """
    return _read(connection, document, RevisionRow.is_independent.is_(True))


def _read(
    connection: Connection, document: Document, condition: ColumnElement[bool]
) -> tuple[Revision, ...]:
    rows = connection.execute(
        select(*REVISION_COLUMNS, ProjectRow.former_labels)
        .join(DocumentRow, DocumentRow.id == RevisionRow.document_id)
        .join(ProjectRow, ProjectRow.id == DocumentRow.project_id)
        .where(RevisionRow.document_id == document.id, condition)
        .order_by(RevisionRow.number)
    )
    return tuple(to_revision(document.id, document.text, row) for row in rows)


def count_independence(database: Database, *, project: str) -> IndependenceCounts:
    """How far a project's independent annotation is.

    Raises:
        ValueError: There is no such project.
        StoreError: The database cannot be read.
    """
    with database.reading() as connection:
        project_id, found = find_project(connection, project)

        def count(condition: ColumnElement[bool]) -> int:
            query = select(func.count()).select_from(DocumentRow)
            of_project = DocumentRow.project_id == project_id
            return connection.scalar(query.where(of_project, condition)) or 0

        num_waiting = count(is_waiting(found.settings))
        return IndependenceCounts(
            num_chosen=count(is_chosen(found.settings)),
            num_waiting=num_waiting,
            num_undecided=count(DocumentRow.num_versions > 0) - num_waiting,
        )


def _limit(settings: ProjectSettings) -> int:
    if settings.annotators_per_text == 1:
        return 0
    return 16**_CHOOSING_DIGITS * settings.independent_percent // 100
