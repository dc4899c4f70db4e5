"""What the training data holds, as numbers and as lines for the log and the model card."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ner_core.spans import Example, drop_overlaps


@dataclass(frozen=True, slots=True)
class SourceCounts:
    """Counts of the examples of one source, or of dev.

    Attributes:
        num_sentences: Examples, empty ones included.
        mentions: Spans of each label that occurs.
        num_repaired_tags: I- tags of the whole file that continued nothing and were read as B-.
        num_dropped_overlaps: Spans that BIO tags cannot hold beside a longer one. They are counted
            in `mentions` too.
        max_characters: Length of the longest text, in code points.
        num_empty_texts: Examples without a character; nothing is learned from them.
    """

    num_sentences: int
    mentions: Mapping[str, int]
    num_repaired_tags: int
    num_dropped_overlaps: int
    max_characters: int
    num_empty_texts: int

    @classmethod
    def of(cls, examples: Sequence[Example], *, num_repaired_tags: int = 0) -> "SourceCounts":
        """Count a source."""
        mentions = Counter(span.label for example in examples for span in example.spans)
        return cls(
            num_sentences=len(examples),
            mentions=dict(sorted(mentions.items())),
            num_repaired_tags=num_repaired_tags,
            num_dropped_overlaps=sum(len(drop_overlaps(e.spans)[1]) for e in examples),
            max_characters=max((len(example.text) for example in examples), default=0),
            num_empty_texts=sum(not example.text for example in examples),
        )


@dataclass(frozen=True, slots=True)
class SourceReport:
    """A source as the report shows it.

    Attributes:
        role: "train" or "dev".
        name: Short name, for example "msra=train.txt".
        counts: What it holds.
        remarks: What else there is to say of it: checksum, weight, map.
    """

    role: str
    name: str
    counts: SourceCounts
    remarks: tuple[str, ...] = ()

    def headline(self) -> str:
        """`train: msra=train.txt, 40,500 sentences, ...`."""
        sentences = f"{self.counts.num_sentences:,} sentences"
        return f"{self.role}: {', '.join((self.name, sentences, *self.remarks))}"


def format_data_report(sources: Sequence[SourceReport], labels: Sequence[str]) -> list[str]:
    """A line for each source and a table of their counts, which calls them by number.

    Args:
        sources: One column each.
        labels: The run's labels, whose rows come first; labels of coarser sources follow.
    """
    counts = [source.counts for source in sources]
    all_labels = dict.fromkeys((*labels, *(label for each in counts for label in each.mentions)))

    def make_row(title: str, count: Callable[[SourceCounts], int | None]) -> list[str]:
        numbers = map(count, counts)
        return [title, *("-" if number is None else f"{number:,}" for number in numbers)]

    def make_label_row(label: str) -> list[str]:
        return make_row(f"  {label}", lambda each: each.mentions.get(label))

    table = [
        ["", *(f"{number} {source.role}" for number, source in enumerate(sources, start=1))],
        make_row("sentences", lambda each: each.num_sentences),
        make_row("mentions", lambda each: sum(each.mentions.values())),
        *map(make_label_row, all_labels),
        make_row("repaired tags", lambda each: each.num_repaired_tags),
        make_row("dropped overlaps", lambda each: each.num_dropped_overlaps),
        make_row("longest text", lambda each: each.max_characters),
        make_row("empty texts", lambda each: each.num_empty_texts),
    ]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [f"{number} {source.headline()}" for number, source in enumerate(sources, start=1)]
    for title, *cells in table:
        aligned = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        lines.append("   ".join((title.ljust(widths[0]), *aligned)))
    return lines


@dataclass(frozen=True, slots=True)
class SharedText:
    """A text of dev that is also trained on, by place: texts may be confidential.

    Attributes:
        dev_number: Its place in dev, counted from 1.
        source: Short name of the training source.
        train_number: Its first place in that source, counted from 1.
    """

    dev_number: int
    source: str
    train_number: int

    def __str__(self) -> str:
        return f"sentence {self.dev_number} of dev is sentence {self.train_number} of {self.source}"


def find_shared_texts(
    train: Sequence[tuple[str, Sequence[Example]]], dev: Sequence[Example]
) -> list[SharedText]:
    """The sentences of dev whose text stands in the training data, character by character.

    Args:
        train: Short name and examples of each source.
        dev: The dev examples.
    """
    places: dict[str, tuple[str, int]] = {}
    for name, examples in train:
        for number, example in enumerate(examples, start=1):
            places.setdefault(example.text, (name, number))
    return [
        SharedText(number, *places[example.text])
        for number, example in enumerate(dev, start=1)
        if example.text and example.text in places
    ]
