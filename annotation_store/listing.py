"""The documents of a project in their order: neighbours, parts of a list, counts, all of them."""

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from annotation_store.database import Database
from annotation_store.documents import (
    STATUSES,
    Document,
    DocumentNotFound,
    DocumentPage,
    Status,
)
from annotation_store.rows import filter_documents, get_document, select_documents, to_document
from annotation_store.tables import DocumentRow

# Rows that a cursor fetches together.
_ROWS_AT_A_TIME = 500


def find_neighbour(
    connection: Connection,
    document_id: int | None,
    *,
    project: str,
    status: Status | None,
    is_forward: bool,
) -> Document | None:
    """The nearest document of a status before or behind another one; see `AnnotationStore.next`.

    Raises:
        ValueError: There is no such project or status.
        DocumentNotFound: The project has no document of this id.
    """
    conditions = filter_documents(connection, project, status)
    position = DocumentRow.position
    if document_id is not None:
        here = get_document(connection, document_id)
        if here.project != project:
            raise DocumentNotFound(
                f"expected a document of project {project!r},"
                f" got document {document_id} of project {here.project!r}"
            )
        conditions.append(position > here.position if is_forward else position < here.position)
    order = position.asc() if is_forward else position.desc()
    row = connection.execute(select_documents(*conditions).order_by(order).limit(1)).first()
    return to_document(row) if row else None


def read_page(
    connection: Connection,
    *,
    project: str,
    status: Status | None,
    query: str,
    offset: int,
    limit: int,
) -> DocumentPage:
    """A part of the project's documents, in order; see `AnnotationStore.page`.

    Raises:
        ValueError: There is no such project or status, the query is too long, or a number is
            negative.
    """
    if offset < 0 or limit < 0:
        raise ValueError(f"expected offset and limit from 0, got {offset} and {limit}")
    conditions = filter_documents(connection, project, status, query)
    # The numbers first: an index passes over those before the offset without a look at a document.
    numbers = select(DocumentRow.id).where(*conditions).order_by(DocumentRow.position)
    if query:  # to look through the texts once takes longer than to fetch all numbers
        found = connection.scalars(numbers).all()
        num_total, shown = len(found), found[offset : offset + limit]
    else:
        count = select(func.count()).select_from(DocumentRow).where(*conditions)
        num_total = connection.scalar(count) or 0
        shown = connection.scalars(numbers.offset(offset).limit(limit)).all()
    rows = connection.execute(select_documents(DocumentRow.id.in_(shown)))
    documents = sorted(map(to_document, rows), key=lambda document: document.position)
    return DocumentPage(tuple(documents), num_total)


def count_statuses(connection: Connection, project: str) -> dict[Status, int]:
    """The number of documents of each status; all five statuses are there.

    Raises:
        ValueError: There is no such project.
    """
    rows = connection.execute(
        select(DocumentRow.status, func.count().label("num_documents"))
        .where(*filter_documents(connection, project))
        .group_by(DocumentRow.status)
    )
    found = {row.status: row.num_documents for row in rows}
    return {status: found.get(status, 0) for status in STATUSES}


def read_documents(
    database: Database, *, project: str, status: Status | None = None
) -> Iterator[Document]:
    """Each document of a project, in order, all from one state of the database.

    Args:
        database: Where they are.
        project: The project's name.
        status: Only documents of this status; None for all.

    Raises:
        ValueError: There is no such project or status.
    """
    with database.reading() as connection:
        listing = select_documents(*filter_documents(connection, project, status))
        rows = connection.execution_options(yield_per=_ROWS_AT_A_TIME).execute(
            listing.order_by(DocumentRow.position)
        )
        yield from map(to_document, rows)
