"""Lexicons made from text and lists."""

import lzma
from pathlib import Path

import numpy as np
import pytest

from trainer import new_lexicon
from trainer.lexicon import Lexicon
from trainer.new_lexicon import count_matches

_LINES = ["我爱北京天安门", "北京大学在北京", "ＮＢＡ在上海", "叶老桂在浙商银行"] * 5


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.txt.xz"
    with lzma.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join(_LINES) + "\n")
    return path


def make(corpus: Path, tmp_path: Path, *more: str) -> int:
    fixed = ["--vector-size", "4", "--min-count", "5", "--num-workers", "1", "--seed", "3"]
    output = str(tmp_path / "lexicon.npz")
    return new_lexicon.main(["--corpus", str(corpus), *fixed, "--output", output, *more])


def test_words_of_the_text_have_vectors_and_listed_words_their_types(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = tmp_path / "names.txt"
    names.write_text("叶老桂 nr 3\n诸葛亮 nr 9\n老桂在\n", encoding="utf-8")
    teams = tmp_path / "teams.txt"
    teams.write_text("NBA\n浙商银行\n", encoding="utf-8")
    lists = ["--list", f"person={names}", "--list", f"team={teams}"]
    assert make(corpus, tmp_path, *lists) == 0
    lexicon = Lexicon.load(tmp_path / "lexicon.npz")
    assert lexicon.type_names[:2] == ["person", "team"]
    number = {word: index for index, word in enumerate(lexicon.words)}
    named = {
        word: {
            name for bit, name in enumerate(lexicon.type_names) if lexicon.types[index] >> bit & 1
        }
        for word, index in number.items()
    }
    assert "jieba-ns" in named["北京"]
    # Cut out of the text only because it is listed.
    assert named["叶老桂"] == {"person"}
    assert lexicon.vector_ids[number["叶老桂"]] > 0
    # Folded, as the encoder's vocabulary is.
    assert named["nba"] == {"team"}
    # Listed, and a part of the text though never a word of it.
    assert named["老桂在"] == {"person"}
    assert lexicon.vector_ids[number["老桂在"]] == 0
    # Listed, but never in the text.
    assert "诸葛亮" not in number
    assert not lexicon.vectors[0].any()
    assert (np.abs(lexicon.vectors[1:]).sum(axis=1) > 0).all()
    assert f"{len(lexicon.words):,} words" in capsys.readouterr().out


def test_one_worker_makes_the_same_lexicon_twice(corpus: Path, tmp_path: Path) -> None:
    made = []
    for _ in range(2):
        assert make(corpus, tmp_path) == 0
        made.append(Lexicon.load(tmp_path / "lexicon.npz"))
    assert made[0].words == made[1].words
    np.testing.assert_array_equal(made[0].vectors, made[1].vectors)


def test_matches_are_counted_where_words_overlap_but_not_across_lines() -> None:
    lines = ["天 安 门", "天安 天安 门安", "门"]
    assert count_matches(["天安", "安门", "门门", "天安天安门安"], iter(lines)) == [3, 2, 0, 1]
    assert count_matches([], iter(lines)) == []


def test_a_text_with_no_frequent_word_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "short.txt"
    path.write_text("北京\n", encoding="utf-8")
    assert make(path, tmp_path) == 2
    assert "expected words that occur 5 times in --corpus, found none" in capsys.readouterr().err
    assert not (tmp_path / "lexicon.npz").exists()


@pytest.mark.parametrize("name", ["broken.txt", "broken.txt.xz"])
def test_a_damaged_corpus_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(b"\xff\xfe\x00broken")
    assert make(path, tmp_path) == 2
    message = capsys.readouterr().err
    assert "expected text in UTF-8, got" in message
    assert name in message


def test_a_list_without_a_type_is_named(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        make(corpus, tmp_path, "--list", "names.txt")
    assert "expected TYPE=FILE, got 'names.txt'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"types": np.zeros(1, dtype=np.int32)}, "expected a vector id and types for each of 2"),
        ({"vectors": np.zeros((1, 4))}, "expected vectors up to number 1, got shape"),
        ({"words": None}, "expected a lexicon of trainer.new_lexicon"),
    ],
)
def test_a_file_that_is_no_lexicon_is_named(
    tmp_path: Path, changes: dict[str, np.ndarray | None], message: str
) -> None:
    parts: dict[str, np.ndarray | None] = {
        "words": np.array(["北京", "上海"]),
        "vector_ids": np.array([0, 1]),
        "vectors": np.zeros((2, 4)),
        "types": np.zeros(2, dtype=np.int32),
        "type_names": np.array(["place"]),
    }
    path = tmp_path / "lexicon.npz"
    np.savez(path, **{name: part for name, part in (parts | changes).items() if part is not None})
    with pytest.raises(ValueError, match=message):
        Lexicon.load(path)
