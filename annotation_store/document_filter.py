"""Which documents somebody wants to see: conditions for queries over `DocumentRow`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, SQLColumnExpression, exists, or_

from annotation_store.database import Database
from annotation_store.documents import Status, check_status
from annotation_store.label_json import unfold_array, unfold_label
from annotation_store.projects import Project, check_length
from annotation_store.tables import DocumentRow, RevisionRow

# SQLite compares patterns of at most 50,000 bytes; nobody types that much into a search box.
MAX_QUERY_CHARACTERS: Final = 1000


@dataclass(frozen=True, slots=True)
class DocumentFilter:
    """What a document must have to be shown; the default takes all.

    Attributes:
        status: Its status.
        label: A label of an entity of its newest revision, confirmed or suggested.
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
    database: Database, project_id: int, project: Project, wanted: DocumentFilter
) -> list[ColumnElement[bool]]:
    """The conditions of a filter, for a query over `DocumentRow`.

    Raises:
        ValueError: The label is not the project's.
    """
    conditions: list[ColumnElement[bool]] = [DocumentRow.project_id == project_id]
    if wanted.status is not None:
        conditions.append(DocumentRow.status == wanted.status)
    if wanted.query:
        conditions.append(DocumentRow.text.icontains(wanted.query, autoescape=True))
    if wanted.label is not None:
        project.check_label(wanted.label)
        names = project.names_of(wanted.label)
        conditions.append(
            _newest_revision(
                or_(
                    has_label(RevisionRow.label, names),
                    suggests_label(database, RevisionRow.suggestions, names),
                )
            )
        )
    if wanted.annotator is not None:
        conditions.append(
            exists().where(
                RevisionRow.document_id == DocumentRow.id,
                RevisionRow.annotator == wanted.annotator,
                RevisionRow.source != "model",
                RevisionRow.is_preannotated.is_(False),
            )
        )
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


def _newest_revision(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(
        RevisionRow.document_id == DocumentRow.id,
        RevisionRow.number == DocumentRow.revision_number,
        condition,
    )
