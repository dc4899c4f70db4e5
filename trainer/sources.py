"""One named data source: its examples, and the label set that its annotators had.

The label set matters beyond the labels found: where annotators had no label for books, O does not
mean that there is no book (see `ner_core.label_map`).
"""

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from annotation_store.projects import Project
from annotation_store.store import AnnotationStore
from ner_core.conll import read_conll
from ner_core.formats import Corpus, read_cluener
from ner_core.labels import CLUENER, MSRA, LabelSet
from ner_core.spans import Example
from trainer.config import DataSource

_SQLITE_URL = re.compile(r"^sqlite[\w+]*:///")
# As SQLAlchemy reads a URL: whatever stands before the @ is the password.
_SIGN_IN = re.compile(r"[\w+]+://(?:[^:/]*(?::[^@]*)?@)?")
_KNOWN_LABELS = {"cluener": CLUENER, "msra": MSRA}


@dataclass(frozen=True, slots=True)
class SourceContent:
    """What a source holds.

    Attributes:
        source: Where it was read from.
        corpus: Its examples, in document order, and what was repaired.
        labels: The label set that the annotators had; None for `conll`, which does not tell.
        sha256: Of the file, in hexadecimal; None for a database, which is a moving target.
    """

    source: DataSource
    corpus: Corpus
    labels: LabelSet | None
    sha256: str | None

    @property
    def found_labels(self) -> tuple[str, ...]:
        """The labels of the spans, sorted."""
        return collect_labels(self.corpus.examples)


def read_source(source: DataSource, labels: LabelSet | None) -> SourceContent:
    """Read a file or the accepted documents of a database, each in its newest revision.

    Args:
        source: What to read.
        labels: The label set that the user gave to the run. A file in CLUENER's or MSRA's format
            that uses labels of this set only, and not only its own, is taken to be annotated in it.

    Raises:
        ValueError: The file is damaged, unlabelled, or has a label that is in no set it could have;
            or the database holds no project, several and none is named, or not the named one.
        OSError: The file cannot be read.
    """
    if source.name == "annotations":
        return _read_annotations(source)
    checksum = hashlib.sha256(Path(source.path).read_bytes()).hexdigest()
    if source.name == "conll":
        return SourceContent(source, read_conll(source.path), None, checksum)
    known = _KNOWN_LABELS[source.name]
    if labels is not None:
        corpus = _read_file(source, None)
        found = set(collect_labels(corpus.examples))
        if not found <= set(known.labels) and found <= set(labels.labels):
            return SourceContent(source, corpus, labels, checksum)
    return SourceContent(source, _read_file(source, known), known, checksum)


def collect_labels(examples: Sequence[Example]) -> tuple[str, ...]:
    """The labels of all spans, sorted."""
    return tuple(sorted({span.label for example in examples for span in example.spans}))


def name_source(source: DataSource) -> str:
    """Name and file, without folders; of a database URL neither user nor password nor options."""
    path, project = (
        split_project(source.path) if source.name == "annotations" else (source.path, None)
    )
    url = urlsplit(path)
    is_url = "://" in path
    file = PurePosixPath(url.path).name or url.hostname if is_url else Path(path).name
    return f"{source.name}={file}" + (f"#{project}" if project else "")


def _read_file(source: DataSource, labels: LabelSet | None) -> Corpus:
    if source.name == "msra":
        return read_conll(source.path, labels=labels)
    corpus = read_cluener(source.path, labels=labels)
    if corpus.num_unlabelled:
        raise ValueError(
            f'expected lines with "label", got {corpus.num_unlabelled} without'
            f" (in {source.path}); the model would learn that they hold no entity"
        )
    return corpus


def split_project(location: str) -> tuple[str, str | None]:
    """A database and which of its projects is meant: `DATABASE#PROJECT`; None for no project.

    A folder, a file and a password may hold the mark, too: of a file, the longest name that is
    there counts; of a server's URL, the first mark behind the password.
    """
    file = _SQLITE_URL.sub("", location)
    if "://" in file:
        sign_in = _SIGN_IN.match(location)
        mark = location.find("#", sign_in.end() if sign_in else 0)
        return (location, None) if mark < 0 else (location[:mark], location[mark + 1 :])
    offset = len(location) - len(file)
    marks = [place for place, character in enumerate(file) if character == "#"]
    found = (end for end in [len(file), *reversed(marks)] if os.path.exists(file[:end]))  # noqa: PTH110
    end = next(found, marks[-1] if marks else len(file))
    return location[: offset + end], location[offset + end + 1 :] or None


def find_project(projects: Sequence[Project], name: str, location: str) -> Project:
    """The project of this name.

    Args:
        projects: All of a database.
        name: The wanted one's.
        location: Of the database, for the message.

    Raises:
        ValueError: There is none.
    """
    for project in projects:
        if project.name == name:
            return project
    names = ", ".join(project.name for project in projects) or "none"
    raise ValueError(
        f"expected a database with the project {name!r}, got {names}"
        f" (in {name_source(DataSource('annotations', location))})"
    )


def _read_annotations(source: DataSource) -> SourceContent:
    path, wanted = split_project(source.path)
    with AnnotationStore.open(path, must_exist=True) as store:
        found = store.projects()
        if wanted is None and len(found) != 1:
            names = ", ".join(project.name for project in found) or "none"
            raise ValueError(
                f"expected a database with one project, or DATABASE#PROJECT, got {names}"
                f" (in {name_source(source)})"
            )
        project = found[0] if wanted is None else find_project(found, wanted, source.path)
        examples = tuple(store.examples(project=project.name, status="accepted"))
        return SourceContent(source, Corpus(examples), project.labels, None)
