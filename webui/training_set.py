"""What a model can learn from a project, and on what it is judged.

Judged on a file that somebody gave, or else on a tenth of the accepted texts, which stay the same
from training to training (see `trainer.held_out`): no model learns from them as long as there is no
file, and an old and a new one can be compared on them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from annotation_store.documents import Document, digest_text
from annotation_store.projects import Project
from annotation_store.store import AnnotationStore
from ner_core.conll import parse_conll
from ner_core.formats import decode_text, parse_cluener, read_cluener, write_cluener
from ner_core.spans import Example
from trainer.held_out import is_held_out

FileKind = Literal["dev", "original"]

_PAGE_SIZE: Final = 1000


@dataclass(frozen=True, slots=True)
class LabelCount:
    """Entities of one label.

    Attributes:
        label: The label.
        accepted: In all accepted texts.
        new: In those accepted since the model was trained.
        dev: In the texts that it is judged on.
    """

    label: str
    accepted: int
    new: int
    dev: int


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """The accepted annotations of a project, ready for training.

    Attributes:
        train: Accepted texts that may be learned from, in the project's order.
        dev: Texts to judge on; none of them is in `train` or `original`.
        original: Sentences of the file with original data, to be mixed in.
        is_dev_held_out: Whether dev is a tenth of the accepted texts, not a file.
        num_accepted: All accepted texts, those of dev too.
        num_new: Of these, accepted since the model was trained.
        labels: Entities by label, in the order of the project's label set.
        read_at: When reading began, in UTC: what is accepted later is not in it.
    """

    train: tuple[Example, ...]
    dev: tuple[Example, ...]
    original: tuple[Example, ...]
    is_dev_held_out: bool
    num_accepted: int
    num_new: int
    labels: tuple[LabelCount, ...]
    read_at: datetime


@dataclass(frozen=True, slots=True)
class ReferenceFiles:
    """Labelled files that somebody gave for a project's trainings; kept until they are removed.

    Attributes:
        folder: Where they are kept.
        project: Whose they are.
    """

    folder: Path
    project: Project

    def read(self, kind: FileKind) -> tuple[Example, ...] | None:
        """Its sentences; None when there is no such file.

        Raises:
            DataFormatError: A label in it is no longer the project's.
        """
        path = self._path(kind)
        if not path.exists():
            return None
        return read_cluener(path, labels=self.project.labels).examples

    def save(self, kind: FileKind, data: bytes, name: str) -> int:
        """Keep a file, in place of the one before; returns its number of sentences.

        Args:
            kind: What it is for.
            data: CLUENER JSON lines, or a character and its tag in each line (.bio, .conll, .txt).
            name: Its name, whose end says which.

        Raises:
            DataFormatError: It cannot be read, or has labels that are not the project's.
            ValueError: It holds no sentence, or sentences without labels.
        """
        text = decode_text(data, name)
        is_conll = Path(name).suffix.lower() in (".bio", ".conll", ".txt")
        parse = parse_conll if is_conll else parse_cluener
        corpus = parse(text, source=name, labels=self.project.labels)
        if not corpus.examples:
            raise ValueError(f"expected labelled sentences, got none (in {name})")
        if corpus.num_unlabelled:
            raise ValueError(
                f'expected "label" in every line, got {corpus.num_unlabelled} lines without it'
                f" (in {name})"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        write_cluener(self._path(kind), corpus.examples)
        return len(corpus.examples)

    def remove(self, kind: FileKind) -> None:
        """Forget a file."""
        self._path(kind).unlink(missing_ok=True)

    def _path(self, kind: FileKind) -> Path:
        # A project's name may hold anything, and its digest is a fine name for a file.
        return self.folder / f"{digest_text(self.project.name)[:16]}.{kind}.json"


def collect_training_set(
    store: AnnotationStore, project: Project, files: ReferenceFiles, *, since: datetime | None
) -> TrainingSet:
    """Read what has been accepted.

    Args:
        store: Where the annotations are.
        project: Whose they are.
        files: Dev and original data, if somebody gave them.
        since: When the data of the model in use was read; None counts every text as new.

    Raises:
        DataFormatError: A file does not fit the project any more.
    """
    read_at = datetime.now(UTC)
    documents = _read_accepted(store, project)
    accepted = [Example(it.external_id, it.text, it.spans) for it in documents]
    new = [
        example
        for document, example in zip(documents, accepted, strict=True)
        if since is None or (document.revision and document.revision.created_at > since)
    ]
    dev = files.read("dev")
    is_dev_held_out = dev is None
    if dev is None:
        dev = tuple(example for example in accepted if is_held_out(example.text))
    judged = {example.text for example in dev}
    train = tuple(example for example in accepted if example.text not in judged)
    known = judged | {example.text for example in train}
    original = tuple(it for it in files.read("original") or () if it.text not in known)
    counts = [_count_labels(examples) for examples in (accepted, new, dev)]
    labels = tuple(
        LabelCount(label, *(count[label] for count in counts)) for label in project.labels.labels
    )
    return TrainingSet(
        train, dev, original, is_dev_held_out, len(accepted), len(new), labels, read_at
    )


def _read_accepted(store: AnnotationStore, project: Project) -> list[Document]:
    documents: list[Document] = []
    while True:
        page = store.page(
            project=project.name, status="accepted", offset=len(documents), limit=_PAGE_SIZE
        )
        documents += page.documents
        if len(page.documents) < _PAGE_SIZE:
            return documents


def _count_labels(examples: Sequence[Example]) -> Counter[str]:
    return Counter(span.label for example in examples for span in example.spans)
