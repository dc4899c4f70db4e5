"""The queue: which documents an annotator is given, in which order, and none that another one has.

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

from sqlalchemy import Select, func, select

from annotation_store.database import Database
from annotation_store.document_filter import DocumentFilter, match_documents
from annotation_store.documents import Document, DocumentNotFound
from annotation_store.leases import LEASE_S, Holder, is_free, is_of_others, lease
from annotation_store.project_rows import find_project
from annotation_store.rows import select_documents, to_document
from annotation_store.tables import DocumentRow, LeaseRow, ProjectAnnotatorRow

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
    """

    num_matching: int
    num_held: int


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
        conditions.append(is_free(connection, holder.token))
        for _ in range(_MAX_TRIES):
            passed = {*seen, *taken}
            query = _in_order(select(DocumentRow.id).where(*conditions), order)
            if passed:
                query = query.where(DocumentRow.id.not_in(passed))
            candidates = connection.scalars(query.limit(limit - len(taken))).all()
            leased = set(lease(connection, holder, candidates, lease_s=lease_s))
            taken += [document_id for document_id in candidates if document_id in leased]
            if len(taken) == limit or len(leased) == len(candidates):
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
    wanted: DocumentFilter = UNREVIEWED,
) -> QueueCounts:
    """How long the queue is, for the holder of this token.

    Raises:
        ValueError: There is no such project or label.
    """
    with database.reading() as connection:
        project_id, found = find_project(connection, project)
        conditions = match_documents(project_id, found, wanted)
        # The leases first, of which there are few: a look for one beside each document takes long.
        leased = select(LeaseRow.document_id).where(is_of_others(connection, token))
        held = DocumentRow.id.in_(connection.scalars(leased).all())
        row = connection.execute(
            select(func.count().label("num_matching"), func.count().filter(held).label("num_held"))
            .select_from(DocumentRow)
            .where(*conditions)
        ).one()
        return QueueCounts(row.num_matching, row.num_held)


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


def _in_order(query: Select[Any], order: Order) -> Select[Any]:
    if order == "random":
        return query.order_by(DocumentRow.text_sha256)
    if order == "position":
        return query.order_by(DocumentRow.position)
    column = DocumentRow.path_uncertainty if order == "path" else DocumentRow.token_uncertainty
    return query.order_by(column.desc(), DocumentRow.position)
