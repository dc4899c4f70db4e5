"""Lines of text as rows of token ids, and the lines that are held out."""

import sys
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ner_core.preprocessing import CharacterVocabulary, build_vocabulary
from trainer import word_borders
from trainer.corpus import CorpusLine
from trainer.line_encoder import LineEncoder, is_held_out

CHARACTERS = "今天我们在北京市海淀区的公园里玩，很好。abc１２"
TOKENS = build_vocabulary([CHARACTERS])
VOCABULARY = CharacterVocabulary.from_token_ids({t: i for i, t in enumerate(TOKENS)})


def make_encoder(
    window_tokens: int = 16,
    *,
    is_packed: bool = True,
    tags: Sequence[str] = (),
    held_out_fraction: float = 1e-9,
) -> LineEncoder:
    return LineEncoder(
        VOCABULARY,
        set(CHARACTERS),
        tags=tags,
        window_tokens=window_tokens,
        held_out_fraction=held_out_fraction,
        is_packed=is_packed,
    )


def read_pieces(rows: NDArray[np.void]) -> list[str]:
    """What stands between each [CLS] and its [SEP]."""
    pieces = []
    for ids in rows["token_ids"]:
        tokens = [TOKENS[i] for i in ids]
        text = "".join(t if len(t) == 1 else {"[UNK]": "?"}.get(t, t) for t in tokens)
        text = text.replace("[PAD]", "")
        assert text.startswith("[CLS]") and text.endswith("[SEP]")
        pieces += text.removeprefix("[CLS]").removesuffix("[SEP]").split("[SEP][CLS]")
    return pieces


@given(st.lists(st.text(CHARACTERS, min_size=1, max_size=60).filter(str.strip), max_size=20))
def test_no_character_is_lost_and_no_row_overflows(lines: list[str]) -> None:
    rows = make_encoder().encode(map(CorpusLine, lines))
    assert not len(rows.held_out)
    folded = "".join(lines).replace("１", "1").replace("２", "2")
    assert sorted("".join(read_pieces(rows.train))) == sorted(folded)


def test_short_lines_share_rows_and_stay_whole() -> None:
    lines = ["今天", "我们在公园", "很好"]
    rows = make_encoder().encode(map(CorpusLine, lines)).train
    assert len(rows) == 1
    assert sorted(read_pieces(rows)) == sorted(lines)


def test_without_packing_each_line_has_a_row() -> None:
    lines = ["今天", "我们在公园", "很好"]
    rows = make_encoder(is_packed=False).encode(map(CorpusLine, lines)).train
    assert read_pieces(rows) == lines


def test_a_long_line_is_cut_at_the_ends_of_sentences_and_between_words() -> None:
    rows = make_encoder(10).encode([CorpusLine("今天很好。我们在北京市海淀区的公园里玩")]).train
    assert sorted(read_pieces(rows)) == sorted(["今天很好。", "我们在北京市", "海淀区的公园里玩"])


def test_word_borders_are_the_segmenters() -> None:
    rows = make_encoder().encode([CorpusLine("我们在北京市的公园")]).train
    starts = np.unpackbits(rows["word_starts"][0])[:16].astype(bool)
    words = ["我们", "在", "北京市", "的", "公园"]
    places = np.cumsum([1, *map(len, words[:-1])])
    assert np.flatnonzero(starts).tolist() == places.tolist()


def test_each_part_of_a_word_that_is_longer_than_a_row_begins_as_a_word() -> None:
    rows = make_encoder(10).encode([CorpusLine("abc" * 7)]).train
    starts = np.unpackbits(rows["word_starts"], axis=1)[:, :10].astype(bool)
    assert sorted(map(len, read_pieces(rows))) == [5, 8, 8]
    assert [np.flatnonzero(row).tolist() for row in starts] == [[1]] * 3


def test_silver_tags_stand_beside_their_characters() -> None:
    encoder = make_encoder(tags=("O", "B-LOC", "I-LOC"))
    tagged = CorpusLine("在北京", ("O", "B-LOC", "I-LOC"))
    (row,) = encoder.encode([tagged, CorpusLine("很好")]).train
    assert row["tag_ids"][:9].tolist() == [0, 1, 2, 3, 0, 0, 0, 0, 0]


def test_characters_that_the_vocabulary_lacks_are_unknown_and_blanks_are_not() -> None:
    encoder = LineEncoder(
        VOCABULARY,
        {*CHARACTERS, "龘", " "},
        tags=(),
        window_tokens=16,
        held_out_fraction=1e-9,
        is_packed=True,
    )
    (row,) = encoder.encode([CorpusLine("今龘 天")]).train
    expected = [VOCABULARY.unk_token_id, VOCABULARY.blank_token_id]
    assert row["token_ids"][2:4].tolist() == expected


LINES = [f"第{number}行" for number in range(4000)]


def test_about_the_fraction_of_the_lines_is_held_out() -> None:
    assert sum(is_held_out(line, 0.05) for line in LINES) == pytest.approx(200, abs=50)


def test_a_line_stays_held_out_when_the_corpus_grows_or_more_is_held_out() -> None:
    few = {line for line in LINES if is_held_out(line, 0.01)}
    more = {line for line in LINES if is_held_out(line, 0.02)}
    assert few < more


def test_forms_that_the_encoder_cannot_tell_apart_are_on_one_side() -> None:
    for number in range(300):
        assert is_held_out(f"Ａ{number}", 0.5) == is_held_out(f"a{number}", 0.5)


def test_a_sentence_is_on_one_side_wherever_it_stands() -> None:
    """In a paragraph and alone, as silver labels have it, it would else be learned and measured."""
    places = ("北京", "海淀", "公园", "今天", "我们")
    sentences = [f"{one}很好{other}。" for one in places for other in places]
    paragraph = "".join(sentences)
    encoder = make_encoder(64, is_packed=False, held_out_fraction=0.3)
    together = encoder.encode([CorpusLine(paragraph)])
    alone = encoder.encode(map(CorpusLine, sentences))
    for side in ("train", "held_out"):
        whole = "".join(read_pieces(getattr(together, side)))
        assert whole == "".join(read_pieces(getattr(alone, side))) != ""
    # What is not held out keeps its neighbours.
    assert len(together.train) < len(alone.train)


def test_the_parts_of_a_line_keep_their_tags_and_lose_their_blanks() -> None:
    line = CorpusLine("今天很好。 北京。", ("B-T", "I-T", "O", "O", "O", "O", "B-L", "I-L", "O"))
    parts = [line.cut(0, 6), line.cut(5, 9), line.cut(5, 6)]
    assert parts == [
        CorpusLine("今天很好。", ("B-T", "I-T", "O", "O", "O")),
        CorpusLine("北京。", ("B-L", "I-L", "O")),
        None,
    ]


def test_without_jieba_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    word_borders.load_jieba.cache_clear()
    monkeypatch.setitem(sys.modules, "jieba", None)
    with pytest.raises(ValueError, match=r"pip install -r requirements-encoders\.txt"):
        word_borders.name_segmenter()
