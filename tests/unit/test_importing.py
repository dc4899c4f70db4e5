"""One import: watched, cancelled, refused, in one transaction and in little memory."""

import csv
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotation_store.formats.catalog import FORMATS
from annotation_store.formats.format import ReadOptions
from annotation_store.formats.source import Source, SourceFile, source_of_bytes
from annotation_store.importing import ImportCancelled, ImportProgress, PendingImport
from annotation_store.store import AnnotationStore, NewDocument
from ner_core.labels import CLUENER

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
    for step, total in (("reading", source.size), ("storing", NUM_LINES)):
        shares = [one.done for one in seen if one.step == step]
        assert (shares[0], shares[-1]) == (0, total)
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
