"""Databases that cannot be used: each gets one clear line, and none is changed by a byte."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from annotation_store.store import AnnotationStore, NewDocument, StoreError
from annotation_store.upkeep import verify
from ner_core.labels import CLUENER
from ner_core.spans import Span

REPOSITORY = Path(__file__).parents[2]
MIGRATIONS = REPOSITORY / "annotation_store" / "migrations" / "versions"


def make_store(path: Path) -> None:
    with AnnotationStore.open(path) as store:
        store.create_project("default", CLUENER)
        store.add([NewDocument("叶老桂博士", (Span(0, 3, "name"),))])
        store.add(NewDocument(f"第{number}号文件" * 20) for number in range(200))


def refusal_of(url_or_path: str | Path, *, must_exist: bool = False) -> str:
    with pytest.raises(StoreError) as refusal:
        AnnotationStore.open(url_or_path, lock_timeout_s=0.1, must_exist=must_exist)
    message = str(refusal.value)
    assert message.startswith("expected ")
    assert "got " in message
    assert "\n" not in message
    return message


def contents_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


# Files that are not ours


@pytest.mark.parametrize(
    "content",
    [
        b"These are my notes.\n",
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        b"x",
        b"SQLite format 2\x00" + bytes(4096),
    ],
)
def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    message = refusal_of(path)
    assert message.startswith("expected an SQLite database, got a file that begins with")
    assert str(path) in message
    assert contents_of(tmp_path) == {"notes.txt": content}


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    path = tmp_path / "annotations.db"
    path.touch()
    make_store(path)


@pytest.mark.parametrize("journal_mode", ["DELETE", "WAL"])
@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE bookmark (url TEXT)"],
        ["CREATE TABLE document (id INTEGER)", "CREATE TABLE alembic_version (version_num TEXT)"],
        ["CREATE TABLE annotation_store_version (version_num TEXT)"],
        ["PRAGMA application_id = 252006674"],  # no tables yet, but a name: Fossil
    ],
)
def test_another_programs_database_is_refused_and_kept(
    tmp_path: Path, statements: list[str], journal_mode: str
) -> None:
    path = tmp_path / "bookmarks.db"
    change(path, f"PRAGMA journal_mode = {journal_mode}", *statements)
    before = contents_of(tmp_path)
    message = refusal_of(path)
    assert message.startswith("expected a database that this program made, got another program's")
    assert str(path) in message
    assert contents_of(tmp_path) == before


def test_another_programs_database_is_recognised_while_it_is_open(tmp_path: Path) -> None:
    """Its tables may stand in the write-ahead log alone."""
    path = tmp_path / "bookmarks.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("CREATE TABLE bookmark (url TEXT)")
        before = path.read_bytes(), Path(f"{path}-wal").read_bytes()
        assert "tables bookmark" in refusal_of(path)
        assert (path.read_bytes(), Path(f"{path}-wal").read_bytes()) == before


def test_a_database_of_a_newer_version_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "annotations.db"
    make_store(path)
    change(path, "UPDATE annotation_store_version SET version_num = '9999'")
    before = path.read_bytes()
    message = refusal_of(path)
    newest = max(script.stem[:4] for script in MIGRATIONS.glob("[0-9]*.py"))
    assert message.startswith(
        f"expected a database of version {newest} or older, got version '9999'"
    )
    assert "a newer version of this program made it" in message
    assert path.read_bytes() == before


# Places where no file can be


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    assert refusal_of(tmp_path).startswith("expected a database file, got a folder")


def test_a_named_pipe_is_no_database(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refusal_of(tmp_path / "pipe").startswith("expected a database file, got")


def test_a_missing_folder_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "no" / "annotations.db"
    message = refusal_of(path)
    assert message == f"expected an existing folder for the database, got {path.parent}"
    assert not path.parent.exists()


def test_a_mistyped_name_does_not_pass_for_an_empty_database(tmp_path: Path) -> None:
    path = tmp_path / "anotations.db"
    message = refusal_of(path, must_exist=True)
    assert message == f"expected an existing database, got no such file ({path})"
    assert contents_of(tmp_path) == {}


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://localhost/ner", "expected sqlite:///FILE or postgresql://USER@HOST/NAME, got"),
        ("http://localhost/ner", "expected sqlite:///FILE or postgresql://USER@HOST/NAME, got"),
        ("://", "expected a file path, sqlite:///FILE or postgresql://USER@HOST/NAME, got '://'"),
        ("sqlite://", "expected an SQLite database in a file"),
        ("sqlite:///:memory:", "expected an SQLite database in a file"),
        ("sqlite:///file:a.db?uri=true", "expected an SQLite database in a file"),
        ("sqlite://user@host/a.db", "expected an SQLite database in a file"),
        (":memory:", "expected an SQLite database in a file"),
        ("", "expected an SQLite database in a file"),
    ],
)
def test_a_url_that_names_no_file_and_no_server_is_refused(url: str, message: str) -> None:
    assert refusal_of(url).startswith(message)


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    pytest.importorskip("psycopg", reason="PostgreSQL is optional")
    message = refusal_of("postgresql://ner:secret@127.0.0.1:1/ner")
    assert message.startswith("expected a database server that answers, got ")
    assert message.endswith("(postgresql+psycopg://ner:***@127.0.0.1:1/ner)")


def test_postgresql_without_its_package_names_the_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert refusal_of("postgresql://ner:secret@localhost/ner") == (
        "expected the Python package 'psycopg' for this database, got none"
        " (postgresql+psycopg://ner:***@localhost/ner)"
    )


# Permissions


def without_root_rights(code: str, *arguments: Path) -> str:
    """Output of a Python process that file permissions apply to, also when root runs the tests."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("file permissions do not apply to root, and there is no setpriv")
        rights = "-dac_override,-dac_read_search"
        command = ["setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}", *command]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


OPEN = (
    "import sys\n"
    "from annotation_store.store import AnnotationStore, StoreError\n"
    "try:\n"
    "    AnnotationStore.open(sys.argv[1]).close()\n"
    "    print('opened')\n"
    "except StoreError as error:\n"
    "    print(error)\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with a database; it can be written again after the test, and so be removed."""
    folder = tmp_path / "data"
    folder.mkdir()
    make_store(folder / "annotations.db")
    yield folder
    folder.chmod(0o700)


def test_a_read_only_file_is_refused_when_it_is_opened(folder: Path) -> None:
    path = folder / "annotations.db"
    assert without_root_rights(OPEN, path) == "opened"
    path.chmod(0o444)
    before = path.read_bytes()
    expected = f"expected a file and a folder that can be written, got {path} without permission"
    assert without_root_rights(OPEN, path) == expected
    assert path.read_bytes() == before


def test_a_file_that_cannot_be_read_is_refused(folder: Path) -> None:
    path = folder / "annotations.db"
    path.chmod(0)
    assert f"got {path} without permission" in without_root_rights(OPEN, path)


@pytest.mark.parametrize("name", ["annotations.db", "new.db"])
def test_a_read_only_folder_is_refused(folder: Path, name: str) -> None:
    folder.chmod(0o555)
    assert f"got {folder} without permission" in without_root_rights(OPEN, folder / name)


def test_a_file_that_becomes_read_only_refuses_the_save(folder: Path) -> None:
    code = (
        "import sys, os\n"
        "from annotation_store.store import AnnotationStore, StoreError\n"
        "os.chmod(sys.argv[1], 0o444)\n"
        "os.access = lambda *_: True  # as if it became so right after the check\n"
        "try:\n"
        "    with AnnotationStore.open(sys.argv[1]) as store:\n"
        "        store.save(1, base_revision=1, spans=[], status='new', annotator='a')\n"
        "except StoreError as error:\n"
        "    print(error)\n"
    )
    path = folder / "annotations.db"
    message = f"expected a database that can be written, got a read-only one ({path})"
    assert without_root_rights(code, path) == message


# Locks


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_save_waits_for_a_lock_only_so_long(tmp_path: Path) -> None:
    path = tmp_path / "annotations.db"
    make_store(path)
    with AnnotationStore.open(path, lock_timeout_s=0.1) as store:
        with locked(path):
            message = (
                f"expected a free database, got one that another process keeps locked ({path})"
            )
            with pytest.raises(StoreError) as refusal:
                store.save(1, base_revision=1, spans=[], status="accepted", annotator="a")
            assert str(refusal.value) == message
            with pytest.raises(StoreError, match="keeps locked"):
                store.add([NewDocument("新")])
            assert store.get(1).revision_number == 1, "reading goes on"
        store.save(1, base_revision=1, spans=[], status="accepted", annotator="a")


def test_a_database_opens_while_another_process_writes(tmp_path: Path) -> None:
    path = tmp_path / "annotations.db"
    make_store(path)
    with locked(path):
        AnnotationStore.open(path, lock_timeout_s=0.1).close()


def test_a_new_file_that_is_locked_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "annotations.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert refusal_of(path) == (
            f"expected a free database, got one that another process keeps locked ({path})"
        )


def test_a_new_file_that_is_locked_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    """SQLite itself does not wait here: see `switch_to_wal`."""
    path = tmp_path / "annotations.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        timer = threading.Timer(0.3, other.execute, ["ROLLBACK"])
        timer.start()
        AnnotationStore.open(path, lock_timeout_s=20).close()
        timer.join()


def test_a_thread_that_writes_for_long_does_not_block_the_others_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "annotations.db"
    make_store(path)
    with AnnotationStore.open(path, lock_timeout_s=0.1) as store, store.database.writing():
        with pytest.raises(StoreError, match="got one that a long write keeps locked"):
            store.save(1, base_revision=1, spans=[], status="accepted", annotator="a")
        assert store.get(1).revision_number == 1


# Disks


@contextmanager
def full_disk(num_pages: int) -> Iterator[None]:
    """Every connection made meanwhile believes that its file cannot grow beyond some pages."""

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {num_pages}")

    event.listen(Engine, "connect", limit)
    try:
        yield
    finally:
        event.remove(Engine, "connect", limit)


def test_a_full_disk_refuses_the_whole_batch(tmp_path: Path) -> None:
    path = tmp_path / "annotations.db"
    make_store(path)
    num_pages = path.stat().st_size // 4096
    with full_disk(num_pages + 3), AnnotationStore.open(path) as store:
        with pytest.raises(StoreError) as refusal:
            store.add(NewDocument(f"新{number}" * 50) for number in range(1000))
        assert str(refusal.value) == (
            f"expected room on the disk, got none left: nothing of this was stored ({path})"
        )
        assert store.page().num_total == 201
        assert verify(store.database).problems == ()
        store.save(1, base_revision=1, spans=[], status="accepted", annotator="a")


def test_a_disk_that_is_full_at_the_first_start_leaves_a_file_that_opens(tmp_path: Path) -> None:
    path = tmp_path / "annotations.db"
    with full_disk(5):
        assert "room on the disk" in refusal_of(path)
    make_store(path)


# Damage


def test_a_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "annotations.db"
    make_store(path)
    damaged = path.read_bytes()[:6000]
    path.write_bytes(damaged)
    assert refusal_of(path).startswith("expected an intact database, got a damaged one")
    assert path.read_bytes() == damaged


def test_a_file_with_only_the_name_of_a_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "annotations.db"
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)
    assert refusal_of(path).startswith("expected an SQLite database, got another kind of file")


def test_damage_in_the_middle_of_a_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "annotations.db"
    make_store(path)
    content = bytearray(path.read_bytes())
    num_pages = len(content) // 4096
    for page in range(num_pages * 3 // 4, num_pages):  # behind the schema
        content[page * 4096 : page * 4096 + 200] = b"\xa5" * 200
    path.write_bytes(content)
    with AnnotationStore.open(path) as store:
        with pytest.raises(StoreError, match="expected an intact database, got a damaged one"):
            store.page(limit=1000)
        with pytest.raises(StoreError, match="expected an intact database, got a damaged one"):
            verify(store.database)
