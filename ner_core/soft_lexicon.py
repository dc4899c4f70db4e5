"""What a character can learn from the words it may belong to: SoftLexicon.

Ma et al. 2020, https://aclanthology.org/2020.acl-main.528. All words of a lexicon that occur in a
text are found, overlapping ones too: nothing is segmented, so nothing can be segmented wrongly.
Each character gets four vectors, pooled over the words that begin at it, go on through it, end at
it, or consist of it alone. Unlike in the paper, the weights of the pooling are learned from the
words' features instead of taken from their frequency.

Shapes: B texts, L characters in the longest, N words, V vectors, D their size, T types, M matches
of words in the batch, W features of a word.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

MAX_WORD_CHARACTERS = 8
_BEGIN, _MIDDLE, _END, _SINGLE = range(4)
_NUM_ROLES = 4
# Odd, with bits well mixed: the golden ratio as a 64-bit fraction, read as a signed integer.
_MULTIPLIER = 0x9E3779B97F4A7C15 - (1 << 64)


class Matches(NamedTuple):
    """Where which words of the lexicon occur in a batch.

    Attributes:
        row: Text. Shape: (M,)
        start: First character. Shape: (M,)
        length: In characters. Shape: (M,)
        word: Number in the lexicon. Shape: (M,)
    """

    row: Tensor
    start: Tensor
    length: Tensor
    word: Tensor


class SoftLexicon(nn.Module):
    """A frozen lexicon and the trained pooling of its words.

    A word is found by a hash of its token ids, so that a batch is looked up by a few operations on
    tensors, on any device. Words have a vector (those too rare for one share the zero vector) and
    types, such as "in a list of places". Vectors are kept as 8-bit integers: a fixed scale for each
    of their dimensions, an eighth of the bytes of the lists they come from.

    Args:
        num_words: Words, N.
        num_vectors: Vectors, V; the first is the zero vector.
        vector_size: D.
        num_types: T, at most 31.
        word_dropout: Share of the matches that training leaves out, so that the tagger also learns
            to do without: a text of tomorrow holds names that no lexicon has.

    Raises:
        ValueError: A size is out of range.
    """

    keys: Tensor
    types: Tensor
    vector_ids: Tensor
    vectors: Tensor
    vector_scale: Tensor

    def __init__(
        self,
        *,
        num_words: int,
        num_vectors: int,
        vector_size: int,
        num_types: int,
        word_dropout: float,
    ) -> None:
        super().__init__()
        for name, value, highest in (
            ("num_words", num_words, 2**31),
            ("num_vectors", num_vectors, 2**31),
            ("vector_size", vector_size, 2**16),
            ("num_types", num_types, 31),
        ):
            if not 1 <= value <= highest:
                raise ValueError(f"expected {name} from 1 to {highest}, got {value}")
        self.num_types = num_types
        self.word_dropout = word_dropout
        # Sorted. Shape: (N,)
        self.register_buffer("keys", torch.zeros(num_words, dtype=torch.int64))
        # Bit t is set where the word is of type t. Shape: (N,)
        self.register_buffer("types", torch.zeros(num_words, dtype=torch.int32))
        # Shape: (N,)
        self.register_buffer("vector_ids", torch.zeros(num_words, dtype=torch.int32))
        # Shape: (V, D)
        self.register_buffer("vectors", torch.zeros(num_vectors, vector_size, dtype=torch.int8))
        # Shape: (D,)
        self.register_buffer("vector_scale", torch.ones(vector_size))
        self.output_size = output_size(vector_size, num_types)
        # All words count alike before training.
        self.attention = nn.Linear(self.output_size // _NUM_ROLES, _NUM_ROLES)
        nn.init.zeros_(self.attention.weight)
        nn.init.zeros_(self.attention.bias)

    def forward(self, token_ids: Tensor) -> Tensor:
        """Shape: (B, L) -> (B, L, 4 * W), in float32; zeros where no word has that role."""
        matches = find_words(self.keys, token_ids)
        if self.training and self.word_dropout > 0.0:
            kept = torch.rand(matches.word.shape, device=token_ids.device) >= self.word_dropout
            matches = Matches(*(values[kept] for values in matches))
        # Shape: (M, W)
        features = self._describe(matches)
        # Shape: (M, 4)
        weights = self.attention(features).float().exp()
        cell, match = _assign_cells(matches, token_ids.shape[1])
        num_cells = token_ids.numel() * _NUM_ROLES
        share = weights[match, cell % _NUM_ROLES]
        share = share / share.new_zeros(num_cells).index_add(0, cell, share)[cell]
        pooled = features.new_zeros(num_cells, features.shape[1]).index_add(
            0, cell, features[match] * share.unsqueeze(1)
        )
        return pooled.view(*token_ids.shape, self.output_size)

    def _describe(self, matches: Matches) -> Tensor:
        """Vector, types and length of each match. Shape: (M, W)."""
        vectors = self.vectors[self.vector_ids[matches.word].long()] * self.vector_scale
        bits = torch.arange(self.num_types, device=matches.word.device)
        types = (self.types[matches.word].unsqueeze(1) >> bits) & 1
        lengths = nn.functional.one_hot(matches.length - 1, MAX_WORD_CHARACTERS)
        return torch.cat((vectors.float(), types.float(), lengths.float()), dim=1)


def find_words(keys: Tensor, token_ids: Tensor) -> Matches:
    """All words in each row, by their keys; the longest last.

    Special tokens and padding match nothing, since no word holds them.

    Args:
        keys: Of the words, sorted. Shape: (N,)
        token_ids: Shape: (B, L)
    """
    width = token_ids.shape[1]
    found: list[Matches] = []
    key = torch.zeros_like(token_ids)
    for length in range(1, max(1, min(MAX_WORD_CHARACTERS, width)) + 1):
        # Shape: (B, L - length + 1)
        key = key[:, : width - length + 1] * _MULTIPLIER + token_ids[:, length - 1 :] + 1
        word = torch.searchsorted(keys, key).clamp_(max=len(keys) - 1)
        row, start = (keys[word] == key).nonzero(as_tuple=True)
        found.append(Matches(row, start, torch.full_like(row, length), word[row, start]))
    return Matches(*map(torch.cat, zip(*found, strict=True)))


def output_size(vector_size: int, num_types: int) -> int:
    """Width of what `SoftLexicon` hands on, 4 * W."""
    return _NUM_ROLES * (vector_size + num_types + MAX_WORD_CHARACTERS)


def _assign_cells(matches: Matches, width: int) -> tuple[Tensor, Tensor]:
    """The cells, one for each role of each character, that each match is pooled into.

    Returns:
        Cells of the flattened (B, L, 4), and the match of each. Both of shape (pairs,)
    """
    first = (matches.row * width + matches.start) * _NUM_ROLES
    is_single = matches.length == 1
    cells = [first + torch.where(is_single, _SINGLE, _BEGIN)]
    chosen = [torch.arange(len(first), device=first.device)]
    for offset in range(1, MAX_WORD_CHARACTERS):
        reaching = (matches.length > offset).nonzero().squeeze(1)
        is_end = matches.length[reaching] == offset + 1
        role = torch.where(is_end, _END, _MIDDLE)
        cells.append(first[reaching] + offset * _NUM_ROLES + role)
        chosen.append(reaching)
    return torch.cat(cells), torch.cat(chosen)


def hash_words(words: Sequence[Sequence[int]]) -> Tensor:
    """The key of each word, given as token ids. Shape: (N,)"""
    keys = []
    for word in words:
        key = 0
        for token_id in word:
            key = (key * _MULTIPLIER + token_id + 1) % (1 << 64)
        keys.append(key - (1 << 64) if key >= 1 << 63 else key)
    return torch.tensor(keys, dtype=torch.int64)
