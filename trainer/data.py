"""Named data sources to examples of one label set."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from annotation_store.store import AnnotationStore
from ner_core.conll import read_conll
from ner_core.formats import Corpus, read_cluener
from ner_core.labels import CLUENER, MSRA, LabelSet
from ner_core.spans import Example
from trainer.config import DataSettings, DataSource

# Below this many, one entity more or less moves F1 by a point and more.
_FEW_DEV_EXAMPLES = 50
_KNOWN_LABELS = {"cluener": CLUENER, "msra": MSRA}


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What a run learns from and is selected on.

    Attributes:
        labels: The run's label set.
        train: Training examples, in the order of the sources.
        dev: Examples that decide which epoch is best.
        sources: A line for each source, for the log and the model card.
    """

    labels: LabelSet
    train: tuple[Example, ...]
    dev: tuple[Example, ...]
    sources: tuple[str, ...]


def load_training_data(settings: DataSettings) -> TrainingData:
    """Read all sources and settle on one label set.

    Raises:
        ValueError: A file is damaged, a label is outside the set, or there are no examples.
        OSError: A file cannot be read.
    """
    labels = settings.labels
    train: list[Example] = []
    lines: list[str] = []
    for source in settings.train:
        corpus, labels = _read_source(source, labels)
        train += corpus.examples
        lines.append(_describe("train", source, corpus))
    assert labels is not None
    if settings.dev is not None:
        corpus, _ = _read_source(settings.dev, labels)
        dev = list(corpus.examples)
        lines.append(_describe("dev", settings.dev, corpus))
    else:
        # The end, not a sample: sentences of one document stay on one side.
        num_dev = max(1, round(len(train) * settings.dev_fraction))
        train, dev = train[:-num_dev], train[-num_dev:]
        lines.append(f"dev: the last {num_dev} of the training examples, not trained on")
    for name, examples in (("training", train), ("dev", dev)):
        if not any(example.text for example in examples):
            raise ValueError(
                f"expected {name} examples, got none ({'; '.join(lines)}); of a database only"
                f" accepted documents count"
            )
    if len(dev) < _FEW_DEV_EXAMPLES:
        lines.append(f"caution: scores on {len(dev)} dev examples say little")
    return TrainingData(labels, tuple(train), tuple(dev), tuple(lines))


def _read_source(source: DataSource, labels: LabelSet | None) -> tuple[Corpus, LabelSet]:
    """A source's examples and the run's label set, which is the source's own if there is none yet.

    Raises:
        ValueError: The file is damaged or holds a label outside the set; names file and line.
    """
    if source.name == "annotations":
        return _read_annotations(source, labels)
    labels = labels or _KNOWN_LABELS.get(source.name)
    if source.name == "cluener":
        assert labels is not None
        corpus = read_cluener(source.path, labels=labels)
        if corpus.num_unlabelled:
            raise ValueError(
                f'expected lines with "label", got {corpus.num_unlabelled} without'
                f" (in {source.path}); the model would learn that they hold no entity"
            )
        return corpus, labels
    corpus = read_conll(source.path, labels=labels)
    return corpus, labels or _collect_labels(source, corpus.examples)


def _read_annotations(source: DataSource, labels: LabelSet | None) -> tuple[Corpus, LabelSet]:
    with AnnotationStore.open(source.path, must_exist=True) as store:
        projects = store.projects()
        if len(projects) != 1:
            names = ", ".join(project.name for project in projects) or "none"
            raise ValueError(f"expected a database with one project, got {names} in {source.path}")
        (project,) = projects
        if labels is not None and not set(project.labels.labels) <= set(labels.labels):
            raise ValueError(
                f"expected a project whose labels are among {', '.join(labels.labels)},"
                f" got {', '.join(project.labels.labels)} (in {source.path})"
            )
        examples = tuple(store.examples(project=project.name, status="accepted"))
        return Corpus(examples), labels or project.labels


def _collect_labels(source: DataSource, examples: Sequence[Example]) -> LabelSet:
    found = {span.label for example in examples for span in example.spans}
    if not found:
        raise ValueError(f"expected entities in {source.path}, found none; --labels names the set")
    return LabelSet(tuple(sorted(found)))


def _describe(role: str, source: DataSource, corpus: Corpus) -> str:
    counts = Counter(span.label for example in corpus.examples for span in example.spans)
    mentions = ", ".join(f"{label} {count}" for label, count in sorted(counts.items()))
    repaired = f", {corpus.num_repaired_tags} tags repaired" if corpus.num_repaired_tags else ""
    path = Path(source.path)
    # A database is a moving target; of a file the card says exactly which one it was.
    checksum = ""
    if source.name != "annotations":
        checksum = f", SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
    return (
        f"{role}: {source.name}={path.name}, {len(corpus.examples)} examples"
        f" ({mentions or 'no entities'}{repaired}{checksum})"
    )
