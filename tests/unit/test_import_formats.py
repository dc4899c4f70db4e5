"""What is found in a file: the documents of each format, and an error for each wrong line."""

import json
from typing import Any

import pytest

from annotation_store.documents import NewDocument
from annotation_store.formats.format import FormatName, ReadOptions
from annotation_store.uploads import Upload, parse_upload
from ner_core.formats import DataFormatError, format_cluener_line
from ner_core.labels import CLUENER
from ner_core.spans import Example, Span

TEXT = "浙商银行企业信贷部叶老桂博士"
SPANS = (Span(0, 4, "company"), Span(9, 12, "name"))


def parse(data: bytes, name: str, *, format: FormatName | None = None, **options: Any) -> Upload:
    read_options = ReadOptions(**{"labels": CLUENER, **options})
    return parse_upload(data, name, format=format, options=read_options)


def parse_records(name: str, *records: object, **options: Any) -> Upload:
    lines = (json.dumps(record) for record in records)
    return parse("\n".join(lines).encode(), name, **options)


def accepted(text: str, spans: tuple[Span, ...] = (), external_id: str = "") -> NewDocument:
    return NewDocument(text, spans, external_id, "accepted")


def lines_of(*examples: Example) -> bytes:
    return "".join(format_cluener_line(example) + "\n" for example in examples).encode()


def test_a_text_file_has_a_document_in_each_line() -> None:
    upload = parse("　第一行 \r\n\r\n  \n第二\u2028行".encode(), "a.TXT")
    assert upload == Upload((NewDocument("　第一行 "), NewDocument("第二\u2028行")))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.jsonl"])
def test_uploads_may_be_utf8_or_gb18030(encoding: str, name: str) -> None:
    line = format_cluener_line(Example("", TEXT)) if name == "a.jsonl" else TEXT
    upload = parse(line.encode(encoding), name)
    assert [document.text for document in upload.documents] == [TEXT]
    assert upload.errors == ()


def test_a_labelled_line_is_accepted_and_an_unlabelled_one_is_new() -> None:
    data = lines_of(Example("1", TEXT, SPANS), Example("", "空")) + b'{"id": 3, "text": "x"}\n'
    upload = parse(data, "a.jsonl")
    assert upload.documents == (
        NewDocument(TEXT, SPANS, "1", "accepted"),
        NewDocument("空", (), "", "accepted"),
        NewDocument("x", None, "3", "new"),
    )
    upload = parse(data, "a.jsonl", labelled_status="new")
    assert [document.status for document in upload.documents] == ["new", "new", "new"]


def test_bad_lines_are_named_and_good_ones_are_kept() -> None:
    data = (
        lines_of(Example("", TEXT, SPANS))
        + b"not json\n"
        + '{"text": "甲乙", "label": {"name": {"甲": [[1, 1]]}}}\n'.encode()
        + '{"text": "甲乙", "label": {"planet": {"甲": [[0, 0]]}}}\n'.encode()
        + b'{"text": " ", "label": {}}\n'
        + lines_of(Example("", "好"))
    )
    upload = parse(data, "a.jsonl")
    assert [document.text for document in upload.documents] == [TEXT, "好"]
    assert [error.line for error in upload.errors] == [2, 3, 4, 5]
    messages = [str(error) for error in upload.errors]
    assert messages[0].startswith("a.jsonl:2: expected a JSON object, got ")
    assert messages[1].startswith('a.jsonl:3: expected "甲" at [1, 1] (end inclusive), got "乙"')
    assert messages[2].startswith("a.jsonl:4: expected one of the labels address, ")
    assert messages[3].startswith("a.jsonl:5: expected a text with a character that is not blank")


def test_any_label_may_come_when_no_label_set_is_asked_for() -> None:
    data = lines_of(Example("", TEXT, (Span(0, 4, "planet"),)))
    assert parse(data, "a.jsonl", labels=None).errors == ()


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.pdf", b"x", "a.pdf: expected a file that ends in .txt, .*, .jsonl, .*, got '.pdf'"),
        ("a", b"x", "a: expected a file that ends in .*, got ''"),
        ("a.txt", b"", "a.txt: expected at least one text, got none"),
        ("a.jsonl", b"\n \n", "a.jsonl: expected at least one text, got none"),
        ("a.txt", b"abc\xff\xff", "a.txt:1: expected UTF-8 or GB18030, got byte 0xFF at offset 3"),
        ("a.txt", b"ok\nb\x00d", r"a.txt:2: .*got NUL \(U\+0000\) at character 1"),
        ("a.csv", b"name,age\nx,1\n", 'a.csv:1: expected a column "text", got the columns name'),
        ("a.csv", b'text\n"open\n', "a.csv:2: expected CSV, got unexpected end of data"),
        ("a.csv", b"id,text\n1\n", "a.csv:2: expected at least 2 columns, got 1"),
        ("a.bio", "甲 B-planet".encode(), "a.bio:1: expected one of the labels .* got .planet."),
        ("a.bio", b" \tO\n", "a.bio:1: expected a text .* got 1 blank"),
    ],
)
def test_each_bad_file_gets_one_clear_line(name: str, data: bytes, message: str) -> None:
    upload = parse(data, name)
    (error,) = upload.errors
    assert isinstance(error, DataFormatError)
    assert "\n" not in str(error)
    with pytest.raises(DataFormatError, match=message):
        raise error


def test_a_csv_file_has_its_texts_in_a_column() -> None:
    data = 'ID,Text,note\r\n1,"他说""好""，\r\n走了",x\r\n\r\n2,乙,y\r\n'.encode()
    upload = parse(data, "a.csv")
    assert upload == Upload(
        (
            NewDocument('他说"好"，\r\n走了', external_id="1"),
            NewDocument("乙", external_id="2"),
        )
    )


def test_a_csv_file_of_one_column_needs_no_header() -> None:
    upload = parse("甲\n乙\n".encode(), "a.csv")
    assert [document.text for document in upload.documents] == ["甲", "乙"]


def test_a_csv_error_names_the_line_where_the_row_begins() -> None:
    data = b'text,id\n"a\nb",1\n" ",2\n'
    (error,) = parse(data, "a.csv").errors
    assert str(error).startswith("a.csv:4: expected a text with a character that is not blank")
