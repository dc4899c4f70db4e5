"""An import whose program is killed: nothing of it is there, or all of it."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from annotation_store.staging import recover_imports
from annotation_store.store import AnnotationStore, NewDocument
from annotation_store.tables import StagedDocumentRow, StagedImportRow
from annotation_store.upkeep import verify
from ner_core.labels import CLUENER

REPOSITORY = Path(__file__).parents[2]
NUM_LINES = 2000
# Arguments: the database, the file, the step to die in.
DIE_IN_THE_MIDDLE = """
import os, signal, sys
from annotation_store.exchange import import_file

def die(progress):
    if progress.step == sys.argv[3] and progress.done > progress.total / 2:
        os.kill(os.getpid(), signal.SIGKILL)

import_file(sys.argv[1], sys.argv[2], watch=die)
"""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "annotations.db"
    with AnnotationStore.open(path) as store:
        store.create_project("default", CLUENER)
        store.add([NewDocument("旧的一条")])
    yield path


def import_and_die(database: Path, step: str) -> None:
    file = database.with_name("a.jsonl")
    lines = (
        f'{{"text": "第{n}条", "label": {{"name": {{"第": [[0, 0]]}}}}}}\n'
        for n in range(NUM_LINES)
    )
    file.write_text("".join(lines), encoding="utf-8")
    process = subprocess.run(
        [sys.executable, "-c", DIE_IN_THE_MIDDLE, str(database), str(file), step],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr


def count(store: AnnotationStore, table: type) -> int | None:
    with store.database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(table))


@pytest.mark.parametrize("step", ["reading", "storing"])
def test_a_program_killed_before_its_import_is_certain_leaves_the_project_as_it_was(
    database: Path, step: str
) -> None:
    import_and_die(database, step)
    with AnnotationStore.open(database) as store:
        assert [document.text for document in store.page().documents] == ["旧的一条"]
        assert verify(store.database).problems == ()


def test_what_a_killed_program_had_staged_is_dropped_when_nobody_can_go_on_with_it(
    database: Path,
) -> None:
    import_and_die(database, "storing")
    with AnnotationStore.open(database) as store:
        # Somebody else's import looks the same while it is under way.
        assert (count(store, StagedImportRow), count(store, StagedDocumentRow)) == (1, 1500)
        with store.database.writing() as connection:
            (touched_at,) = connection.scalars(select(StagedImportRow.touched_at))
            long_ago = touched_at - timedelta(hours=2)
            connection.execute(update(StagedImportRow).values(touched_at=long_ago))
        recover_imports(store.database)
        assert (count(store, StagedImportRow), count(store, StagedDocumentRow)) == (0, 0)


def test_an_import_that_was_certain_is_ended_by_the_next_program(database: Path) -> None:
    import_and_die(database, "entering")
    with AnnotationStore.open(database) as store:
        texts = [document.text for document in store.page(limit=NUM_LINES + 9).documents]
        assert texts == ["旧的一条", *(f"第{n}条" for n in range(NUM_LINES))]
        assert all(document.spans for document in store.page(offset=1, limit=9999).documents)
        assert count(store, StagedDocumentRow) == 0
        assert verify(store.database).problems == ()
