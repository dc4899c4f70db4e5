"""The way to a database: find out whose it is, connect, upgrade it, and say clearly what failed.

SQLite is the default. Its traps, and what is done about them here:

- Python's sqlite3 begins transactions late and not for every statement; SQLAlchemy begins them
  itself (docs.sqlalchemy.org, "Enabling Non-Legacy SQLite Transactional Modes").
- A transaction that reads and then writes fails at once with "database is locked" when another
  one wrote in between; so a writer takes the write lock first (BEGIN IMMEDIATE), waiting for it.
- SQLite lets writers wait by trying again after ever longer pauses: of 16 threads that save all the
  time, one waited for more than 10 s. So the threads of one process queue up for a lock of ours.
- Foreign keys are off unless every connection switches them on.
"""

import json
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from annotation_store.documents import DamagedRow, StoreError
from annotation_store.sqlite_file import (
    APPLICATION_ID,
    check_file,
    explain_error,
    switch_to_wal,
)

VERSION_TABLE = "annotation_store_version"

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRESQL_LOCK_NOT_AVAILABLE = "55P03"


class Database:
    """One open database.

    Attributes:
        name: What error messages call it: the file, or the URL without its password.
        path: The file; None for a database server.
        dialect: "sqlite" or "postgresql".
    """

    def __init__(self, url: URL, *, lock_timeout_s: float) -> None:
        self.dialect = url.get_backend_name()
        self.path = Path(url.database or "") if self.dialect == "sqlite" else None
        self.name = str(self.path or url)
        self._lock_timeout_s = lock_timeout_s
        self._writer = threading.Lock()
        self._engine = _make_engine(url, lock_timeout_s=lock_timeout_s)
        self._write_engine = self._engine.execution_options(is_write=True)
        if self.dialect != "sqlite":
            # As in SQLite: a reading transaction sees one state of the database, start to end.
            self._engine = self._engine.execution_options(isolation_level="REPEATABLE READ")

    def close(self) -> None:
        """Close the pooled connections; on SQLite this folds the write-ahead log into the file."""
        self._engine.dispose()

    def check_target(self, path: str | Path) -> None:
        """Refuse to write a file over the database or its log.

        Raises:
            ValueError: The path names one of them.
        """
        if self.path is not None:
            database = self.path.resolve()
            own = [database.with_name(database.name + suffix) for suffix in ("", "-wal", "-shm")]
            if Path(path).resolve() in own:
                raise ValueError(f"expected another file than the database, got {path}")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads.

        Raises:
            StoreError: The database cannot be read.
        """
        with self.clear_errors(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes: all of it is kept or, after any exception, nothing.

        Raises:
            StoreError: The database cannot be written, or somebody else kept it locked too long.
        """
        with (
            self.clear_errors(),
            self._one_writer(),
            self._write_engine.begin() as connection,
        ):
            yield connection

    @contextmanager
    def _one_writer(self) -> Iterator[None]:
        if self.dialect != "sqlite":
            yield
            return
        if not self._writer.acquire(timeout=self._lock_timeout_s):
            raise StoreError(
                f"expected a free database, got one that a long write keeps locked ({self.name})"
            )
        try:
            yield
        finally:
            self._writer.release()

    @contextmanager
    def clear_errors(self, work: str | None = None) -> Iterator[None]:
        """Turn what disk, server or other programs did into a StoreError; leave bugs alone.

        Args:
            work: What the message says was being done; None for the database's name.
        """
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:
            reason = _explain(error)
            if reason is None:
                raise
            raise StoreError(f"{reason} ({work or self.name})") from error
        except DamagedRow as error:
            raise StoreError(f"{error.reason} ({error.place}; {self.name})") from error


def open_database(url_or_path: str | Path, *, lock_timeout_s: float, must_exist: bool) -> Database:
    """Open a database, make it if there is none, and bring its tables up to date.

    Args:
        url_or_path: A file path, or a URL such as sqlite:///annotations.db.
        lock_timeout_s: How long to wait for another process's write to end, in seconds.
        must_exist: Refuse to make a file.

    Raises:
        StoreError: It cannot be opened, is another program's, or was made by a newer version.
    """
    url = _to_url(url_or_path)
    try:
        database = Database(url, lock_timeout_s=lock_timeout_s)
    except ModuleNotFoundError as error:
        raise StoreError(
            f"expected the Python package {error.name!r} for this database, got none ({url})"
        ) from error
    try:
        with database.clear_errors():
            if database.path:
                check_file(database.path, must_exist=must_exist)
                switch_to_wal(database.path, lock_timeout_s)
            _upgrade(url, lock_timeout_s=lock_timeout_s)
    except BaseException:
        database.close()
        raise
    return database


def _to_url(url_or_path: str | Path) -> URL:
    if isinstance(url_or_path, Path) or "://" not in url_or_path:
        url = URL.create("sqlite", database=str(url_or_path))
    else:
        try:
            url = make_url(url_or_path)
        except (ArgumentError, ValueError) as error:  # ValueError: the port is no number
            # What cannot be read may hold a password all the same.
            shown = re.sub("://.*@", "://***@", url_or_path)
            raise StoreError(
                "expected a file path, sqlite:///FILE or postgresql://USER@HOST/NAME,"
                f" got {shown!r}"
            ) from error
    if url.drivername in ("postgresql", "postgres"):
        # SQLAlchemy 2.0 would look for psycopg2, 2.1 for psycopg; the project needs one of the two.
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise StoreError(f"expected sqlite:///FILE or postgresql://USER@HOST/NAME, got {url}")
    is_plain_file = (
        url.database not in (None, "", ":memory:")
        and not url.query
        and (url.host, url.username, url.port) == (None, None, None)
    )
    if url.get_backend_name() == "sqlite" and not is_plain_file:
        raise StoreError(f"expected an SQLite database in a file, without URL options, got {url}")
    return url


def _make_engine(url: URL, *, lock_timeout_s: float, is_upgrade: bool = False) -> Engine:
    # Chinese stays readable in the JSON columns, for everyone who opens the file with another tool.
    options: dict[str, Any] = {"json_serializer": partial(json.dumps, ensure_ascii=False)}
    if url.get_backend_name() == "postgresql":
        lock_timeout_ms = round(lock_timeout_s * 1000)
        options["connect_args"] = {"options": f"-c lock_timeout={lock_timeout_ms}"}
        return create_engine(url, **options)

    # A web server's threads come and go: a connection more is cheaper than waiting for one.
    engine = create_engine(
        url, connect_args={"timeout": lock_timeout_s}, max_overflow=-1, **options
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # sqlite3 begins nothing by itself; `begin` below does
        # Bytes that are no UTF-8 come out as lone surrogates, which `rows` refuses, with the name
        # of the document; sqlite3 itself would end the whole fetch.
        connection.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
        connection.execute(f"PRAGMA foreign_keys = {'OFF' if is_upgrade else 'ON'}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        is_write = connection.get_execution_options().get("is_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")

    return engine


def _explain(error: DBAPIError | sqlite3.Error) -> str | None:
    original = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(original, sqlite3.Error):
        return explain_error(original)
    if getattr(original, "sqlstate", None) == _POSTGRESQL_LOCK_NOT_AVAILABLE:
        return "expected a free database, got one in which somebody else keeps a row locked"
    if isinstance(error, OperationalError):
        return f"expected a database server that answers, got {str(original).splitlines()[0]}"
    return None


def _upgrade(url: URL, *, lock_timeout_s: float) -> None:
    """Bring the tables to the newest version, in one transaction.

    Raises:
        StoreError: The tables have a version that this program does not know.
    """
    config = Config()
    config.set_main_option("script_location", "annotation_store:migrations")
    scripts = ScriptDirectory.from_config(config)
    head = scripts.get_current_head()
    # Connections of its own: a step that copies a table needs foreign keys off, and SQLite switches
    # them only outside of transactions.
    engine = _make_engine(url, lock_timeout_s=lock_timeout_s, is_upgrade=True)
    try:
        with engine.begin() as connection:
            if _version(connection, scripts, url) == head:
                return
        with engine.execution_options(is_write=True).begin() as connection:
            is_sqlite = connection.dialect.name == "sqlite"
            if not is_sqlite:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({APPLICATION_ID})"))
            if _version(connection, scripts, url) == head:  # another process was faster
                return
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            if is_sqlite:
                connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
                assert not broken, f"the upgrade to {head} broke foreign keys: {broken[:3]}"
    finally:
        engine.dispose()


def _version(connection: Connection, scripts: ScriptDirectory, url: URL) -> str | None:
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    version = context.get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if version is not None and version not in known:
        raise StoreError(
            f"expected a database of version {scripts.get_current_head()} or older,"
            f" got version {version!r}: a newer version of this program made it ({url})"
        )
    return version
