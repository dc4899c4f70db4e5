"""An import that a visitor has begun: chosen, looked at, read, stored, and what is said about it.

The work runs in a thread of its own: a page that is closed in the middle must not leave a
transaction open, and a page that is slow must not hold one up.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final, Literal

from annotation_store.documents import StoreError
from annotation_store.formats.catalog import FORMATS
from annotation_store.formats.format import FormatName, ReadOptions
from annotation_store.formats.inspection import Inspection, inspect_source
from annotation_store.formats.source import Source, open_source
from annotation_store.importing import (
    ImportCancelled,
    ImportProgress,
    ImportResult,
    PendingImport,
)
from annotation_store.store import AnnotationStore
from ner_core.formats import DataFormatError
from webui.error_words import word_error, word_message
from webui.texts import Language

logger = logging.getLogger(__name__)

State = Literal["chosen", "running", "errors", "done", "cancelled", "failed"]

_SNIPPET_CHARACTERS: Final = 120
# Of all visitors together; a chosen file that nobody goes on with gives way.
_MAX_JOBS: Final = 50


class ImportJob:
    """One visitor's file, from its choice to its end. All methods may be called from any thread.

    Attributes:
        name: The file's name.
        state: "chosen" until it is started; "errors" when it is read and the visitor has to decide
            about the good lines.
    """

    def __init__(self, path: Path, name: str) -> None:
        """Take over an uploaded file, which is deleted when the job ends.

        Raises:
            DataFormatError: It is a damaged archive.
            OSError: It cannot be read.
        """
        self.name = name
        self.state: State = "chosen"
        self._path = path
        self._inspection: Inspection | None = None
        self._options = ReadOptions()
        self._is_cancelled = threading.Event()
        self._progress = ImportProgress("reading", 0, 1)
        self._pending: PendingImport | None = None
        self._result: ImportResult | None = None
        self._problem = ""
        self._seconds = 0.0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._source: Source = open_source(path, name)

    def inspect(self, options: ReadOptions, format: FormatName | None) -> None:
        """Look at the beginning of the file, read in this way.

        Raises:
            DataFormatError: Its format cannot be found out, or it is no text.
        """
        self._inspection = inspect_source(self._source, options, format=format)
        self._options = replace(options, column=self._inspection.column)

    def start(self, store: AnnotationStore, project: str) -> None:
        """Read the whole file and, if no line of it is wrong, store it."""
        self._run(lambda: self._read_and_store(store, project))

    def keep_good_lines(self, store: AnnotationStore, project: str) -> None:
        """Store what could be read."""
        if self.state == "errors":
            self._run(lambda: self._store(store, project))

    def cancel(self) -> None:
        """Ask the work to end; nothing of it will be stored."""
        self._is_cancelled.set()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the work to end; whether it is still running then."""
        if self._thread:
            self._thread.join(timeout_s)
        return self.state == "running"

    def write_report(self, path: Path) -> None:
        """Write all errors as CSV.

        Raises:
            OSError: The file cannot be written.
        """
        with self._lock:
            if self._pending and self._pending.num_errors:
                self._pending.write_report(path)

    def close(self) -> None:
        """End the work and delete everything that it has kept."""
        self.cancel()
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join()
        with self._lock:
            if self._pending:
                self._pending.close()
                self._pending = None
        self._path.unlink(missing_ok=True)

    def describe(self, language: Language) -> dict[str, Any]:
        """What the page draws."""
        inspection, pending, result = self._inspection, self._pending, self._result
        errors = pending.first_errors if pending else []
        return {
            "state": self.state,
            "name": self.name,
            "size": self._source.size,
            "format": inspection.format if inspection else None,
            "columns": inspection.columns if inspection else (),
            "column": self._options.column,
            "offsets": self._options.offsets,
            "is_predicted": self._options.is_predicted,
            "texts": [_shorten(text) for text in inspection.texts] if inspection else [],
            "first_problem": self._place(inspection.problem, language)
            if inspection and inspection.problem
            else "",
            "problem": word_message(self._problem, language),
            "step": self._progress.step,
            "share": self._progress.done / self._progress.total if self._progress.total else 1.0,
            "done": self._progress.done,
            "total": self._progress.total,
            "num_documents": pending.num_documents if pending else 0,
            "num_errors": pending.num_errors if pending else 0,
            "errors": [self._place(error, language) for error in errors],
            "result": asdict(result) if result else None,
            "seconds": self._seconds,
        }

    def _place(self, error: DataFormatError, language: Language) -> str:
        """An error without the file's name, which the card bears already."""
        return word_error(error, language).removeprefix(self.name).lstrip(":/ ")

    def _run(self, work: Callable[[], State]) -> None:
        self.state = "running"
        self._is_cancelled.clear()
        self._thread = threading.Thread(target=self._work, args=(work,), daemon=True)
        self._thread.start()

    def _work(self, work: Callable[[], State]) -> None:
        started = time.perf_counter()
        try:
            state = work()
        except ImportCancelled:
            state = "cancelled"
        except (DataFormatError, StoreError, ValueError, OSError) as error:
            state, self._problem = "failed", str(error)
        except Exception:
            logger.exception("the import of %d bytes failed", self._source.size)
            state, self._problem = "failed", ""
        self._seconds += time.perf_counter() - started
        self.state = state

    def _read_and_store(self, store: AnnotationStore, project: str) -> State:
        assert self._inspection is not None
        chosen = FORMATS[self._inspection.format]
        pending = PendingImport.read(self._source, chosen, self._options, self._watch)
        with self._lock:
            self._pending = pending
        return "errors" if pending.num_errors else self._store(store, project)

    def _store(self, store: AnnotationStore, project: str) -> State:
        assert self._pending is not None
        self._result = self._pending.store(store, project, self._watch)
        if not self._pending.num_errors:  # there is no report to be asked for
            self._pending.close()
        return "done"

    def _watch(self, progress: ImportProgress) -> None:
        self._progress = progress
        if self._is_cancelled.is_set():
            raise ImportCancelled


class ImportJobs:
    """The job of each visitor: one at a time."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, ImportJob] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, visitor: str, job: ImportJob) -> None:
        """Give a visitor a job in the place of the one before."""
        with self._lock:
            ended = [self._jobs.pop(visitor)] if visitor in self._jobs else []
            self._jobs[visitor] = job
            for other, waiting in list(self._jobs.items()):
                if len(self._jobs) > _MAX_JOBS and waiting.state != "running":
                    ended.append(self._jobs.pop(other))
        for one in ended:
            one.close()

    def find(self, visitor: str) -> ImportJob | None:
        """The visitor's job, or None."""
        with self._lock:
            return self._jobs.get(visitor)

    def drop(self, visitor: str) -> None:
        """End a visitor's job."""
        with self._lock:
            job = self._jobs.pop(visitor, None)
        if job:
            job.close()


def _shorten(text: str) -> str:
    return text if len(text) <= _SNIPPET_CHARACTERS else text[:_SNIPPET_CHARACTERS] + "…"
