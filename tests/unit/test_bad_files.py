"""Files that are damaged, of each format: one clear message for each place, in both languages.

Whatever is wrong is an error of its line or of the file, and what is right beside it is kept.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation_store.documents import NewDocument
from annotation_store.formats.catalog import FORMATS
from annotation_store.formats.format import Format, Item, ReadOptions
from annotation_store.formats.inspection import inspect_source
from annotation_store.formats.source import ReadingNotes, open_source
from annotation_store.uploads import parse_upload
from ner_core.formats import DataFormatError
from ner_core.labels import CLUENER
from ner_core.spans import Span
from webui.error_words import word_error

OPTIONS = ReadOptions(labels=CLUENER)
DOCUMENTS = [
    NewDocument("叶老桂在杭州😀𠮷", (Span(0, 3, "name"), Span(4, 6, "address")), annotator="梅"),
    NewDocument("浙商银行", (Span(0, 4, "company"),), "2"),
    NewDocument("没有人看过", None, "3"),
    NewDocument("模型看过", suggestions=(Span(0, 2, "scene", 0.5),), is_preannotated=True),
    NewDocument("空的", (), "", "accepted"),
]
LINE_FORMATS = ("txt", "csv", "jsonl", "cluener", "doccano", "hugging-face")
# Of a JSON value: of the wrong kind, out of bounds, not to be stored, overlapping, unknown.
WRONG_VALUES = [
    *(None, True, -1, 10**30, 1.5, "", "x", "\x00", "\ud800", "\u2028", "\ufeff", [], {}, [[]]),
    *([None], [1], [[0, 3]], [[3, 0]], [[0, 99]], {"a": 1}, "B-river", "I- ", "weird", "name"),
    *([[0, 2, "name"], [1, 3, "name"]], [[0, 3, "river"]], "长" * 2000),
    *([{"start": 0, "end": 2, "label": "name", "score": 7}], {"start": 0, "end": 99}),
]


def write(format: Format) -> bytes:
    return "".join(line + "\n" for line in format.write(DOCUMENTS, CLUENER)).encode()


def documents_in(format: Format) -> list[NewDocument]:
    return list(filter(None, map(format.hold, DOCUMENTS)))


def check_error(error: DataFormatError) -> None:
    """One line of readable length that any page and any log can hold, also in Chinese."""
    for message in (str(error), word_error(error, "zh")):
        message.encode()
        assert re.search(r"[\x00-\x1f\x7f]", message) is None, message
        assert len(message) < 400, message
    assert "expected " not in word_error(error, "zh")


def values_in(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    children: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    for key, child in children:
        yield from values_in(child, (*path, key))


def put(value: object, path: tuple[str | int, ...], wrong: object) -> object:
    """A JSON value with another one at a place in it."""
    if not path:
        return wrong
    key, *rest = path
    if isinstance(value, dict):
        return value | {key: put(value[key], tuple(rest), wrong)}
    assert isinstance(value, list) and isinstance(key, int)
    return [*value[:key], put(value[key], tuple(rest), wrong), *value[key + 1 :]]


@pytest.mark.parametrize("name", ["jsonl", "cluener", "doccano", "hugging-face", "label-studio"])
def test_every_wrong_value_in_a_record_is_one_clear_error_or_none(name: str) -> None:
    format = FORMATS[name]
    is_list = name == "label-studio"
    records = json.loads(write(format)) if is_list else map(json.loads, write(format).splitlines())
    for record in records:
        for path in values_in(record):
            for wrong in WRONG_VALUES:
                if not path and isinstance(wrong, list):
                    continue  # for Label Studio a list of tasks
                line = json.dumps(put(record, path, wrong))
                upload = parse_upload(line.encode(), "a.jsonl", format=format.name, options=OPTIONS)
                assert len(upload.documents) + len(upload.errors) == 1, line
                for error in upload.errors:
                    assert error.line == 1, line
                    check_error(error)
                for document in upload.documents:
                    "\n".join((document.text, document.external_id, document.annotator)).encode()


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(list(FORMATS)), st.data())
def test_a_file_with_any_bytes_in_it_is_read_or_refused(name: str, data: st.DataObject) -> None:
    content = write(FORMATS[name])
    begin = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(begin, len(content)))
    junk = data.draw(
        st.binary(max_size=6)
        | st.sampled_from([b"\r", b"\n", b'"', b"\\", b"{", b"]", b"\xed\xa0\x80", b"x" * 5000])
    )
    damaged = content[:begin] + junk + content[end:]
    upload = parse_upload(damaged, "a", format=FORMATS[name].name, options=OPTIONS)
    for error in upload.errors:
        check_error(error)
    assert upload.documents or upload.errors


@pytest.mark.parametrize("name", LINE_FORMATS)
@pytest.mark.parametrize("number", range(len(DOCUMENTS)))
def test_the_lines_around_a_bad_one_are_kept(name: str, number: int) -> None:
    format = FORMATS[name]
    lines = write(format).split(b"\n")
    first = len(lines) - 1 - len(DOCUMENTS)  # behind the header that a table has
    lines[first + number] = b"\x00"
    upload = parse_upload(b"\n".join(lines), "a", format=format.name, options=OPTIONS)
    assert [error.line for error in upload.errors] == [first + number + 1]
    kept = documents_in(format)
    assert list(upload.documents) == kept[:number] + kept[number + 1 :]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_encodings_and_line_ends_change_nothing(name: str, encoding: str, line_end: str) -> None:
    format = FORMATS[name]
    content = write(format).decode().removeprefix("\ufeff").replace("\n", line_end)
    upload = parse_upload(content.encode(encoding), "a", format=format.name, options=OPTIONS)
    assert upload.errors == ()
    assert list(upload.documents) == documents_in(format)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("content", [b"", b"\n \r\n\t\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(name: str, content: bytes) -> None:
    upload = parse_upload(content, "a", format=FORMATS[name].name, options=OPTIONS)
    (error,) = upload.errors
    assert error.reason == "expected at least one text, got none"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK\x03\x04" + bytes(50), "a zip archive"),
        (b"\x1f\x8b\x08" + bytes(50), "a gzip file"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF"),
        (b"PAR1\x15\x04", "a Parquet file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(50), "an old Excel or Word file"),
        (b"SQLite format 3\x00" + bytes(50), "an SQLite database"),
        ("浙商银行abc\n".encode("utf-16-le") * 9, "many bytes of zero: perhaps UTF-16"),
        (b"\x89PNG" + bytes(500), "many bytes of zero"),
    ],
)
def test_what_is_no_text_is_called_by_its_name(content: bytes, kind: str) -> None:
    for name in FORMATS.values():
        (error,) = parse_upload(content, "a.txt", format=name.name).errors
        assert error.reason.startswith(f"expected text, got {kind}")
        check_error(error)
    (error,) = parse_upload(content, "a.csv").errors
    assert error.reason.startswith(f"expected text, got {kind}")


# Archives


def archive_of(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


DATASET = archive_of(**{"README.md": b"---\n", "data/train.jsonl": write(FORMATS["hugging-face"])})


def read_archive(path: Path, content: bytes) -> list[Item]:
    path.write_bytes(content)
    try:
        source = open_source(path, path.name)
        inspect_source(source, OPTIONS)
        return list(FORMATS["hugging-face"].read(source, OPTIONS, ReadingNotes()))
    except DataFormatError as error:
        return [error]


def test_an_archive_is_whole(tmp_path: Path) -> None:
    assert read_archive(tmp_path / "a.zip", DATASET) == DOCUMENTS


@pytest.mark.parametrize("kind", ["cut", "changed", "shortened"])
def test_an_archive_that_is_damaged_anywhere_is_read_or_refused(tmp_path: Path, kind: str) -> None:
    num_refused = 0
    for place in range(4, len(DATASET)):
        damaged = {
            "cut": DATASET[:place],
            "changed": DATASET[:place] + bytes([DATASET[place] ^ 0xFF]) + DATASET[place + 1 :],
            "shortened": DATASET[:place] + DATASET[place + 3 :],
        }[kind]
        items = read_archive(tmp_path / "a.zip", damaged)
        errors = [item for item in items if isinstance(item, DataFormatError)]
        for error in errors:
            check_error(error)
        # What can be read in spite of a wrong byte, in a date for example, is all there is.
        assert errors or items == DOCUMENTS
        num_refused += bool(errors)
    assert num_refused > len(DATASET) / 2


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"xl/workbook.xml": b"<x/>"}, "expected text, got an Excel table"),
        ({"word/document.xml": b"<x/>"}, "expected text, got a Word document"),
        ({"a.csv": b"text\n"}, "expected files that end in .jsonl, .json, .ndjson, got none of"),
        ({}, "expected files that end in .jsonl, .json, .ndjson, got none of them"),
        ({"a.jsonl": DATASET}, "expected text, got a zip archive"),
        ({"a\nb.jsonl": b"\x00"}, "expected a JSON object, got"),
    ],
)
def test_an_archive_of_something_else_is_refused(
    tmp_path: Path, files: dict[str, bytes], reason: str
) -> None:
    (error,) = read_archive(tmp_path / "a.zip", archive_of(**files))
    assert isinstance(error, DataFormatError)
    assert error.reason.startswith(reason)
    check_error(error)
