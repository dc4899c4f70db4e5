"""What the database keeps twice so that lists and filters are quick: compared, and made anew.

Revisions and predictions hold everything in their JSON. These repeat it, each written in the same
transaction: `DocumentRow.status`, `predicted_by` and `num_differences`, `DocumentLabelRow`,
`ProjectAnnotatorRow`. Where another program has changed one side only, revisions and predictions
are right.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import (
    Connection,
    Row,
    Select,
    delete,
    insert,
    select,
    update,
)

from annotation_store.database import Database
from annotation_store.document_labels import replace_labels
from annotation_store.documents import Document
from annotation_store.predictions import count_differences
from annotation_store.project_rows import PROJECT_COLUMNS, to_project
from annotation_store.projects import Project
from annotation_store.rows import select_documents, to_document, to_suggestions
from annotation_store.tables import (
    DocumentLabelRow,
    DocumentRow,
    PredictionRow,
    ProjectAnnotatorRow,
    ProjectRow,
    RevisionRow,
)

# Documents that are compared together, and that one write repairs: others save in between.
_AT_A_TIME: Final = 250

_Column = Literal["status", "predicted_by", "num_differences", "labels", "annotators"]


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that the database keeps twice and not alike.

    Attributes:
        column: What repeats the JSON.
        owner_id: The document; of "annotators" the project.
        problem: What was expected, what stands there, and where.
        expected: What the JSON says.
    """

    column: _Column
    owner_id: int
    problem: str
    expected: Any


def find_differences(connection: Connection) -> Iterator[Difference]:
    """All that is not alike; rows that cannot be read are passed over, `verify` names them."""
    yield from _compare_documents(connection)
    yield from _compare_annotators(connection)


def repair(database: Database) -> tuple[Difference, ...]:
    """Make anew what is not alike, some documents at a time; returns what was different.

    Raises:
        StoreError: The database cannot be read or written.
    """
    with database.reading() as connection:
        found = tuple(find_differences(connection))
    ids = sorted({one.owner_id for one in found if one.column != "annotators"})
    for begin in range(0, len(ids), _AT_A_TIME):
        with database.writing() as connection:
            _repair_documents(connection, ids[begin : begin + _AT_A_TIME])
    if any(one.column == "annotators" for one in found):
        with database.writing() as connection:
            for difference in list(_compare_annotators(connection)):
                _write_annotators(connection, difference.owner_id, difference.expected)
    return found


def _repair_documents(connection: Connection, ids: Sequence[int]) -> None:
    """Compare these again, now that nobody else can write them, and make them alike."""
    # First the projects, then the documents in order, as everybody locks them.
    projects = select(DocumentRow.project_id).where(DocumentRow.id.in_(ids))
    for locked in (
        select(ProjectRow.id).where(ProjectRow.id.in_(projects)).with_for_update(read=True),
        select(DocumentRow.id).where(DocumentRow.id.in_(ids)).with_for_update(),
    ):
        connection.execute(locked.order_by("id")).all()
    for one in list(_compare_documents(connection, ids)):
        if one.column == "labels":
            replace_labels(connection, {one.owner_id: one.expected})
        else:
            connection.execute(
                update(DocumentRow)
                .where(DocumentRow.id == one.owner_id)
                .values({one.column: one.expected})
            )


# Documents


def _compare_documents(
    connection: Connection, ids: Sequence[int] | None = None
) -> Iterator[Difference]:
    """Compare these documents, or all of them, which are fetched some at a time."""
    projects = _read_projects(connection)
    documents, labels = _select(), select(DocumentLabelRow.document_id, DocumentLabelRow.label)
    if ids is not None:
        documents = documents.where(DocumentRow.id.in_(ids))
        labels = labels.where(DocumentLabelRow.document_id.in_(ids))
    # Options of the statements: those of a connection would stay, and it goes on to write.
    labels = labels.order_by(DocumentLabelRow.document_id).execution_options(yield_per=_AT_A_TIME)
    documents = documents.order_by(DocumentRow.id).execution_options(yield_per=_AT_A_TIME)
    rows_of_labels = iter(connection.execute(labels))
    label_row = next(rows_of_labels, None)
    for row in connection.execute(documents):
        stored: set[Any] = set()
        while label_row is not None and label_row.document_id <= row.id:
            if label_row.document_id == row.id:
                stored.add(label_row.label)
            label_row = next(rows_of_labels, None)
        project = projects.get(row.project_id)
        if project is not None:
            yield from _compare_document(row, project, stored)


def _select() -> Select[Any]:
    return (
        select_documents()
        .add_columns(
            DocumentRow.project_id,
            DocumentRow.revision_number,
            DocumentRow.status.label("stored_status"),
            DocumentRow.predicted_by,
            DocumentRow.num_differences,
            PredictionRow.model,
            PredictionRow.spans.label("predicted"),
            PredictionRow.created_at.label("predicted_at"),
        )
        .outerjoin(PredictionRow, PredictionRow.document_id == DocumentRow.id)
    )


def _compare_document(row: Row[Any], project: Project, stored: set[Any]) -> Iterator[Difference]:
    if row.number is None and row.revision_number:
        return  # its newest revision is missing: nothing says what is right
    try:
        document = to_document(row)
        is_predicted = row.model is not None
        predicted = to_suggestions(document.text, row.predicted) if is_predicted else ()
    except ValueError:
        return

    def differ(column: _Column, expected: Any, wanted: str, got: object) -> Difference:
        problem = f"document {row.id}: expected {wanted}, got {got}"
        return Difference(column, row.id, problem, expected)

    if row.stored_status != document.status:
        wanted = f"status {document.status!r} of its newest revision"
        yield differ("status", document.status, wanted, repr(row.stored_status))
    if row.predicted_by is not None and row.predicted_by != row.model:
        # Null means that the model is to read the text again.
        got = f"one by {row.model!r}" if is_predicted else "none"
        yield differ("predicted_by", None, f"a prediction by {row.predicted_by!r}", got)
    elif row.predicted_by is not None:
        number = count_differences(document, project.adopt(predicted))
        if row.num_differences != number:
            wanted = f"{number} differences between model and people"
            yield differ("num_differences", number, wanted, row.num_differences)
    labels, allowed = _labels_of(row, document)
    if not labels <= stored <= allowed:
        yield differ("labels", labels, f"the labels {_list(labels)} to filter by", _list(stored))


def _labels_of(row: Row[Any], document: Document) -> tuple[set[str], set[str]]:
    """The labels to filter a document by, and those that may be there beside them."""
    revised: set[str] = set()
    if document.revision is not None:
        # As they stand there: under the names of their day.
        revised = {*row.label, *(item["label"] for item in row.suggestions)}
    if row.model is None or (document.revision and document.revision.source != "model"):
        return revised, revised
    predicted = {item["label"] for item in row.predicted}
    # Of two models the later one has written them; the upgrade to 0003 wrote those of both.
    is_revision_later = document.revision and document.revision.created_at > row.predicted_at
    return (revised if is_revision_later else predicted), revised | predicted


def _read_projects(connection: Connection) -> dict[int, Project]:
    """The projects that can be read, by id."""
    projects = {}
    for row in connection.execute(select(ProjectRow.id, *PROJECT_COLUMNS)):
        try:
            projects[row.id] = to_project(row)
        except ValueError:
            continue
    return projects


# Annotators


def _compare_annotators(connection: Connection) -> Iterator[Difference]:
    kept: dict[int, set[Any]] = {}
    named: dict[int, set[Any]] = {}
    for sets, query in (
        (kept, select(ProjectAnnotatorRow.project_id, ProjectAnnotatorRow.annotator)),
        (named, _select_annotators()),
    ):
        for project_id, annotator in connection.execute(query):
            if isinstance(annotator, str) or sets is kept:
                sets.setdefault(project_id, set()).add(annotator)
    for row in connection.execute(select(ProjectRow.id, ProjectRow.name).order_by(ProjectRow.id)):
        expected, got = named.get(row.id, set()), kept.get(row.id, set())
        if expected != got:
            problem = (
                f"project {row.name!r}: expected the annotators {_list(expected)} to filter by,"
                f" got {_list(got)}"
            )
            yield Difference("annotators", row.id, problem, expected)


def _select_annotators() -> Select[int, str]:
    """Who has saved or imported a revision; see `document_labels.is_known_annotator`."""
    return (
        select(DocumentRow.project_id, RevisionRow.annotator)
        .join(DocumentRow, DocumentRow.id == RevisionRow.document_id)
        .where(
            RevisionRow.annotator != "",
            RevisionRow.source != "model",
            RevisionRow.is_preannotated.is_(False),
        )
        .distinct()
    )


def _write_annotators(connection: Connection, project_id: int, annotators: set[str]) -> None:
    table = ProjectAnnotatorRow
    connection.execute(delete(table).where(table.project_id == project_id))
    rows = [{"project_id": project_id, "annotator": annotator} for annotator in annotators]
    if rows:
        connection.execute(insert(table), rows)


def _list(names: set[Any]) -> str:
    return ", ".join(sorted(map(repr, names))) or "(none)"
