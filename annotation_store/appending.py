"""The two things that are ever written: new documents, and new revisions of documents.

The functions run in the caller's transaction and check nothing that the store has checked.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from annotation_store.document_labels import (
    add_annotators,
    insert_labels,
    is_known_annotator,
    replace_labels,
)
from annotation_store.documents import (
    AddResult,
    Document,
    NewDocument,
    Revision,
    Source,
    Status,
    digest_text,
)
from annotation_store.tables import DocumentRow, RevisionRow
from ner_core.formats import spans_to_cluener
from ner_core.spans import Span

# Values that a statement names together; SQLite takes 32,766 at most.
_DIGESTS_AT_A_TIME = 500


def append_documents(
    connection: Connection,
    project_id: int,
    documents: Sequence[NewDocument],
    *,
    source: Source,
    annotator: str,
    now: datetime,
) -> AddResult:
    """Insert the documents whose text the project does not hold yet, each text once."""
    digests = [digest_text(document.text) for document in documents]
    known = _known_digests(connection, project_id, digests)
    position = connection.scalar(
        select(func.max(DocumentRow.position)).where(DocumentRow.project_id == project_id)
    )
    position = position or 0
    added: list[NewDocument] = []
    rows: list[dict[str, Any]] = []
    for document, digest in zip(documents, digests, strict=True):
        if digest in known:
            continue
        known.add(digest)
        added.append(document)
        rows.append(
            {
                "project_id": project_id,
                "position": position + len(added),
                "text": document.text,
                "text_sha256": digest,
                "external_id": document.external_id,
                "revision_number": 1 if document.has_revision else 0,
                "num_revisions": 1 if document.has_revision else 0,
                "status": document.status,
                "created_at": now,
            }
        )
    if not added:
        return AddResult((), len(documents))
    added_ids = connection.scalars(
        insert(DocumentRow).returning(DocumentRow.id, sort_by_parameter_order=True), rows
    ).all()
    with_revision = {
        document_id: document
        for document_id, document in zip(added_ids, added, strict=True)
        if document.has_revision
    }
    if with_revision:
        revision_rows = [
            {
                "document_id": document_id,
                **first_revision(document, source=source, annotator=annotator, now=now),
            }
            for document_id, document in with_revision.items()
        ]
        connection.execute(insert(RevisionRow), revision_rows)
        insert_labels(
            connection,
            {document_id: labels_of(document) for document_id, document in with_revision.items()},
        )
        people = (
            document.annotator or annotator
            for document in with_revision.values()
            if is_known_annotator(
                document.annotator or annotator, source, is_preannotated=document.is_preannotated
            )
        )
        add_annotators(connection, project_id, people)
    return AddResult(tuple(added_ids), len(documents) - len(added))


def labels_of(document: NewDocument) -> set[str]:
    """The labels of its entities, confirmed or suggested."""
    return {span.label for span in (*(document.spans or ()), *document.suggestions)}


def first_revision(
    document: NewDocument, *, source: Source, annotator: str, now: datetime
) -> dict[str, Any]:
    """The columns of a new document's revision 1, without the document's id."""
    row = _revision_row(
        document.text,
        number=1,
        spans=document.spans or (),
        previous_spans=(),
        suggestions=document.suggestions,
        status=document.status,
        source=source,
        annotator=document.annotator or annotator,
        now=now,
    )
    return row | {"is_preannotated": document.is_preannotated, "note": document.note}


def append_revision(
    connection: Connection,
    project_id: int,
    document: Document,
    *,
    number: int,
    spans: Iterable[Span],
    suggestions: Iterable[Span],
    status: Status,
    source: Source,
    annotator: str,
    now: datetime,
    duration_s: float | None = None,
    is_preannotated: bool = False,
    is_independent: bool = False,
    note: str = "",
) -> None:
    """Insert a revision that follows on the one that a document has.

    Whether it counts is said by `point_at`, which the caller has to call.
    """
    row = _revision_row(
        document.text,
        number=number,
        spans=spans,
        previous_spans=document.spans,
        suggestions=suggestions,
        status=status,
        source=source,
        annotator=annotator,
        now=now,
        duration_s=duration_s,
    )
    row |= {
        "is_preannotated": is_preannotated,
        "is_independent": is_independent,
        "note": note,
    }
    connection.execute(insert(RevisionRow), {"document_id": document.id, **row})
    if is_known_annotator(annotator, source, is_preannotated=is_preannotated):
        add_annotators(connection, project_id, [annotator])


def point_at(
    connection: Connection,
    document_id: int,
    revision: Revision | None,
    *,
    num_revisions: int,
    num_versions: int,
    predicted: Iterable[Span] | None,
) -> None:
    """Say which revision of a document counts, in the place of the one before.

    Args:
        connection: In a transaction.
        document_id: The document.
        revision: The one that counts; None for none.
        num_revisions: The number of its newest revision.
        num_versions: How many people's versions wait for a decision.
        predicted: What the project's model finds in the text; None while it has not read it.
    """
    values: dict[str, Any] = {"num_revisions": num_revisions, "num_versions": num_versions}
    if revision is not None:
        spans = revision.spans
        replace_labels(connection, {document_id: _read_labels(connection, document_id, revision)})
        is_compared = predicted is not None and revision.is_confirmed
        values |= {
            "revision_number": revision.number,
            "status": revision.status,
            "num_differences": len(set(spans) ^ set(predicted or ())) if is_compared else None,
        }
    connection.execute(update(DocumentRow).where(DocumentRow.id == document_id).values(values))


def _read_labels(connection: Connection, document_id: int, revision: Revision) -> set[str]:
    """The labels of a revision's entities, under the names that they had on its day."""
    row = connection.execute(
        select(RevisionRow.label, RevisionRow.suggestions).where(
            RevisionRow.document_id == document_id, RevisionRow.number == revision.number
        )
    ).one()
    return {*row.label, *(item["label"] for item in row.suggestions)}


def _known_digests(connection: Connection, project_id: int, digests: Sequence[str]) -> set[str]:
    """Those of the digests that the project holds already."""
    known: set[str] = set()
    for begin in range(0, len(digests), _DIGESTS_AT_A_TIME):
        some = digests[begin : begin + _DIGESTS_AT_A_TIME]
        known.update(
            connection.scalars(
                select(DocumentRow.text_sha256).where(
                    DocumentRow.project_id == project_id, DocumentRow.text_sha256.in_(some)
                )
            )
        )
    return known


def _revision_row(
    text: str,
    *,
    number: int,
    spans: Iterable[Span],
    previous_spans: Iterable[Span],
    suggestions: Iterable[Span],
    status: Status,
    source: Source,
    annotator: str,
    now: datetime,
    duration_s: float | None = None,
) -> dict[str, Any]:
    confirmed = set(spans)
    return {
        "number": number,
        "label": spans_to_cluener(text, confirmed),
        "suggestions": [
            {"start": span.start, "end": span.end, "label": span.label, "score": span.score}
            for span in sorted(set(suggestions) - confirmed)
        ],
        "status": status,
        "source": source,
        "annotator": annotator,
        "num_changes": len(confirmed ^ set(previous_spans)),
        "created_at": now,
        "duration_s": duration_s,
    }
