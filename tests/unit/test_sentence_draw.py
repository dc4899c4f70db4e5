"""Sentences drawn from text files: which ones, and what they must not look like."""

import lzma
from pathlib import Path

import pytest

from trainer.corpus import CorpusSource
from trainer.sentence_draw import (
    Drawn,
    LowestHashes,
    cut_sentences,
    draw_sentences,
    find_flaw,
    has_latin,
)


def draw(path: Path, *, num_latin: int = 100, num_other: int = 100, seed: int = 1) -> Drawn:
    return draw_sentences(
        CorpusSource("text", str(path)),
        num_latin=num_latin,
        num_other=num_other,
        min_characters=4,
        max_characters=50,
        seed=seed,
    )


def test_sentences_end_at_full_stops_and_keep_what_closes_them():
    text = " 今天很热。是吗？（是的！） 那就；好吧 "
    assert list(cut_sentences(text)) == ["今天很热。", "是吗？", "（是的！）", "那就；", "好吧"]


@pytest.mark.parametrize(
    ("sentence", "flaw"),
    [
        ("今天天气很好。", None),
        ("这个bug真难找", None),
        ("太热。", "shorter than 4"),
        ("热" * 21, "longer than 20"),
        ("他读《红楼梦》读得很慢", "quotation"),
        ("他说：“今天天气很好”", "quotation"),
        ("今天天气很好@小张", "quotation"),
        ("今天天气很好http://a", "quotation"),
        ("今天\t天气很好很好", "quotation"),
        ("2024-01-02 03:04", "fewer than four"),
        ("我的iPad坏了好久了", "a Latin word"),
        ("我的eSIM坏了好久了", "a Latin word"),
        ("在ＮewYork住了很久", "a Latin word"),
        ("今年的GDP和CPI都涨了", None),
        ("A股和T恤b款都涨了", None),
    ],
)
def test_what_may_hold_a_title_or_a_name_is_not_drawn(sentence: str, flaw: str | None):
    found = find_flaw(sentence, 4, 20)
    assert (found is None) if flaw is None else (found is not None and found.startswith(flaw))


def test_two_latin_letters_of_any_width_count_and_one_does_not():
    assert has_latin("增速GDP") and has_latin("增速ＧＤＰ") and has_latin("a big one")
    assert not has_latin("T恤和A股") and not has_latin("100度")


def test_a_draw_is_the_same_in_any_order_of_lines_and_takes_nothing_twice():
    sentences = [f"第{number}天下雨了" for number in range(300)]
    draws = []
    for order in (sentences, sentences[::-1], sentences + sentences):
        lowest = LowestHashes(40, seed=7)
        for sentence in order:
            lowest.offer(sentence)
        draws.append(lowest.sentences())
    assert draws[0] == draws[1] == draws[2]
    assert len(set(draws[0])) == 40
    smaller = LowestHashes(10, seed=7)
    other_seed = LowestHashes(40, seed=8)
    for sentence in sentences:
        smaller.offer(sentence)
        other_seed.offer(sentence)
    assert smaller.sentences() == draws[0][:10]
    assert set(other_seed.sentences()) != set(draws[0])


def test_every_sentence_is_as_likely_as_any_other():
    sentences = [f"第{number}天下雨了" for number in range(20)]
    counts = dict.fromkeys(sentences, 0)
    for seed in range(400):
        lowest = LowestHashes(5, seed)
        for sentence in sentences:
            lowest.offer(sentence)
        for sentence in lowest.sentences():
            counts[sentence] += 1
    # A quarter of 400 draws; the standard deviation is 8.7.
    assert all(60 < count < 140 for count in counts.values())


def test_a_file_is_drawn_from_in_two_kinds_and_what_is_left_out_is_counted(tmp_path: Path):
    lines = [
        "今天天气很好。短。他读《红楼梦》呢。",
        "这个bug真难找",
        "",
        "今天天气很好。",
        "明天会下雨吗",
    ]
    plain, packed = tmp_path / "a.txt", tmp_path / "b.txt.xz"
    plain.write_text("\n".join(lines), encoding="utf-8")
    packed.write_bytes(lzma.compress("\n".join(lines).encode()))
    drawn = draw(plain)
    assert set(drawn.latin) == {"这个bug真难找"}
    assert set(drawn.other) == {"今天天气很好。", "明天会下雨吗"}
    assert drawn.num_sentences == 6
    assert drawn.left_out == {
        "shorter than 4 characters": 1,
        "quotation marks, handles, addresses": 1,
    }
    assert (draw(packed).latin, draw(packed).other) == (drawn.latin, drawn.other)
    assert draw(plain, num_latin=0, num_other=1).other == drawn.other[:1]
    assert draw(plain, num_latin=0).latin == []
