"""Which documents somebody wants to see: conditions for queries over `DocumentRow`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, SQLColumnExpression, exists, select

from annotation_store.database import Database
from annotation_store.documents import SOURCES, Status, check_status
from annotation_store.label_json import unfold_array, unfold_label
from annotation_store.projects import Project, check_length
from annotation_store.rows import holds_text
from annotation_store.tables import DocumentLabelRow, DocumentRow, RevisionRow

# SQLite compares patterns of at most 50,000 bytes; nobody types that much into a search box.
MAX_QUERY_CHARACTERS: Final = 1000


@dataclass(frozen=True, slots=True)
class DocumentFilter:
    """What a document must have to be shown; the default takes all.

    Attributes:
        status: Its status.
        label: A label of an entity that it shows: of its newest revision, confirmed or suggested,
            or, where no person has said anything yet, of what the model finds.
        annotator: Somebody who saved or imported a revision of it.
        query: A string that its text holds, whatever its case.
        differs: Whether the model finds other entities than people have confirmed.
    """

    status: Status | None = None
    label: str | None = None
    annotator: str | None = None
    query: str = ""
    differs: bool = False

    def __post_init__(self) -> None:
        if self.status is not None:
            check_status(self.status)
        check_length(self.query, MAX_QUERY_CHARACTERS, "what is searched for")


def match_documents(
    project_id: int, project: Project, wanted: DocumentFilter
) -> list[ColumnElement[bool]]:
    """The conditions of a filter, for a query over `DocumentRow`.

    Raises:
        ValueError: The label is not the project's.
    """
    conditions: list[ColumnElement[bool]] = [DocumentRow.project_id == project_id]
    if wanted.status is not None:
        conditions.append(DocumentRow.status == wanted.status)
    if wanted.query:
        conditions.append(holds_text(wanted.query))
    if wanted.label is not None:
        project.check_label(wanted.label)
        labelled = select(DocumentLabelRow.document_id).where(
            DocumentLabelRow.label.in_(project.names_of(wanted.label))
        )
        conditions.append(DocumentRow.id.in_(labelled))
    if wanted.annotator is not None:
        revised = select(RevisionRow.document_id).where(
            RevisionRow.annotator == wanted.annotator,
            RevisionRow.source.in_(tuple(source for source in SOURCES if source != "model")),
            RevisionRow.is_preannotated.is_(False),
        )
        conditions.append(DocumentRow.id.in_(revised))
    if wanted.differs:
        conditions.append(DocumentRow.num_differences > 0)
    return conditions


def has_label(label: SQLColumnExpression[Any], names: Sequence[str]) -> ColumnElement[bool]:
    """Whether CLUENER's `label` object has one of these labels."""
    by_label, _by_mention = unfold_label(label)
    return exists().where(by_label.c.key.in_(names))


def suggests_label(
    database: Database, suggestions: SQLColumnExpression[Any], names: Sequence[str]
) -> ColumnElement[bool]:
    """Whether one of the suggestions has one of these labels."""
    suggestion = unfold_array(suggestions, database, "suggestion")
    return exists().where(suggestion.c.value["label"].as_string().in_(names))
