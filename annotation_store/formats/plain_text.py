"""Plain text: a document in each line, and nothing but its text."""

from collections.abc import Iterable, Iterator

from annotation_store.documents import NewDocument
from annotation_store.formats.format import (
    Format,
    Item,
    ReadOptions,
    make_document,
    without_confirmed_labels,
)
from annotation_store.formats.source import ReadingNotes, Source
from ner_core.formats import DataFormatError
from ner_core.labels import LabelSet

_BYTE_ORDER_MARK = "\ufeff"


def _read(source: Source, options: ReadOptions, notes: ReadingNotes) -> Iterator[Item]:
    for file in source.files:
        for number, line in file.numbered_lines(notes):
            try:
                yield make_document(line, None, options)
            except ValueError as error:
                yield DataFormatError(file.name, number, str(error))


def _write(documents: Iterable[NewDocument], _labels: LabelSet) -> Iterator[str]:
    is_first = True
    for document in documents:
        if _hold(document):
            # The mark that begins the text would pass for the file's; then the file gets its own.
            has_mark = is_first and document.text.startswith(_BYTE_ORDER_MARK)
            yield _BYTE_ORDER_MARK * has_mark + document.text
            is_first = False


def _hold(document: NewDocument) -> NewDocument | None:
    r"""Texts without line ends: a carriage return at the end would be read as half of one."""
    if "\n" in document.text or document.text.endswith("\r"):
        return None
    return without_confirmed_labels(document)


PLAIN_TEXT = Format("txt", "Plain text", ".txt", _read, _write, _hold)
