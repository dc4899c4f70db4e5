"""The SQLite file itself: whose it is, how it keeps its log, and what SQLite's errors mean."""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from annotation_store.documents import DatabaseNotFound, StoreError

# Stands in the head of our SQLite files (https://www.sqlite.org/fileformat2.html, offset 68) and
# tells them from every other program's, whatever their tables are called. It reads "NERa".
APPLICATION_ID = 0x4E455261

_SQLITE_MAGIC = b"SQLite format 3\x00"

# What went wrong, by SQLite's primary result code (https://www.sqlite.org/rescode.html).
_REASONS = {
    sqlite3.SQLITE_BUSY: "expected a free database, got one that another process keeps locked",
    sqlite3.SQLITE_PERM: "expected a database that can be written, got no permission",
    sqlite3.SQLITE_READONLY: "expected a database that can be written, got a read-only one",
    sqlite3.SQLITE_IOERR: "expected a disk that can be read and written, got an input/output error",
    sqlite3.SQLITE_CORRUPT: "expected an intact database, got a damaged one: restore a backup",
    sqlite3.SQLITE_FULL: "expected room on the disk, got none left: nothing of this was stored",
    sqlite3.SQLITE_CANTOPEN: "expected a database file that can be opened, got a refusal",
    sqlite3.SQLITE_NOTADB: "expected an SQLite database, got another kind of file",
}


def explain_error(error: sqlite3.Error) -> str | None:
    """What went wrong on the user's disk, in one line; None for anything else: that is a bug."""
    # The low byte is the primary code, the rest narrows it down.
    return _REASONS.get(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF)


def check_file(path: Path, *, must_exist: bool) -> None:
    """Refuse what is not ours, without changing a byte of it.

    Raises:
        DatabaseNotFound: No file where one must be.
        StoreError: No folder, no permission, no SQLite database, or
            another program's.
        sqlite3.Error: SQLite cannot read the file.
    """
    folder = path.absolute().parent
    if not folder.is_dir():
        raise StoreError(f"expected an existing folder for the database, got {folder}")
    if must_exist and not path.exists():
        raise DatabaseNotFound(f"expected an existing database, got no such file ({path})")
    if path.exists() and not path.is_file():
        raise StoreError(f"expected a database file, got a folder or a device ({path})")
    for place in (folder, path):
        # SQLite would open a read-only file and fail at the first save.
        if place.exists() and not os.access(place, os.R_OK | os.W_OK):
            raise StoreError(
                f"expected a file and a folder that can be written, got {place} without permission"
            )
    if not path.exists() or path.stat().st_size == 0:
        return
    with path.open("rb") as file:
        head = file.read(100)
    if not head.startswith(_SQLITE_MAGIC):
        raise StoreError(
            f"expected an SQLite database, got a file that begins with {head[:16]!r} ({path})"
        )
    if head[68:72] == APPLICATION_ID.to_bytes(4, "big"):
        return
    # Without a write-ahead log beside it the file says everything, and "immutable" keeps SQLite
    # from making one. With a log, the newest head may stand there: a first start that was cut off.
    options = "mode=ro" if Path(f"{path}-wal").exists() else "mode=ro&immutable=1"
    uri = f"{path.absolute().as_uri()}?{options}"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        application_id = connection.execute("PRAGMA application_id").fetchone()[0]
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master LIMIT 3")]
    if application_id not in (0, APPLICATION_ID) or (names and application_id == 0):
        raise StoreError(
            "expected a database that this program made, got another program's"
            f" (application id {application_id:#x}, tables {', '.join(names) or 'none'}; {path})"
        )


def switch_to_wal(path: Path, lock_timeout_s: float) -> None:
    """Make the file if there is none, and let its readers and its writer not wait for each other.

    Raises:
        sqlite3.Error: SQLite cannot do it.
    """
    deadline = time.monotonic() + lock_timeout_s
    with closing(sqlite3.connect(path, timeout=lock_timeout_s)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                # The only statement for which SQLite (3.40) does not wait by itself. Two first
                # starts at the same time meet here.
                is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not is_busy or time.monotonic() > deadline:
                    raise
            time.sleep(0.02)
