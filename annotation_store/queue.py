"""The queue: which documents an annotator is given, in which order, and none that another one has.

A text that several people label independently (see `annotation_store.independence`) is new until it
is decided. Each of them is given it once, and nobody any more when there are enough versions: by no
queue, not even by one of all texts. Two people do not have it at the same moment either: so there
are no more versions than are wanted.

Orders:

path     the most uncertain first, by the probability of the model's whole tagging per character
token    the most uncertain first, by its least certain character
random   in an order that has to do with nothing, the same one for everybody (that of the digests)
position as they were added

A document that the model has not read yet has the uncertainty 0 and comes last, in the order in
which it was added.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from sqlalchemy import ColumnElement, Select, exists, func, not_, or_, select
from sqlalchemy.orm import aliased

from annotation_store.database import Database
from annotation_store.document_filter import DocumentFilter, match_documents
from annotation_store.documents import Document, DocumentNotFound
from annotation_store.independence import is_waiting
from annotation_store.leases import LEASE_S, Holder, is_free, is_of_others, lease
from annotation_store.project_rows import find_project
from annotation_store.projects import Project
from annotation_store.rows import select_documents, to_document
from annotation_store.tables import DocumentRow, LeaseRow, ProjectAnnotatorRow, RevisionRow

Order = Literal["path", "token", "random", "position"]
ORDERS: Final[tuple[Order, ...]] = get_args(Order)

# Where PostgreSQL gives a document to two people at once, the loser looks for another this often.
_MAX_TRIES: Final = 5

UNREVIEWED: Final = DocumentFilter(status="new")


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """What is in a queue.

    Attributes:
        num_matching: Documents that the filter takes, whoever works on them.
        num_held: Of these, the ones that others work on.
        num_left_out: Documents that it would take, but that wait for others: the annotator has
            labelled them independently, or enough people have and a reviewer is to decide.
    """

    num_matching: int
    num_held: int
    num_left_out: int = 0


def take_documents(
    database: Database,
    *,
    project: str,
    holder: Holder,
    order: Order = "path",
    wanted: DocumentFilter = UNREVIEWED,
    seen: Collection[int] = (),
    after: int | None = None,
    limit: int = 1,
    lease_s: float = LEASE_S,
) -> tuple[Document, ...]:
    """The next documents of the queue that nobody else works on; from now on the holder does.

    Args:
        database: Where the documents are.
        project: The project's name.
        holder: Who works on them from now on.
        order: See the top of the file.
        wanted: Which documents the queue holds.
        seen: Documents to pass over, because the holder has had them.
        after: In the order of position, begin behind this document; else without meaning.
        limit: Number of documents at most.
        lease_s: How long they are the holder's unless renewed, in seconds.

    Raises:
        ValueError: There is no such project, order or label.
        DocumentNotFound: The project has no document of the id `after`.
    """
    if order not in ORDERS:
        raise ValueError(f"expected one of the orders {', '.join(ORDERS)}, got {order!r}")
    taken: list[int] = []
    with database.writing() as connection:
        project_id, found = find_project(connection, project)
        conditions = match_documents(project_id, found, wanted)
        if after is not None and order == "position":
            position = connection.scalar(
                select(DocumentRow.position).where(
                    DocumentRow.id == after, DocumentRow.project_id == project_id
                )
            )
            if position is None:
                raise DocumentNotFound(f"expected a document of {project}, got {after}")
            conditions.append(DocumentRow.position > position)
        conditions.append(not_(_waits_for_others(project_id, found, holder.annotator)))
        conditions.append(is_free(connection, holder.token))
        for _ in range(_MAX_TRIES):
            passed = {*seen, *taken}
            query = _in_order(select(DocumentRow.id).where(*conditions), order)
            if passed:
                query = query.where(DocumentRow.id.not_in(passed))
            candidates = connection.scalars(query.limit(limit - len(taken))).all()
            leased = lease(connection, holder, candidates, lease_s=lease_s)
            # On PostgreSQL another may have saved and released one since the query above saw it.
            still = select(DocumentRow.id).where(DocumentRow.id.in_(leased), *conditions)
            fitting = set(connection.scalars(still))
            taken += [document_id for document_id in candidates if document_id in fitting]
            if len(taken) == limit or len(fitting) == len(candidates):
                break
        documents = map(
            to_document, connection.execute(select_documents(DocumentRow.id.in_(taken)))
        )
        by_id = {document.id: document for document in documents}
    return tuple(by_id[document_id] for document_id in taken)


def count_queue(
    database: Database,
    *,
    project: str,
    token: str,
    annotator: str = "",
    wanted: DocumentFilter = UNREVIEWED,
) -> QueueCounts:
    """How long the queue is, for the holder of this token, who goes by this name.

    Raises:
        ValueError: There is no such project or label.
    """
    with database.reading() as connection:
        project_id, found = find_project(connection, project)
        conditions = match_documents(project_id, found, wanted)
        # The leases first, of which there are few: a look for one beside each document takes long.
        leased = select(LeaseRow.document_id).where(is_of_others(connection, token))
        held = DocumentRow.id.in_(connection.scalars(leased).all())
        waits = _waits_for_others(project_id, found, annotator)
        count = select(func.count()).select_from(DocumentRow).where(*conditions, waits)
        num_left_out = connection.scalar(count) or 0
        conditions.append(not_(waits))
        row = connection.execute(
            select(func.count().label("num_matching"), func.count().filter(held).label("num_held"))
            .select_from(DocumentRow)
            .where(*conditions)
        ).one()
        return QueueCounts(row.num_matching, row.num_held, num_left_out)


def read_annotators(database: Database, *, project: str) -> tuple[str, ...]:
    """Everybody who has saved or imported a revision in a project, by name.

    Raises:
        ValueError: There is no such project.
    """
    with database.reading() as connection:
        project_id, _project = find_project(connection, project)
        names = connection.scalars(
            select(ProjectAnnotatorRow.annotator).where(
                ProjectAnnotatorRow.project_id == project_id
            )
        )
        return tuple(sorted(names))


def _waits_for_others(project_id: int, project: Project, annotator: str) -> ColumnElement[bool]:
    """The condition that an annotator has nothing to do on an undecided document.

    A query of its own over the few documents with independent versions, which an index finds.
    """
    versioned = aliased(DocumentRow, name="versioned")
    is_own = exists().where(
        RevisionRow.document_id == versioned.id,
        RevisionRow.is_independent.is_(True),
        RevisionRow.annotator == annotator,
    )
    return DocumentRow.id.in_(
        select(versioned.id).where(
            versioned.project_id == project_id,
            versioned.num_versions > 0,
            or_(not_(is_waiting(project.settings, versioned)), is_own),
        )
    )


def _in_order(query: Select[Any], order: Order) -> Select[Any]:
    if order == "random":
        return query.order_by(DocumentRow.text_sha256)
    if order == "position":
        return query.order_by(DocumentRow.position)
    column = DocumentRow.path_uncertainty if order == "path" else DocumentRow.token_uncertainty
    return query.order_by(column.desc(), DocumentRow.position)
