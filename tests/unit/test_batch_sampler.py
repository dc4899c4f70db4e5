"""The bucketed sampler: batches of like length, the same on any number of ranks."""

import math
from collections import Counter

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from ner_core.batch_sampler import LengthBucketedBatchSampler


@given(
    st.lists(st.integers(1, 60), min_size=4, max_size=120),
    st.integers(4, 16),
    st.integers(1, 4),
    st.integers(0, 5),
)
def test_ranks_share_the_global_batches_of_a_run_on_one_process(
    lengths: list[int], batch_size: int, world_size: int, epoch: int
) -> None:
    assume(len(lengths) // math.ceil(len(lengths) / batch_size) >= world_size)

    def batches(rank: int, world: int) -> list[list[int]]:
        sampler = LengthBucketedBatchSampler(
            lengths, batch_size=batch_size, seed=3, rank=rank, world_size=world
        )
        sampler.set_epoch(epoch)
        drawn = list(sampler)
        assert len(sampler) == len(drawn)
        return drawn

    alone = batches(0, 1)
    assert sorted(i for batch in alone for i in batch) == list(range(len(lengths)))
    shares = [batches(rank, world_size) for rank in range(world_size)]
    assert len({len(share) for share in shares}) == 1
    assert all(batch for share in shares for batch in share)
    together = [sorted(i for part in parts for i in part) for parts in zip(*shares, strict=True)]
    assert sorted(i for batch in together for i in batch) == list(range(len(lengths)))
    assert together == [sorted(batch) for batch in alone]


def test_batches_of_an_epoch_differ_by_one_window_at_most() -> None:
    def sizes(num_windows: int) -> list[int]:
        sampler = LengthBucketedBatchSampler(range(1, num_windows + 1), batch_size=8, seed=1)
        return sorted(len(batch) for batch in sampler)

    assert sizes(8 * 20 + 3) == [8] * 17 + [9] * 3
    assert sizes(8 * 19 + 3) == [7] * 5 + [8] * 15
    assert sizes(3) == [3]


def test_every_epoch_has_another_order_and_the_same_seed_the_same() -> None:
    def draw(seed: int, epoch: int) -> list[list[int]]:
        sampler = LengthBucketedBatchSampler(range(1, 101), batch_size=8, seed=seed)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert draw(1, 1) == draw(1, 1)
    assert draw(1, 1) != draw(1, 2)
    assert draw(1, 1) != draw(2, 1)


def test_batches_hold_windows_of_like_length() -> None:
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(1, 50, (4000,), generator=generator).tolist()
    sampler = LengthBucketedBatchSampler(lengths, batch_size=16, seed=0)
    padded = sum(16 * max(lengths[i] for i in batch) for batch in sampler)
    assert sum(lengths) / padded > 0.95


def test_more_processes_than_windows_are_refused() -> None:
    with pytest.raises(ValueError, match="each of 4 processes in a batch, got 3 windows"):
        LengthBucketedBatchSampler([1, 2, 3], batch_size=8, seed=0, rank=0, world_size=4)


REPEATS = st.sampled_from((0.25, 0.5, 1.0, 1.5, 2.0, 3.0))


@st.composite
def repeated_lengths(draw: st.DrawFn) -> tuple[list[int], list[float]]:
    """Windows of two to four sources, each with its weight."""
    sources = draw(st.lists(st.tuples(st.integers(4, 40), REPEATS), min_size=2, max_size=4))
    repeats = [repeat for size, repeat in sources for _ in range(size)]
    lengths = draw(st.lists(st.integers(1, 60), min_size=len(repeats), max_size=len(repeats)))
    return lengths, repeats


@given(repeated_lengths(), st.integers(4, 16), st.integers(1, 2), st.integers(0, 9))
def test_every_epoch_reads_each_source_as_often_as_its_weight_says(
    windows: tuple[list[int], list[float]], batch_size: int, world_size: int, epoch: int
) -> None:
    lengths, repeats = windows
    samplers = [
        LengthBucketedBatchSampler(
            lengths,
            batch_size=batch_size,
            seed=5,
            rank=rank,
            world_size=world_size,
            repeats=repeats,
        )
        for rank in range(world_size)
    ]
    shares = []
    for sampler in samplers:
        sampler.set_epoch(epoch)
        shares.append(list(sampler))
        assert len(shares[-1]) == len(sampler) == len(samplers[0])
    counts = Counter(window for share in shares for batch in share for window in batch)
    for window, repeat in enumerate(repeats):
        assert math.floor(repeat) <= counts[window] <= math.ceil(repeat)
    for repeat in set(repeats):
        group = [window for window, its_repeat in enumerate(repeats) if its_repeat == repeat]
        assert sum(counts[window] for window in group) == pytest.approx(
            repeat * len(group), abs=0.5
        )


def test_a_source_of_weight_a_quarter_is_read_whole_in_four_epochs_in_another_order() -> None:
    sampler = LengthBucketedBatchSampler([3] * 40, batch_size=5, seed=0, repeats=[0.25] * 40)
    epochs = []
    for epoch in range(1, 5):
        sampler.set_epoch(epoch)
        epochs.append([window for batch in sampler for window in batch])
    assert [len(windows) for windows in epochs] == [10] * 4
    assert sorted(window for windows in epochs for window in windows) == list(range(40))
    assert epochs[0] != sorted(epochs[0])


@given(st.lists(st.integers(1, 60), min_size=1, max_size=200), st.integers(0, 3))
def test_repeats_of_one_change_nothing(lengths: list[int], epoch: int) -> None:
    drawn = []
    for repeats in (None, [1.0] * len(lengths)):
        sampler = LengthBucketedBatchSampler(lengths, batch_size=8, seed=1, repeats=repeats)
        sampler.set_epoch(epoch)
        drawn.append(list(sampler))
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("world_size", [1, 2])
def test_an_epoch_that_was_cut_off_goes_on_with_the_batches_that_were_left(world_size: int) -> None:
    arguments = {"batch_size": 4, "seed": 2, "world_size": world_size, "repeats": [1.5] * 50}
    sampler = LengthBucketedBatchSampler(range(1, 51), **arguments)
    sampler.set_epoch(3)
    whole = list(sampler)
    resumed = LengthBucketedBatchSampler(range(1, 51), **arguments)
    for first_batch in (0, 7, len(whole)):
        resumed.set_epoch(3, first_batch)
        assert list(resumed) == whole[first_batch:]
        assert len(resumed) == len(whole)
    resumed.set_epoch(3)
    assert list(resumed) == whole


def test_a_batch_is_named_by_its_windows_over_all_ranks() -> None:
    ranks = [
        LengthBucketedBatchSampler(range(1, 51), batch_size=6, seed=2, rank=rank, world_size=2)
        for rank in range(2)
    ]
    for rank in ranks:
        rank.set_epoch(4, 3)
    for index, parts in enumerate(zip(*ranks, strict=True), start=3):
        window_numbers = [window for part in parts for window in part]
        assert sorted(ranks[0].global_batch(index)) == sorted(window_numbers)
        assert ranks[0].global_batch(index) == ranks[1].global_batch(index)


@pytest.mark.parametrize("repeat", [0.0, -1.0, math.nan, math.inf])
def test_repeats_that_are_no_positive_number_are_refused(repeat: float) -> None:
    with pytest.raises(ValueError, match=f"expected repeats above 0, got {repeat}"):
        LengthBucketedBatchSampler([1, 2], batch_size=1, seed=0, repeats=[1.0, repeat])


def test_repeats_for_other_windows_are_refused() -> None:
    with pytest.raises(ValueError, match="repeats for each of 2 windows, got 1"):
        LengthBucketedBatchSampler([1, 2], batch_size=1, seed=0, repeats=[1.0])


@pytest.mark.parametrize("first_batch", [-1, 5])
def test_an_epoch_cannot_begin_behind_its_end(first_batch: int) -> None:
    sampler = LengthBucketedBatchSampler([1] * 8, batch_size=2, seed=0)
    with pytest.raises(ValueError, match=rf"from 0 to 4, got {first_batch} \(epoch 2\)"):
        sampler.set_epoch(2, first_batch)


def test_more_processes_than_windows_in_an_epoch_are_refused() -> None:
    with pytest.raises(ValueError, match="each of 4 processes in a batch, got 3 windows"):
        LengthBucketedBatchSampler(
            [1] * 12, batch_size=8, seed=0, world_size=4, repeats=[0.25] * 12
        )
