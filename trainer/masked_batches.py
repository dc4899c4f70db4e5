"""Rows of a prepared corpus as batches, masked anew in each epoch.

Shapes: B rows, W tokens in each.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ner_core.preprocessing import CharacterVocabulary
from trainer.distributed import World
from trainer.line_encoder import NO_TAG
from trainer.masking import IGNORED, MaskTokens, ShuffledOrder, make_key, mask_rows
from trainer.prepared_corpus import MappedRows

# No epoch of training has this number.
_HELD_OUT_EPOCH = -1
# So many batches that follow each other share their rows by length: enough to leave little padding,
# few enough to leave it to chance which rows meet.
BATCHES_BY_LENGTH = 16


@dataclass(frozen=True, slots=True)
class MaskedBatch:
    """What a model in pretraining reads.

    Attributes:
        token_ids: With masks. Shape: (B, W)
        line_numbers: Which line of its row a token belongs to, from 1; 0 at padding. A token sees
            those of its own line only. Shape: (B, W)
        position_ids: Place in the line, from 0 at [CLS]. Shape: (B, W)
        targets: What stood under the masks, `IGNORED` elsewhere. Shape: (B, W)
        tag_ids: Silver tags, `IGNORED` where there are none; None without silver labels.
            Shape: (B, W)
    """

    token_ids: Tensor
    line_numbers: Tensor
    position_ids: Tensor
    targets: Tensor
    tag_ids: Tensor | None = None

    def to(self, device: torch.device) -> "MaskedBatch":
        """The same batch on another device."""
        moved: dict[str, Any] = {}
        for item in fields(self):
            column = getattr(self, item.name)
            moved[item.name] = None if column is None else column.to(device, non_blocking=True)
        return MaskedBatch(**moved)


@dataclass(frozen=True)
class MaskedBatches:
    """This process's share of the batches of a run.

    Attributes:
        rows: Of one side of a prepared corpus.
        vocabulary: Of the rows.
        tokens: What stands in for masked characters.
        world: This process among all.
        batch_size: Rows of a batch, over all processes, at most.
        mask_fraction: Of the words.
        seed: Of order and masks.
        by_length: Whether rows of like length meet; packed ones are as long as each other.
    """

    rows: MappedRows
    vocabulary: CharacterVocabulary
    tokens: MaskTokens
    world: World
    batch_size: int
    mask_fraction: float
    seed: int
    by_length: bool = False
    # The rows of the group of batches that was asked for last, by its first batch over all epochs.
    _group: dict[int, list[NDArray[np.int64]]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def check_size(self) -> None:
        """Refuse a corpus of which some process would get nothing.

        Raises:
            ValueError: There are not enough rows for the processes.
        """
        smallest = len(self.rows) // max(1, self.num_batches)
        if smallest < self.world.world_size:
            raise ValueError(
                f"expected a row or more for each of {self.world.world_size} processes in every"
                f" batch, got batches of {smallest} rows ({len(self.rows):,} rows in all): a larger"
                f" corpus, a higher --batch-size or fewer processes"
            )

    @property
    def num_batches(self) -> int:
        """In an epoch."""
        return -(-len(self.rows) // self.batch_size)

    def read_from(self, number: int) -> Iterator[MaskedBatch]:
        """The batches from one on, without end.

        Args:
            number: Of the first batch, counted over all epochs from 0.
        """
        while True:
            yield self.read(number)
            number += 1

    def read(self, number: int) -> MaskedBatch:
        """A batch, by its number over all epochs, from 0."""
        epoch, place = divmod(number, self.num_batches)
        first = place - place % BATCHES_BY_LENGTH
        group = self._group.get(number - place + first)
        if group is None:
            group = self._share_out(first, make_key(self.seed, epoch))
            self._group.clear()
            self._group[number - place + first] = group
        share = group[place - first][self.world.rank :: self.world.world_size]
        return self._build(share, make_key(self.seed, epoch))

    def _share_out(self, first: int, key: int) -> list[NDArray[np.int64]]:
        """The rows of each batch of a group that follow each other; see `BATCHES_BY_LENGTH`.

        Args:
            first: Place of the group's first batch in the epoch.
            key: Of the epoch.
        """
        places = np.arange(first, min(first + BATCHES_BY_LENGTH, self.num_batches) + 1)
        # The rest of an epoch is spread over its batches.
        starts = places * len(self.rows) // self.num_batches
        numbers = ShuffledOrder(len(self.rows), key)(np.arange(starts[0], starts[-1]))
        if self.by_length:
            is_token = self.rows.read(numbers)["token_ids"] != self.vocabulary.pad_token_id
            numbers = numbers[np.argsort(is_token.sum(axis=1), kind="stable")]
        batches = np.split(numbers, starts[1:-1] - starts[0])
        if not self.by_length:
            return batches
        # Short rows and long ones in turns, as chance has it.
        turns = ShuffledOrder(len(batches), make_key(key, first))(np.arange(len(batches)))
        return [batches[turn] for turn in turns]

    def read_sample(self, num_rows: int) -> Iterator[MaskedBatch]:
        """Some rows from everywhere, always the same with the same masks: to measure on."""
        key = make_key(self.seed, _HELD_OUT_EPOCH)
        sample = ShuffledOrder(len(self.rows), key)(np.arange(min(num_rows, len(self.rows))))
        share = sample[self.world.rank :: self.world.world_size]
        size = max(1, self.batch_size // self.world.world_size)
        for start in range(0, len(share), size):
            yield self._build(share[start : start + size], key)

    def _build(self, numbers: NDArray[np.int64], key: int) -> MaskedBatch:
        rows = self.rows.read(numbers)
        token_ids = rows["token_ids"].astype(np.int64)
        num_columns = token_ids.shape[1]
        starts = np.unpackbits(rows["word_starts"], axis=1, count=num_columns).astype(bool)
        is_padding = token_ids == self.vocabulary.pad_token_id
        is_first = token_ids == self.vocabulary.cls_token_id
        masked = mask_rows(
            token_ids, starts, numbers, self.tokens, key=key, fraction=self.mask_fraction
        )
        columns = np.arange(num_columns)
        line_starts = np.maximum.accumulate(np.where(is_first, columns, 0), axis=1)
        line_numbers = np.where(is_padding, 0, np.cumsum(is_first, axis=1))
        position_ids = np.where(is_padding, 0, columns - line_starts)
        tag_ids = None
        if "tag_ids" in (rows.dtype.names or ()):
            stored = rows["tag_ids"].astype(np.int64)
            tag_ids = np.where(stored == NO_TAG, IGNORED, stored - 1)
        # Columns of padding behind the longest row are not worth computing.
        width = max(1, int((~is_padding).any(axis=0).sum()))

        def cut(column: NDArray[Any]) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(column[:, :width]))

        return MaskedBatch(
            token_ids=cut(masked.token_ids),
            line_numbers=cut(line_numbers),
            position_ids=cut(position_ids),
            targets=cut(masked.targets),
            tag_ids=None if tag_ids is None else cut(tag_ids),
        )


def build_mask_tokens(vocabulary: CharacterVocabulary) -> MaskTokens:
    """What stands in for masked characters of a vocabulary.

    Raises:
        ValueError: It has no token for a mask.
    """
    special = ("cls_token_id", "sep_token_id", "pad_token_id", "unk_token_id")
    return MaskTokens.from_token_ids(
        vocabulary.token_ids, [getattr(vocabulary, name) for name in special]
    )
