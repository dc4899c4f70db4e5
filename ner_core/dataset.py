"""Examples as training batches: windows that cut no entity, encoded and collated.

Shapes: B windows in a batch, L characters in the longest of them, K tags. The encoder reads L + 2
tokens, since [CLS] and [SEP] stand around the characters; tags and mask have L columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor

from ner_core.label_map import LabelMap
from ner_core.labels import LabelSet
from ner_core.preprocessing import CharacterVocabulary, Window, split_segments
from ner_core.spans import Example, Span, drop_overlaps


@dataclass(frozen=True, slots=True)
class Batch:
    """What the tagger reads.

    Attributes:
        input_ids: Token ids with [CLS] and [SEP]. Shape: (B, L + 2)
        attention_mask: True at tokens, False at padding. Shape: (B, L + 2)
        mask: True at characters; a contiguous prefix of each row. Shape: (B, L)
        tag_ids: Gold tags, 0 at padding; None without gold, and where `allowed_tags` takes their
            place. Shape: (B, L)
        allowed_tags: Gold that leaves a choice: which tags may stand where, none at padding; None
            when no window of the batch leaves one. Shape: (B, L, K)
    """

    input_ids: Tensor
    attention_mask: Tensor
    mask: Tensor
    tag_ids: Tensor | None = None
    allowed_tags: Tensor | None = None

    @property
    def num_characters(self) -> int:
        """Characters in the batch, padding not counted."""
        return int(self.mask.sum())

    def to(self, device: torch.device) -> "Batch":
        """The same batch on another device."""
        tag_ids, allowed_tags = self.tag_ids, self.allowed_tags
        return Batch(
            self.input_ids.to(device, non_blocking=True),
            self.attention_mask.to(device, non_blocking=True),
            self.mask.to(device, non_blocking=True),
            None if tag_ids is None else tag_ids.to(device, non_blocking=True),
            None if allowed_tags is None else allowed_tags.to(device, non_blocking=True),
        )


@dataclass(frozen=True, slots=True)
class EncodedWindow:
    """One window of one example, as ids.

    Attributes:
        token_ids: One for each character, without special tokens.
        tag_ids: One for each character, of the source's labels when there is a map; empty when
            there is no gold.
        label_map: What the tags allow, when they are not the model's own.
    """

    token_ids: tuple[int, ...]
    tag_ids: tuple[int, ...] = ()
    label_map: LabelMap | None = None


def collate(windows: Sequence[EncodedWindow], vocabulary: CharacterVocabulary) -> Batch:
    """Pad windows to the longest of them and put [CLS] and [SEP] around each."""
    lengths = [len(window.token_ids) for window in windows]
    width = max(lengths)
    # Shape: (B, L + 2)
    input_ids = torch.full((len(windows), width + 2), vocabulary.pad_token_id)
    # Shape: (B, L)
    tag_ids = torch.zeros((len(windows), width), dtype=torch.long)
    for row, (window, length) in enumerate(zip(windows, lengths, strict=True)):
        tokens = (vocabulary.cls_token_id, *window.token_ids, vocabulary.sep_token_id)
        input_ids[row, : length + 2] = torch.tensor(tokens)
        if window.tag_ids:
            tag_ids[row, :length] = torch.tensor(window.tag_ids)
    # Shape: (B, 1)
    num_characters = torch.tensor(lengths).unsqueeze(1)
    has_gold = all(window.tag_ids for window in windows)
    allowed_tags = _collate_allowed_tags(windows, width) if has_gold else None
    return Batch(
        input_ids=input_ids,
        attention_mask=torch.arange(width + 2) < num_characters + 2,
        mask=torch.arange(width) < num_characters,
        tag_ids=tag_ids if has_gold and allowed_tags is None else None,
        allowed_tags=allowed_tags,
    )


def _collate_allowed_tags(windows: Sequence[EncodedWindow], width: int) -> Tensor | None:
    """Shape: (B, width, K), or None when all windows have full gold."""
    num_tags = {window.label_map.target.num_tags for window in windows if window.label_map}
    if not num_tags:
        return None
    (num_columns,) = num_tags
    # Shape: (B, L, K)
    allowed_tags = np.zeros((len(windows), width, num_columns), dtype=np.bool_)
    full_gold = np.eye(num_columns, dtype=np.bool_)
    for row, window in zip(allowed_tags, windows, strict=True):
        table = full_gold if window.label_map is None else window.label_map.allowed_tags
        row[: len(window.tag_ids)] = table[list(window.tag_ids)]
    return torch.from_numpy(allowed_tags)


def split_training_windows(
    text: str, spans: Sequence[Span], max_characters: int
) -> list[tuple[Window, tuple[Span, ...]]]:
    """Cut an example into windows, with the spans of each counted from its start.

    Sentence ends come first, as in prediction, but for those inside an entity. A sentence that is
    too long is cut before the entity that stands in the way; only an entity longer than a whole
    window is cut itself, and its second half then counts as an entity of its own.

    Args:
        text: The whole text.
        spans: Sorted, without overlaps.
        max_characters: Longest window, in characters.
    """
    windows = []
    unbroken = [Window(span.start, span.end) for span in spans]
    for segment in split_segments(text, max_characters, unbroken):
        start = segment.start
        while start < segment.end:
            end = _find_cut(start, segment.end, spans, max_characters)
            windows.append((Window(start, end), _clip_spans(spans, start, end)))
            start = end
    return windows


def _find_cut(start: int, segment_end: int, spans: Sequence[Span], max_characters: int) -> int:
    cut = min(start + max_characters, segment_end)
    for span in spans:
        if start < span.start < cut < span.end:
            return span.start
    return cut


def _clip_spans(spans: Sequence[Span], start: int, end: int) -> tuple[Span, ...]:
    clipped = (
        (max(span.start, start) - start, min(span.end, end) - start, span.label)
        for span in spans
        if span.start < end and span.end > start
    )
    return tuple(Span(*parts) for parts in clipped)


@dataclass(frozen=True, slots=True)
class TaggingDataset:
    """Encoded windows of a set of examples; indexes like any map-style dataset.

    Attributes:
        windows: One or more for each example that has a text, in the order of the examples.
        example_numbers: Of each window, the number of its example, counted from 0.
        num_examples: How many examples there are.
        num_dropped_overlaps: Spans left out because BIO tags cannot hold them beside a longer one.
    """

    windows: tuple[EncodedWindow, ...]
    example_numbers: tuple[int, ...]
    num_examples: int
    num_dropped_overlaps: int = 0

    @classmethod
    def from_examples(
        cls,
        examples: Sequence[Example],
        labels: LabelSet,
        vocabulary: CharacterVocabulary,
        *,
        max_characters: int,
        label_map: LabelMap | None = None,
    ) -> "TaggingDataset":
        """Encode examples; of overlapping spans the longest is kept.

        Args:
            examples: Their spans have labels of `labels`, or of the map's source.
            labels: The model's label set.
            vocabulary: Characters to token ids.
            max_characters: Longest window.
            label_map: From the examples' label set to `labels`; None when they are the same.

        Raises:
            ValueError: A span's label is not in the set; the message names the example.
        """
        gold_labels = labels
        if label_map is not None:
            assert label_map.target == labels
            gold_labels = label_map.source
        # A map that leaves no choice gives full gold, which costs half the time.
        new_tag_ids = None
        if label_map is not None and label_map.is_exact:
            new_tag_ids = label_map.allowed_tags.argmax(axis=1).tolist()
            label_map = None
        windows, example_numbers = [], []
        num_dropped = 0
        for number, example in enumerate(examples):
            kept, dropped = drop_overlaps(example.spans)
            num_dropped += len(dropped)
            for window, spans in split_training_windows(example.text, kept, max_characters):
                try:
                    tag_ids = gold_labels.spans_to_tags(spans, window.num_characters)
                except ValueError as error:
                    raise ValueError(f"{error} (example {example.id or number + 1})") from error
                if new_tag_ids is not None:
                    tag_ids = [new_tag_ids[tag_id] for tag_id in tag_ids]
                token_ids = vocabulary.encode(example.text[window.start : window.end])
                windows.append(EncodedWindow(tuple(token_ids), tuple(tag_ids), label_map))
                example_numbers.append(number)
        return cls(tuple(windows), tuple(example_numbers), len(examples), num_dropped)

    @classmethod
    def join(cls, datasets: Sequence["TaggingDataset"]) -> "TaggingDataset":
        """The windows of all; examples are numbered on from one data set to the next."""
        offsets = accumulate((dataset.num_examples for dataset in datasets), initial=0)
        return cls(
            tuple(window for dataset in datasets for window in dataset.windows),
            tuple(
                number + offset
                for dataset, offset in zip(datasets, offsets, strict=False)
                for number in dataset.example_numbers
            ),
            sum(dataset.num_examples for dataset in datasets),
            sum(dataset.num_dropped_overlaps for dataset in datasets),
        )

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, index: int) -> EncodedWindow:
        return self.windows[index]

    @property
    def lengths(self) -> list[int]:
        """Characters of each window."""
        return [len(window.token_ids) for window in self.windows]
