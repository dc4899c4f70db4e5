"""One import: watched, cancelled, refused, in short writes and in little memory."""

import csv
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from annotation_store.formats.catalog import FORMATS
from annotation_store.formats.format import ReadOptions
from annotation_store.formats.source import Source, SourceFile, source_of_bytes
from annotation_store.importing import ImportCancelled, ImportProgress, PendingImport
from annotation_store.project_changes import (
    LabelInUse,
    remove_label,
    rename_label,
    rename_project,
)
from annotation_store.staging import count_staged, recover_imports
from annotation_store.store import AnnotationStore, NewDocument
from annotation_store.upkeep import verify
from ner_core.labels import CLUENER
from ner_core.spans import Span

NUM_LINES = 3000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AnnotationStore]:
    with AnnotationStore.open(tmp_path / "annotations.db") as store:
        store.create_project("default", CLUENER)
        store.add([NewDocument("旧的一条")])
        yield store


@pytest.fixture
def source() -> Source:
    lines = [f'{{"text": "第{n}条", "label": {{}}}}' for n in range(NUM_LINES)]
    return source_of_bytes("\n".join(lines).encode(), "a.jsonl")


def read(source: Source, **options: object) -> PendingImport:
    return PendingImport.read(source, FORMATS["cluener"], ReadOptions(CLUENER), **options)


def test_an_import_is_watched_from_its_first_byte_to_its_last_document(
    store: AnnotationStore, source: Source
) -> None:
    seen: list[ImportProgress] = []
    with read(source, watch=seen.append) as pending:
        result = pending.store(store, "default", seen.append)
    assert (result.num_added, result.num_duplicates) == (NUM_LINES, 0)
    sizes = {"reading": source.size, "storing": NUM_LINES, "entering": NUM_LINES}
    for step, total in sizes.items():
        shares = [one.done for one in seen if one.step == step]
        assert (shares[0] == 0 or step == "entering", shares[-1]) == (True, total)
        assert shares == sorted(shares)
        assert len(shares) >= NUM_LINES // 500


@pytest.mark.parametrize("step", ["reading", "storing"])
@pytest.mark.parametrize("end", [ImportCancelled, KeyboardInterrupt, RuntimeError])
def test_an_import_that_is_ended_in_the_middle_leaves_nothing(
    store: AnnotationStore, source: Source, step: str, end: type[BaseException]
) -> None:
    def watch(progress: ImportProgress) -> None:
        if progress.step == step and progress.done > progress.total / 2:
            raise end

    with pytest.raises(end), read(source, watch=watch) as pending:
        pending.store(store, "default", watch)
    assert [document.text for document in store.page().documents] == ["旧的一条"]
    store.add([NewDocument("新的一条")])  # nothing is locked


def test_a_label_that_goes_away_before_the_storing_keeps_all_out(store: AnnotationStore) -> None:
    data = '{"text": "甲"}\n{"text": "乙", "label": {"planet": {"乙": [[0, 0]]}}}'.encode()
    source = source_of_bytes(data, "a.jsonl")
    with (
        PendingImport.read(source, FORMATS["cluener"], ReadOptions()) as pending,
        pytest.raises(ValueError, match="expected one of the labels address, "),
    ):
        pending.store(store, "default")
    assert store.page().num_total == 1


def during(step: str, call: Callable[[], object]) -> Callable[[ImportProgress], None]:
    """Do something once, in the middle of a step."""
    calls = [call]

    def watch(progress: ImportProgress) -> None:
        if progress.step == step and progress.done > progress.total / 2 and calls:
            calls.pop()()

    return watch


def cancel() -> None:
    raise ImportCancelled


def test_people_save_while_an_import_is_stored_and_enters(
    store: AnnotationStore, source: Source
) -> None:
    """In one long transaction no save would come between two steps of it."""
    is_over = threading.Event()
    num_saved = 0

    def save_again_and_again() -> None:
        nonlocal num_saved
        while not is_over.is_set():
            store.save(1, base_revision=num_saved, spans=[], status="accepted", annotator="梅")
            num_saved += 1

    saved_at: dict[str, list[int]] = {"reading": [], "storing": [], "entering": []}
    with ThreadPoolExecutor(1) as threads, read(source) as pending:
        saving = threads.submit(save_again_and_again)
        try:
            pending.store(
                store, "default", lambda progress: saved_at[progress.step].append(num_saved)
            )
        finally:
            is_over.set()
        saving.result()
    for step in ("storing", "entering"):
        assert saved_at[step][-1] > saved_at[step][0], saved_at
    assert store.page().num_total == NUM_LINES + 1
    assert verify(store.database).problems == ()


def test_it_is_too_late_to_cancel_an_import_that_enters(
    store: AnnotationStore, source: Source
) -> None:
    with read(source) as pending:
        assert pending.store(store, "default", during("entering", cancel)).num_added == NUM_LINES
    assert store.page().num_total == NUM_LINES + 1


def test_nobody_sees_what_is_only_staged(store: AnnotationStore, source: Source) -> None:
    seen: list[int] = []
    with read(source) as pending:
        pending.store(
            store, "default", during("storing", lambda: seen.append(store.page().num_total))
        )
    assert seen == [1]


def test_a_text_that_somebody_adds_meanwhile_is_not_added_again(
    store: AnnotationStore, source: Source
) -> None:
    texts = [NewDocument("第7条"), NewDocument(f"第{NUM_LINES - 1}条")]
    with read(source) as pending:
        result = pending.store(store, "default", during("entering", lambda: store.add(texts)))
    # The first of the two had entered already, the second had not.
    assert (result.num_added, result.num_duplicates) == (NUM_LINES - 1, 1)
    documents = store.page(limit=NUM_LINES + 9).documents
    assert len(documents) == len({document.text for document in documents}) == NUM_LINES + 1


def test_a_label_is_in_use_as_soon_as_an_import_is_certain(store: AnnotationStore) -> None:
    lines = "".join(
        f'{{"text": "在{n}", "label": {{"scene": {{"在": [[0, 0]]}}}}}}\n' for n in range(600)
    )
    found: list[LabelInUse] = []

    def remove() -> None:
        # No document of it can be found while all of them wait.
        with store.database.writing() as connection:
            assert count_staged(connection, 1, ["scene"]) == 100
            assert count_staged(connection, 1, ["name"]) == 0
        with pytest.raises(LabelInUse) as error:
            remove_label(store.database, "default", "scene")
        found.append(error.value)

    with read(source_of_bytes(lines.encode(), "a.jsonl")) as pending:
        pending.store(store, "default", during("entering", remove))
    assert [error.num_documents for error in found] == [600]


def test_a_label_that_is_removed_while_an_import_is_staged_keeps_all_out(
    store: AnnotationStore,
) -> None:
    line = '{"text": "甲", "label": {"scene": {"甲": [[0, 0]]}}}'
    with read(source_of_bytes(line.encode(), "a.jsonl")) as pending:
        remove = during("storing", lambda: remove_label(store.database, "default", "scene"))
        with pytest.raises(ValueError, match=r"expected one of the labels address, .* 'scene'"):
            pending.store(store, "default", remove)
    assert store.page().num_total == 1


def test_a_label_and_a_project_may_be_renamed_while_an_import_is_stored(
    store: AnnotationStore,
) -> None:
    def rename() -> None:
        rename_label(store.database, "default", "scene", "place")
        rename_project(store.database, "default", "旅行")

    line = '{"text": "甲", "label": {"scene": {"甲": [[0, 0]]}}}'
    with read(source_of_bytes(line.encode(), "a.jsonl")) as pending:
        pending.store(store, "default", during("storing", rename))
    document = store.find("甲", project="旅行")
    assert document is not None
    assert document.spans == (Span(0, 1, "place"),)


def test_an_import_enters_once_although_another_program_helps(
    store: AnnotationStore, source: Source
) -> None:
    with read(source) as pending:
        help_with_it = during("entering", lambda: recover_imports(store.database))
        assert pending.store(store, "default", help_with_it).num_added == NUM_LINES
    assert store.page().num_total == NUM_LINES + 1
    assert verify(store.database).problems == ()


def test_the_report_holds_every_error_and_the_first_are_at_hand(tmp_path: Path) -> None:
    data = b'{"text": "a"}\n' + b'not "json"\n' * 50
    with read(source_of_bytes(data, "a.jsonl")) as pending:
        assert (pending.num_documents, pending.num_errors) == (1, 50)
        assert len(pending.first_errors) == 20
        for _ in range(2):  # may be asked for again
            pending.write_report(tmp_path / "errors.csv")
    with (tmp_path / "errors.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["file", "line", "reason"]
    assert len(rows) == 51
    assert rows[50][:2] == ["a.jsonl", "51"]
    assert rows[50][2].startswith('expected a JSON object, got "not \\"json\\""')


def test_what_is_read_does_not_stay_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(8000):
            file.write(f'{{"text": "{number}{"长" * 700}"}}\n')
    size = path.stat().st_size
    file = SourceFile("large.jsonl", size, lambda: path.open("rb"))
    tracemalloc.start()
    try:
        with read(Source("large.jsonl", (file,))) as pending:
            assert pending.num_documents == 8000
            peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size > 16_000_000
    assert peak < 8_000_000
