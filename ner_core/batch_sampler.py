"""Which windows make up which batch: of like length, in random order, alike on all ranks."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import Sampler

# Batches are cut from pools of this many batches sorted by length: enough to make padding rare
# (below 3 % on CLUENER), few enough to keep the order random.
_BATCHES_PER_POOL = 50
# An epoch of fewer full batches than this gets one more for its rest.
_FEW_BATCHES = 20


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
