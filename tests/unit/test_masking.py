"""Whole-word masks and the order of rows: functions of seed, epoch and row, and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from trainer.masking import (
    IGNORED,
    MaskedRows,
    MaskTokens,
    ShuffledOrder,
    draw_uniform,
    make_key,
    mask_rows,
)

MASK, UNKNOWN, FIRST_CHARACTER, NUM_TOKENS = 4, 1, 6, 500
NUM_ROWS, NUM_COLUMNS = 400, 64
CHARACTER_IDS = {chr(0x4E00 + i): i for i in range(FIRST_CHARACTER, NUM_TOKENS)}
TOKENS = MaskTokens.from_token_ids({"[MASK]": MASK, **CHARACTER_IDS}, [UNKNOWN, 0, 2, 3])


@pytest.fixture(scope="module")
def token_ids() -> NDArray[np.int64]:
    """Rows of characters with some unknown ones and padding at the end."""
    generator = np.random.default_rng(1)
    ids = generator.integers(FIRST_CHARACTER, NUM_TOKENS, (NUM_ROWS, NUM_COLUMNS))
    ids[generator.random(ids.shape) < 0.05] = UNKNOWN
    ids[:, 0] = 2
    ids[:, -4:] = 0
    return ids


@pytest.fixture(scope="module")
def starts() -> NDArray[np.bool_]:
    """Words of one to some characters."""
    starts = np.random.default_rng(2).random((NUM_ROWS, NUM_COLUMNS)) < 0.6
    starts[:, 1] = True
    return starts


def mask(
    token_ids: NDArray[np.int64],
    starts: NDArray[np.bool_],
    numbers: NDArray[np.int64] | None = None,
    epoch: int = 0,
) -> MaskedRows:
    numbers = np.arange(len(token_ids)) if numbers is None else numbers
    return mask_rows(token_ids, starts, numbers, TOKENS, key=make_key(7, epoch), fraction=0.15)


def test_words_are_masked_whole_or_not_at_all(
    token_ids: NDArray[np.int64], starts: NDArray[np.bool_]
) -> None:
    is_asked = mask(token_ids, starts).targets != IGNORED
    words = np.cumsum(starts, axis=1)
    can_be_asked = TOKENS.is_maskable[token_ids]
    num_partly = 0
    for row in range(NUM_ROWS):
        for word in range(1, words[row].max() + 1):
            asked = is_asked[row][(words[row] == word) & can_be_asked[row]]
            num_partly += len(asked) > 1
            assert asked.all() or not asked.any()
    assert num_partly > 1000  # there are words of several characters


def test_fifteen_in_a_hundred_are_asked_and_four_in_five_of_them_hidden(
    token_ids: NDArray[np.int64], starts: NDArray[np.bool_]
) -> None:
    masked = mask(token_ids, starts)
    is_asked = masked.targets != IGNORED
    assert is_asked.sum() / TOKENS.is_maskable[token_ids].sum() == pytest.approx(0.15, abs=0.01)
    shown, real = masked.token_ids[is_asked], token_ids[is_asked]
    assert (shown == MASK).mean() == pytest.approx(0.8, abs=0.025)
    # Of the tenth that is drawn at random one in five hundred draws itself.
    assert ((shown != MASK) & (shown != real)).mean() == pytest.approx(0.1, abs=0.02)
    assert (shown == real).mean() == pytest.approx(0.1, abs=0.02)
    assert (shown >= MASK).all()


def test_targets_are_what_stood_there_and_the_rest_is_left_alone(
    token_ids: NDArray[np.int64], starts: NDArray[np.bool_]
) -> None:
    masked = mask(token_ids, starts)
    is_asked = masked.targets != IGNORED
    assert (masked.targets[is_asked] == token_ids[is_asked]).all()
    assert (masked.token_ids[~is_asked] == token_ids[~is_asked]).all()
    assert not np.isin(masked.targets, [0, 2, 3, UNKNOWN, MASK]).any()


def test_a_row_is_masked_alike_in_every_batch(
    token_ids: NDArray[np.int64], starts: NDArray[np.bool_]
) -> None:
    whole = mask(token_ids, starts)
    some = np.array([31, 2, 77])
    part = mask(token_ids[some], starts[some], some)
    for name in ("token_ids", "targets"):
        assert (getattr(part, name) == getattr(whole, name)[some]).all()


def test_each_epoch_masks_other_words(
    token_ids: NDArray[np.int64], starts: NDArray[np.bool_]
) -> None:
    first, second = (mask(token_ids, starts, epoch=e).targets != IGNORED for e in (0, 1))
    # As many in common as chance has it.
    assert (first & second).sum() / first.sum() == pytest.approx(0.15, abs=0.03)


def test_random_numbers_are_even_and_unlike_each_other() -> None:
    numbers = draw_uniform(make_key(1, 1), np.arange(500), 40, 0)
    assert 0.0 <= numbers.min() < 0.001
    assert 0.999 < numbers.max() < 1.0
    counts, _ = np.histogram(numbers, bins=20, range=(0, 1))
    assert abs(counts - 1000).max() < 150
    other = draw_uniform(make_key(1, 1), np.arange(500), 40, 1)
    for first, second in (
        (numbers[1:], numbers[:-1]),
        (numbers[:, 1:], numbers[:, :-1]),
        (numbers, other),
    ):
        assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.03


@given(num_rows=st.integers(1, 300), seed=st.integers(0, 2**32 - 1), epoch=st.integers(0, 99))
def test_an_epoch_reads_every_row_once(num_rows: int, seed: int, epoch: int) -> None:
    order = ShuffledOrder(num_rows, make_key(seed, epoch))
    assert sorted(order(np.arange(num_rows))) == list(range(num_rows))


def test_each_epoch_has_an_order_of_its_own_and_each_place_can_be_asked_alone() -> None:
    first, second = (ShuffledOrder(1000, make_key(3, e))(np.arange(1000)) for e in (0, 1))
    assert (first == second).mean() < 0.02
    assert abs(np.corrcoef(np.arange(1000), first)[0, 1]) < 0.1
    order = ShuffledOrder(1000, make_key(3, 0))
    assert order(np.array([17, 999])).tolist() == [first[17], first[999]]


def test_a_vocabulary_without_a_mask_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected a vocabulary with \[MASK\] or <mask>"):
        MaskTokens.from_token_ids({"一": 0}, [])
