"""How a revision is appended: which one it follows on, and which one counts from then on.

The functions run in the caller's transaction. PostgreSQL has no BEGIN IMMEDIATE; there, rows are
locked until the end: first the project, then the document, as everybody does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from annotation_store.appending import append_revision, point_at
from annotation_store.documents import Document, Revision, Source, StaleRevision, Status
from annotation_store.independence import (
    decide,
    find_counting,
    is_closed,
    is_independent,
    newest_versions,
    num_wanted,
    read_independent,
    read_revisions,
    show_own,
)
from annotation_store.predictions import read_prediction
from annotation_store.project_rows import find_project
from annotation_store.projects import Project, use_present_name
from annotation_store.rows import get_document, no_revision
from annotation_store.tables import DocumentRow
from ner_core.spans import Span, check_spans


@dataclass(frozen=True, slots=True)
class NewRevision:
    """What somebody wants to save; see `AnnotationStore.save`."""

    spans: Sequence[Span]
    suggestions: Sequence[Span]
    status: Status
    source: Source
    annotator: str
    duration_s: float | None = None
    is_preannotated: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Locked:
    """A document that nobody else can write, with what a save has to know of it.

    Attributes:
        document: With the revision that counts.
        project_id: The id of its project.
        project: Its project.
        num_revisions: The number of its newest revision.
        versions: Its independent revisions, in order.
    """

    document: Document
    project_id: int
    project: Project
    num_revisions: int
    versions: tuple[Revision, ...]


def save_revision(
    connection: Connection, document_id: int, new: NewRevision, *, base_revision: int, now: datetime
) -> Revision:
    """Append a revision; see `AnnotationStore.save`."""
    locked = _lock(connection, document_id)
    document, project, versions = locked.document, locked.project, locked.versions
    is_own = new.source == "human" and is_independent(document, versions, project.settings)
    followed = document
    if is_own:
        followed, _seen = show_own(document, versions, new.annotator)
    if base_revision not in _possible_bases(locked, new, followed):
        current = followed.revision or no_revision(connection, document_id)
        raise StaleRevision(document_id, base_revision, current)
    if is_own and is_closed(document, versions, project.settings):
        raise ValueError(
            "expected a text that people are still to label, got one with all"
            f" {len(newest_versions(versions))} independent versions: Review decides"
        )
    return _append(connection, locked, new, followed=followed, is_own=is_own, now=now)


def withdraw_decision(
    connection: Connection, document_id: int, *, base_revision: int, now: datetime
) -> Revision:
    """Take a reviewer's decision back; see `AnnotationStore.withdraw`."""
    locked = _lock(connection, document_id)
    document = locked.document
    decision = document.revision
    if decision is None or decision.source != "review" or decision.number != base_revision:
        current = decision or no_revision(connection, document_id)
        raise StaleRevision(document_id, base_revision, current)
    wanted = num_wanted(locked.project.settings, document.text)
    before = find_counting(
        [it for it in read_revisions(connection, document) if it.number < base_revision], wanted
    )
    # Where nothing was said before, what stands there now has to say as little. By the 0 seconds
    # `working_time` knows that nobody has worked on it.
    new = (
        NewRevision((), (), "new", "import", "", 0.0, is_preannotated=True)
        if before is None
        else NewRevision(
            before.spans,
            before.suggestions,
            before.status,
            before.source,
            before.annotator,
            0.0,
            is_preannotated=before.is_preannotated,
            note=before.note,
        )
    )
    return _append(connection, locked, new, followed=document, is_own=False, now=now)


def settle(connection: Connection, document_id: int) -> None:
    """Decide on an undecided document by its versions, if there are as many as are wanted now."""
    locked = _lock(connection, document_id)
    versions = newest_versions(locked.versions)
    decided = decide(versions.values(), num_wanted(locked.project.settings, locked.document.text))
    if decided is not None:
        _point_at(connection, locked, decided, num_revisions=locked.num_revisions, num_versions=0)


def _lock(connection: Connection, document_id: int) -> _Locked:
    """Lock a document and read it.

    Raises:
        DocumentNotFound: There is none of this id.
    """
    name = get_document(connection, document_id).project
    project_id, project = find_project(connection, name, for_share=True)
    num_revisions = connection.scalar(
        select(DocumentRow.num_revisions).where(DocumentRow.id == document_id).with_for_update()
    )
    assert num_revisions is not None, f"document {document_id} is gone"
    document = get_document(connection, document_id)
    versions = read_independent(connection, document)
    return _Locked(document, project_id, project, num_revisions, versions)


def _possible_bases(locked: _Locked, new: NewRevision, followed: Document) -> set[int]:
    """The revisions that a save may name as the one that it started from."""
    if new.source == "review":  # a reviewer has everybody's versions on screen
        return {locked.num_revisions}
    bases = {followed.revision_number}
    counting = locked.document.revision
    if counting is not None and counting.is_independent:
        # Whoever goes on from their own version goes on from what counts, if the two say the same.
        # They need not: another's rejection or flag comes before it.
        own = newest_versions(locked.versions).get(new.annotator)
        if own and (own.status, own.spans) == (counting.status, counting.spans):
            bases.add(own.number)
    return bases


def _append(
    connection: Connection,
    locked: _Locked,
    new: NewRevision,
    *,
    followed: Document,
    is_own: bool,
    now: datetime,
) -> Revision:
    document, project = locked.document, locked.project
    # The page may have been open since before a label got its present name.
    former = project.former_labels
    spans = [use_present_name(span, former) for span in new.spans]
    suggestions = [use_present_name(span, former) for span in new.suggestions]
    for some_spans in (spans, suggestions):
        check_spans(document.text, some_spans)
        project.labels.check_spans(some_spans)
    number = locked.num_revisions + 1
    append_revision(
        connection,
        locked.project_id,
        followed,
        number=number,
        spans=spans,
        suggestions=suggestions,
        status=new.status,
        source=new.source,
        annotator=new.annotator,
        now=now,
        duration_s=new.duration_s,
        is_preannotated=new.is_preannotated,
        is_independent=is_own,
        note=new.note,
    )
    (saved,) = read_revisions(connection, document, number)
    counting: Revision | None = saved
    versions = newest_versions((*locked.versions, saved))
    if is_own:
        counting = decide(versions.values(), num_wanted(project.settings, document.text))
    is_decided = counting is not None and counting.is_confirmed
    num_versions = 0 if is_decided else len(versions)
    _point_at(connection, locked, counting, num_revisions=number, num_versions=num_versions)
    return saved


def _point_at(
    connection: Connection,
    locked: _Locked,
    counting: Revision | None,
    *,
    num_revisions: int,
    num_versions: int,
) -> None:
    prediction = read_prediction(connection, locked.document) if counting else None
    point_at(
        connection,
        locked.document.id,
        counting,
        num_revisions=num_revisions,
        num_versions=num_versions,
        predicted=locked.project.adopt(prediction.spans) if prediction else None,
    )
