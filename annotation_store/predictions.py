"""What a model makes of every text of a project, and how unsure it is: the ranking of the queue.

A model reads the texts in the background, some at a time; each call here is one short transaction,
so that saves never wait for it, and a program that dies loses one batch. A document says which
model read it last (`predicted_by`): where that is another one than the project's, it is to be read
again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from annotation_store.database import Database
from annotation_store.document_labels import replace_labels
from annotation_store.documents import Document
from annotation_store.project_rows import find_project
from annotation_store.rows import select_documents, to_document, to_suggestions
from annotation_store.stored_values import naming
from annotation_store.tables import DocumentRow, PredictionRow
from ner_core.spans import Span


@dataclass(frozen=True, slots=True)
class UnreadText:
    """A text that a model has not read yet."""

    document_id: int
    text: str


@dataclass(frozen=True, slots=True)
class NewPrediction:
    """What a model makes of a document.

    Attributes:
        document_id: The document.
        spans: As the model names them: labels that are not the project's may be among them.
        path_uncertainty: See `ner_core.uncertainty`; in [0, 1].
        token_uncertainty: The same.
    """

    document_id: int
    spans: tuple[Span, ...]
    path_uncertainty: float
    token_uncertainty: float


@dataclass(frozen=True, slots=True)
class StoredPrediction:
    """What a model has found in a document.

    Attributes:
        model: Its name.
        spans: As it names them; `Project.adopt` gives them today's names.
    """

    model: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class ReadingProgress:
    """How many of a project's documents a model has read."""

    num_read: int
    num_total: int


def find_unread(
    database: Database, *, project: str, model: str, limit: int
) -> tuple[UnreadText, ...]:
    """Some of the documents that the model has not read: those nobody has reviewed come first.

    Raises:
        ValueError: There is no such project.
    """
    unread: list[UnreadText] = []
    with database.reading() as connection:
        project_id, _project = find_project(connection, project)
        for is_new in (DocumentRow.status == "new", DocumentRow.status != "new"):
            rows = connection.execute(
                select(DocumentRow.id, DocumentRow.text)
                .where(DocumentRow.project_id == project_id, is_new, _is_unread(model))
                .order_by(DocumentRow.position)
                .limit(limit - len(unread))
            )
            unread += [UnreadText(row.id, row.text) for row in rows]
            if len(unread) == limit:
                break
    return tuple(unread)


def read_progress(database: Database, *, project: str, model: str) -> ReadingProgress:
    """How far a model is.

    Raises:
        ValueError: There is no such project.
    """
    with database.reading() as connection:
        project_id, _project = find_project(connection, project)
        row = connection.execute(
            select(
                func.count().label("num_total"),
                func.count().filter(DocumentRow.predicted_by == model).label("num_read"),
            ).where(DocumentRow.project_id == project_id)
        ).one()
        return ReadingProgress(row.num_read, row.num_total)


def write_predictions(
    database: Database, *, project: str, model: str, predictions: Sequence[NewPrediction]
) -> None:
    """Store what a model makes of some documents, in the place of what another one made of them.

    Raises:
        ValueError: There is no such project.
    """
    by_document = {prediction.document_id: prediction for prediction in predictions}
    with database.writing() as connection:
        # First the project, then its documents in order, as everybody locks them.
        project_id, found = find_project(connection, project, for_share=True)
        of_project = DocumentRow.project_id == project_id, DocumentRow.id.in_(by_document)
        locked = select(DocumentRow.id).where(*of_project).order_by(DocumentRow.id)
        ids = connection.scalars(locked.with_for_update()).all()
        if not ids:
            return
        now = datetime.now(UTC)  # behind the locks: of two models the later one is shown
        documents = map(to_document, connection.execute(select_documents(*of_project)))
        read = [(document, by_document[document.id]) for document in documents]
        connection.execute(delete(PredictionRow).where(PredictionRow.document_id.in_(ids)))
        connection.execute(
            insert(PredictionRow),
            [
                {
                    "document_id": document_id,
                    "model": model,
                    "spans": [_to_json(span) for span in by_document[document_id].spans],
                    "created_at": now,
                }
                for document_id in ids
            ],
        )
        # All at once: SQLite takes a third of the time.
        connection.execute(
            update(DocumentRow).where(DocumentRow.id == bindparam("of_document")),
            [
                {
                    "of_document": document.id,
                    "path_uncertainty": prediction.path_uncertainty,
                    "token_uncertainty": prediction.token_uncertainty,
                    "predicted_by": model,
                    "num_differences": count_differences(document, found.adopt(prediction.spans)),
                }
                for document, prediction in read
            ],
        )
        # A document that no person has touched shows what the model finds.
        replace_labels(
            connection,
            {
                document.id: {span.label for span in prediction.spans}
                for document, prediction in read
                if document.revision is None or document.revision.source == "model"
            },
        )


def read_prediction(connection: Connection, document: Document) -> StoredPrediction | None:
    """What the model that has read a document last has found; None if none has read it.

    Raises:
        DamagedRow: The prediction cannot be read.
    """
    row = connection.execute(
        select(PredictionRow.model, PredictionRow.spans).where(
            PredictionRow.document_id == document.id
        )
    ).first()
    if row is None:
        return None
    with naming(f"prediction of document {document.id}"):
        return StoredPrediction(row.model, to_suggestions(document.text, row.spans))


def count_differences(document: Document, predicted: Iterable[Span]) -> int | None:
    """The number of entities that only people or only the model see; None before people have said.

    Args:
        document: With its newest revision.
        predicted: What the model finds, under today's names of the project's labels.
    """
    if document.revision is None or not document.revision.is_confirmed:
        return None
    return len(set(document.spans) ^ set(predicted))


def _is_unread(model: str) -> ColumnElement[bool]:
    return or_(DocumentRow.predicted_by.is_(None), DocumentRow.predicted_by != model)


def _to_json(span: Span) -> dict[str, object]:
    return {"start": span.start, "end": span.end, "label": span.label, "score": span.score}
