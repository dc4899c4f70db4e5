"""Text to pretrain on, read line by line, however much of it there is.

A corpus file holds a sentence or a paragraph in each line, plain (`.txt`) or packed (`.txt.xz`).
An annotation database gives the texts that nobody has labelled yet, of all its projects or of one
(`annotations=DATABASE#PROJECT`), and a file of silver labels its
sentences with their tags.
"""

import hashlib
import io
import lzma
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, TextIO, cast

from annotation_store.store import AnnotationStore
from ner_core.conll import parse_sentence, split_sentences
from ner_core.formats import DataFormatError, find_encoding, split_lines
from ner_core.labels import OUTSIDE
from trainer.config import DataSource
from trainer.pretrain_config import ANNOTATIONS_PREFIX, CorpusSettings
from trainer.sources import find_project, name_source, split_project

# A longer line is read in pieces, so that a file without line ends does not fill the memory.
_MAX_LINE_CHARACTERS = 1_000_000

Kind = Literal["text", "annotations", "silver"]


@dataclass(frozen=True, slots=True)
class CorpusLine:
    """A line of text, without blanks around it.

    Attributes:
        text: At least one character.
        tags: BIO tags of its characters; None for plain text.
    """

    text: str
    tags: tuple[str, ...] | None = None

    def cut(self, start: int, end: int) -> "CorpusLine | None":
        """A part of it, without blanks around it; None where nothing else is there."""
        part = self.text[start:end]
        text = part.strip()
        if not text:
            return None
        first = start + len(part) - len(part.lstrip())
        return CorpusLine(text, self.tags and self.tags[first : first + len(text)])


@dataclass(frozen=True, slots=True)
class CorpusSource:
    """Where text comes from.

    Attributes:
        kind: "text", "annotations" or "silver".
        location: A file, or a database file or URL.
    """

    kind: Kind
    location: str

    @property
    def name(self) -> str:
        """Without folders; of a URL neither user nor password."""
        if self.kind == "annotations":
            return name_source(DataSource("annotations", self.location))
        return Path(self.location).name

    @property
    def file_stamp(self) -> tuple[int, int] | None:
        """Size in bytes and time of change of the file; None for a database or a lost file."""
        path = Path(self.location)
        if self.kind == "annotations" or not path.is_file():
            return None
        stat = path.stat()
        return stat.st_size, stat.st_mtime_ns

    def read_lines(self) -> Iterator[CorpusLine]:
        """All lines that are not blank, in their order.

        Raises:
            ValueError: The source is damaged, or not what its name says.
            OSError: It cannot be read.
        """
        readers = {"text": _read_text, "annotations": _read_unlabelled, "silver": _read_silver}
        return readers[self.kind](self.location)


@dataclass(frozen=True, slots=True)
class SourceCount:
    """What a source holds.

    Attributes:
        name: Of the source.
        kind: As in `CorpusSource`.
        num_lines: That are not blank.
        num_characters: Of these lines.
        sha256: Of the file as it is, or of the texts of a database; in hexadecimal.
        file_stamp: As in `CorpusSource`.
    """

    name: str
    kind: Kind
    num_lines: int
    num_characters: int
    sha256: str
    file_stamp: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class CorpusCount:
    """What all sources hold.

    Attributes:
        sources: One by one.
        characters: How often each character occurs.
        silver_labels: The labels of all silver sources, sorted.
    """

    sources: tuple[SourceCount, ...]
    characters: Mapping[str, int]
    silver_labels: tuple[str, ...]


def find_sources(settings: CorpusSettings) -> tuple[CorpusSource, ...]:
    """The sources of the command line, texts before silver labels."""
    texts = [
        CorpusSource("annotations", text.removeprefix(ANNOTATIONS_PREFIX))
        if text.startswith(ANNOTATIONS_PREFIX)
        else CorpusSource("text", text)
        for text in settings.texts
    ]
    silver = [CorpusSource("silver", str(path)) for path in settings.silver_labels]
    return (*texts, *silver)


def count_corpus(sources: Sequence[CorpusSource]) -> CorpusCount:
    """Read everything once, so that all that is wrong with it comes out before anything is written.

    Raises:
        ValueError: A source is damaged, empty, or not what its name says.
        OSError: It cannot be read.
    """
    characters: Counter[str] = Counter()
    tags: set[str] = set()
    counts = []
    for source in sources:
        stamp = source.file_stamp
        digest = hashlib.sha256()
        num_lines = num_characters = 0
        for line in source.read_lines():
            characters.update(line.text)
            tags.update(line.tags or ())
            num_lines += 1
            num_characters += len(line.text)
            if stamp is None:
                digest.update(line.text.encode() + b"\n")
        if not num_lines:
            what = "documents of status new" if source.kind == "annotations" else "lines of text"
            raise ValueError(f"expected {what}, got none (in {source.name})")
        sha256 = digest.hexdigest() if stamp is None else digest_file(Path(source.location))
        counts.append(
            SourceCount(source.name, source.kind, num_lines, num_characters, sha256, stamp)
        )
    labels = {tag.partition("-")[2] for tag in tags - {OUTSIDE}}
    if not labels and any(source.kind == "silver" for source in sources):
        raise ValueError("expected silver labels, found no tag but O in any of their files")
    return CorpusCount(tuple(counts), characters, tuple(sorted(labels)))


def digest_file(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _open_text(location: str) -> Iterator[TextIO]:
    """A file as text, in whichever encoding; its lines end at line feeds only."""
    path = Path(location)
    try:
        with _open_binary(path) as file:
            encoding = find_encoding(file, location)
        with (
            _open_binary(path) as file,
            io.TextIOWrapper(file, encoding=encoding, newline="\n") as text,
        ):
            yield text
    except (EOFError, lzma.LZMAError) as error:
        raise DataFormatError(location, None, f"expected a whole xz file, got: {error}") from error
    except UnicodeDecodeError as error:
        reason = f"expected UTF-8, UTF-16 or GB18030, got: {error.reason}"
        raise DataFormatError(location, None, reason) from error


def _open_binary(path: Path) -> BinaryIO:
    if path.suffix == ".xz":
        return cast(BinaryIO, lzma.open(path, "rb"))
    return path.open("rb")


def _read_text(location: str) -> Iterator[CorpusLine]:
    with _open_text(location) as text:
        while line := text.readline(_MAX_LINE_CHARACTERS):
            if stripped := line.strip():
                yield CorpusLine(stripped)


def _read_unlabelled(location: str) -> Iterator[CorpusLine]:
    path, wanted = split_project(location)
    with AnnotationStore.open(path, must_exist=True) as store:
        projects = store.projects()
        if wanted is not None:
            projects = (find_project(projects, wanted, location),)
        for project in projects:
            for example in store.examples(project=project.name, status="new"):
                lines = (line.strip() for line in split_lines(example.text))
                yield from (CorpusLine(line) for line in lines if line)


def _read_silver(location: str) -> Iterator[CorpusLine]:
    with _open_text(location) as text:
        for first_line, lines in split_sentences(text):
            sentence = parse_sentence(lines, source=location, first_line=first_line)
            tags = [OUTSIDE] * len(sentence.text)
            for span in sentence.spans:
                tags[span.start] = f"B-{span.label}"
                inside = range(span.start + 1, span.end)
                tags[inside.start : inside.stop] = [f"I-{span.label}"] * len(inside)
            # Not stripped, as its tags would have to be.
            if not sentence.text.isspace():
                yield CorpusLine(sentence.text, tuple(tags))
