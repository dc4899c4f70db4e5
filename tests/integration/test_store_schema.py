"""The tables: what the migrations make, what the constraints refuse, which indexes are used."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event

from annotation_store.store import AnnotationStore, NewDocument
from annotation_store.tables import Base
from ner_core.labels import CLUENER
from ner_core.spans import Span

VERSION_TABLE = "annotation_store_version"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with two documents; one of them has two revisions."""
    path = tmp_path / "annotations.db"
    with AnnotationStore.open(path) as store:
        store.create_project("default", CLUENER)
        store.add([NewDocument("叶老桂博士", (Span(0, 3, "name"),)), NewDocument("乙")])
        store.save(1, base_revision=1, spans=[], status="accepted", annotator="a")
    return path


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        yield connection


# Migrations


def test_the_migrations_make_exactly_the_tables_of_the_models(path: Path) -> None:
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": VERSION_TABLE,
                "compare_type": True,
                "compare_server_default": True,
            },
        )
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_the_migrations_make_every_check_of_the_models(connection: sqlite3.Connection) -> None:
    """Alembic does not compare CHECK constraints."""
    expected = {
        str(constraint.name)
        for table in Base.metadata.tables.values()
        for constraint in table.constraints
    }
    definitions = " ".join(
        sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE type = 'table'")
    )
    assert {name for name in expected if name not in definitions} == set()
    assert len(expected) == 41


def test_a_fresh_database_is_at_the_newest_version(connection: sqlite3.Connection) -> None:
    config = Config()
    config.set_main_option("script_location", "annotation_store:migrations")
    head = ScriptDirectory.from_config(config).get_current_head()
    assert connection.execute(f"SELECT * FROM {VERSION_TABLE}").fetchall() == [(head,)]


def test_opening_a_database_again_changes_nothing(path: Path) -> None:
    before = path.read_bytes()
    AnnotationStore.open(path).close()
    assert path.read_bytes() == before


# Rules in the database


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE revision SET status = 'flagged' WHERE number = 1",
        "UPDATE revision SET label = '{}'",
        "DELETE FROM revision WHERE number = 2",
        "INSERT OR REPLACE INTO revision SELECT * FROM revision",
    ],
)
def test_the_database_refuses_to_change_a_revision(
    connection: sqlite3.Connection, statement: str
) -> None:
    connection.execute("PRAGMA recursive_triggers = ON")  # REPLACE then counts as a deletion
    before = connection.execute("SELECT * FROM revision").fetchall()
    with pytest.raises(sqlite3.IntegrityError, match=r"a revision is never (changed|deleted)"):
        connection.execute(statement)
    assert connection.execute("SELECT * FROM revision").fetchall() == before


@pytest.mark.parametrize("column", ["text", "text_sha256"])
def test_the_database_refuses_to_change_a_text(connection: sqlite3.Connection, column: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="a text is never changed"):
        connection.execute(f"UPDATE document SET {column} = 'x'")


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE document SET status = 'done'", "ck_document_status_is_known"),
        (
            "UPDATE document SET revision_number = -1 WHERE status = 'new'",
            "ck_document_revision_number_not_negative",
        ),
        ("UPDATE document SET position = 0", "ck_document_position_counts_from_one"),
        (
            "UPDATE document SET revision_number = 0 WHERE status <> 'new'",
            "ck_document_unlabelled_is_new",
        ),
        ("UPDATE document SET position = 1", "UNIQUE constraint failed: document.project_id"),
        ("UPDATE document SET project_id = 9", "FOREIGN KEY constraint failed"),
        ("DELETE FROM document", "FOREIGN KEY constraint failed"),
        ("DELETE FROM project", "FOREIGN KEY constraint failed"),
        ("UPDATE document SET path_uncertainty = 1.5", "ck_document_path_uncertainty_is_share"),
        ("UPDATE document SET token_uncertainty = -1", "ck_document_token_uncertainty_is_share"),
        ("UPDATE document SET num_differences = -1", "ck_document_num_differences_not_negative"),
        (
            "UPDATE document SET num_revisions = revision_number - 1",
            "ck_document_newest_is_not_before",
        ),
        ("UPDATE document SET num_versions = -1", "ck_document_num_versions_not_negative"),
        ("INSERT INTO lease VALUES (1, '', 'a', '2026-01-01')", "ck_lease_holder_not_empty"),
        ("INSERT INTO lease VALUES (9, 'h', 'a', '2026-01-01')", "FOREIGN KEY constraint failed"),
        ("UPDATE project SET name = ''", "ck_project_name_not_empty"),
        (
            "INSERT INTO revision SELECT 9, number, label, suggestions, status, source, annotator,"
            " num_changes, created_at, duration_s, is_preannotated, 0, '' FROM revision",
            "FOREIGN KEY constraint failed",
        ),
        (
            "INSERT INTO revision SELECT 2, 0, label, suggestions, status, source, annotator,"
            " num_changes, created_at, duration_s, is_preannotated, 0, '' FROM revision",
            "ck_revision_number_counts_from_one",
        ),
        (
            "INSERT INTO revision SELECT 2, 1, label, suggestions, status, 'magic', annotator,"
            " num_changes, created_at, duration_s, is_preannotated, 0, '' FROM revision",
            "ck_revision_source_is_known",
        ),
        (
            "INSERT INTO document SELECT 9, 1, 9, '', text_sha256, '', 0, 'new', created_at,"
            " 0, 0, NULL, NULL, 0, 0 FROM document",
            "ck_document_text_not_empty",
        ),
        (
            "INSERT INTO document SELECT 9, 1, 9, 'x', 'y', '', 0, 'new', created_at,"
            " 0, 0, NULL, NULL, 0, 0 FROM document",
            "ck_document_digest_is_sha256",
        ),
    ],
)
def test_the_database_refuses_what_the_store_never_writes(
    connection: sqlite3.Connection, statement: str, constraint: str
) -> None:
    with pytest.raises(sqlite3.IntegrityError, match=constraint):
        connection.execute(statement)


# Speed


@pytest.mark.parametrize(
    ("ask", "search"),
    [
        (lambda store: store.get(1), "document USING INTEGER PRIMARY KEY"),
        (lambda store: store.next(after=1), "(project_id=? AND position>?)"),
        (lambda store: store.previous(before=1), "(project_id=? AND position<?)"),
        (
            lambda store: store.next(after=1, status="new"),
            "(project_id=? AND status=? AND position>?)",
        ),
        (lambda store: store.page(offset=1), "(project_id=?)"),
        (lambda store: store.page(status="new"), "(project_id=? AND status=?)"),
        (lambda store: store.counts(), "COVERING INDEX ix_document_project_id_status"),
        (lambda store: store.find("乙"), "(project_id=? AND text_sha256=?)"),
        (lambda store: store.history(1), "revision USING INDEX sqlite_autoindex_revision_1"),
        (lambda store: list(store.examples()), "(project_id=? AND status=?)"),
    ],
)
def test_every_question_uses_an_index_and_sorts_nothing(
    path: Path, ask: Callable[[AnnotationStore], object], search: str
) -> None:
    plans: list[str] = []

    def explain(
        connection: Connection,
        cursor: sqlite3.Cursor,
        statement: str,
        parameters: object,
        *_: object,
    ) -> None:
        if statement.startswith("SELECT"):
            plan = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(str(step) for *_ids, step in plan)

    event.listen(Engine, "before_cursor_execute", explain)
    try:
        with AnnotationStore.open(path) as store:
            plans.clear()
            ask(store)
    finally:
        event.remove(Engine, "before_cursor_execute", explain)
    assert any(search in step for step in plans), plans
    # The project, of which there are few, is the only table that may be read from end to end.
    wrong = [step for step in plans if "TEMP B-TREE" in step or step.startswith("SCAN document")]
    assert wrong == []
