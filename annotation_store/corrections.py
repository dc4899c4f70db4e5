"""What people made of the suggestions of models; one SQL query."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Integer, String, and_, case, func, literal, or_, select, true
from sqlalchemy.orm import aliased

from annotation_store.database import Database
from annotation_store.label_json import present_name, reading_json, unfold_array, unfold_label
from annotation_store.project_rows import find_project
from annotation_store.rows import filter_documents
from annotation_store.statistics import IS_NEWEST
from annotation_store.tables import DocumentRow, RevisionRow
from annotation_store.working_time import PEOPLE


@dataclass(frozen=True, slots=True)
class Corrections:
    """What people made of the model's suggestions.

    Attributes:
        label: By its present name; None for all labels together.
        num_kept: Suggested spans that were confirmed with the same borders and label.
        num_added: Confirmed spans that were not suggested.
        num_removed: Suggested spans that were not confirmed. A span with a new border or label
            counts twice, as removed and as added.
        num_documents: Documents with such a span; for all labels: all that were compared.
        num_corrected_documents: Those of them with a span added or removed.
    """

    label: str | None
    num_kept: int
    num_added: int
    num_removed: int
    num_documents: int
    num_corrected_documents: int


def count_corrections(database: Database, *, project: str) -> tuple[Corrections, ...]:
    """The suggestions against what people accepted: all labels first, then each label.

    Compared are the documents whose newest revision is a person's and accepted, and that had come
    with suggestions: of the newest revision that a model made, or of a pre-annotated import. A
    revision's own `num_changes` would not do. It counts from the revision before, where nothing is
    confirmed yet: accepting three right suggestions makes three changes.

    Raises:
        ValueError: There is no such project.
        StoreError: The database cannot be read.
    """
    suggested = aliased(RevisionRow, name="suggested")
    other = aliased(RevisionRow, name="other")
    newest_suggested = (
        select(func.max(other.number))
        .where(other.document_id == DocumentRow.id)
        .where(or_(other.source == "model", other.is_preannotated))
        .scalar_subquery()
    )
    with reading_json(database) as connection:
        compared = (
            select(
                DocumentRow.id.label("document_id"),
                RevisionRow.label.label("confirmed"),
                suggested.suggestions.label("suggested"),
            )
            .join(RevisionRow, IS_NEWEST)
            .join(
                suggested,
                and_(suggested.document_id == DocumentRow.id, suggested.number == newest_suggested),
            )
            .where(*filter_documents(connection, project, "accepted"))
            .where(RevisionRow.source.in_(PEOPLE))
            .cte("compared")
        )
        _id, found = find_project(connection, project)
        spans = _spans_of_both(compared, database, found.former_labels).subquery("spans")
        # A span that both sides have stands there twice, once for each.
        both = (
            select(
                spans.c.document_id,
                spans.c.label,
                func.max(spans.c.is_confirmed).label("is_confirmed"),
                func.max(spans.c.is_suggested).label("is_suggested"),
            )
            .group_by(spans.c.document_id, spans.c.label, spans.c.start, spans.c.end)
            .cte("both")
        )
        counts = _count_sides(both)
        total = select(literal(None, String).label("label"), *counts)
        by_label = (
            select(both.c.label, *counts).where(both.c.label.is_not(None)).group_by(both.c.label)
        )
        rows = connection.execute(total.union_all(by_label)).mappings()
        counted = [Corrections(**row) for row in rows]
    return tuple(sorted(counted, key=lambda each: (each.label is not None, each.label or "")))


def _spans_of_both(
    compared: sa.CTE, database: Database, former_labels: Mapping[str, str | None]
) -> sa.CompoundSelect[Any]:
    """A row for each confirmed and each suggested span, and one without a span for each document.

    The last kind counts the documents in which both sides found nothing; to join them to the spans
    instead would take SQLite, without an index, the square of their number.
    """
    by_label, by_mention = unfold_label(compared.c.confirmed)
    position = unfold_array(by_mention.c.value, database, "position")
    item = unfold_array(compared.c.suggested, database, "item")
    confirmed = (
        select(
            compared.c.document_id,
            present_name(by_label.c.key, former_labels).label("label"),
            position.c.value[0].as_integer().label("start"),
            # CLUENER's ends are inclusive, those of suggestions are not.
            (position.c.value[1].as_integer() + 1).label("end"),
            literal(1, Integer).label("is_confirmed"),
            literal(0, Integer).label("is_suggested"),
        )
        .select_from(compared)
        .join(by_label, true())
        .join(by_mention, true())
        .join(position, true())
    )
    suggested = (
        select(
            compared.c.document_id,
            present_name(item.c.value["label"].as_string(), former_labels),
            item.c.value["start"].as_integer(),
            item.c.value["end"].as_integer(),
            literal(0, Integer),
            literal(1, Integer),
        )
        .select_from(compared)
        .join(item, true())
    )
    documents = select(
        compared.c.document_id,
        literal(None, String),
        literal(None, Integer),
        literal(None, Integer),
        literal(0, Integer),
        literal(0, Integer),
    )
    return confirmed.union_all(suggested, documents)


def _count_sides(both: sa.CTE) -> tuple[ColumnElement[int], ...]:
    """The numbers of `Corrections`, in their order."""
    is_kept = and_(both.c.is_confirmed == 1, both.c.is_suggested == 1)
    is_added = and_(both.c.is_confirmed == 1, both.c.is_suggested == 0)
    is_removed = and_(both.c.is_confirmed == 0, both.c.is_suggested == 1)
    is_corrected = both.c.is_confirmed != both.c.is_suggested
    return (
        func.count(case((is_kept, 1))).label("num_kept"),
        func.count(case((is_added, 1))).label("num_added"),
        func.count(case((is_removed, 1))).label("num_removed"),
        func.count(both.c.document_id.distinct()).label("num_documents"),
        func.count(case((is_corrected, both.c.document_id)).distinct()).label(
            "num_corrected_documents"
        ),
    )
