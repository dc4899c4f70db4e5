"""Label sets and the BIO tags made from them.

`O` has tag id 0; the labels follow in their order, each with a B- tag (odd id) and an I- tag (even
id).
"""

import reprlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from ner_core.spans import Span, find_overlaps

OUTSIDE = "O"


@dataclass(frozen=True)
class LabelSet:
    """An ordered set of entity labels and its BIO tags.

    Attributes:
        labels: Entity types in the order that fixes tag ids, palette and keys.

    Raises:
        ValueError: No label at all, a label twice, or a label that cannot be written as a BIO tag.
    """

    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(self.labels))
        if not self.labels:
            raise ValueError("expected at least one label, got none")
        for label in self.labels:
            # U+0020 is the only blank that counts as printable.
            if not label or " " in label or not label.isprintable():
                raise ValueError(
                    f"expected labels without blanks, got {reprlib.repr(label)}"
                    " (control characters and invisible ones count as blanks)"
                )
        if len(set(self.labels)) < len(self.labels):
            twice = sorted({label for label in self.labels if self.labels.count(label) > 1})
            raise ValueError(f"expected every label once, got {', '.join(twice)} more than once")

    @classmethod
    def from_tags(cls, tags: Sequence[str]) -> "LabelSet":
        """The label set of a tag list, for example a Hub model's, in order of first mention."""
        labels = dict.fromkeys(tag[2:] for tag in tags if tag[:2] in ("B-", "I-"))
        return cls(tuple(labels))

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """All tags; a tag's index is its id."""
        prefixed = (f"{prefix}-{label}" for label in self.labels for prefix in "BI")
        return (OUTSIDE, *prefixed)

    @cached_property
    def tag_ids(self) -> dict[str, int]:
        """Tag to id, the inverse of `tags`."""
        return {tag: tag_id for tag_id, tag in enumerate(self.tags)}

    @property
    def num_tags(self) -> int:
        """One for O and two for each label."""
        return len(self.tags)

    def is_allowed_start(self, tag_id: int) -> bool:
        """Whether a text may begin with the tag: an I- tag needs something to continue."""
        return tag_id == 0 or tag_id % 2 == 1

    def is_allowed_transition(self, from_tag_id: int, to_tag_id: int) -> bool:
        """Whether one tag may follow the other: I-x follows B-x or I-x only."""
        if self.is_allowed_start(to_tag_id):
            return True
        return from_tag_id in (to_tag_id - 1, to_tag_id)

    def check_spans(self, spans: Iterable[Span]) -> None:
        """Refuse spans whose label is not in the set.

        Raises:
            ValueError: Names the label, the span and the labels expected.
        """
        known = set(self.labels)
        for span in spans:
            if span.label not in known:
                raise ValueError(
                    f"expected one of the labels {', '.join(self.labels)},"
                    f" got {reprlib.repr(span.label)} (span {span.start}:{span.end})"
                )

    def spans_to_tags(self, spans: Iterable[Span], num_characters: int) -> list[int]:
        """Tag ids of a text, one for each character.

        Raises:
            ValueError: A label is unknown, a span ends behind the text, or two spans overlap: BIO
                tags cannot express that (see `ner_core.spans.drop_overlaps`).
        """
        spans = sorted(spans)
        self.check_spans(spans)
        overlaps = find_overlaps(spans)
        if overlaps:
            first, second = overlaps[0]
            raise ValueError(f"expected spans that do not overlap, got {first} and {second}")
        tag_ids = [0] * num_characters
        for span in spans:
            if span.end > num_characters:
                raise ValueError(f"expected spans inside {num_characters} characters, got {span}")
            begin = self.tag_ids[f"B-{span.label}"]
            tag_ids[span.start] = begin
            tag_ids[span.start + 1 : span.end] = [begin + 1] * (span.end - span.start - 1)
        return tag_ids

    def tags_to_spans(self, tag_ids: Sequence[int]) -> tuple[Span, ...]:
        """Spans of a tag sequence; an I- tag that continues nothing begins a span of its own."""
        spans: list[Span] = []
        start = 0
        open_tag = 0  # id of the I- tag that would continue the open span; 0 when none is open
        for position, tag_id in enumerate((*tag_ids, 0)):
            if open_tag and tag_id == open_tag:
                continue
            if open_tag:
                spans.append(Span(start, position, self._label_of(open_tag)))
            start = position
            # The tag that continues the span just begun: I-x, after B-x as after a stray I-x.
            open_tag = tag_id + tag_id % 2
        return tuple(spans)

    def _label_of(self, tag_id: int) -> str:
        return self.labels[(tag_id - 1) // 2]


CLUENER = LabelSet(
    (
        "address",
        "book",
        "company",
        "game",
        "government",
        "movie",
        "name",
        "organization",
        "position",
        "scene",
    )
)
MSRA = LabelSet(("PER", "LOC", "ORG"))
