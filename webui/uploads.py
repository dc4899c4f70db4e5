"""Files that a visitor sends: read once, then gone from the server's disk."""

from pathlib import Path
from typing import Final

from annotation_store.formats.format import ReadOptions
from annotation_store.uploads import Upload, parse_upload
from ner_core.labels import LabelSet
from webui.messages import MAX_TEXT_CHARACTERS, refuse
from webui.texts import TEXTS, Language

MAX_UPLOAD_BYTES: Final = 20_000_000
MAX_ERRORS_SHOWN: Final = 20
"""Lines with errors that a report lists; it counts the others."""


def read_upload(data: bytes, name: str, *, labels: LabelSet | None) -> Upload:
    """The documents of a file, as `parse_upload`, but a text that no page would tag is an error.

    Args:
        data: The file.
        name: Its name; the end of it says how it is read.
        labels: The labels that may occur; None for any.
    """
    options = ReadOptions(labels=labels, max_characters=MAX_TEXT_CHARACTERS)
    return parse_upload(data, name, options=options)


def take_upload(path: object, language: Language) -> tuple[bytes, str]:
    """Content and name of an uploaded file, which is deleted: Gradio would keep it until the end.

    Args:
        path: Where Gradio put the file; something else when a program sent no file.
        language: The visitor's.

    Raises:
        gr.Error: There is no file, or it is larger than `MAX_UPLOAD_BYTES`.
    """
    if not isinstance(path, str):
        raise refuse(TEXTS[language]["page.file_missing"])
    file = Path(path)
    try:
        size = file.stat().st_size
        if size > MAX_UPLOAD_BYTES:
            message = TEXTS[language]["page.file_too_big"]
            megabytes = {"size": f"{size / 1e6:.1f}", "limit": MAX_UPLOAD_BYTES // 1_000_000}
            raise refuse(message.format(**megabytes))
        return file.read_bytes(), file.name
    finally:
        file.unlink(missing_ok=True)
