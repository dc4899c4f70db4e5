"""Named data sources to examples of one label set."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from annotation_store.store import AnnotationStore, StoreError
from ner_core.conll import read_conll
from ner_core.formats import Corpus, read_cluener
from ner_core.labels import CLUENER, MSRA, LabelSet
from ner_core.spans import Example
from trainer.config import DataSettings, DataSource

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
        corpus, own_labels = _read_source(source)
        labels = labels or own_labels
        _check_labels(source, corpus.examples, labels)
        train += corpus.examples
        lines.append(_describe("train", source, corpus))
    assert labels is not None
    if settings.dev is not None:
        corpus, _ = _read_source(settings.dev)
        _check_labels(settings.dev, corpus.examples, labels)
        dev = list(corpus.examples)
        lines.append(_describe("dev", settings.dev, corpus))
    else:
        # The end, not a sample: sentences of one document stay on one side.
        num_dev = max(1, round(len(train) * settings.dev_fraction))
        train, dev = train[:-num_dev], train[-num_dev:]
        lines.append(f"dev: the last {num_dev} training examples")
    for name, examples in (("training", train), ("dev", dev)):
        if not any(example.text for example in examples):
            raise ValueError(f"expected {name} examples, got none ({'; '.join(lines)})")
    return TrainingData(labels, tuple(train), tuple(dev), tuple(lines))


def _read_source(source: DataSource) -> tuple[Corpus, LabelSet]:
    if source.name == "cluener":
        corpus = read_cluener(source.path)
        if corpus.num_unlabelled:
            raise ValueError(
                f'expected lines with "label", got {corpus.num_unlabelled} without'
                f" (in {source.path}); the model would learn that they hold no entity"
            )
        return corpus, CLUENER
    if source.name == "annotations":
        return _read_annotations(source)
    corpus = read_conll(source.path)
    return corpus, _KNOWN_LABELS.get(source.name) or _collect_labels(source, corpus.examples)


def _read_annotations(source: DataSource) -> tuple[Corpus, LabelSet]:
    if "://" not in source.path and not Path(source.path).is_file():
        raise StoreError(f"expected an annotation database, got {source.path} (no such file)")
    with AnnotationStore.open(source.path) as store:
        (project, *others) = store.projects()
        if others:
            names = ", ".join(each.name for each in (project, *others))
            raise ValueError(f"expected a database with one project, got {names} in {source.path}")
        examples = tuple(store.examples(project=project.name, status="accepted"))
        return Corpus(examples), project.labels


def _collect_labels(source: DataSource, examples: Sequence[Example]) -> LabelSet:
    found = {span.label for example in examples for span in example.spans}
    if not found:
        raise ValueError(f"expected entities in {source.path}, found none; --labels names the set")
    return LabelSet(tuple(sorted(found)))


def _check_labels(source: DataSource, examples: Sequence[Example], labels: LabelSet) -> None:
    found = {span.label for example in examples for span in example.spans}
    if not found <= set(labels.labels):
        raise ValueError(
            f"expected labels of {', '.join(labels.labels)}, got {', '.join(sorted(found))}"
            f" (in {source.path})"
        )


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
