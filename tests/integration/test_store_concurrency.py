"""Many threads, several processes, processes that die: nothing is lost or half-written."""

import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from annotation_store.store import AnnotationStore, NewDocument, StaleRevision
from annotation_store.upkeep import verify
from ner_core.labels import CLUENER
from ner_core.spans import Span

REPOSITORY = Path(__file__).parents[2]


def start_python(code: str, *arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def make_store(path: Path, num_documents: int) -> AnnotationStore:
    store = AnnotationStore.open(path)
    store.create_project("default", CLUENER)
    store.add(NewDocument(f"第{number}号文件") for number in range(num_documents))
    return store


def test_sixteen_threads_save_sixty_times_each_without_a_locked_database(tmp_path: Path) -> None:
    """They share two stores, as the threads of two programs would."""
    path = tmp_path / "annotations.db"
    with make_store(path, 16) as first, AnnotationStore.open(path) as second:

        def save_often(document_id: int) -> None:
            for base in range(60):
                (first, second)[document_id % 2].save(
                    document_id,
                    base_revision=base,
                    spans=[Span(0, 1 + base % 3, "name")],
                    status="new",
                    annotator=f"thread {document_id}",
                )

        with ThreadPoolExecutor(16) as threads:
            list(threads.map(save_often, range(1, 17)))  # list() raises what a thread raised
        for document_id in range(1, 17):
            numbers = [revision.number for revision in first.history(document_id)]
            assert numbers == list(range(1, 61))
        assert verify(first.database).problems == ()


def test_of_many_saves_from_one_revision_exactly_one_wins(tmp_path: Path) -> None:
    with make_store(tmp_path / "annotations.db", 1) as store:
        barrier = threading.Barrier(8)

        def save(annotator: int) -> str | None:
            barrier.wait()
            try:
                store.save(
                    1, base_revision=0, spans=[], status="accepted", annotator=str(annotator)
                )
            except StaleRevision as refusal:
                return refusal.current.annotator
            return None

        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(save, range(8)))
        (winner,) = store.history(1)
        assert sorted(answers, key=str) == [winner.annotator] * 7 + [None]
        assert answers.index(None) == int(winner.annotator)


def test_two_stores_on_one_file_see_each_other(tmp_path: Path) -> None:
    path = tmp_path / "annotations.db"
    with make_store(path, 1) as first, AnnotationStore.open(path) as second:
        saved = first.save(1, base_revision=0, spans=[], status="accepted", annotator="a")
        assert second.get(1).revision == saved
        second.save(1, base_revision=1, spans=[], status="flagged", annotator="b")
        assert first.get(1).status == "flagged"


def test_several_processes_may_start_on_a_new_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "annotations.db"
    code = (
        "import sys\n"
        "from annotation_store.store import AnnotationStore, NewDocument\n"
        "from ner_core.labels import CLUENER\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "with AnnotationStore.open(sys.argv[1]) as store:\n"
        "    store.create_project('default', CLUENER)\n"
        "    for number in range(10):\n"
        "        store.add([NewDocument(f'{sys.argv[2]} {number}')])\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(path), str(number)],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    results = [process.communicate("go\n", timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * 3, results
    with AnnotationStore.open(path) as store:
        positions = [document.position for document in store.page(limit=100).documents]
        assert positions == list(range(1, 31))
        assert verify(store.database).problems == ()


DIE_AFTER = (
    "import os, signal, sys\n"
    "from sqlalchemy import Engine, event\n"
    "from annotation_store.store import AnnotationStore, NewDocument\n"
    "from ner_core.labels import CLUENER\n"
    "from ner_core.spans import Span\n"
    "def die(connection, cursor, statement, *rest):\n"
    "    if statement.lstrip().startswith(sys.argv[2]):\n"
    "        os.kill(os.getpid(), signal.SIGKILL)\n"
    "event.listen(Engine, 'after_cursor_execute', die)\n"
    "store = AnnotationStore.open(sys.argv[1])\n"
    "store.create_project('default', CLUENER)\n"
    "store.add(NewDocument(f'新{number}', (Span(0, 1, 'name'),)) for number in range(5000))\n"
)


def test_a_process_killed_while_it_adds_leaves_nothing_half_written(tmp_path: Path) -> None:
    path = tmp_path / "annotations.db"
    make_store(path, 3).close()
    process = start_python(DIE_AFTER, path, "INSERT INTO revision")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, errors
    with AnnotationStore.open(path) as store:
        assert store.page().num_total == 3
        assert verify(store.database).problems == ()
        assert store.add([NewDocument("新0")]).num_duplicates == 0


def test_a_process_killed_at_its_first_start_leaves_a_file_that_opens(tmp_path: Path) -> None:
    path = tmp_path / "annotations.db"
    process = start_python(DIE_AFTER, path, "CREATE TABLE revision")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, errors
    assert path.exists()
    make_store(path, 1).close()


def test_a_process_killed_after_a_save_has_saved(tmp_path: Path) -> None:
    """The save then stands in the write-ahead log alone, with the tables themselves."""
    path = tmp_path / "annotations.db"
    code = (
        "import os, signal, sys\n"
        "from annotation_store.store import AnnotationStore, NewDocument\n"
        "from ner_core.labels import CLUENER\n"
        "store = AnnotationStore.open(sys.argv[1])\n"
        "store.create_project('default', CLUENER)\n"
        "store.add([NewDocument('甲')])\n"
        "store.save(1, base_revision=0, spans=[], status='accepted', annotator='a')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    process = start_python(code, path)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    with AnnotationStore.open(path) as store:
        assert store.get(1).status == "accepted"
