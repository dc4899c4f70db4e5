"""Annotated text in files: CLUENER JSON lines, and what all formats share. No torch, no numpy.

CLUENER (https://github.com/CLUEbenchmark/CLUENER2020) holds one JSON object in each line, END
inclusive and "id" optional:
`{"id": ..., "text": "...", "label": {LABEL: {MENTION: [[START, END], ...]}}}`.
See `ner_core.conll` for the other format.
"""

import codecs
import io
import json
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ner_core.labels import LabelSet
from ner_core.spans import Example, Span, check_text

_BYTE_ORDER_MARK = "\ufeff"
_BYTES_AT_A_TIME = 1 << 20
# Up to 15 digits, which every JSON reader keeps apart.
_INTEGER_ID = re.compile("0|-?[1-9][0-9]{0,14}")
_LINE_ENDS_IN_JSON = "\x85\u2028\u2029"


class DataFormatError(ValueError):
    """A file or an upload that is not what its format says; `str()` is "source:line: reason".

    Attributes:
        source: File name, or what the user calls the input ("<stdin>").
        line: Line number, counted from 1; None when the input as a whole is wrong.
        reason: What was expected and what came instead.
    """

    def __init__(self, source: str, line: int | None, reason: str) -> None:
        super().__init__(source, line, reason)
        self.source = source
        self.line = line
        self.reason = reason

    def __str__(self) -> str:
        where = self.source if self.line is None else f"{self.source}:{self.line}"
        return f"{where}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Corpus:
    """The sentences of one file.

    Attributes:
        examples: In the order of the file.
        num_repaired_tags: I- tags that continued nothing and were read as B- (CoNLL only).
        num_unlabelled: Lines without "label" (CLUENER only), read as examples without spans. A test
            set is like that; learning or measuring on one would take every entity for an error.
    """

    examples: tuple[Example, ...]
    num_repaired_tags: int = 0
    num_unlabelled: int = 0


# Bytes, lines, files


def find_encoding(file: BinaryIO, source: str) -> str:
    """Python's name for the encoding of a file, which is read to its end, a part at a time.

    UTF-16 begins with its byte order mark. Many a damaged UTF-8 file could be read as GB18030, as
    nonsense. So a file is taken for GB18030 only if UTF-8 fails early: about one Chinese character
    in five is valid UTF-8 when written in GB18030, so eight in a row are so in one file of 400,000.

    Raises:
        DataFormatError: The bytes are none of them; names the first wrong one.
    """
    part = file.read(_BYTES_AT_A_TIME)
    if part.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    decode = codecs.getincrementaldecoder("utf-8")().decode
    num_read = num_lines = num_valid = 0  # of the parts before this one
    while True:
        try:
            text = decode(part, final=not part)
        except UnicodeDecodeError as error:
            num_read -= len(error.object) - len(part)  # bytes kept of the part before
            good = error.object[: error.start]
            num_valid += sum(character > "\x7f" for character in good.decode("utf-8"))
            if num_valid < 8:
                return "gb18030"
            line = num_lines + good.count(b"\n") + 1
            raise _encoding_error(error, num_read, line, "UTF-8", source) from None
        if not part:
            return "utf-8-sig"
        num_read += len(part)
        num_lines += part.count(b"\n")
        if num_valid < 8:
            num_valid += sum(character > "\x7f" for character in text)
        part = file.read(_BYTES_AT_A_TIME)


def decode_text(data: bytes, source: str) -> str:
    r"""Text of a file in UTF-8, UTF-16 or GB18030; a byte order mark is dropped, `\r\n` is kept.

    Raises:
        DataFormatError: As for `find_encoding`.
    """
    encoding = find_encoding(io.BytesIO(data), source)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        names = "UTF-16" if encoding == "utf-16" else "UTF-8 or GB18030"
        line = data.count(b"\n", 0, error.start) + 1
        raise _encoding_error(error, 0, line, names, source) from None
    return text.removeprefix(_BYTE_ORDER_MARK) if encoding == "gb18030" else text


def _encoding_error(
    error: UnicodeDecodeError, num_before: int, line: int, expected: str, source: str
) -> DataFormatError:
    reason = (
        f"expected {expected}, got byte 0x{error.object[error.start]:02X}"
        f" at offset {num_before + error.start}"
    )
    return DataFormatError(source, line, reason)


def split_lines(text: str) -> list[str]:
    r"""Lines of a file, without their ends `\n` or `\r\n`.

    Other characters that Unicode calls line ends (U+2028, U+0085, ...) belong to the text: what
    `str.splitlines` does to them would tear sentences apart.
    """
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def write_lines(path: str | Path, lines: Iterable[str]) -> None:
    """Write a UTF-8 file whole or not at all: into a temporary sibling, which is then renamed.

    A target that is no regular file (a pipe, `/dev/null`) is written to directly.

    Raises:
        OSError: The file cannot be written; what stood there before is untouched.
    """
    data = (f"{line}\n".encode() for line in lines)
    target = Path(path).resolve()
    if target.exists() and not target.is_file():
        with target.open("wb") as file:
            file.writelines(data)
        return
    sibling = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        with sibling.open("xb") as file:
            file.writelines(data)
            file.flush()
            os.fsync(file.fileno())
        sibling.replace(target)
    except OSError as error:
        # Names the file that the caller asked for, not the sibling.
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        sibling.unlink(missing_ok=True)


# CLUENER


def spans_to_cluener(text: str, spans: Iterable[Span]) -> dict[str, dict[str, list[list[int]]]]:
    """The `label` object of CLUENER: labels sorted, mentions and positions in order of the text."""
    label_object: dict[str, dict[str, list[list[int]]]] = {}
    for span in sorted(set(spans), key=lambda span: (span.label, span)):
        mentions = label_object.setdefault(span.label, {})
        mentions.setdefault(text[span.start : span.end], []).append([span.start, span.end - 1])
    return label_object


def cluener_to_spans(text: str, label: object) -> tuple[Span, ...]:
    """Spans of a `label` object as it came out of JSON, sorted.

    Raises:
        ValueError: The object has another shape, or a mention is not what stands at its position.
    """
    spans = set()
    for name, mentions in _items(label, 'an object as "label"'):
        check_text(name)
        LabelSet((name,))  # refuses what could not be a BIO label
        for mention, positions in _items(mentions, f"an object of mentions as label {quote(name)}"):
            where = f"mention {quote(mention)} of label {quote(name)}"
            if not isinstance(positions, list) or not positions:
                raise ValueError(
                    f"expected a list of [start, end] positions, got {quote(positions)} ({where})"
                )
            for position in positions:
                start, last = _position_of(position, where)
                # Before the slice: an end that is far out would still cut the right text.
                if last >= len(text):
                    raise ValueError(
                        f"expected positions inside the text of {len(text)} characters,"
                        f" got [{start}, {last}] ({where})"
                    )
                if text[start : last + 1] != mention:
                    raise ValueError(
                        f"expected {quote(mention)} at [{start}, {last}] (end inclusive),"
                        f" got {quote(text[start : last + 1])} ({where})"
                    )
                spans.add(Span(start, last + 1, name))
    return tuple(sorted(spans))


def _items(value: object, expected: str) -> Iterable[tuple[str, object]]:
    if not isinstance(value, dict):
        raise ValueError(f"expected {expected}, got {quote(value)}")
    return value.items()


def _position_of(position: object, where: str) -> tuple[int, int]:
    # type() and not isinstance(): JSON's true would pass as the integer 1.
    if isinstance(position, list) and [type(offset) for offset in position] == [int, int]:
        start, last = position
        if 0 <= start <= last:
            return start, last
    raise ValueError(
        f"expected a position [start, end] with 0 <= start <= end, got {quote(position)} ({where})"
    )


def quote(value: object) -> str:
    """A value as JSON for a message, on one line and cut to a readable length."""
    try:
        shown = json.dumps(value, ensure_ascii=False)
    except RecursionError:  # what the reader could just unpack
        return "deeply nested JSON"
    # The message is printed and logged, and no output can hold half of a surrogate pair.
    shown = shown.encode("utf-8", "backslashreplace").decode("utf-8")
    return shown if len(shown) <= 60 else f"{shown[:59]}…"


def parse_json_line(line: str, *, source: str, line_number: int) -> dict[str, object]:
    """One line of a JSON lines file as an object.

    Raises:
        DataFormatError: The line is empty, is no JSON, is no object, or names a key twice.
    """

    def fail(reason: str) -> DataFormatError:
        return DataFormatError(source, line_number, reason)

    def refuse_repeated_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
        value = dict(pairs)
        if len(value) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise fail(f"expected every key once, got {quote(twice)} more than once")
        return value

    def refuse_constant(name: str) -> object:
        raise fail(f"expected JSON, got {name}")

    if not line.strip():
        raise fail("expected a JSON object, got an empty line")
    try:
        value = json.loads(
            line, object_pairs_hook=refuse_repeated_keys, parse_constant=refuse_constant
        )
    except DataFormatError:
        raise
    except json.JSONDecodeError as error:
        raise fail(
            f"expected a JSON object, got {quote(line)} ({error.msg} at character {error.pos})"
        ) from None
    except (ValueError, RecursionError):
        raise fail(
            "expected a JSON object, got a number that is too long or objects nested too deeply"
        ) from None
    if not isinstance(value, dict):
        raise fail(f"expected a JSON object, got {quote(value)}")
    return value


def format_json_line(record: dict[str, object]) -> str:
    """An object as one line, in characters and not in ASCII escapes.

    Escaped are only the three characters that JSON allows and that many programs take for the end
    of the line (JavaScript's readline, Python's `str.splitlines`).
    """
    line = json.dumps(record, ensure_ascii=False)
    for character in _LINE_ENDS_IN_JSON:
        line = line.replace(character, f"\\u{ord(character):04x}")
    return line


def parse_cluener_line(
    line: str, *, source: str, line_number: int, labels: LabelSet | None = None
) -> Example:
    """One line of a CLUENER file. Keys other than text, label and id are not read.

    Args:
        line: Without its line end.
        source: File name for messages.
        line_number: Counted from 1, for messages.
        labels: The labels that may occur; None for any.

    Raises:
        DataFormatError: Names the line, what was expected and what came.
    """
    record = parse_json_line(line, source=source, line_number=line_number)
    try:
        return _record_to_example(record, labels)
    except ValueError as error:
        raise DataFormatError(source, line_number, str(error)) from None


def parse_text_line(line: str, *, source: str, line_number: int) -> Example:
    """One JSON line whose text is wanted, and its id; a label of any shape is not read.

    Raises:
        DataFormatError: Names the line, what was expected and what came.
    """
    record = parse_json_line(line, source=source, line_number=line_number)
    record.pop("label", None)
    try:
        return _record_to_example(record, None)
    except ValueError as error:
        raise DataFormatError(source, line_number, str(error)) from None


def _record_to_example(record: dict[str, object], labels: LabelSet | None) -> Example:
    if "text" not in record:
        raise ValueError(f'expected an object with "text", got the keys {quote(list(record))}')
    text, example_id = record["text"], record.get("id", "")
    if not isinstance(text, str):
        raise ValueError(f'expected a string as "text", got {quote(text)}')
    if type(example_id) not in (str, int):
        raise ValueError(f'expected a string or an integer as "id", got {quote(example_id)}')
    check_text(text)
    check_text(str(example_id))
    spans = cluener_to_spans(text, record.get("label", {}))
    if labels is not None:
        labels.check_spans(spans)
    return Example(str(example_id), text, spans)


def example_to_record(example: Example) -> dict[str, object]:
    """The object of a line of a CLUENER file.

    "id" stands only where the example has one, and as a number where it looks like one: the ids of
    the official data are numbers, and those of other data seldom are strings of digits.
    """
    record: dict[str, object] = {}
    if example.id:
        record["id"] = int(example.id) if _INTEGER_ID.fullmatch(example.id) else example.id
    record["text"] = example.text
    record["label"] = spans_to_cluener(example.text, example.spans)
    return record


def format_cluener_line(example: Example) -> str:
    """One line of a CLUENER file, without a line end."""
    return format_json_line(example_to_record(example))


def parse_cluener(text: str, *, source: str, labels: LabelSet | None = None) -> Corpus:
    """A whole CLUENER file; empty lines are skipped.

    Raises:
        DataFormatError: Names the first line that is wrong.
    """
    examples = []
    num_unlabelled = 0
    for line_number, line in enumerate(split_lines(text), start=1):
        if not line.strip():
            continue
        record = parse_json_line(line, source=source, line_number=line_number)
        try:
            examples.append(_record_to_example(record, labels))
        except ValueError as error:
            raise DataFormatError(source, line_number, str(error)) from None
        num_unlabelled += "label" not in record
    return Corpus(tuple(examples), num_unlabelled=num_unlabelled)


def read_cluener(path: str | Path, *, labels: LabelSet | None = None) -> Corpus:
    """Read a CLUENER file in UTF-8, UTF-16 or GB18030.

    Raises:
        DataFormatError: Names the first line that is wrong.
        OSError: The file cannot be read.
    """
    source = str(path)
    return parse_cluener(decode_text(Path(path).read_bytes(), source), source=source, labels=labels)


def write_cluener(path: str | Path, examples: Iterable[Example]) -> None:
    """Write a CLUENER file in UTF-8, whole or not at all."""
    write_lines(path, map(format_cluener_line, examples))
