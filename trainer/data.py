"""Named data sources to examples of one label set, counted and checked before training."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ner_core.label_map import LabelMap
from ner_core.labels import OUTSIDE, LabelSet
from ner_core.spans import Example
from trainer.config import DataSettings, DataSource
from trainer.data_report import (
    SharedText,
    SourceCounts,
    SourceReport,
    find_shared_texts,
    format_data_report,
)
from trainer.held_out import is_held_out, rank_held_out
from trainer.sources import SourceContent, name_source, read_source

# Below this many, one entity more or less moves F1 by a point and more.
_FEW_DEV_EXAMPLES = 50
_NUM_SHARED_SHOWN = 3
# Source name -> its labels -> what each may stand for; as in `DataSettings`.
_Maps = Mapping[str, Mapping[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class TrainingSource:
    """A source as the run learns from it.

    Attributes:
        source: Where it was read from.
        examples: What is trained on, in document order; what dev took of it is gone.
        label_map: To the run's labels; None when the examples have these already.
        weight: How often an epoch reads it.
        counts: Of the examples.
        sha256: Of the file, in hexadecimal; None for a database.
    """

    source: DataSource
    examples: tuple[Example, ...]
    label_map: LabelMap | None
    weight: float
    counts: SourceCounts
    sha256: str | None


@dataclass(frozen=True)
class TrainingData:
    """What a run learns from and is selected on.

    Attributes:
        labels: The run's label set.
        sources: What is trained on.
        dev: Examples that decide which epoch is best; they have the run's labels.
        dev_counts: Of the dev examples.
        shared_texts: Sentences of dev that are also trained on.
        report: What all of it holds: lines for the log and the model card.
    """

    labels: LabelSet
    sources: tuple[TrainingSource, ...]
    dev: tuple[Example, ...]
    dev_counts: SourceCounts
    shared_texts: tuple[SharedText, ...]
    report: tuple[str, ...]

    @cached_property
    def train(self) -> tuple[Example, ...]:
        """Training examples of all sources; those of a mapped one have its own labels."""
        return tuple(example for source in self.sources for example in source.examples)

    @cached_property
    def full_gold(self) -> tuple[Example, ...]:
        """Training examples of the sources without a map: their labels are the run's."""
        unmapped = (source for source in self.sources if source.label_map is None)
        return tuple(example for source in unmapped for example in source.examples)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all that decides what is learned, to know changed data by; in hexadecimal."""
        digest = hashlib.sha256()

        def add(*values: object) -> None:
            digest.update(json.dumps(values).encode() + b"\n")

        def add_examples(examples: Sequence[Example]) -> None:
            add(len(examples))
            for example in examples:
                add(example.text, [(span.start, span.end, span.label) for span in example.spans])

        add(self.labels.labels)
        for source in self.sources:
            source_labels = source.label_map and source.label_map.source.labels
            add(source_labels, source.label_map and str(source.label_map), source.weight)
            add_examples(source.examples)
        add_examples(self.dev)
        return digest.hexdigest()


def load_training_data(settings: DataSettings) -> TrainingData:
    """Read all sources, settle on one label set, set dev apart and count.

    The run's labels are those given, or those of the first source without a map.

    Raises:
        ValueError: A file is damaged, a label set does not fit and is not mapped, a map or a weight
            belongs to no source, there are no examples, or dev shares texts with the training data.
        OSError: A file cannot be read.
    """
    _check_names(settings)
    contents = [read_source(source, settings.labels) for source in settings.train]
    labels = settings.labels or _choose_labels(contents, settings.maps)
    maps = [_settle_map(content, labels, settings.maps) for content in contents]
    train = [content.corpus.examples for content in contents]
    if settings.dev is not None:
        dev_content = _read_dev(settings.dev, settings, labels)
        dev = dev_content.corpus.examples
        dev_report = _report("dev", dev_content, dev)
    else:
        train, dev = _carve_dev(contents, maps, settings.dev_fraction)
        name = "a part of the sources without a map, not trained on"
        dev_report = SourceReport("dev", name, SourceCounts.of(dev))
    train_reports = [
        _report("train", content, examples, label_map, settings.weights)
        for content, examples, label_map in zip(contents, train, maps, strict=True)
    ]
    sources = tuple(
        TrainingSource(
            content.source,
            examples,
            label_map,
            settings.weights.get(content.source.name, 1.0),
            report.counts,
            content.sha256,
        )
        for content, examples, label_map, report in zip(
            contents, train, maps, train_reports, strict=True
        )
    )
    reports = [*train_reports, dev_report]
    _check_not_empty(sources, dev, reports)
    shared = find_shared_texts([(name_source(s.source), s.examples) for s in sources], dev)
    shared_line = _describe_shared(shared, len(dev))
    if shared and not settings.allow_shared_texts:
        raise ValueError(
            f"expected dev texts that are not trained on, got {shared_line};"
            f" scores on these say nothing, --allow-shared-texts takes them all the same"
        )
    lines = [*format_data_report(reports, labels.labels), f"trained on and in dev: {shared_line}"]
    lines += caution_of(dev)
    return TrainingData(labels, sources, dev, dev_report.counts, tuple(shared), tuple(lines))


def caution_of(dev: Sequence[Example]) -> tuple[str, ...]:
    """What to know of any score on dev: a line, or none where it has examples enough."""
    if len(dev) >= _FEW_DEV_EXAMPLES:
        return ()
    return (f"caution: scores on {len(dev)} dev examples say little",)


def _check_names(settings: DataSettings) -> None:
    names = dict.fromkeys(source.name for source in settings.train)
    for flag, given in (("--map", settings.maps), ("--weight", settings.weights)):
        for name in given:
            if name not in names:
                raise ValueError(
                    f"expected {flag} for a source of --train ({', '.join(names)}), got {name!r}"
                )


def _choose_labels(contents: Sequence[SourceContent], maps: _Maps) -> LabelSet:
    for content in contents:
        if content.source.name in maps:
            continue
        if content.labels is None and not content.found_labels:
            raise ValueError(
                f"expected entities in {content.source.path}, found none; --labels names the set"
            )
        return content.labels or LabelSet(content.found_labels)
    raise ValueError(
        "expected a source without --map, whose labels become the run's, got a map for each;"
        " --labels names them too"
    )


def _settle_map(content: SourceContent, labels: LabelSet, maps: _Maps) -> LabelMap | None:
    """How the labels of a source become the run's; None when they are."""
    source = content.source
    if source.name not in maps:
        own = _own_labels(content, labels)
        if set(own.labels) == set(labels.labels):
            return None
        wanted = ",".join(f"{label}=..." for label in own.labels)
        raise ValueError(
            f"expected the run's labels {', '.join(labels.labels)}, got {', '.join(own.labels)}"
            f" ({name_source(source)}); --map {source.name}:{wanted} says for which of the run's"
            f" labels each of them may stand: A, A|B, or {OUTSIDE} for none"
        )
    images = maps[source.name]
    try:
        # Such a file tells no label set; its map does, which may name labels that the file lacks.
        own = content.labels or LabelSet(tuple(dict.fromkeys((*images, *content.found_labels))))
        return LabelMap(own, labels, images)
    except ValueError as error:
        raise ValueError(f"--map {source.name}: {error} ({name_source(source)})") from error


def _own_labels(content: SourceContent, labels: LabelSet) -> LabelSet:
    """The label set of a source; where it does not tell, the run's if that is large enough."""
    if content.labels is not None:
        return content.labels
    found = content.found_labels
    return labels if set(found) <= set(labels.labels) else LabelSet(found)


def _read_dev(source: DataSource, settings: DataSettings, labels: LabelSet) -> SourceContent:
    if source.name in settings.maps:
        raise ValueError(
            f"expected a dev source without --map, got one for {source.name}: where a map leaves a"
            f" choice there is nothing to score against"
        )
    content = read_source(source, settings.labels)
    own = _own_labels(content, labels)
    if set(own.labels) != set(labels.labels):
        raise ValueError(
            f"expected a dev source with the run's labels {', '.join(labels.labels)}, got"
            f" {', '.join(own.labels)} ({name_source(source)})"
        )
    return content


def _carve_dev(
    contents: Sequence[SourceContent], maps: Sequence[LabelMap | None], fraction: float
) -> tuple[list[tuple[Example, ...]], tuple[Example, ...]]:
    """Cut dev off each source without a map; at least one example of the longest.

    Of a file it is the end, not a sample: sentences of one document stay on one side.
    """
    train = [content.corpus.examples for content in contents]
    unmapped = [index for index, label_map in enumerate(maps) if label_map is None]
    if not unmapped:
        raise ValueError(
            "expected --dev, or a source without --map to cut it off, got a map for each source"
        )
    parts = {index: _split(contents[index], fraction) for index in unmapped}
    if not any(dev for _, dev in parts.values()):
        longest = max(unmapped, key=lambda index: len(train[index]))
        parts[longest] = _split_one_off(contents[longest])
    kept = [parts[index][0] if index in parts else it for index, it in enumerate(train)]
    return kept, tuple(example for _, dev in parts.values() for example in dev)


_Split = tuple[tuple[Example, ...], tuple[Example, ...]]


def _split(content: SourceContent, fraction: float) -> _Split:
    """What is kept of a source, and what is cut off."""
    examples = content.corpus.examples
    if content.source.name == "annotations":
        dev = [example for example in examples if is_held_out(example.text, fraction)]
        if len(dev) == len(examples) > 1:  # a few texts, all of the share by chance
            dev.remove(max(dev, key=lambda example: rank_held_out(example.text)))
        held_out = {example.text for example in dev}
        return tuple(example for example in examples if example.text not in held_out), tuple(dev)
    cut = len(examples) - round(len(examples) * fraction)
    return examples[:cut], examples[cut:]


def _split_one_off(content: SourceContent) -> _Split:
    """The same with one example cut off, if there is any: the first one that a share would take."""
    examples = content.corpus.examples
    if content.source.name != "annotations":
        return examples[:-1], examples[-1:]
    first = sorted(examples, key=lambda example: rank_held_out(example.text))[:1]
    return tuple(example for example in examples if example not in first), tuple(first)


def _report(
    role: str,
    content: SourceContent,
    examples: Sequence[Example],
    label_map: LabelMap | None = None,
    weights: Mapping[str, float] | None = None,
) -> SourceReport:
    counts = SourceCounts.of(examples, num_repaired_tags=content.corpus.num_repaired_tags)
    weight = (weights or {}).get(content.source.name)
    remarks = []
    if weight is not None:
        remarks.append(f"read {weight:g} times an epoch")
    if content.sha256 is not None:
        remarks.append(f"SHA-256 {content.sha256[:16]}")
    if label_map is not None:
        remarks.append(f"map {label_map}")
    return SourceReport(role, name_source(content.source), counts, tuple(remarks))


def _check_not_empty(
    sources: Sequence[TrainingSource], dev: Sequence[Example], reports: Sequence[SourceReport]
) -> None:
    train = [example for source in sources for example in source.examples]
    for role, examples in (("training", train), ("dev", dev)):
        if not any(example.text for example in examples):
            found = "; ".join(report.headline() for report in reports)
            raise ValueError(
                f"expected {role} examples, got none ({found}); of a database only accepted"
                f" documents count"
            )


def _describe_shared(shared: Sequence[SharedText], num_dev: int) -> str:
    counted = f"{len(shared):,} of {num_dev:,} texts"
    if not shared:
        return counted
    more = ", ..." if len(shared) > _NUM_SHARED_SHOWN else ""
    return f"{counted} ({', '.join(map(str, shared[:_NUM_SHARED_SHOWN]))}{more})"
