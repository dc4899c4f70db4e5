"""Preparing a corpus: whatever interrupts it, however many share it, the rows are the same."""

import lzma
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from annotation_store.store import AnnotationStore, NewDocument
from ner_core.labels import CLUENER
from trainer import preparation
from trainer.corpus import CorpusLine
from trainer.line_encoder import split_sides
from trainer.preparation import Preparation, cut_blocks, plan_preparation, write_part
from trainer.prepared_corpus import Manifest, PreparedCorpus, find_parts
from trainer.pretrain_config import CorpusSettings

ROOT = Path(__file__).parents[2]
NEWS = ROOT / "tests" / "data" / "news.txt"


def plan(*texts: str, **settings: object) -> Preparation:
    corpus = CorpusSettings(texts, **{"held_out_fraction": 0.2, "min_count": 1, **settings})  # type: ignore[arg-type]
    planned = plan_preparation(corpus, None, 32, "test")
    # Several parts, small as the corpus is.
    return replace(planned, block_characters=100)


def read_all(corpus: PreparedCorpus) -> NDArray[np.void]:
    sides = (corpus.train, corpus.held_out)
    return np.concatenate([rows.read(np.arange(len(rows))) for rows in sides])


@pytest.fixture
def whole(tmp_path: Path) -> PreparedCorpus:
    """The news, prepared without a disturbance."""
    planned = plan(str(NEWS))
    planned.write_parts(tmp_path / "whole")
    return planned.write_manifest(tmp_path / "whole")


def test_a_prepared_corpus_holds_the_lines_and_says_so(whole: PreparedCorpus) -> None:
    manifest = Manifest.load(whole.directory)
    assert manifest == whole.manifest
    (source,) = whole.manifest.sources
    lines = [line for line in NEWS.read_text("utf-8").splitlines() if line]
    assert (source.name, source.num_lines) == ("news.txt", len(lines))
    assert source.num_characters == sum(map(len, lines))
    assert len(whole.manifest.num_rows) > 3
    assert min(len(whole.train), len(whole.held_out)) > 0
    assert whole.train.dtype["token_ids"].base == np.uint16
    tokens = whole.manifest.tokens
    assert tokens is not None
    cls_token_id = tokens.index("[CLS]")
    # A line of several sentences is cut where one of them is held out.
    parts = [part for line in lines for part in split_sides(CorpusLine(line), 0.2)]
    assert (read_all(whole)["token_ids"] == cls_token_id).sum() == len(parts)


def test_the_vocabulary_is_counted_on_the_corpus_by_frequency(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("天天天Ａa 好\n天好B\n", encoding="utf-8")
    planned = plan(str(text), min_count=2)
    tokens = planned.tokens
    assert tokens is not None
    # Upper case and full width count as the token that they will be; B is too rare for one.
    assert tokens[6:] == ("天", "a", "好")
    assert {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"} < set(tokens[:6])


def test_rows_are_mapped_not_read(whole: PreparedCorpus) -> None:
    assert all(isinstance(part, np.memmap) for part in whole.train._parts)


def test_rows_can_be_read_in_any_order(whole: PreparedCorpus) -> None:
    rows = whole.train.read(np.arange(len(whole.train)))
    numbers = np.array([len(rows) - 1, 0, 3, 3])
    assert (whole.train.read(numbers) == rows[numbers]).all()


def test_an_interrupted_preparation_goes_on_where_it_was(
    whole: PreparedCorpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = plan(str(NEWS))
    written: list[Path] = []

    def write_two(encoder: object, lines: object, path: Path) -> None:
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(path)
        write_part(encoder, lines, path)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(preparation, "write_part", write_two)
        with pytest.raises(KeyboardInterrupt):
            planned.write_parts(tmp_path / "again")
    assert Manifest.load(tmp_path / "again") is None
    times = {path: path.with_suffix(".train").stat().st_mtime_ns for path in written}
    planned.write_parts(tmp_path / "again")
    corpus = planned.write_manifest(tmp_path / "again")
    assert (read_all(corpus) == read_all(whole)).all()
    for path, time in times.items():
        assert path.with_suffix(".train").stat().st_mtime_ns == time


def test_processes_that_share_the_work_write_the_same(
    whole: PreparedCorpus, tmp_path: Path
) -> None:
    planned = plan(str(NEWS))
    planned.write_parts(tmp_path / "shared", share=(1, 2))
    num_parts = len(list(find_parts(tmp_path / "shared", planned.key).glob("*.train")))
    assert 0 < num_parts < len(whole.manifest.num_rows)
    planned.write_parts(tmp_path / "shared", share=(0, 2), num_workers=2)
    corpus = planned.write_manifest(tmp_path / "shared")
    assert corpus.manifest == whole.manifest
    assert (read_all(corpus) == read_all(whole)).all()


def test_a_full_disk_leaves_no_half_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = plan(str(NEWS))
    (lines, *_) = cut_blocks(planned.sources[0].read_lines(), 100)
    monkeypatch.setattr(preparation.os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        write_part(planned.build_encoder(), lines, tmp_path / "000-00000")
    assert not list(tmp_path.iterdir())


def fail(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_packed_files_hold_the_same_text(whole: PreparedCorpus, tmp_path: Path) -> None:
    path = tmp_path / "news.txt.xz"
    path.write_bytes(lzma.compress(NEWS.read_bytes()))
    planned = plan(str(path))
    planned.write_parts(tmp_path / "packed")
    corpus = planned.write_manifest(tmp_path / "packed")
    assert (read_all(corpus) == read_all(whole)).all()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("cut.txt.xz", lzma.compress(NEWS.read_bytes())[:-40], "expected a whole xz file"),
        ("plain.txt.xz", NEWS.read_bytes(), "expected a whole xz file"),
        ("empty.txt", b"\n \n", "expected lines of text, got none"),
        (
            "picture.txt",
            "今天我们去北京玩好".encode() + b"\n\x89PNG\xff",
            "picture.txt:2: expected",
        ),
    ],
)
def test_a_wrong_file_is_named(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        plan(str(NEWS), str(tmp_path / name))
    assert name in str(caught.value)


def test_a_database_gives_the_texts_that_nobody_has_labelled(tmp_path: Path) -> None:
    location = str(tmp_path / "a.db")
    with AnnotationStore.open(location) as store:
        for project in ("first", "second"):
            store.create_project(project, CLUENER)
        labelled = NewDocument("已经看过的句子", spans=(), status="accepted")
        store.add([NewDocument("没有看过的句子\n另一行"), labelled], project="first")
        store.add([NewDocument("别的项目里的句子")], project="second")
    planned = plan(f"annotations={location}")
    texts = [line.text for line in planned.sources[0].read_lines()]
    assert texts == ["没有看过的句子", "另一行", "别的项目里的句子"]
    assert planned.count.sources[0].file_stamp is None


def test_changed_text_and_settings_are_found(whole: PreparedCorpus, tmp_path: Path) -> None:
    copy = tmp_path / "news.txt"
    copy.write_bytes(NEWS.read_bytes())
    settings = CorpusSettings((str(copy),), held_out_fraction=0.2, min_count=1)
    find = whole.manifest.find_changes
    # Another time, but the same content.
    assert find(settings, 32) == []
    assert find(replace(settings, texts=()), 32) == []
    assert find(settings, 64) == ["window_tokens 32 before, 64 now"]
    assert find(replace(settings, is_packed=False), 32) == ["is_packed True before, False now"]
    copy.write_text("别的文字\n", encoding="utf-8")
    assert find(settings, 32) == ["news.txt has other text"]
    assert find(replace(settings, texts=("a.txt", "b.txt")), 32) == ["1 sources before, 2 now"]


def test_a_damaged_part_is_named(whole: PreparedCorpus) -> None:
    name = next(n for n, rows in whole.manifest.num_rows.items() if rows["train"])
    path = find_parts(whole.directory, whole.manifest.key) / f"{name}.train"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"expected .* bytes of a prepared corpus") as caught:
        assert whole.train
    assert str(path) in str(caught.value)


def test_a_damaged_manifest_is_named(whole: PreparedCorpus) -> None:
    path = whole.directory / "manifest.json"
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match=r"expected what version 2 .*manifest.json"):
        Manifest.load(whole.directory)


# Peak of all that Python and numpy allocate, in a fresh process.
MEASURE = """
import sys, tracemalloc
from dataclasses import replace
from pathlib import Path
from ner_core import formats
from trainer.preparation import plan_preparation
from trainer.pretrain_config import CorpusSettings
from trainer.word_borders import find_word_starts
path, output = map(Path, sys.argv[1:])
# Less than there is in the smaller corpus, so that both are read in parts.
formats._BYTES_AT_A_TIME = 10_000
find_word_starts("先读词典")
tracemalloc.start()
plan = plan_preparation(CorpusSettings((str(path),)), None, 32, "test")
plan = replace(plan, block_characters=5_000)
plan.write_parts(output)
corpus = plan.write_manifest(output)
print(tracemalloc.get_traced_memory()[1], len(corpus.train))
"""


def test_memory_does_not_grow_with_the_corpus(tmp_path: Path) -> None:
    peaks, num_rows = [], []
    lines = [line for line in NEWS.read_text("utf-8").splitlines() if line]
    for times in (20, 320):
        path = tmp_path / f"{times}.txt"
        numbered = (f"{line}{number}\n" for number in range(times) for line in lines)
        path.write_text("".join(numbered), encoding="utf-8")
        command = [sys.executable, "-c", MEASURE, str(path), str(tmp_path / f"out-{times}")]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
        peak, rows = map(int, done.stdout.split())
        peaks.append(peak)
        num_rows.append(rows)
    assert num_rows[1] > 10 * num_rows[0]
    # The larger one is half a megabyte; read whole, it would take two.
    assert peaks[1] < peaks[0] + 200_000
