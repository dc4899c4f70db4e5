"""Random numbers of rows, their order in an epoch, and whole-word masks.

All of it is a function of seed, epoch and the number of a row: nothing has to be stored to go on
exactly, and neither the batch nor the process in which a row is read makes a difference.

Shapes: B rows, W tokens in each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Of the masked characters: become [MASK], become another character, or stay (Devlin et al. 2018).
_SHARE_MASK, _SHARE_RANDOM = 0.8, 0.1
# Which random number of a token is which.
_STREAM_WORD, _STREAM_HOW, _STREAM_CHARACTER = range(3)
# What the loss leaves out; torch's own default.
IGNORED = -100
# An odd multiplier and the additive constant of splitmix64.
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FEISTEL_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class MaskTokens:
    """What stands in for masked characters.

    Attributes:
        mask_token_id: Of [MASK].
        character_ids: Tokens that stand for one character; a random one replaces a tenth.
        is_maskable: By token id, whether it can be asked for: special and unknown ones cannot.
    """

    mask_token_id: int
    character_ids: NDArray[np.int64]
    is_maskable: NDArray[np.bool_]

    @classmethod
    def from_token_ids(cls, token_ids: dict[str, int], excluded: Sequence[int]) -> "MaskTokens":
        """Find them in a vocabulary.

        Args:
            token_ids: Token to id.
            excluded: Ids that nobody is to guess: special tokens, and the unknown one.

        Raises:
            ValueError: There is no token for a mask.
        """
        names = [name for name in ("[MASK]", "<mask>") if name in token_ids]
        if not names:
            raise ValueError("expected a vocabulary with [MASK] or <mask>, got neither")
        mask_token_id = token_ids[names[0]]
        is_maskable = np.ones(max(token_ids.values()) + 1, dtype=bool)
        is_maskable[[mask_token_id, *excluded]] = False
        characters = sorted(i for token, i in token_ids.items() if len(token) == 1)
        return cls(mask_token_id, np.array(characters, dtype=np.int64), is_maskable)


@dataclass(frozen=True, slots=True)
class MaskedRows:
    """Rows as the model reads them.

    Attributes:
        token_ids: With masks. Shape: (B, W)
        targets: What stood there, `IGNORED` where nothing is asked. Shape: (B, W)
    """

    token_ids: NDArray[np.int64]
    targets: NDArray[np.int64]


def mask_rows(
    token_ids: NDArray[np.int64],
    word_starts: NDArray[np.bool_],
    row_numbers: NDArray[np.int64],
    tokens: MaskTokens,
    *,
    key: int,
    fraction: float,
) -> MaskedRows:
    """Mask whole words, each with the same probability.

    So a character is masked with that probability too; how many of a row are is left to chance.
    Every character of a masked word is to be guessed; four in five become [MASK], one in ten
    another character, one in ten stays (whole-word masking as Cui et al. 2019,
    https://arxiv.org/abs/1906.08101).

    Args:
        token_ids: Shape: (B, W)
        word_starts: Whether a word begins at a token. Shape: (B, W)
        row_numbers: Shape: (B,)
        tokens: See there.
        key: Of the epoch; see `make_key`.
        fraction: Of the words.
    """
    num_columns = token_ids.shape[1]

    def draw(stream: int) -> NDArray[np.float64]:
        return draw_uniform(key, row_numbers, num_columns, stream)

    # Each token takes the random number of the first one of its word. Shape: (B, W)
    columns = np.arange(num_columns)
    first = np.maximum.accumulate(np.where(word_starts, columns, 0), axis=1)
    of_word = np.take_along_axis(draw(_STREAM_WORD), first, axis=1)
    is_masked = (of_word < fraction) & tokens.is_maskable[token_ids]
    how = draw(_STREAM_HOW)
    choices = (draw(_STREAM_CHARACTER) * len(tokens.character_ids)).astype(np.int64)
    becomes_random = is_masked & (how >= _SHARE_MASK) & (how < _SHARE_MASK + _SHARE_RANDOM)
    masked = np.where(is_masked & (how < _SHARE_MASK), tokens.mask_token_id, token_ids)
    masked = np.where(becomes_random, tokens.character_ids[choices], masked)
    targets = np.where(is_masked, token_ids, IGNORED)
    return MaskedRows(masked, targets)


def make_key(seed: int, epoch: int) -> int:
    """Of all random numbers of an epoch; epoch -1 is that of the held-out text."""
    return int(_scramble(_scramble(np.uint64(seed)) ^ np.uint64(epoch % 2**64)))


def draw_uniform(
    key: int, row_numbers: NDArray[np.int64], num_columns: int, stream: int
) -> NDArray[np.float64]:
    """A random number in [0, 1) for each token of some rows. Shape: (B, W)."""
    rows = _scramble(row_numbers.astype(np.uint64) ^ np.uint64(key))
    columns = _scramble(np.arange(num_columns, dtype=np.uint64) ^ np.uint64(stream << 32))
    bits = _scramble(rows[:, None] ^ columns[None, :])
    # The upper 53 bits fill a double.
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


@dataclass(frozen=True, slots=True)
class ShuffledOrder:
    """A random order of the rows of an epoch that takes no memory.

    A Feistel network permutes the numbers below the next power of four; those that land beyond the
    last row are sent on until they land below it (Black and Rogaway 2002, "cycle walking").

    Attributes:
        num_rows: At least one.
        key: Of the epoch; see `make_key`.
    """

    num_rows: int
    key: int

    def __call__(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """The numbers of the rows at some places of the order. Shape: (B,) -> (B,)."""
        half_bits = max(1, -(-(self.num_rows - 1).bit_length() // 2))
        numbers = self._permute(places.astype(np.uint64), half_bits)
        while (is_beyond := numbers >= self.num_rows).any():
            numbers[is_beyond] = self._permute(numbers[is_beyond], half_bits)
        return numbers.astype(np.int64)

    def _permute(self, numbers: NDArray[np.uint64], half_bits: int) -> NDArray[np.uint64]:
        shift, mask = np.uint64(half_bits), np.uint64(2**half_bits - 1)
        left, right = numbers >> shift, numbers & mask
        for number in range(_FEISTEL_ROUNDS):
            round_key = _scramble(np.uint64(self.key) ^ np.uint64(number))
            left, right = right, left ^ (_scramble(right ^ round_key) & mask)
        return (left << shift) | right


def _scramble(values: NDArray[np.uint64] | np.uint64) -> NDArray[np.uint64]:
    """Spread every bit over all others: splitmix64 (Steele et al. 2014)."""
    # As an array: numpy warns of overflow in scalars only.
    mixed = np.atleast_1d(np.asarray(values, dtype=np.uint64)) + _GOLDEN
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed = mixed ^ (mixed >> np.uint64(31))
    return mixed.reshape(np.shape(values))
