"""CSV: a document in each row, its text in a column that the user names.

What is written has the columns id, text, status, label (CLUENER's object), suggestions, annotator
and note. All but id and text are read only from a table whose header has all of them (note apart,
which version 0.4 did not write): other programs mean other things by "status" and "label". Tabs and
semicolons may stand for the commas.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from annotation_store.documents import NewDocument
from annotation_store.formats.format import (
    Format,
    Item,
    ReadOptions,
    make_document,
    read_state,
    write_state,
)
from annotation_store.formats.source import ReadingNotes, Source, SourceFile
from ner_core.formats import (
    DataFormatError,
    cluener_to_spans,
    format_json_line,
    parse_json_line,
    quote,
    spans_to_cluener,
)
from ner_core.labels import LabelSet

_FIRST_COLUMNS = ("id", "text", "status", "label", "suggestions", "annotator")
_OWN_COLUMNS = (*_FIRST_COLUMNS, "note")
_MAX_CELL_CHARACTERS = 100_000_000
_BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of a table.

    Attributes:
        names: As they stand in the first row, without blanks around them.
        delimiter: What separates the cells.
    """

    names: tuple[str, ...]
    delimiter: str


def read_header(file: SourceFile) -> Header:
    """The first row of a table that is not blank.

    Raises:
        DataFormatError: The file cannot be read as text.
    """
    for line in file.lines(ReadingNotes()):
        if line.strip():
            delimiter = max(",\t;", key=line.count)
            cells = next(csv.reader(io.StringIO(line, newline=""), delimiter=delimiter))
            return Header(tuple(cell.strip() for cell in cells), delimiter)
    return Header((), ",")


def _read(source: Source, options: ReadOptions, notes: ReadingNotes) -> Iterator[Item]:
    # The module's own limit of 131,072 characters in a cell is for all of the process.
    csv.field_size_limit(_MAX_CELL_CHARACTERS)
    for file in source.files:
        yield from _read_table(file, options, notes)


def _read_table(file: SourceFile, options: ReadOptions, notes: ReadingNotes) -> Iterator[Item]:
    header = read_header(file)
    names = [name.lower() for name in header.names]
    column, has_header = _find_column(file, header, options.column)
    id_column = names.index("id") if has_header and "id" in names else None
    is_own = has_header and sorted(names) in (sorted(_FIRST_COLUMNS), sorted(_OWN_COLUMNS))
    reader = csv.reader(file.lines(notes), delimiter=header.delimiter, strict=True)
    number = 1
    is_first = True
    try:
        for row in reader:
            # A row may have several lines; its number is that of the first.
            line, number = number, reader.line_num + 1
            if not any(cell.strip() for cell in row):
                continue
            if is_first and has_header:
                is_first = False
                continue
            is_first = False
            try:
                if is_own:
                    yield _read_own_row(names, row, options)
                else:
                    yield _read_row(row, column, id_column, options)
            except ValueError as error:
                reason = error.reason if isinstance(error, DataFormatError) else str(error)
                yield DataFormatError(file.name, line, reason)
    except csv.Error as error:
        raise DataFormatError(file.name, number, f"expected CSV, got {error}") from None


def _find_column(file: SourceFile, header: Header, wanted: str | None) -> tuple[int, bool]:
    """The column of the texts, counted from 0, and whether the first row is a header.

    Raises:
        DataFormatError: There is no such column, or none is named and it is not clear which.
    """
    asked = wanted or "text"
    lowered = tuple(name.lower() for name in header.names)
    for names, name in ((header.names, asked), (lowered, asked.lower())):
        if name in names:
            return names.index(name), True
    if wanted is None and len(header.names) <= 1:
        return 0, False
    if wanted is not None and wanted.isdecimal() and 1 <= int(wanted) <= len(header.names):
        return int(wanted) - 1, False
    reason = f'expected a column "{asked}", got the columns {quote(header.names)}'
    if wanted is None:
        reason += "; name the one with the texts, or its number if there is no header"
    raise DataFormatError(file.name, 1, reason)


def _read_row(
    row: list[str], column: int, id_column: int | None, options: ReadOptions
) -> NewDocument:
    last = max(column, id_column or 0)
    if len(row) <= last:
        raise ValueError(f"expected at least {last + 1} columns, got {len(row)}")
    external_id = row[id_column] if id_column is not None else ""
    return make_document(row[column], None, options, external_id=external_id)


def _read_own_row(names: list[str], row: list[str], options: ReadOptions) -> NewDocument:
    if len(row) != len(names):
        raise ValueError(f"expected {len(names)} columns, got {len(row)}")
    cells = dict(zip(names, row, strict=True))
    text = cells["text"]
    spans = None
    if cells["label"]:
        label = parse_json_line(cells["label"], source="", line_number=0)
        spans = cluener_to_spans(text, label)
    record: dict[str, object] = {
        "id": cells["id"],
        "annotator": cells["annotator"],
        "note": cells.get("note"),
    }
    if cells["status"]:
        record["status"] = cells["status"]
    if cells["suggestions"]:
        wrapped = f'{{"suggestions": {cells["suggestions"]}}}'
        record |= parse_json_line(wrapped, source="", line_number=0)
    return make_document(text, spans, options, **read_state(record))


def _write(documents: Iterable[NewDocument], _labels: LabelSet) -> Iterator[str]:
    # Excel takes a file without the mark for one in the machine's old encoding.
    yield _BYTE_ORDER_MARK + _format_row(_OWN_COLUMNS)
    for document in documents:
        state = write_state(document)
        label = ""
        if document.spans is not None:
            label = format_json_line(dict(spans_to_cluener(document.text, document.spans)))
        suggestions = state.get("suggestions")
        yield _format_row(
            (
                document.external_id,
                document.text,
                document.status,
                label,
                "" if suggestions is None else json.dumps(suggestions, ensure_ascii=False),
                document.annotator,
                document.note,
            )
        )


def _format_row(cells: Iterable[str]) -> str:
    row = io.StringIO(newline="")
    # Without the quotes a carriage return would end the row.
    csv.writer(row, quoting=csv.QUOTE_ALL, lineterminator="").writerow(cells)
    return row.getvalue()


def _hold(document: NewDocument) -> NewDocument:
    return document


CSV = Format("csv", "CSV", ".csv", _read, _write, _hold)
