"""Files of texts and annotations, taken apart into documents, with an error for each bad line."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Literal

from annotation_store.annotation_tools import parse_doccano_line, parse_label_studio
from annotation_store.documents import NewDocument, Status
from ner_core.conll import parse_conll
from ner_core.formats import (
    DataFormatError,
    decode_text,
    parse_cluener_line,
    parse_json_line,
    split_lines,
)
from ner_core.labels import LabelSet

ImportFormat = Literal["cluener", "conll", "doccano", "label-studio", "txt", "csv"]

_FORMAT_OF_SUFFIX: dict[str, ImportFormat] = {
    ".txt": "txt",
    ".jsonl": "cluener",
    ".json": "cluener",
    ".csv": "csv",
    ".bio": "conll",
    ".conll": "conll",
}


@dataclass(frozen=True, slots=True)
class Upload:
    """What was found in a file.

    Attributes:
        documents: The lines that are right, in order.
        errors: One for each line that is wrong, in order.
        num_repaired_tags: I- tags that continued nothing and were read as B- (CoNLL only).
    """

    documents: tuple[NewDocument, ...]
    errors: tuple[DataFormatError, ...] = ()
    num_repaired_tags: int = 0


def parse_upload(
    data: bytes,
    file_name: str,
    *,
    labels: LabelSet | None,
    format: ImportFormat | None = None,
    labelled_status: Status = "accepted",
) -> Upload:
    r"""The documents in a file, and an error for each line that is wrong; raises nothing.

    A .txt file has a text in each line. A .csv file has a column "text" and perhaps a column "id",
    or it has one column and no header. Blank lines are skipped; a text keeps its own blanks.

    Args:
        data: The file, in UTF-8 or GB18030.
        file_name: Its name, for messages; its ending says what it holds.
        labels: The labels that may occur; None for any.
        format: What it holds, whatever its ending.
        labelled_status: The status of documents that come with a label, even with an empty one.
    """
    if format is None:
        format = _FORMAT_OF_SUFFIX.get(PurePath(file_name).suffix.lower())
    try:
        if format is None:
            suffixes = ", ".join(_FORMAT_OF_SUFFIX)
            reason = f"expected a file that ends in {suffixes}, got {PurePath(file_name).suffix!r}"
            raise DataFormatError(file_name, None, reason)
        upload = _parse(decode_text(data, file_name), file_name, format, labels)
    except DataFormatError as error:
        return Upload((), (error,))
    if not upload.documents and not upload.errors:
        reason = "expected at least one text, got none"
        return Upload((), (DataFormatError(file_name, None, reason),))
    documents = (
        document if document.spans is None else replace(document, status=labelled_status)
        for document in upload.documents
    )
    return replace(upload, documents=tuple(documents))


def _parse(text: str, source: str, format: ImportFormat, labels: LabelSet | None) -> Upload:
    match format:
        case "txt":
            return _parse_lines(text, source, lambda line, _number: NewDocument(line))
        case "csv":
            return _parse_csv(text, source)
        case "cluener":
            return _parse_lines(
                text, source, lambda line, number: _parse_cluener(line, source, number, labels)
            )
        case "doccano":
            return _parse_lines(
                text,
                source,
                lambda line, number: parse_doccano_line(
                    line, source=source, line_number=number, labels=labels
                ),
            )
        case "label-studio":
            documents, errors = parse_label_studio(text, source=source, labels=labels)
            return Upload(tuple(documents), tuple(errors))
        case "conll":
            return _parse_conll(text, source, labels)


def _parse_lines(text: str, source: str, parse_line: Callable[[str, int], NewDocument]) -> Upload:
    documents, errors = [], []
    for number, line in enumerate(split_lines(text), start=1):
        if not line.strip():
            continue
        try:
            documents.append(parse_line(line, number))
        except DataFormatError as error:
            errors.append(error)
        except ValueError as error:  # what NewDocument refuses
            errors.append(DataFormatError(source, number, str(error)))
    return Upload(tuple(documents), tuple(errors))


def _parse_cluener(line: str, source: str, number: int, labels: LabelSet | None) -> NewDocument:
    example = parse_cluener_line(line, source=source, line_number=number, labels=labels)
    # A test set has no "label"; that is not the same as an empty one.
    is_labelled = example.spans or "label" in parse_json_line(
        line, source=source, line_number=number
    )
    return NewDocument(example.text, example.spans if is_labelled else None, example.id)


def _parse_conll(text: str, source: str, labels: LabelSet | None) -> Upload:
    corpus = parse_conll(text, source=source, labels=labels)
    documents, errors = [], []
    for number, example in enumerate(corpus.examples, start=1):
        try:
            documents.append(NewDocument(example.text, example.spans))
        except ValueError as error:
            errors.append(DataFormatError(source, None, f"{error} (sentence {number})"))
    return Upload(tuple(documents), tuple(errors), corpus.num_repaired_tags)


def _parse_csv(text: str, source: str) -> Upload:
    # newline="": a line break inside of quotes belongs to the text.
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    documents, errors = [], []
    text_column, id_column = 0, None
    is_first = True
    number = 1
    try:
        for row in reader:
            line, number = number, reader.line_num + 1
            if not any(cell.strip() for cell in row):
                continue
            if is_first:
                is_first = False
                names = [cell.strip().lower() for cell in row]
                if "text" in names:
                    text_column = names.index("text")
                    id_column = names.index("id") if "id" in names else None
                    continue
                if len(row) > 1:
                    reason = f'expected a column "text", got the columns {", ".join(row)}'
                    return Upload((), (DataFormatError(source, line, reason),))
            try:
                documents.append(_parse_csv_row(row, text_column, id_column))
            except ValueError as error:
                errors.append(DataFormatError(source, line, str(error)))
    except csv.Error as error:
        errors.append(DataFormatError(source, number, f"expected CSV, got {error}"))
    return Upload(tuple(documents), tuple(errors))


def _parse_csv_row(row: list[str], text_column: int, id_column: int | None) -> NewDocument:
    last_column = max(text_column, id_column or 0)
    if len(row) <= last_column:
        raise ValueError(f"expected at least {last_column + 1} columns, got {len(row)}")
    external_id = row[id_column] if id_column is not None else ""
    return NewDocument(row[text_column], external_id=external_id)
