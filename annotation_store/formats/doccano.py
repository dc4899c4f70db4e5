r"""doccano JSONL (https://doccano.github.io/doccano, "Sequence Labeling").

`{"id": 1, "text": "...", "label": [[START, END, LABEL], ...]}`, half-open, in code points. What
versions and project types write differently is read too: "data" for the text, "labels" for the
list, and "entities" of projects with relations, as {"start_offset", "end_offset", "label"}.

doccano does not say whether anybody has looked at a text without entities: its "label" is an empty
list either way. So such a line counts as labelled only when it has a status, as what is written
here does; doccano keeps keys that it does not know.

Nothing in a file proves its offsets: old versions counted UTF-16 units
(https://github.com/doccano/doccano/pull/99), and some count `\r\n` as one
(https://github.com/doccano/doccano/issues/2114); see `ReadOptions.offsets`.
"""

from collections.abc import Iterable, Iterator

from annotation_store.documents import NewDocument
from annotation_store.formats.format import (
    Format,
    Item,
    ReadOptions,
    list_of,
    make_document,
    read_state,
    write_state,
)
from annotation_store.formats.json_records import read_json_lines, read_text
from annotation_store.formats.offsets import convert_range
from annotation_store.formats.source import ReadingNotes, Source
from ner_core.formats import format_json_line, quote
from ner_core.labels import LabelSet
from ner_core.spans import Span, check_text

LABEL_KEYS = ("label", "labels", "entities")


def _read(source: Source, options: ReadOptions, notes: ReadingNotes) -> Iterator[Item]:
    return read_json_lines(source, notes, lambda record: _read_record(record, options))


def _read_record(record: dict[str, object], options: ReadOptions) -> NewDocument:
    key = options.column or ("data" if "data" in record and "text" not in record else "text")
    text = read_text(record, key)
    found = [key for key in LABEL_KEYS if key in record]
    if len(found) > 1:
        raise ValueError(f'expected one of "label", "labels" and "entities", got {quote(found)}')
    spans = None
    if found:
        items = list_of(record[found[0]], f'a list as "{found[0]}"')
        spans = [_read_span(text, item, options) for item in items]
        if not spans and record.get("status") is None:
            spans = None
    return make_document(text, spans, options, **read_state(record))


def _read_span(text: str, item: object, options: ReadOptions) -> Span:
    parts = item
    if isinstance(item, dict):
        parts = [item.get("start_offset"), item.get("end_offset"), item.get("label")]
    # type() and not isinstance(): JSON's true would pass as the integer 1.
    if not isinstance(parts, list) or [type(part) for part in parts] != [int, int, str]:
        raise ValueError(f"expected a span as [start, end, label], got {quote(item)}")
    start, end, label = parts
    check_text(label)
    start, end = convert_range(text, start, end, options.offsets)
    span = Span(start, end, label)
    if span.end > len(text):
        raise ValueError(
            f"expected a span inside the text of {len(text)} characters, got {quote(item)};"
            " perhaps its offsets are in another unit"
        )
    return span


def _write(documents: Iterable[NewDocument], _labels: LabelSet) -> Iterator[str]:
    for document in documents:
        record: dict[str, object] = {"id": document.external_id} if document.external_id else {}
        record["text"] = document.text
        if document.spans is not None:
            record["label"] = [[span.start, span.end, span.label] for span in document.spans]
        record |= write_state(document)
        if document.spans == ():
            record["status"] = document.status
        yield format_json_line(record)


def _hold(document: NewDocument) -> NewDocument:
    return document


DOCCANO = Format("doccano", "doccano JSONL", ".jsonl", _read, _write, _hold)
