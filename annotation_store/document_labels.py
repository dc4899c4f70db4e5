"""What the queue filters by, kept at hand: each document's labels, each project's annotators.

Both repeat what revisions and predictions say. Whoever writes one of those calls a function here in
the same transaction; nothing else writes these tables.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Connection, delete, insert
from sqlalchemy.dialects import postgresql, sqlite

from annotation_store.documents import Source
from annotation_store.tables import DocumentLabelRow, ProjectAnnotatorRow

# Values that a statement names together; SQLite takes 32,766 at most.
_IDS_AT_A_TIME: Final = 500


def replace_labels(connection: Connection, labels: Mapping[int, Iterable[str]]) -> None:
    """Say which labels the entities of these documents have now, in the place of all before."""
    ids = list(labels)
    for begin in range(0, len(ids), _IDS_AT_A_TIME):
        some = ids[begin : begin + _IDS_AT_A_TIME]
        connection.execute(delete(DocumentLabelRow).where(DocumentLabelRow.document_id.in_(some)))
    insert_labels(connection, labels)


def insert_labels(connection: Connection, labels: Mapping[int, Iterable[str]]) -> None:
    """Say which labels the entities of new documents have."""
    rows = [
        {"document_id": document_id, "label": label}
        for document_id, its_labels in labels.items()
        for label in sorted(set(its_labels))
    ]
    if rows:
        connection.execute(insert(DocumentLabelRow), rows)


def is_known_annotator(annotator: str, source: Source, *, is_preannotated: bool) -> bool:
    """Whether a revision's annotator is a person that a queue can be filtered by."""
    return bool(annotator) and source != "model" and not is_preannotated


def add_annotators(connection: Connection, project_id: int, annotators: Iterable[str]) -> None:
    """Say who has worked on a project; those it knows already may be among them."""
    make_insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    for annotator in sorted(set(annotators)):
        connection.execute(
            make_insert(ProjectAnnotatorRow)
            .values(project_id=project_id, annotator=annotator)
            .on_conflict_do_nothing()
        )
