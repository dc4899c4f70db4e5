"""Import and export of whole files; the formats themselves stand in `annotation_store.formats`.

A file is taken whole or, after any error, not at all, unless the caller keeps the good lines.
"""

import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from annotation_store.documents import DatabaseNotFound, NewDocument, Status
from annotation_store.formats.catalog import FORMATS, detect_format
from annotation_store.formats.format import FormatName, ReadOptions, state_of
from annotation_store.formats.hugging_face import DATA_PATH, format_card
from annotation_store.formats.source import open_source
from annotation_store.importing import ImportResult, PendingImport, Watch, ignore_progress
from annotation_store.listing import read_documents
from annotation_store.store import DEFAULT_PROJECT, AnnotationStore
from ner_core.formats import write_lines
from ner_core.labels import CLUENER, LabelSet

ExportFormat = FormatName
ImportFormat = FormatName


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What an export wrote, and what its format had no place for.

    Attributes:
        num_documents: Documents in the file.
        num_left_out: Documents that are not in it: texts with line ends in plain text, texts that
            nobody has labelled in CoNLL.
        num_spans: Confirmed spans missing from those documents that are in it.
        num_suggestions: Suggestions missing from them.
        num_ids: Ids missing.
        num_statuses: Documents that an import would give another status, or forget that nobody
            confirmed them.
        num_annotators: Names of annotators missing.
    """

    num_documents: int = 0
    num_left_out: int = 0
    num_spans: int = 0
    num_suggestions: int = 0
    num_ids: int = 0
    num_statuses: int = 0
    num_annotators: int = 0

    def add(self, document: NewDocument, held: NewDocument | None) -> "ExportResult":
        """The counts with one more document, of which the format holds `held`."""
        if held is None:
            return replace(self, num_left_out=self.num_left_out + 1)
        losses = (
            1,
            0,
            len(document.spans or ()) - len(held.spans or ()),
            len(document.suggestions) - len(held.suggestions),
            document.external_id != held.external_id,
            (document.status, document.is_preannotated) != (held.status, held.is_preannotated),
            document.annotator != held.annotator,
        )
        names = (field.name for field in fields(self))
        return ExportResult(
            *(getattr(self, name) + loss for name, loss in zip(names, losses, strict=True))
        )


def import_file(
    database: str | Path,
    path: str | Path,
    *,
    format: ImportFormat | None = None,
    project: str = DEFAULT_PROJECT,
    labels: LabelSet | None = None,
    options: ReadOptions | None = None,
    keeps_good_lines: bool = False,
    report_path: str | Path | None = None,
    watch: Watch = ignore_progress,
) -> ImportResult:
    """Add the documents of a file to a project: all of them or, after any error, none.

    A file that is refused makes neither a database nor a project.

    Args:
        database: File or URL of the database, which is made if there is none.
        path: The file, in UTF-8, UTF-16 or GB18030; a folder; or a zip archive.
        format: What it holds; None to find out.
        project: The project's name.
        labels: Make the project with these labels if there is none, refuse if it has others. None
            takes those that it has, or makes it with CLUENER's.
        options: How to read it; its labels are those of the project.
        keeps_good_lines: Add what can be read although something cannot.
        report_path: Where to write all errors, as CSV, if there are any.
        watch: See `annotation_store.importing`.

    Raises:
        DataFormatError: Names the first line that is wrong.
        ValueError: The project has other labels.
        StoreError: The database cannot be used.
        OSError: The file cannot be read.
    """
    known, labels = _agree_on_labels(database, project, labels)
    source = open_source(path)
    options = replace(options or ReadOptions(), labels=known)
    chosen = FORMATS[format or detect_format(source)]
    with PendingImport.read(source, chosen, options, watch) as pending:
        if pending.num_errors and report_path is not None:
            pending.write_report(report_path)
        if pending.num_errors and not (keeps_good_lines and pending.num_documents):
            raise pending.first_errors[0]
        with AnnotationStore.open(database) as store:
            store.create_project(project, labels)
            return pending.store(store, project, watch)


def _agree_on_labels(
    database: str | Path, name: str, labels: LabelSet | None
) -> tuple[LabelSet, LabelSet]:
    """Every name that a label may have in a file, and the labels that the project has or gets."""
    try:
        with AnnotationStore.open(database, must_exist=True) as store:
            found = next((project for project in store.projects() if project.name == name), None)
    except DatabaseNotFound:
        found = None
    if found is None:
        made = labels or CLUENER
        return made, made
    if labels and found.labels != labels:
        raise ValueError(
            f"expected project {name!r} with its labels {', '.join(found.labels.labels)},"
            f" got {', '.join(labels.labels)}"
        )
    return found.known_names, found.labels


def read_states(
    store: AnnotationStore, *, project: str = DEFAULT_PROJECT, status: Status | None = None
) -> Iterator[NewDocument]:
    """The state of each document, in order, all from one state of the database.

    Args:
        store: Where the documents are.
        project: The project's name.
        status: Only documents of this status; None for all.

    Raises:
        ValueError: There is no such project or status.
    """
    return map(state_of, read_documents(store.database, project=project, status=status))


def export_file(
    store: AnnotationStore,
    path: str | Path,
    *,
    format: ExportFormat,
    status: Status | None = "accepted",
    project: str = DEFAULT_PROJECT,
) -> ExportResult:
    """Write an export, whole or not at all: a file, or of a Hugging Face dataset a folder.

    A path that ends in .zip gets the folder as an archive.

    Args:
        store: Where the documents are.
        path: The file or, of a dataset, a folder that is not there yet.
        format: What to write.
        status: Only documents of this status; None for all.
        project: The project's name.

    Raises:
        ValueError: There is no such project or status, or the file is the database itself.
        OSError: The file cannot be written; what stood there before is untouched.
    """
    store.database.check_target(path)
    chosen = FORMATS[format]
    labels = next((one.labels for one in store.projects() if one.name == project), CLUENER)
    result = ExportResult()

    def count(documents: Iterable[NewDocument]) -> Iterator[NewDocument]:
        nonlocal result
        for document in documents:
            result = result.add(document, chosen.hold(document))
            yield document

    lines = chosen.write(count(read_states(store, project=project, status=status)), labels)
    if format != "hugging-face":
        write_lines(path, lines)
        return result

    def write_folder(folder: Path) -> None:
        (folder / DATA_PATH).parent.mkdir()
        write_lines(folder / DATA_PATH, lines)
        card = format_card(project, labels, result.num_documents)
        write_lines(folder / "README.md", [card.removesuffix("\n")])

    _write_folder(Path(path), write_folder)
    return result


def _write_folder(target: Path, write: Callable[[Path], None]) -> None:
    """Write a folder beside its place and then put it there, zipped if the name says so."""
    if target.is_dir() and any(target.iterdir()):
        raise ValueError(f"expected a new or empty folder, got {target}")
    try:
        sibling = Path(mkdtemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent))
    except OSError as error:
        # Names the folder that the caller asked for, not the sibling.
        raise OSError(error.errno, error.strerror, str(target)) from error
    try:
        folder = sibling / "dataset"
        folder.mkdir()
        write(folder)
        if target.suffix == ".zip":
            archive = sibling / "dataset.zip"
            _zip_folder(folder, archive)
            archive.replace(target)
        else:
            folder.replace(target)
    finally:
        rmtree(sibling)


def _zip_folder(folder: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder).as_posix())
