import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ner_core.formats import (
    Corpus,
    DataFormatError,
    cluener_to_spans,
    decode_text,
    format_cluener_line,
    parse_cluener,
    parse_cluener_line,
    parse_text_line,
    quote,
    read_cluener,
    spans_to_cluener,
    split_lines,
    write_cluener,
    write_lines,
)
from ner_core.labels import CLUENER, LabelSet
from ner_core.spans import Example, Span

FIXTURE = Path(__file__).parents[1] / "data" / "cluener.json"

NASTY_CHARACTERS = (
    "中é\u0301\u200d😀𠮷\U0010ffff\u3000 \t\n\r\x0b\x0c\x1c\x85\u2028\u2029\ufeff\\\"'{}"
)
TEXTS = st.text(
    st.sampled_from(NASTY_CHARACTERS)
    | st.characters(exclude_categories=("Cs",), exclude_characters="\x00"),
    max_size=12,
)


@st.composite
def examples(draw):
    text = draw(TEXTS)
    bounds = st.lists(st.integers(0, len(text)), min_size=2, max_size=2, unique=True).map(sorted)
    labels = st.sampled_from(("name", "company", "公司", "a-b"))
    spans = st.builds(lambda bounds, label: Span(*bounds, label), bounds, labels)
    return Example(draw(TEXTS), text, draw(st.lists(spans, max_size=4)) if text else ())


def parse(line, **options):
    return parse_cluener_line(line, source="dev.json", line_number=7, **options)


# Round trips


@given(examples())
def test_an_example_comes_back_from_its_cluener_line(example):
    line = format_cluener_line(example)
    assert line.splitlines() == [line]
    assert parse(line) == example


@given(examples())
def test_a_label_object_comes_back_from_its_spans(example):
    label = spans_to_cluener(example.text, example.spans)
    assert cluener_to_spans(example.text, label) == example.spans
    assert list(label) == sorted(label)


@settings(deadline=None)
@given(st.lists(examples(), max_size=5))
def test_examples_come_back_from_a_file(tmp_path_factory, corpus):
    path = tmp_path_factory.mktemp("formats") / "corpus.json"
    write_cluener(path, corpus)
    assert read_cluener(path).examples == tuple(corpus)


def test_reading_and_writing_a_file_again_gives_the_same_objects(tmp_path):
    corpus = read_cluener(FIXTURE, labels=CLUENER)
    assert len(corpus.examples) == 12
    copy = tmp_path / "copy.json"
    write_cluener(copy, corpus.examples)
    lines, copied = split_lines(FIXTURE.read_text("utf-8")), split_lines(copy.read_text("utf-8"))
    assert [json.loads(line) for line in copied] == [json.loads(line) for line in lines]


def test_lines_are_written_in_characters_and_not_in_escapes():
    example = Example("a7", "𠮷野家在上海", (Span(4, 6, "address"), Span(0, 3, "company")))
    assert format_cluener_line(example) == (
        '{"id": "a7", "text": "𠮷野家在上海",'
        ' "label": {"address": {"上海": [[4, 5]]}, "company": {"𠮷野家": [[0, 2]]}}}'
    )


def test_positions_are_sorted_and_spans_may_overlap():
    label = {"scene": {"上海南站": [[2, 5]]}, "address": {"上海": [[6, 7], [0, 1], [2, 3]]}}
    spans = cluener_to_spans("上海上海南站上海", label)
    assert spans == (
        Span(0, 2, "address"),
        Span(2, 4, "address"),
        Span(2, 6, "scene"),
        Span(6, 8, "address"),
    )
    assert spans_to_cluener("上海上海南站上海", spans) == {
        "address": {"上海": [[0, 1], [2, 3], [6, 7]]},
        "scene": {"上海南站": [[2, 5]]},
    }


@pytest.mark.parametrize("example_id", [0, 12, -3, "a7", "007", "-0", "１２", "9" * 16, "1\n"])
def test_an_id_comes_back_as_the_number_or_the_string_that_it_was(example_id):
    record = {"id": example_id, "text": "中", "label": {}}
    example = parse(json.dumps(record))
    assert example.id == str(example_id)
    assert json.loads(format_cluener_line(example)) == record


def test_unknown_keys_are_not_read():
    assert parse('{"text": "中", "label": {}, "scores": [1.5, null]}') == Example("", "中")


def test_lines_without_label_are_counted():
    corpus = parse_cluener('{"text": "中"}\n{"text": "中", "label": {}}\n', source="test.json")
    assert corpus == Corpus((Example("", "中"),) * 2, num_unlabelled=1)


def test_empty_lines_are_skipped_but_counted_as_lines():
    with pytest.raises(DataFormatError, match=r"^test.json:4: "):
        parse_cluener('\n{"text": "中"}\r\n \nnonsense\n', source="test.json")


def test_a_text_line_may_have_a_label_of_any_shape():
    line = '{"text": "中国", "label": [[0, 2, "LOC"]]}'
    assert parse_text_line(line, source="a.jsonl", line_number=1) == Example("", "中国")
    with pytest.raises(DataFormatError, match=r"^a.jsonl:1: expected a string as \"text\""):
        parse_text_line('{"text": null}', source="a.jsonl", line_number=1)


# What is refused


BAD_LINES = {
    "": "expected a JSON object, got an empty line",
    "叶老桂": 'expected a JSON object, got "叶老桂" (Expecting value at character 0)',
    '{"text": "中"} {}': "(Extra data at character 14)",
    '{"text": "a\tb"}': "(Invalid control character at at character 11)",
    "中" * 10_000: "(Expecting value at character 0)",
    '["中"]': 'expected a JSON object, got ["中"]',
    "null": "expected a JSON object, got null",
    '{"text": NaN}': "expected JSON, got NaN",
    "[" * 100_000: "nested too deeply",
    '{"text": "中", "id": ' + "9" * 5_000 + "}": "a number that is too long",
    '{"label": {}}': 'expected an object with "text", got the keys ["label"]',
    '{"text": 3}': 'expected a string as "text", got 3',
    '{"text": "中", "text": "国"}': 'expected every key once, got "text" more than once',
    '{"text": "中", "label": {"a": {}, "a": {}}}': 'expected every key once, got "a"',
    '{"text": "中", "id": true}': 'expected a string or an integer as "id", got true',
    '{"text": "中", "id": null}': 'expected a string or an integer as "id", got null',
    '{"text": "中\\u0000"}': "got NUL (U+0000) at character 1",
    '{"text": "\\ud800"}': "got a lone surrogate (U+D800) at character 0",
    '{"text": "中", "id": "\\udfff"}': "got a lone surrogate (U+DFFF)",
    '{"text": "中", "label": []}': 'expected an object as "label", got []',
    '{"text": "中", "label": null}': 'expected an object as "label", got null',
    '{"text": "中", "label": {"a": [[0, 0]]}}': 'an object of mentions as label "a", got [[0, 0]]',
    '{"text": "中", "label": {"a": {"中": []}}}': "a list of [start, end] positions, got []",
    '{"text": "中", "label": {"a": {"中": 0}}}': "a list of [start, end] positions, got 0",
    '{"text": "中", "label": {"a": {"中": [0, 0]}}}': "0 <= start <= end, got 0 (mention",
    '{"text": "中", "label": {"a": {"中": [[0]]}}}': "0 <= start <= end, got [0]",
    '{"text": "中", "label": {"a": {"中": [[0, 0, 0]]}}}': "got [0, 0, 0]",
    '{"text": "中国", "label": {"a": {"中国": [[0, true]]}}}': "got [0, true]",
    '{"text": "中国", "label": {"a": {"中国": [[false, 1]]}}}': "got [false, 1]",
    '{"text": "中国", "label": {"a": {"中国": [[0, 1.0]]}}}': "got [0, 1.0]",
    '{"text": "中国", "label": {"a": {"中国": [["0", 1]]}}}': 'got ["0", 1]',
    '{"text": "中国", "label": {"a": {"中": [[-2, -2]]}}}': "got [-2, -2]",
    '{"text": "中国", "label": {"a": {"": [[1, 0]]}}}': "got [1, 0]",
    '{"text": "中国", "label": {"a": {"中国": [[0, 2]]}}}': (
        'inside the text of 2 characters, got [0, 2] (mention "中国" of label "a")'
    ),
    '{"text": "我爱中国", "label": {"a": {"中国": [[1, 2]]}}}': (
        'expected "中国" at [1, 2] (end inclusive), got "爱中" (mention "中国" of label "a")'
    ),
    '{"text": "中", "label": {"a": {"\\ud800": [[0, 0]]}}}': 'expected "\\ud800" at [0, 0]',
    '{"text": "中国", "label": {"": {"中国": [[0, 1]]}}}': "expected labels without blanks, got ''",
    '{"text": "中国", "label": {"a b": {"中国": [[0, 1]]}}}': "without blanks, got 'a b'",
    '{"text": "中国", "label": {"\\ud800": {"中国": [[0, 1]]}}}': "got a lone surrogate",
}


@pytest.mark.parametrize("line", BAD_LINES, ids=range(len(BAD_LINES)))
def test_a_bad_line_gets_one_line_that_says_where_and_what(line):
    with pytest.raises(DataFormatError) as caught:
        parse(line)
    message = str(caught.value)
    assert message.startswith("dev.json:7: expected ")
    assert BAD_LINES[line] in message
    assert "\n" not in message
    assert len(message) < 250
    message.encode("utf-8")


def test_a_value_too_deep_to_be_shown_still_gets_a_message():
    """The reader can unpack some values that the writer cannot pack again."""
    value = []
    for _ in range(100_000):
        value = [value]
    assert quote(value) == "deeply nested JSON"


def test_a_label_outside_the_given_set_is_refused():
    line = '{"text": "中国", "label": {"LOC": {"中国": [[0, 1]]}}}'
    assert parse(line).spans == (Span(0, 2, "LOC"),)
    with pytest.raises(DataFormatError, match=r"labels PER, ORG, got 'LOC' \(span 0:2\)"):
        parse(line, labels=LabelSet(("PER", "ORG")))


def test_an_error_tells_its_parts():
    error = DataFormatError("a.json", 3, "expected x, got y")
    assert (error.source, error.line, error.reason) == ("a.json", 3, "expected x, got y")
    assert str(error) == "a.json:3: expected x, got y"
    assert str(DataFormatError("a.json", None, "expected x")) == "a.json: expected x"


# Bytes and lines


@given(TEXTS)
def test_utf8_is_read_as_it_was_written_but_for_one_byte_order_mark(text):
    assert decode_text(text.encode("utf-8-sig"), "a.txt") == text
    if not text.startswith("\ufeff"):
        assert decode_text(text.encode(), "a.txt") == text


def test_a_byte_order_mark_is_dropped_and_line_ends_are_kept():
    assert decode_text(b"\xef\xbb\xbfa\r\nb\r", "a.txt") == "a\r\nb\r"


@pytest.mark.parametrize("encoding", ["gb18030", "gbk", "gb2312"])
def test_the_chinese_encodings_are_read(encoding):
    text = '{"text": "浙商银行企业信贷部叶老桂博士", "label": {}}\n'
    assert decode_text(text.encode(encoding), "a.json") == text


def test_a_whole_file_in_gb18030_reads_as_the_one_in_utf8(tmp_path):
    path = tmp_path / "gb.json"
    path.write_bytes(FIXTURE.read_bytes().decode("utf-8").encode("gb18030"))
    assert read_cluener(path) == read_cluener(FIXTURE)


def test_bytes_in_no_known_encoding_are_named_with_line_and_offset():
    with pytest.raises(
        DataFormatError, match=r"^a.txt:2: expected UTF-8 or GB18030, got byte 0xFF at offset 3"
    ):
        decode_text(b"ab\n\xff\xfe", "a.txt")


@pytest.mark.parametrize("num_bytes_lost", [1, 2])
def test_a_utf8_file_that_was_cut_off_is_not_taken_for_gb18030(num_bytes_lost):
    data = "浙商银行企业信贷部叶老桂博士".encode()[:-num_bytes_lost]
    with pytest.raises(
        DataFormatError, match=r"^a.txt:1: expected UTF-8, got byte 0xE5 at offset 39"
    ):
        decode_text(data, "a.txt")


def test_lines_end_at_line_feeds_only():
    text = "一\r\n二\u2028\u2029\x85\x0b\x0c\x1c三\r四\n\n五"
    assert split_lines(text) == ["一", "二\u2028\u2029\x85\x0b\x0c\x1c三\r四", "", "五"]
    assert split_lines("一\n") == split_lines("一") == ["一"]
    assert split_lines("") == []


# Files


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "out.json"
    path.write_text("old")

    def lines():
        yield "new"
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        write_lines(path, lines())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link_and_its_target_is_written(tmp_path):
    link = tmp_path / "link.json"
    link.symlink_to(tmp_path / "target.json")
    write_lines(link, ["一"])
    assert link.is_symlink()
    assert (tmp_path / "target.json").read_text("utf-8") == "一\n"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_lines(pipe, ["一"])
        assert os.read(reader, 100).decode("utf-8") == "一\n"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_a_file_that_cannot_be_written_is_named_and_not_its_temporary_sibling(tmp_path):
    path = tmp_path / "missing" / "out.json"
    with pytest.raises(FileNotFoundError) as caught:
        write_lines(path, ["一"])
    assert caught.value.filename == str(path)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_read_when_its_mark_stands_first(encoding):
    text = "中文😀\ufeff\r\n"
    mark = "" if encoding == "utf-16" else "\ufeff"
    assert decode_text((mark + text).encode(encoding), "a.txt") == text
    with pytest.raises(DataFormatError, match=r"^a.txt:1: expected UTF-16, got byte 0x00 at"):
        decode_text("中".encode("utf-16") + b"\x00", "a.txt")


def test_an_encoding_is_found_whatever_the_file_is_cut_into(monkeypatch):
    monkeypatch.setattr("ner_core.formats._BYTES_AT_A_TIME", 5)
    text = "一二三四五六七八九😀\n"
    assert decode_text(text.encode(), "a.txt") == text
    assert decode_text(text.encode("gb18030"), "a.txt") == text
    damaged = text.encode() + b"abc\xff"
    offset = len(damaged) - 1
    with pytest.raises(DataFormatError, match=f"^a.txt:2: .* got byte 0xFF at offset {offset}$"):
        decode_text(damaged, "a.txt")
