"""A first look at a source: what it seems to be, where its texts may stand, how it begins."""

import csv
import io
import json
from dataclasses import dataclass, replace
from itertools import islice

from annotation_store.formats.catalog import FORMATS, detect_format
from annotation_store.formats.csv_table import read_header
from annotation_store.formats.format import FormatName, ReadOptions
from annotation_store.formats.json_array import split_json_array
from annotation_store.formats.source import ReadingNotes, Source, SourceFile
from ner_core.formats import DataFormatError

_NUM_TEXTS = 3
_MAX_COLUMNS = 50


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a first look has found.

    Attributes:
        format: The one that was named, or the one that was found out.
        columns: Where the texts may stand: names of columns or keys, and of a table also its
            numbers, for one without a header. () where there is no choice.
        column: The one that was named, or the likeliest.
        texts: How the first texts begin.
        problem: Why nothing can be read this way; None if something can.
    """

    format: FormatName
    columns: tuple[str, ...] = ()
    column: str | None = None
    texts: tuple[str, ...] = ()
    problem: DataFormatError | None = None


def inspect_source(
    source: Source, options: ReadOptions, *, format: FormatName | None = None
) -> Inspection:
    """Look at the beginning of a source.

    Args:
        source: What is to be imported.
        options: How it is to be read.
        format: What it holds; None to find out.

    Raises:
        DataFormatError: Its format cannot be found out, or it is no text.
        OSError: It cannot be read.
    """
    known = format or detect_format(source)
    columns = _list_columns(source.files[0], known)
    column = options.column if options.column in columns else None
    if column is None and columns:
        column = _guess_column(source.files[0], columns, known)
    options = replace(options, column=column)
    texts: list[str] = []
    problem = None
    try:
        for item in islice(FORMATS[known].read(source, options, ReadingNotes()), _NUM_TEXTS):
            if isinstance(item, DataFormatError):
                problem = problem or item
            else:
                texts.append(item.text)
    except DataFormatError as error:
        problem = error
    return Inspection(known, columns, column, tuple(texts), None if texts else problem)


def _list_columns(file: SourceFile, format: FormatName) -> tuple[str, ...]:
    if format in ("txt", "conll"):
        return ()
    if format == "csv":
        names = dict.fromkeys(name for name in read_header(file).names if name)
        numbers = (str(number + 1) for number in range(len(read_header(file).names)))
        columns = [*names, *(number for number in numbers if number not in names)]
        return tuple(columns[: 2 * _MAX_COLUMNS])
    record = _first_record(file)
    data = record.get("data")
    strings = data if format == "label-studio" and isinstance(data, dict) else record
    keys = [key for key, value in strings.items() if isinstance(value, str)]
    return tuple(keys[:_MAX_COLUMNS])


def _guess_column(file: SourceFile, columns: tuple[str, ...], format: FormatName) -> str | None:
    """The column called text, else the one with the longest text in the first row."""
    for column in columns:
        if column.lower() == "text":
            return column
    if format != "csv":
        return None  # the readers know best what other programs call it
    header = read_header(file)
    if len(header.names) <= 1:
        return "1"
    lines = islice(file.lines(ReadingNotes()), _NUM_TEXTS * 10)
    table = io.StringIO("".join(lines), newline="")
    rows = [row for row in csv.reader(table, delimiter=header.delimiter) if any(row)]
    row = rows[1] if len(rows) > 1 else rows[0]
    cells = zip(row, header.names, strict=False)
    return max(cells, key=lambda cell: len(cell[0]), default=("", columns[0]))[1] or columns[0]


def _first_record(file: SourceFile) -> dict[str, object]:
    """The first object of a file of JSON, {} if it cannot be read: its reader says why."""
    for part in file.parts(ReadingNotes()):
        begins_as_list = part.lstrip().startswith("[")
        break
    else:
        return {}
    pieces = (
        split_json_array(file.parts(ReadingNotes()))
        if begins_as_list
        else file.numbered_lines(ReadingNotes())
    )
    try:
        _line, text = next(iter(pieces), (1, "{}"))
        record = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}
