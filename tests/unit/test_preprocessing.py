"""Folding, vocabularies, sentences, segments and windows."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ner_core.preprocessing import (
    BLANK_TOKEN,
    CharacterVocabulary,
    Window,
    assign_to_windows,
    build_vocabulary,
    find_sentence_ends,
    fold_character,
    split_segments,
    split_windows,
)

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", BLANK_TOKEN]


def make_vocabulary(*characters: str) -> CharacterVocabulary:
    tokens = [*SPECIAL, *characters]
    return CharacterVocabulary.from_token_ids({token: i for i, token in enumerate(tokens)})


@pytest.mark.parametrize(
    ("character", "folded"),
    [("Ａ", "a"), ("ｚ", "z"), ("９", "9"), ("Q", "q"), ("，", "，"), ("李", "李"), ("İ", "İ")],
)
def test_letters_and_digits_fold_and_chinese_punctuation_stays(character: str, folded: str) -> None:
    assert fold_character(character) == folded


@given(st.characters())
def test_folding_keeps_one_character_one_character(character: str) -> None:
    assert len(fold_character(character)) == 1


@given(st.text())
def test_every_character_becomes_exactly_one_token(text: str) -> None:
    assert len(make_vocabulary("李", "a").encode(text)) == len(text)


def test_blanks_and_unknown_characters_have_ids_of_their_own() -> None:
    vocabulary = make_vocabulary("李", "a")
    assert vocabulary.encode("李Ａ \t\u3000𠮷") == [6, 7, 5, 5, 5, 1]


def test_digits_are_never_merged_into_one_token() -> None:
    vocabulary = make_vocabulary("2", "0", "2020")
    assert vocabulary.encode("2020") == [6, 7, 6, 7]


def test_a_character_that_only_exists_unfolded_is_found() -> None:
    assert make_vocabulary("Q").encode("Q") == [6]


def test_a_vocabulary_file_may_hold_line_separators_as_tokens(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("\n".join([*SPECIAL, "\u2028", "李"]), encoding="utf-8")
    assert CharacterVocabulary.load(tmp_path).encode("李") == [7]


def test_a_fast_tokenizer_file_serves_without_vocab_txt(tmp_path: Path) -> None:
    vocabulary = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "李": 4}
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocabulary}}))
    loaded = CharacterVocabulary.load(tmp_path)
    assert (loaded.cls_token_id, loaded.sep_token_id, loaded.pad_token_id) == (0, 2, 1)
    assert loaded.encode("李 x") == [4, 3, 3]


def test_a_directory_without_vocabulary_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected vocab\.txt or tokenizer\.json") as caught:
        CharacterVocabulary.load(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_unigram_tokenizer_file_counts_its_pieces(tmp_path: Path) -> None:
    tokenizer = {
        "model": {"vocab": [["<s>", 0.0], ["<pad>", 0.0], ["</s>", 0.0], ["▁", -1], ["李", -2]]},
        "added_tokens": [{"id": 5, "content": "<unk>"}],
    }
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer))
    assert CharacterVocabulary.load(tmp_path).encode("李王") == [4, 5]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "Expecting property name"),
        ("[]", "expected a tokenizer with a vocabulary"),
        ('{"model": null}', "expected a tokenizer with a vocabulary"),
        ('{"model": {"vocab": {"李": "1"}}}', "expected whole numbers as token ids"),
        ('{"model": {"vocab": {"æĿİ": 1}}}', "expected single Chinese characters .*byte-level"),
    ],
)
def test_a_tokenizer_file_that_is_no_chinese_vocabulary_is_named(
    content: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "tokenizer.json").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message) as caught:
        CharacterVocabulary.load(tmp_path)
    assert str(tmp_path / "tokenizer.json") in str(caught.value)


def test_a_vocabulary_without_special_tokens_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\[UNK\] or <unk>"):
        CharacterVocabulary.from_token_ids({"李": 0})


def test_sentences_end_after_their_closing_marks() -> None:
    text = "他说：“好！”然后走了。\n第二行"
    assert [text[:end] for end in find_sentence_ends(text)] == [
        "他说：“好！”",
        "他说：“好！”然后走了。\n",
        text,
    ]


def test_no_sentence_ends_inside_a_title_or_a_range_to_keep() -> None:
    text = "看《你好。世界！》吧。再见！老王。"
    assert [text[:end] for end in find_sentence_ends(text)] == [text[:11], text[:14], text]
    kept = [Window(11, 16)]
    assert find_sentence_ends(text, kept) == [11, len(text)]


def test_an_opening_mark_that_never_closes_keeps_nothing_together() -> None:
    assert find_sentence_ends("看《你好。世界！") == [5, 8]


def test_a_short_text_stays_in_one_segment() -> None:
    assert split_segments("一。二。三。", 10) == [Window(0, 6)]


def test_segments_end_where_sentences_end() -> None:
    assert split_segments("一二。三四。五六。", 7) == [Window(0, 6), Window(6, 9)]


def test_a_sentence_longer_than_the_limit_keeps_its_length() -> None:
    assert split_segments("一。" + "二" * 20 + "。三", 8) == [
        Window(0, 2),
        Window(2, 23),
        Window(23, 24),
    ]


@given(st.text(alphabet="一二。！\n”", max_size=200), st.integers(1, 20))
def test_segments_cover_the_text_without_gap_or_overlap(text: str, limit: int) -> None:
    segments = split_segments(text, limit)
    assert "".join(text[s.start : s.end] for s in segments) == text
    ends = set(find_sentence_ends(text))
    assert all(segment.end in ends for segment in segments)


@given(st.integers(0, 300), st.integers(1, 50), st.data())
def test_windows_cover_a_segment_and_each_character_has_one_owner(
    num_characters: int, limit: int, data: st.DataObject
) -> None:
    stride = data.draw(st.integers(1, limit))
    windows = split_windows(num_characters, limit, stride)
    assert all(0 < window.num_characters <= limit for window in windows)
    owned = assign_to_windows(windows)
    covered = [i for part in owned for i in range(part.start, part.end)]
    assert covered == list(range(num_characters))
    for window, part in zip(windows, owned, strict=True):
        assert window.start <= part.start <= part.end <= window.end


def test_a_stride_beyond_the_window_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a stride from 1 to 10, got 11"):
        split_windows(30, 10, 11)


def test_a_new_vocabulary_counts_folded_characters_by_frequency() -> None:
    tokens = build_vocabulary(["ＡａA李李 \u3000二"], min_count=2)
    assert tokens == [*SPECIAL, "a", "李"]
