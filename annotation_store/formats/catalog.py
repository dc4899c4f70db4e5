"""All formats by name, and which of them a file is in."""

import json
from typing import Any

from annotation_store.formats.cluener import CLUENER_JSON
from annotation_store.formats.conll import CONLL
from annotation_store.formats.csv_table import CSV
from annotation_store.formats.doccano import DOCCANO, LABEL_KEYS
from annotation_store.formats.format import Format, FormatName
from annotation_store.formats.hugging_face import HUGGING_FACE
from annotation_store.formats.json_records import JSON_LINES
from annotation_store.formats.label_studio import LABEL_STUDIO
from annotation_store.formats.plain_text import PLAIN_TEXT
from annotation_store.formats.source import ReadingNotes, Source, SourceFile
from ner_core.conll import is_conll_line
from ner_core.formats import DataFormatError, split_lines

_ALL = (PLAIN_TEXT, CSV, JSON_LINES, CLUENER_JSON, CONLL, DOCCANO, LABEL_STUDIO, HUGGING_FACE)

FORMATS: dict[FormatName, Format] = {format.name: format for format in _ALL}

_CSV_SUFFIXES = (".csv", ".tsv")
_CONLL_SUFFIXES = (".bio", ".conll", ".iob", ".iob2")
_TEXT_SUFFIXES = (".txt", ".text", *_CONLL_SUFFIXES)
_JSON_SUFFIXES = (".jsonl", ".json", ".ndjson")
# Lines that are looked at; a file may begin with some that nobody has labelled. A list of tasks may
# be one line of any length.
_NUM_LINES = 200
_NUM_CHARACTERS = 4_000_000


def detect_format(source: Source) -> FormatName:
    """The format of a source, by what it holds and, where that does not tell, by its ending.

    Raises:
        DataFormatError: Nothing tells, or the file cannot be read as text.
    """
    file = source.files[0]
    suffix = "." + file.name.rpartition(".")[2].lower() if "." in file.name else ""
    if suffix in _CSV_SUFFIXES:
        return "csv"
    lines = _first_lines(file)
    records = _records_of(lines)
    found: FormatName | None = next(filter(None, map(_detect_record, records)), None)
    if suffix in _JSON_SUFFIXES:
        found = "label-studio" if lines and lines[0].lstrip()[0] == "[" else found or "jsonl"
    if found and (suffix not in _TEXT_SUFFIXES or len(records) == len(lines)):
        # The lines of a dataset folder are JSON lines, with names for their tags in its card.
        return "hugging-face" if found == "jsonl" and source.is_archive else found
    if suffix in _CONLL_SUFFIXES or (lines and all(map(is_conll_line, lines))):
        return "conll"
    if suffix in _TEXT_SUFFIXES:
        return "txt"
    known = ", ".join((*_TEXT_SUFFIXES, *_JSON_SUFFIXES, *_CSV_SUFFIXES, ".zip"))
    reason = f"expected a file that ends in {known}, got {suffix!r}; or name its format"
    raise DataFormatError(source.name, None, reason)


def _first_lines(file: SourceFile) -> list[str]:
    """The first lines that are not blank; the last of them may be cut off."""
    text = ""
    for part in file.parts(ReadingNotes()):
        text += part
        if len(text) >= _NUM_CHARACTERS:
            break
    return [line for line in split_lines(text) if line.strip()][:_NUM_LINES]


def _records_of(lines: list[str]) -> list[dict[str, Any]]:
    records = []
    for line in lines:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            records.append(record)
    return records


def _detect_record(record: dict[str, Any]) -> FormatName | None:
    """The format that only one kind of record can be in; None for a text without labels."""
    if isinstance(record.get("data"), dict) or "annotation_id" in record:
        return "label-studio"
    if isinstance(record.get("label"), dict):
        return "cluener"
    if record.get("spans") is not None or "tokens" in record:
        return "jsonl"
    if any(isinstance(record.get(key), list) for key in LABEL_KEYS):
        return "doccano"
    return None
