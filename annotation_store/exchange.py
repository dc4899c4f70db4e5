"""Import and export: the store's documents as files of CLUENER, CoNLL, doccano and Label Studio.

A page shows the documents and the errors of an upload side by side (`parse_upload`); a file that is
imported from the command line is taken whole or not at all.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from annotation_store.annotation_tools import format_doccano_line, format_label_studio_task
from annotation_store.documents import DatabaseNotFound, Status
from annotation_store.store import DEFAULT_PROJECT, AnnotationStore
from annotation_store.uploads import ImportFormat, Upload, parse_upload
from ner_core.conll import format_conll
from ner_core.formats import (
    cluener_to_spans,
    format_cluener_line,
    spans_to_cluener,
    write_lines,
)
from ner_core.labels import CLUENER, LabelSet
from ner_core.spans import Example, drop_overlaps

__all__ = [
    "ExportFormat",
    "ExportResult",
    "ImportFormat",
    "ImportResult",
    "Upload",
    "export_file",
    "export_text",
    "import_file",
    "parse_upload",
]

ExportFormat = Literal["cluener", "conll", "doccano", "label-studio"]


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import added, and what it left out because the project held the text already."""

    num_added: int
    num_duplicates: int
    num_repaired_tags: int = 0


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What an export wrote, and how many spans CoNLL could not express beside a longer one."""

    num_documents: int
    num_dropped_overlaps: int = 0


def import_file(
    database: str | Path,
    path: str | Path,
    *,
    format: ImportFormat,
    project: str = DEFAULT_PROJECT,
    labels: LabelSet | None = None,
    labelled_status: Status = "accepted",
) -> ImportResult:
    """Add the documents of a file to a project: all of them or, after any error, none.

    A file that is refused makes neither a database nor a project.

    Args:
        database: File or URL of the database, which is made if there is none.
        path: The file, in UTF-8 or GB18030.
        format: What it holds.
        project: The project's name.
        labels: Make the project with these labels if there is none, refuse if it has others. None
            takes those that it has, or makes it with CLUENER's.
        labelled_status: The status of documents that come with a label, even with an empty one.

    Raises:
        DataFormatError: Names the first line that is wrong.
        ValueError: The project has other labels.
        StoreError: The database cannot be used.
        OSError: The file cannot be read.
    """
    labels = _agree_on_labels(database, project, labels)
    upload = parse_upload(
        Path(path).read_bytes(),
        str(path),
        labels=labels,
        format=format,
        labelled_status=labelled_status,
    )
    if upload.errors:
        raise upload.errors[0]
    with AnnotationStore.open(database) as store:
        store.create_project(project, labels)
        result = store.add(upload.documents, project=project)
    return ImportResult(len(result.added_ids), result.num_duplicates, upload.num_repaired_tags)


def _agree_on_labels(database: str | Path, name: str, labels: LabelSet | None) -> LabelSet:
    """The labels that the project has, or is to get; makes nothing."""
    try:
        with AnnotationStore.open(database, must_exist=True) as store:
            projects = {project.name: project.labels for project in store.projects()}
            known = projects.get(name)
    except DatabaseNotFound:
        known = None
    if known and labels and known != labels:
        raise ValueError(
            f"expected project {name!r} with its labels {', '.join(known.labels)},"
            f" got {', '.join(labels.labels)}"
        )
    return known or labels or CLUENER


def export_text(
    store: AnnotationStore,
    *,
    format: ExportFormat,
    status: Status | None = "accepted",
    project: str = DEFAULT_PROJECT,
) -> Iterator[str]:
    """An export as pieces of text; joined, they are the file that `export_file` writes.

    Args:
        store: Where the documents are.
        format: What to write. CoNLL cannot express overlaps: the longest span of them stays.
        status: Only documents of this status; None for all.
        project: The project's name.

    Raises:
        ValueError: There is no such project or status.
    """
    for line in _format(store.examples(project=project, status=status), format):
        yield f"{line}\n"


def export_file(
    store: AnnotationStore,
    path: str | Path,
    *,
    format: ExportFormat,
    status: Status | None = "accepted",
    project: str = DEFAULT_PROJECT,
) -> ExportResult:
    """Write an export to a file, whole or not at all; otherwise as `export_text`.

    Raises:
        ValueError: There is no such project or status, or the file is the database itself.
        OSError: The file cannot be written; what stood there before is untouched.
    """
    store.database.check_target(path)
    num_documents = num_dropped = 0

    def count(examples: Iterable[Example]) -> Iterator[Example]:
        nonlocal num_documents, num_dropped
        for example in examples:
            num_documents += 1
            if format == "conll":
                num_dropped += len(drop_overlaps(example.spans)[1])
            yield example

    examples = store.examples(project=project, status=status)
    write_lines(path, _format(count(examples), format))
    return ExportResult(num_documents, num_dropped)


def _format(examples: Iterable[Example], format: ExportFormat) -> Iterator[str]:
    """The lines of a file, without their ends."""
    match format:
        case "cluener":
            for example in examples:
                label = spans_to_cluener(example.text, example.spans)
                assert cluener_to_spans(example.text, label) == example.spans
                yield format_cluener_line(example)
        case "conll":
            for example in examples:
                kept, _dropped = drop_overlaps(example.spans)
                yield format_conll(replace(example, spans=kept)) + "\n"
        case "doccano":
            yield from map(format_doccano_line, examples)
        case "label-studio":
            # A JSON list with a task in each line; the comma of a task stands before the next.
            opening = "["
            for task in map(format_label_studio_task, examples):
                yield opening + task
                opening = ","
            yield "[]" if opening == "[" else "]"
