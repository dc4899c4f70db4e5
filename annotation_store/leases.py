"""Who works on which document, so that two people are not given the same one.

A lease belongs to one open page, its holder, and ends by itself unless the page renews it: a
browser that is closed or a network that fails keeps nothing from the others for long. It is a
courtesy and no lock: whoever opens a document by its number gets it, and a save is checked against
the revision it started from as ever.

Several processes may share a database. What decides is one statement that inserts a lease or takes
over one that has expired; the moment is the database's on PostgreSQL, whose processes may run on
different machines, and the machine's on SQLite.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from annotation_store.database import Database
from annotation_store.tables import DocumentRow, LeaseRow
from ner_core.spans import check_text

LEASE_S: Final = 180.0
"""How long a lease lasts after it was last renewed, in seconds."""
_MAX_HOLDER_CHARACTERS: Final = 64


@dataclass(frozen=True, slots=True)
class Holder:
    """One open page.

    Attributes:
        token: Tells it from all others; 1 to 64 characters.
        annotator: The name of who works there, which others are shown.

    Raises:
        ValueError: The token is empty or too long, or one of the two cannot be stored.
    """

    token: str
    annotator: str

    def __post_init__(self) -> None:
        check_text(self.token)
        check_text(self.annotator)
        if not 1 <= len(self.token) <= _MAX_HOLDER_CHARACTERS:
            raise ValueError(
                f"expected a holder's token of 1 to {_MAX_HOLDER_CHARACTERS} characters,"
                f" got {len(self.token)}"
            )


def hold(
    database: Database,
    holder: Holder,
    document_ids: Iterable[int],
    *,
    keeps_others: bool = False,
    lease_s: float = LEASE_S,
) -> dict[int, str]:
    """Take or renew a holder's leases on these documents, and release the holder's others.

    Args:
        database: Where the documents are.
        holder: Who works on them.
        document_ids: Numbers of documents; one that does not exist is passed over.
        keeps_others: Do not release the others.
        lease_s: How long the leases last, in seconds.

    Returns:
        Those that somebody else holds, with that person's name.
    """
    wanted = sorted(set(document_ids))
    with database.writing() as connection:
        if not keeps_others:
            connection.execute(
                delete(LeaseRow).where(
                    LeaseRow.holder == holder.token, LeaseRow.document_id.not_in(wanted)
                )
            )
        known = connection.scalars(
            select(DocumentRow.id).where(DocumentRow.id.in_(wanted)).order_by(DocumentRow.id)
        ).all()
        held = lease(connection, holder, known, lease_s=lease_s)
        rows = connection.execute(
            select(LeaseRow.document_id, LeaseRow.annotator).where(
                LeaseRow.document_id.in_(known), LeaseRow.document_id.not_in(held)
            )
        )
        return {row.document_id: row.annotator for row in rows}


def release(database: Database, token: str) -> None:
    """Give back all leases of a holder: the page was left."""
    with database.writing() as connection:
        connection.execute(delete(LeaseRow).where(LeaseRow.holder == token))


def release_from(database: Database, document_id: int, annotator: str) -> None:
    """Give back one document, whichever page of this person holds it."""
    with database.writing() as connection:
        connection.execute(
            delete(LeaseRow).where(
                LeaseRow.document_id == document_id, LeaseRow.annotator == annotator
            )
        )


def read_holders(
    database: Database, document_ids: Iterable[int], *, other_than: str
) -> dict[int, str]:
    """Who works on these documents, by the name, apart from one holder; free ones are missing."""
    with database.reading() as connection:
        rows = connection.execute(
            select(LeaseRow.document_id, LeaseRow.annotator).where(
                LeaseRow.document_id.in_(set(document_ids)),
                is_of_others(connection, other_than),
            )
        )
        return {row.document_id: row.annotator for row in rows}


def lease(
    connection: Connection, holder: Holder, document_ids: Iterable[int], *, lease_s: float
) -> list[int]:
    """Take or renew leases inside a transaction: those of the documents that nobody else holds.

    The documents must exist; in ascending order, so that two transactions never wait for each other
    in a circle.
    """
    now = read_clock(connection)
    make_insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    leased: list[int] = []
    for document_id in sorted(document_ids):
        values = {
            "document_id": document_id,
            "holder": holder.token,
            "annotator": holder.annotator,
            "expires_at": now + timedelta(seconds=lease_s),
        }
        statement = make_insert(LeaseRow).values(values)
        statement = statement.on_conflict_do_update(
            index_elements=[LeaseRow.document_id],
            set_={name: value for name, value in values.items() if name != "document_id"},
            where=or_(LeaseRow.holder == holder.token, LeaseRow.expires_at <= now),
        ).returning(LeaseRow.document_id)
        if connection.scalar(statement) is not None:
            leased.append(document_id)
    return leased


def is_free(connection: Connection, token: str) -> ColumnElement[bool]:
    """The condition that nobody else holds a document, for a query over `DocumentRow`."""
    return ~exists().where(LeaseRow.document_id == DocumentRow.id, is_of_others(connection, token))


def is_of_others(connection: Connection, token: str) -> ColumnElement[bool]:
    """The condition that a lease counts and is not this holder's, for a query over `LeaseRow`."""
    return and_(LeaseRow.holder != token, LeaseRow.expires_at > read_clock(connection))


def read_clock(connection: Connection) -> datetime:
    """The moment by which leases expire, in UTC."""
    if connection.dialect.name == "sqlite":
        return datetime.now(UTC)
    now = connection.scalar(select(func.clock_timestamp()))
    assert isinstance(now, datetime)
    return now.astimezone(UTC)
