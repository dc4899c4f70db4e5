"""A small file in memory, taken apart into documents, with an error for each line that is wrong."""

from dataclasses import dataclass

from annotation_store.documents import NewDocument
from annotation_store.formats.catalog import FORMATS, detect_format
from annotation_store.formats.format import FormatName, ReadOptions
from annotation_store.formats.source import ReadingNotes, source_of_bytes
from ner_core.formats import DataFormatError


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
    options: ReadOptions | None = None,
    format: FormatName | None = None,
) -> Upload:
    """The documents in a file, and an error for each line that is wrong; raises nothing.

    For a file that may be large see `annotation_store.importing`.

    Args:
        data: The file, in UTF-8, UTF-16 or GB18030.
        file_name: Its name, for messages and, where its content does not tell, for its format.
        options: How to read it.
        format: What it holds; None to find out.
    """
    source = source_of_bytes(data, file_name)
    notes = ReadingNotes()
    documents, errors = [], []
    try:
        chosen = FORMATS[format or detect_format(source)]
        for item in chosen.read(source, options or ReadOptions(), notes):
            if isinstance(item, DataFormatError):
                errors.append(item)
            else:
                documents.append(item)
    except DataFormatError as error:  # the rest cannot be read
        errors.append(error)
    if not documents and not errors:
        errors.append(DataFormatError(file_name, None, "expected at least one text, got none"))
    return Upload(tuple(documents), tuple(errors), notes.num_repaired_tags)
