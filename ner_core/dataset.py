"""Examples as training batches: windows that cut no entity, bucketed by length, collated.

Shapes: B windows in a batch, L characters in the longest of them, K tags. The encoder reads L + 2
tokens, since [CLS] and [SEP] stand around the characters; tags and mask have L columns.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Sampler

from ner_core.label_map import LabelMap
from ner_core.labels import LabelSet
from ner_core.preprocessing import CharacterVocabulary, Window, split_segments
from ner_core.spans import Example, Span, drop_overlaps

# Batches are cut from pools of this many batches sorted by length: enough to make padding rare
# (below 3 % on CLUENER), few enough to keep the order random.
_BATCHES_PER_POOL = 50
# An epoch of fewer full batches than this gets one more for its rest.
_FEW_BATCHES = 20


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


class LengthBucketedBatchSampler(Sampler[list[int]]):
    """Batches of windows of like length, the same global batches whatever the number of ranks.

    An epoch is a fixed sequence of global batches, drawn from the seed and the epoch. Each rank
    takes every `world_size`-th window of each of them, so that all ranks make the same number of
    steps and a run on two processes sees exactly the batches of a run on one.

    Args:
        lengths: Characters of each window.
        batch_size: Windows in a global batch, over all ranks; one more in some, or, where an epoch
            has few batches, some fewer in all.
        seed: Draws the order, together with the epoch.
        rank: This process.
        world_size: Number of processes.
        repeats: How often an epoch reads each window, above 0; None: once. Of the windows with 2.25
            an epoch reads all twice and a quarter of them, at random, a third time: another quarter
            each epoch, until all had their turn.

    Raises:
        ValueError: There are fewer windows, or a smaller batch, than processes, or the repeats are
            not one number above 0 for each window.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        *,
        batch_size: int,
        seed: int,
        rank: int = 0,
        world_size: int = 1,
        repeats: Sequence[float] | None = None,
    ) -> None:
        repeats = [1.0] * len(lengths) if repeats is None else repeats
        _check_repeats(repeats, len(lengths))
        self._lengths = torch.tensor(lengths)
        self._batch_size = batch_size
        self._seed = seed
        self._rank = rank
        self._world_size = world_size
        self._epoch = 0
        self._first_batch = 0
        # The epoch drawn last, and its batches.
        self._drawn: tuple[int | None, list[list[int]]] = (None, [])
        # Read in every epoch, some more than once; and groups of which each epoch reads a share.
        self._always = torch.arange(len(lengths)).repeat_interleave(
            torch.tensor([math.floor(repeat) for repeat in repeats], dtype=torch.long)
        )
        self._shares = _group_shares(repeats, seed)
        self._num_windows = len(self._always) + sum(share.size for share in self._shares)
        if self._num_windows // max(1, len(self)) < world_size:
            raise ValueError(
                f"expected at least one window for each of {world_size} processes in a batch,"
                f" got {self._num_windows} windows and a batch size of {batch_size}"
            )

    def set_epoch(self, epoch: int, first_batch: int = 0) -> None:
        """Draw another order; without it every epoch repeats the first.

        Args:
            epoch: Any number; together with the seed it decides the order.
            first_batch: Where to begin in that order, to go on with an epoch that was cut off.

        Raises:
            ValueError: The epoch has fewer batches.
        """
        if not 0 <= first_batch <= len(self):
            raise ValueError(
                f"expected a first batch from 0 to {len(self)}, got {first_batch} (epoch {epoch})"
            )
        self._epoch = epoch
        self._first_batch = first_batch

    def __iter__(self) -> Iterator[list[int]]:
        for batch in self._global_batches()[self._first_batch :]:
            yield batch[self._rank :: self._world_size]

    def __len__(self) -> int:
        """Batches of one whole epoch, on every rank and in every epoch."""
        # Even batches, whatever the number of ranks. Of few windows the rest makes one batch more,
        # since every step counts; of many it is spread, so that no batch is smaller than asked.
        full, rest = divmod(self._num_windows, self._batch_size)
        return full + (rest > 0 and full < _FEW_BATCHES)

    def global_batch(self, index: int) -> list[int]:
        """Window numbers of a batch of this epoch, over all ranks; counted from its start."""
        return self._global_batches()[index]

    def _global_batches(self) -> list[list[int]]:
        epoch, batches = self._drawn
        if epoch != self._epoch:
            batches = self._draw_batches()
            self._drawn = self._epoch, batches
        return batches

    def _draw_batches(self) -> list[list[int]]:
        windows = torch.cat([self._always, *(share.draw(self._epoch) for share in self._shares)])
        generator = torch.Generator().manual_seed(self._seed * 100_003 + self._epoch)
        order = windows[torch.randperm(len(windows), generator=generator)]
        pooled = []
        for pool in order.split(_BATCHES_PER_POOL * self._batch_size):
            by_length = self._lengths[pool].argsort(stable=True)
            pooled.append(pool[by_length])
        # Even parts: a small rest could not be shared out over many ranks, and as a step it would
        # weigh as much as a whole batch.
        batches = [batch.tolist() for batch in torch.cat(pooled).tensor_split(len(self))]
        shuffled = torch.randperm(len(batches), generator=generator).tolist()
        return [batches[index] for index in shuffled]


@dataclass(frozen=True, slots=True)
class _Share:
    """Windows of which an epoch reads only some, in turns.

    Attributes:
        windows: In random order.
        size: How many of them an epoch reads.
    """

    windows: Tensor
    size: int

    def draw(self, epoch: int) -> Tensor:
        """The windows whose turn it is. Shape: (size,)"""
        return self.windows[(torch.arange(self.size) + epoch * self.size) % len(self.windows)]


def _group_shares(repeats: Sequence[float], seed: int) -> list[_Share]:
    groups: dict[float, list[int]] = {}
    for window, repeat in enumerate(repeats):
        if repeat % 1 > 0:
            groups.setdefault(repeat, []).append(window)
    generator = torch.Generator().manual_seed(seed)
    shares = []
    for repeat, group in sorted(groups.items()):
        windows = torch.tensor(group)[torch.randperm(len(group), generator=generator)]
        shares.append(_Share(windows, max(1, round(len(group) * (repeat % 1)))))
    return shares


def _check_repeats(repeats: Sequence[float], num_windows: int) -> None:
    if len(repeats) != num_windows:
        raise ValueError(f"expected repeats for each of {num_windows} windows, got {len(repeats)}")
    for repeat in repeats:
        if not 0 < repeat < math.inf:
            raise ValueError(f"expected repeats above 0, got {repeat}")
