"""Examples as training batches: windows that cut no entity, bucketed by length, collated.

Shapes: B windows in a batch, L characters in the longest of them. The encoder reads L + 2 tokens,
since [CLS] and [SEP] stand around the characters; tags and mask have L columns.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import Sampler

from ner_core.labels import LabelSet
from ner_core.preprocessing import CharacterVocabulary, Window, split_segments
from ner_core.spans import Example, Span, drop_overlaps

# Batches are cut from pools of this many batches sorted by length: enough to make padding rare
# (below 3 % on CLUENER), few enough to keep the order random.
_BATCHES_PER_POOL = 50


@dataclass(frozen=True, slots=True)
class Batch:
    """What the tagger reads.

    Attributes:
        input_ids: Token ids with [CLS] and [SEP]. Shape: (B, L + 2)
        attention_mask: True at tokens, False at padding. Shape: (B, L + 2)
        mask: True at characters; a contiguous prefix of each row. Shape: (B, L)
        tag_ids: Gold tags, 0 at padding; None when there is no gold. Shape: (B, L)
    """

    input_ids: Tensor
    attention_mask: Tensor
    mask: Tensor
    tag_ids: Tensor | None = None

    @property
    def num_characters(self) -> int:
        """Characters in the batch, padding not counted."""
        return int(self.mask.sum())

    def to(self, device: torch.device) -> "Batch":
        """The same batch on another device."""
        tag_ids = None if self.tag_ids is None else self.tag_ids.to(device, non_blocking=True)
        return Batch(
            self.input_ids.to(device, non_blocking=True),
            self.attention_mask.to(device, non_blocking=True),
            self.mask.to(device, non_blocking=True),
            tag_ids,
        )


@dataclass(frozen=True, slots=True)
class EncodedWindow:
    """One window of one example, as ids.

    Attributes:
        token_ids: One for each character, without special tokens.
        tag_ids: One for each character; empty when there is no gold.
    """

    token_ids: tuple[int, ...]
    tag_ids: tuple[int, ...] = ()


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
    return Batch(
        input_ids=input_ids,
        attention_mask=torch.arange(width + 2) < num_characters + 2,
        mask=torch.arange(width) < num_characters,
        tag_ids=tag_ids if has_gold else None,
    )


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
        windows: One or more for each example, in the order of the examples.
        num_dropped_overlaps: Spans left out because BIO tags cannot hold them beside a longer one.
    """

    windows: tuple[EncodedWindow, ...]
    num_dropped_overlaps: int = 0

    @classmethod
    def from_examples(
        cls,
        examples: Sequence[Example],
        labels: LabelSet,
        vocabulary: CharacterVocabulary,
        *,
        max_characters: int,
    ) -> "TaggingDataset":
        """Encode examples; of overlapping spans the longest is kept.

        Raises:
            ValueError: A span's label is not in the set; the message names the example.
        """
        windows = []
        num_dropped = 0
        for number, example in enumerate(examples, start=1):
            kept, dropped = drop_overlaps(example.spans)
            num_dropped += len(dropped)
            for window, spans in split_training_windows(example.text, kept, max_characters):
                try:
                    tag_ids = labels.spans_to_tags(spans, window.num_characters)
                except ValueError as error:
                    raise ValueError(f"{error} (example {example.id or number})") from error
                token_ids = vocabulary.encode(example.text[window.start : window.end])
                windows.append(EncodedWindow(tuple(token_ids), tuple(tag_ids)))
        return cls(tuple(windows), num_dropped)

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, index: int) -> EncodedWindow:
        return self.windows[index]

    @property
    def lengths(self) -> list[int]:
        """Characters of each window."""
        return [len(window.token_ids) for window in self.windows]


class LengthBucketedBatchSampler(Sampler[list[int]]):
    """Batches of windows of like length, the same global batches whatever the number of ranks.

    An epoch is a fixed sequence of global batches, drawn from the seed and the epoch. Each rank
    takes every `world_size`-th window of each of them, so that all ranks make the same number of
    steps and a run on two processes sees exactly the batches of a run on one.

    Args:
        lengths: Characters of each window.
        batch_size: Windows in a global batch, over all ranks.
        seed: Draws the order, together with the epoch.
        rank: This process.
        world_size: Number of processes.

    Raises:
        ValueError: There are fewer windows, or a smaller batch, than processes.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        *,
        batch_size: int,
        seed: int,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        if min(len(lengths), batch_size) < world_size:
            raise ValueError(
                f"expected at least one window for each of {world_size} processes in a batch,"
                f" got {len(lengths)} windows and a batch size of {batch_size}"
            )
        self._lengths = torch.tensor(lengths)
        self._batch_size = batch_size
        self._seed = seed
        self._rank = rank
        self._world_size = world_size
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Draw another order; without it every epoch repeats the first."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[list[int]]:
        for batch in self._global_batches():
            yield batch[self._rank :: self._world_size]

    def __len__(self) -> int:
        """Batches of one epoch, on every rank."""
        full, rest = divmod(len(self._lengths), self._batch_size)
        return full + (rest >= self._world_size)

    def _global_batches(self) -> list[list[int]]:
        generator = torch.Generator().manual_seed(self._seed * 100_003 + self._epoch)
        order = torch.randperm(len(self._lengths), generator=generator)
        pooled = []
        for pool in order.split(_BATCHES_PER_POOL * self._batch_size):
            by_length = self._lengths[pool].argsort(stable=True)
            pooled.append(pool[by_length])
        batches = [batch.tolist() for batch in torch.cat(pooled).split(self._batch_size)]
        if len(batches) > 1 and len(batches[-1]) < self._world_size:
            # A rank without a window could not take part in the gradient exchange.
            batches[-2].extend(batches.pop())
        shuffled = torch.randperm(len(batches), generator=generator).tolist()
        return [batches[index] for index in shuffled]
