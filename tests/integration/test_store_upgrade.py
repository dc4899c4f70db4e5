"""A database that an older version made opens as it is: nothing lost, nothing changed."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from annotation_store.document_filter import DocumentFilter
from annotation_store.leases import Holder
from annotation_store.queue import read_annotators, take_documents
from annotation_store.store import AnnotationStore, NewDocument
from annotation_store.upkeep import verify
from ner_core.labels import CLUENER, MSRA
from ner_core.spans import Span

REPOSITORY = Path(__file__).parents[2]
VERSION_1 = Path(__file__).parents[1] / "data" / "database_0001.sql"

COLUMNS_OF_VERSION_1 = {
    "project": "id, name, labels, created_at",
    "document": "id, project_id, position, text, text_sha256, external_id, revision_number,"
    " status, created_at",
    "revision": "document_id, number, label, suggestions, status, source, annotator, num_changes,"
    " created_at",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database file that version 0001 made."""
    path = tmp_path / "annotations.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1.read_text(encoding="utf-8"))
    return path


def read_rows(path: Path) -> dict[str, list[object]]:
    with closing(sqlite3.connect(path)) as connection:
        return {
            table: connection.execute(f"SELECT {columns} FROM {table} ORDER BY 1, 2").fetchall()
            for table, columns in COLUMNS_OF_VERSION_1.items()
        }


def test_an_upgrade_changes_nothing_that_was_stored(path: Path) -> None:
    before = read_rows(path)
    with AnnotationStore.open(path) as store:
        assert verify(store.database).problems == ()
    assert read_rows(path) == before
    assert [len(rows) for rows in before.values()] == [2, 4, 6]


def test_an_upgraded_database_reads_as_it_did(path: Path) -> None:
    with AnnotationStore.open(path) as store:
        assert [(p.name, p.labels) for p in store.projects()] == [
            ("default", CLUENER),
            ("新闻", MSRA),
        ]
        document = store.get(2)
        assert document.text == "😀𠮷野家\r\n在北京"
        assert document.spans == (Span(1, 4, "company"), Span(7, 9, "address"))
        suggested, corrected = store.history(2)
        assert suggested.suggestions == (Span(6, 8, "address", 0.75),)
        assert (suggested.source, corrected.source) == ("model", "human")
        assert (corrected.annotator, corrected.duration_s) == ("李雷", None)
        assert not any(revision.is_preannotated for revision in store.history(1))
        assert [revision.note for revision in store.history(2)] == ["", ""]
        assert store.get(3).revision is not None
        assert store.get(4).status == "rejected"


def test_an_upgraded_database_takes_what_is_new(path: Path) -> None:
    with AnnotationStore.open(path) as store:
        store.save(
            1,
            base_revision=2,
            spans=[],
            status="accepted",
            annotator="a",
            source="review",
            duration_s=2.5,
            note="为什么",
        )
        (added,) = store.add(
            [NewDocument("乙", suggestions=(Span(0, 1, "name", 0.5),), is_preannotated=True)]
        ).added_ids
        newest = store.get(1).revision
        assert newest is not None
        assert (newest.source, newest.duration_s) == ("review", 2.5)
        assert newest.note == "为什么"
        preannotated = store.get(added).revision
        assert preannotated is not None
        assert preannotated.is_preannotated
        assert preannotated.suggestions == (Span(0, 1, "name", 0.5),)
        assert verify(store.database).problems == ()


def test_an_upgraded_database_is_filtered_by_label_and_annotator(path: Path) -> None:
    with AnnotationStore.open(path) as store:
        holder = Holder("page", "梅")

        def take(wanted: DocumentFilter) -> list[int]:
            found = take_documents(
                store.database, project="default", holder=holder, wanted=wanted, limit=9
            )
            return [document.id for document in found]

        by_label = {
            label: {
                document.id
                for document in store.page(limit=99).documents
                if label in {span.label for span in (*document.spans, *document.suggestions)}
            }
            for label in CLUENER.labels
        }
        assert any(by_label.values())
        for label, expected in by_label.items():
            assert set(take(DocumentFilter(label=label))) == expected
        assert "李雷" in read_annotators(store.database, project="default")


def test_json_that_is_none_does_not_keep_a_database_from_opening(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER revision_no_update")
        for number, (label, suggestions) in enumerate(
            [("oops", "{"), ("5", '["x", 3]'), ("[1]", '[{"label": null}]')], start=1
        ):
            connection.execute(
                "UPDATE revision SET label = ?, suggestions = ? WHERE rowid = ?",
                (label, suggestions, number),
            )
        connection.execute(
            "CREATE TRIGGER revision_no_update BEFORE UPDATE ON revision"
            " BEGIN SELECT RAISE(ABORT, 'a revision is never changed'); END"
        )
        connection.commit()
    with AnnotationStore.open(path) as store:
        assert len(verify(store.database).problems) == 3


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE revision SET status = 'flagged'", "a revision is never changed"),
        ("DELETE FROM revision", "a revision is never deleted"),
        ("UPDATE document SET text = 'x'", "a text is never changed"),
    ],
)
def test_the_rules_of_the_tables_outlive_an_upgrade(
    path: Path, statement: str, message: str
) -> None:
    AnnotationStore.open(path).close()
    with (
        closing(sqlite3.connect(path)) as connection,
        pytest.raises(sqlite3.IntegrityError, match=message),
    ):
        connection.execute(statement)


def definitions(path: Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT type || ' ' || name, sql FROM sqlite_master")
        return {name: sql for name, sql in rows if sql}


def test_an_upgraded_database_has_the_tables_of_a_new_one(path: Path, tmp_path: Path) -> None:
    AnnotationStore.open(path).close()
    fresh = tmp_path / "fresh.db"
    AnnotationStore.open(fresh).close()

    def clauses(tables: dict[str, str]) -> dict[str, list[str]]:
        """Constraints may come in any order."""
        return {
            name: sorted(" ".join(sql.split()).removesuffix(" )").split(", CONSTRAINT "))
            for name, sql in tables.items()
        }

    assert clauses(definitions(path)) == clauses(definitions(fresh))


DIE_BEFORE = (
    "import os, signal, sys\n"
    "from sqlalchemy import Engine, event\n"
    "from annotation_store.store import AnnotationStore\n"
    "def die(connection, cursor, statement, *rest):\n"
    "    if statement.lstrip().startswith(sys.argv[2]):\n"
    "        os.kill(os.getpid(), signal.SIGKILL)\n"
    "event.listen(Engine, 'before_cursor_execute', die)\n"
    "AnnotationStore.open(sys.argv[1])\n"
)


@pytest.mark.parametrize(
    "step",
    [
        "DROP TABLE document",
        "CREATE TABLE lease",
        "INSERT INTO document_label",
        "UPDATE annotation_store_version",
    ],
)
def test_a_process_killed_while_it_upgrades_leaves_the_old_database(path: Path, step: str) -> None:
    before = definitions(path), read_rows(path)
    process = subprocess.run(
        [sys.executable, "-c", DIE_BEFORE, str(path), step],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    assert (definitions(path), read_rows(path)) == before
    with AnnotationStore.open(path) as store:
        assert store.counts()["accepted"] == 2
        assert verify(store.database).problems == ()
