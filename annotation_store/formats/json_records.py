"""JSON objects, one in each line, and JSON lines of this project's own: every state as it is.

`{"id": "...", "text": "...", "spans": [{"start", "end", "label", "text"}, ...]}`, half-open, in
code points, with the mention beside them to prove it; "spans" may also hold [start, end, label].
Without "spans" nobody has labelled the text.
"""

from collections.abc import Callable, Iterable, Iterator

from annotation_store.documents import NewDocument
from annotation_store.formats.format import (
    Format,
    Item,
    ReadOptions,
    check_mention,
    list_of,
    make_document,
    read_span,
    read_state,
    write_state,
)
from annotation_store.formats.source import ReadingNotes, Source
from ner_core.formats import DataFormatError, format_json_line, parse_json_line, quote
from ner_core.labels import LabelSet
from ner_core.spans import Span, check_text


def text_key(options: ReadOptions) -> str:
    """The key under which a JSON object has its text."""
    return options.column or "text"


def read_json_lines(
    source: Source, notes: ReadingNotes, read_record: Callable[[dict[str, object]], NewDocument]
) -> Iterator[Item]:
    """A document of each line; whatever `read_record` refuses becomes an error of its line."""
    for file in source.files:
        for number, line in file.numbered_lines(notes):
            try:
                record = parse_json_line(line, source=file.name, line_number=number)
                yield read_record(record)
            except DataFormatError as error:
                yield error
            except ValueError as error:
                yield DataFormatError(file.name, number, str(error))


def read_text(record: dict[str, object], key: str) -> str:
    """The text of an object.

    Raises:
        ValueError: It has none, or one that cannot be stored.
    """
    if key not in record:
        raise ValueError(f'expected an object with "{key}", got the keys {quote(list(record))}')
    text = record[key]
    if not isinstance(text, str):
        raise ValueError(f'expected a string as "{key}", got {quote(text)}')
    check_text(text)
    return text


def read_own_record(record: dict[str, object], options: ReadOptions) -> NewDocument:
    """A document of an object as `write_own_record` makes it.

    Raises:
        ValueError: Names what was expected and what came.
    """
    text = read_text(record, text_key(options))
    items = record.get("spans")
    spans = None
    if items is not None:
        spans = [_read_span(text, item) for item in list_of(items, 'a list as "spans"')]
    return make_document(text, spans, options, **read_state(record))


def _read_span(text: str, item: object) -> Span:
    if isinstance(item, list) and len(item) == 3:
        item = dict(zip(("start", "end", "label"), item, strict=True))
    span = read_span(item)
    assert isinstance(item, dict)
    check_mention(text, span, item.get("text"))
    return span


def write_own_record(document: NewDocument) -> dict[str, object]:
    """A document with all of its state as a JSON object."""
    record: dict[str, object] = {"id": document.external_id} if document.external_id else {}
    record["text"] = document.text
    if document.spans is not None:
        record["spans"] = [
            {
                "start": span.start,
                "end": span.end,
                "label": span.label,
                "text": document.text[span.start : span.end],
            }
            for span in document.spans
        ]
    return record | write_state(document)


def _read(source: Source, options: ReadOptions, notes: ReadingNotes) -> Iterator[Item]:
    return read_json_lines(source, notes, lambda record: read_own_record(record, options))


def _write(documents: Iterable[NewDocument], _labels: LabelSet) -> Iterator[str]:
    for document in documents:
        yield format_json_line(write_own_record(document))


def _hold(document: NewDocument) -> NewDocument:
    return document


JSON_LINES = Format("jsonl", "JSON lines", ".jsonl", _read, _write, _hold)
