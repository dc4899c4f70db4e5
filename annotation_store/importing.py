"""One import: a source is read and checked to its end, and then stored, all of it or nothing.

What was read waits in a file that has no name and goes with the program, so that a source may be
larger than memory. It is stored in many short writes, between which others save: see
`annotation_store.staging`.
"""

import csv
import pickle
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Literal, Self, TextIO, cast

from annotation_store.database import Database
from annotation_store.documents import NewDocument, StoreError
from annotation_store.formats.format import Format, ReadOptions
from annotation_store.formats.source import ReadingNotes, Source
from annotation_store.projects import Project, use_present_name
from annotation_store.staging import (
    begin_import,
    complete_import,
    drop_import,
    end_import,
    enter_documents,
    stage_documents,
)
from annotation_store.store import AnnotationStore
from ner_core.formats import DataFormatError
from ner_core.spans import Span

MAX_FIRST_ERRORS = 20
_DOCUMENTS_AT_A_TIME = 500
_MAX_REST_S = 0.5


class ImportCancelled(Exception):
    """Raised by whoever watches an import, to end it; nothing of it is stored.

    Too late, and without effect, once the import enters its project.
    """


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import is.

    Attributes:
        step: "reading", counted in bytes; "storing", counted in documents, where nobody sees them
            yet; "entering", counted likewise, when the import is certain.
        done: So many.
        total: Of so many.
    """

    step: Literal["reading", "storing", "entering"]
    done: int
    total: int


Watch = Callable[[ImportProgress], None]
"""Called a few times a second at most by its own choice; what it raises ends the import."""


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import added, and what it left out because the project held the text already.

    Attributes:
        num_added: New documents.
        num_duplicates: Documents whose text was there already, or came twice.
        num_preannotated: Those of the source that nobody has confirmed.
        num_errors: Places that could not be read and were left out.
        notes: What the reader repaired.
    """

    num_added: int
    num_duplicates: int
    num_preannotated: int = 0
    num_errors: int = 0
    notes: ReadingNotes = field(default_factory=ReadingNotes)


def ignore_progress(_progress: ImportProgress) -> None:
    """For imports that nobody watches."""


class PendingImport:
    """A source that has been read, but not stored yet. Close it, or its files stay until the end.

    Attributes:
        num_documents: Documents that can be stored.
        num_preannotated: Those of them that nobody has confirmed.
        num_errors: Places that could not be read.
        first_errors: The first of them.
        notes: What the reader repaired.
    """

    def __init__(self) -> None:
        self.num_documents = 0
        self.num_preannotated = 0
        self.num_errors = 0
        self.first_errors: list[DataFormatError] = []
        self.notes = ReadingNotes()
        # Closed by close(): they live as long as the decision whether to store is open.
        self._documents = TemporaryFile()  # noqa: SIM115
        errors = TemporaryFile("w+", encoding="utf-8", newline="")  # noqa: SIM115
        self._errors = cast(TextIO, errors)

    @classmethod
    def read(
        cls, source: Source, format: Format, options: ReadOptions, watch: Watch = ignore_progress
    ) -> Self:
        """Read a source to its end.

        Args:
            source: What to read.
            format: What it holds.
            options: How to read it.
            watch: Is told how far the reading is, and may end it by an exception.

        Raises:
            OSError: The source cannot be read.
        """
        pending = cls()
        try:
            pending._read(source, format, options, watch)
        except BaseException:
            pending.close()
            raise
        return pending

    def _read(self, source: Source, format: Format, options: ReadOptions, watch: Watch) -> None:
        total = source.size
        held: list[NewDocument] = []
        watch(ImportProgress("reading", 0, total))
        try:
            for number, item in enumerate(format.read(source, options, self.notes), start=1):
                if isinstance(item, DataFormatError):
                    self._keep_error(item)
                else:
                    held.append(item)
                    self.num_documents += 1
                    self.num_preannotated += item.is_preannotated
                if number % _DOCUMENTS_AT_A_TIME == 0:
                    pickle.dump(held, self._documents)
                    held = []
                    watch(ImportProgress("reading", min(self.notes.num_bytes, total), total))
        except DataFormatError as error:  # the rest cannot be read
            self._keep_error(error)
        pickle.dump(held, self._documents)
        if not self.num_documents and not self.num_errors:
            reason = "expected at least one text, got none"
            self._keep_error(DataFormatError(source.name, None, reason))
        watch(ImportProgress("reading", total, total))

    def _keep_error(self, error: DataFormatError) -> None:
        if not self.num_errors:
            csv.writer(self._errors).writerow(("file", "line", "reason"))
        self.num_errors += 1
        if len(self.first_errors) < MAX_FIRST_ERRORS:
            self.first_errors.append(error)
        csv.writer(self._errors).writerow((error.source, error.line or "", error.reason))

    def write_report(self, path: str | Path) -> None:
        """Write all errors to a CSV file with the columns file, line and reason.

        Raises:
            OSError: The file cannot be written.
        """
        self._errors.seek(0)
        # With its mark, without which Excel reads Chinese in the machine's old encoding.
        with Path(path).open("w", encoding="utf-8-sig", newline="") as file:
            shutil.copyfileobj(self._errors, file)

    def store(
        self,
        store: AnnotationStore,
        project: str,
        watch: Watch = ignore_progress,
        *,
        annotator: str = "",
    ) -> ImportResult:
        """Add all documents that could be read to a project, or none if anything goes wrong.

        Labels that have been renamed since the source was written get their present names.

        Args:
            store: Where to.
            project: The project's name.
            watch: Is told how far it is; what it raises undoes everything until the import enters
                its project. From then on a program that dies leaves the rest to the next one that
                opens the database.
            annotator: Who labelled those documents whose source does not say.

        Raises:
            ValueError: There is no such project, or it no longer has one of the labels.
            StoreError: The database cannot be written.
        """
        database, total = store.database, self.num_documents
        watch(ImportProgress("storing", 0, total))
        import_id, found = begin_import(database, project)
        try:
            labels = self._stage(database, import_id, found, watch, annotator)
            complete_import(database, import_id, labels)
        except BaseException:
            # Nobody sees what cannot be dropped now; it is dropped when the database is opened.
            with suppress(StoreError):
                drop_import(database, import_id)
            raise
        began = time.monotonic()
        for number in enter_documents(database, import_id):
            with suppress(ImportCancelled):
                watch(ImportProgress("entering", number, total))
            # As long as it has written, others may.
            time.sleep(min(time.monotonic() - began, _MAX_REST_S))
            began = time.monotonic()
        num_added = end_import(database, import_id)
        return ImportResult(
            num_added,
            self.num_documents - num_added,
            self.num_preannotated,
            self.num_errors,
            replace(self.notes),
        )

    def _stage(
        self, database: Database, import_id: int, project: Project, watch: Watch, annotator: str
    ) -> set[str]:
        """Write everything where nobody sees it; returns the labels of confirmed spans."""
        now = datetime.now(UTC)
        num_done = 0
        labels: set[str] = set()
        for documents in self._kept_documents():
            adopted = [_adopt(document, project) for document in documents]
            labels.update(span.label for document in adopted for span in document.spans or ())
            stage_documents(
                database,
                import_id,
                adopted,
                first_number=num_done + 1,
                annotator=annotator,
                now=now,
            )
            num_done += len(documents)
            watch(ImportProgress("storing", num_done, self.num_documents))
        return labels

    def _kept_documents(self) -> Iterator[list[NewDocument]]:
        self._documents.seek(0)
        while True:
            try:
                documents = pickle.load(self._documents)
            except EOFError:
                return
            if documents:
                yield documents

    def close(self) -> None:
        """Drop what was read."""
        self._documents.close()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()


def _adopt(document: NewDocument, project: Project) -> NewDocument:
    former = project.former_labels

    def present(spans: tuple[Span, ...]) -> tuple[Span, ...]:
        renamed = tuple(use_present_name(span, former) for span in spans)
        project.labels.check_spans(renamed)
        return renamed

    spans = None if document.spans is None else present(document.spans)
    return replace(document, spans=spans, suggestions=present(document.suggestions))
