"""Many texts at once: from an uploaded file to a file of CLUENER JSON lines, with progress."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final, Literal

from annotation_store.uploads import Upload
from ner_core.formats import format_cluener_line, write_lines
from ner_core.prediction import Predictor
from ner_core.spans import Example
from webui.error_words import word_error
from webui.texts import Language
from webui.uploads import MAX_ERRORS_SHOWN

# Few enough for a progress bar that moves and a cancel that is heard, many enough to fill a batch.
_TEXTS_PER_STEP: Final = 32


@dataclass(frozen=True, slots=True)
class BatchReport:
    """How far a batch is.

    Attributes:
        state: "running", "done", or "cancelled".
        model: The name of the model; "" when the batch has been cancelled.
        done: Texts tagged so far.
        total: Texts in the file.
        spans: Entities found so far.
        seconds: Time so far.
        errors: The first lines that could not be read, as "file:line: reason".
        num_errors: All lines that could not be read.
        path: The result; None until the batch is done, and when there was nothing to tag.
    """

    state: Literal["running", "done", "cancelled"]
    model: str = ""
    done: int = 0
    total: int = 0
    spans: int = 0
    seconds: float = 0.0
    errors: tuple[str, ...] = field(default=())
    num_errors: int = 0
    path: Path | None = None

    def to_value(self) -> dict[str, Any]:
        """The value of the component that draws the report; the path stays on the server."""
        value = asdict(self)
        del value["path"]
        return value


def tag_upload(
    predictor: Predictor,
    upload: Upload,
    folder: Path,
    *,
    language: Language = "en",
    report_every_s: float = 0.25,
) -> Iterator[BatchReport]:
    """Tag every text of an upload and write the result; yields a report now and then.

    Nothing is written unless all steps are taken: a caller that stops iterating leaves no file.

    Args:
        predictor: Tags the texts.
        upload: The file's documents, and the lines that could not be read.
        folder: Where the result is written, in a folder of its own.
        language: Of whoever is told of lines that cannot be read.
        report_every_s: Shortest time between two reports, in seconds: a browser that gets hundreds
            of them is still drawing them when the visitor has cancelled.
    """
    started = reported = time.perf_counter()
    errors = tuple(word_error(error, language) for error in upload.errors[:MAX_ERRORS_SHOWN])
    documents = upload.documents
    lines: list[str] = []
    num_spans = 0

    def report(state: Literal["running", "done"], path: Path | None = None) -> BatchReport:
        seconds = time.perf_counter() - started
        return BatchReport(
            state,
            predictor.name,
            len(lines),
            len(documents),
            num_spans,
            seconds,
            errors,
            len(upload.errors),
            path,
        )

    yield report("running")
    for start in range(0, len(documents), _TEXTS_PER_STEP):
        part = documents[start : start + _TEXTS_PER_STEP]
        predictions = predictor.predict([document.text for document in part])
        for document, prediction in zip(part, predictions, strict=True):
            example = Example(document.external_id, prediction.text, prediction.spans)
            lines.append(format_cluener_line(example))
            num_spans += len(prediction.spans)
        if time.perf_counter() - reported >= report_every_s:
            yield report("running")
            reported = time.perf_counter()
    if not lines:
        yield report("done")
        return
    path = Path(mkdtemp(dir=folder)) / "cluener-predictions.jsonl"
    write_lines(path, lines)
    yield report("done", path)
