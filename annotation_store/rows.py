"""Rows into plain values, and the queries that fetch them.

Any program can write to the database. What a row holds is therefore checked before it becomes a
value, and a row that cannot be ours is named (`DamagedRow`).
"""

import reprlib
from collections.abc import Iterable, Mapping
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, select
from sqlalchemy.orm import aliased

from annotation_store.documents import (
    Document,
    DocumentNotFound,
    Revision,
    Source,
    Status,
    check_duration,
    check_origin,
    check_status,
)
from annotation_store.project_rows import find_project
from annotation_store.projects import read_former_labels, use_present_name
from annotation_store.stored_values import (
    check_stored_moment,
    check_stored_number,
    check_stored_text,
    naming,
)
from annotation_store.tables import DocumentRow, ProjectRow, RevisionRow
from ner_core.formats import cluener_to_spans, spans_to_cluener
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
    RevisionRow.is_independent,
    RevisionRow.note,
)


# SQLite compares patterns of at most 50,000 bytes; nobody types that much into a search box.
_MAX_QUERY_CHARACTERS = 1000


def filter_documents(
    connection: Connection, project: str, status: Status | None = None, query: str = ""
) -> list[ColumnElement[bool]]:
    """Conditions for a project's documents, of one status or of all, that hold a string or any.

    Raises:
        ValueError: There is no such project or status, or the string is too long.
    """
    project_id, _project = find_project(connection, project)
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
        conditions.append(holds_text(query))
    return conditions


def holds_text(query: str) -> ColumnElement[bool]:
    """The condition that a document's text holds a string, whatever its case.

    A query of its own, which reads the texts as they lie on the disk: in the order of an index,
    SQLite fetches each one from another place, which takes five times as long.
    """
    searched = aliased(DocumentRow, name="searched")
    return DocumentRow.id.in_(
        select(searched.id).where(searched.text.icontains(query, autoescape=True))
    )


def select_documents(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Documents with their project's name and the revision that counts, for `to_document`."""
    return (
        select(
            DocumentRow.id,
            DocumentRow.text,
            DocumentRow.position,
            DocumentRow.external_id,
            ProjectRow.name.label("project"),
            ProjectRow.former_labels,
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


def to_document(row: Row[Any]) -> Document:
    """A row of `select_documents` as a document.

    Raises:
        DamagedRow: The document or the revision that counts cannot be read.
    """
    with naming(f"document {row.id}"):
        check_stored_text(row.project, "the project's name")
        check_stored_text(row.text, "the document's text")
        check_stored_text(row.external_id, "the document's external id")
        check_stored_number(row.position, "the document's position")
    return Document(
        id=row.id,
        project=row.project,
        text=row.text,
        position=row.position,
        revision=None if row.number is None else to_revision(row.id, row.text, row),
        external_id=row.external_id,
    )


def to_revision(document_id: int, text: str, row: Row[Any]) -> Revision:
    """A row with the REVISION_COLUMNS and its project's `former_labels` as a revision.

    Its spans have the present names of their labels. Suggestions of a label that has been removed
    are left out: nobody can decide on them any more.

    Raises:
        DamagedRow: The revision cannot be read, or does not fit its text.
    """
    with naming(f"document {document_id}, revision {row.number}"):
        check_stored_number(row.number, "the revision's number")
        check_stored_number(row.num_changes, "the number of changes")
        check_stored_moment(row.created_at)
        check_stored_text(row.annotator, "the annotator's name")
        check_stored_text(row.note, "the note")
        check_origin(row.source, row.annotator)
        check_status(row.status)
        check_duration(row.duration_s)
        label, spans = row.label, cluener_to_spans(text, row.label)
        suggestions = to_suggestions(text, row.suggestions)
        if row.former_labels:
            former = read_former_labels(row.former_labels)
            spans = _use_present_names(spans, former)
            label = spans_to_cluener(text, spans)
            suggestions = _use_present_names(
                (span for span in suggestions if former.get(span.label, span.label)), former
            )
        return Revision(
            number=row.number,
            label=label,
            spans=spans,
            suggestions=suggestions,
            status=cast(Status, row.status),
            source=cast(Source, row.source),
            annotator=row.annotator,
            created_at=row.created_at,
            num_changes=row.num_changes,
            duration_s=row.duration_s,
            is_preannotated=row.is_preannotated,
            is_independent=row.is_independent,
            note=row.note,
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


def _use_present_names(
    spans: Iterable[Span], former_labels: Mapping[str, str | None]
) -> tuple[Span, ...]:
    return tuple(sorted(use_present_name(span, former_labels) for span in spans))


def to_suggestions(text: str, items: object) -> tuple[Span, ...]:
    """A stored list of a model's spans, under the names of its day.

    Raises:
        ValueError: It is something else, or a span ends behind the text.
    """
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
