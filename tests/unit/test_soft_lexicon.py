"""Words at each character, against a search by hand."""

import math
import random

import pytest
import torch
from torch import Tensor

from ner_core.soft_lexicon import MAX_WORD_CHARACTERS, SoftLexicon, find_words, hash_words

_VECTOR_SIZE = 3
_NUM_TYPES = 2
_NUM_FEATURES = _VECTOR_SIZE + _NUM_TYPES + MAX_WORD_CHARACTERS
# Token ids 6 to 9 are characters; 0 to 5 stand for special tokens.
_WORDS = [(6,), (6, 7), (7, 8), (6, 7, 8), (8, 8), (6, 7, 8, 9), (9,) * MAX_WORD_CHARACTERS]


def make_lexicon(words: list[tuple[int, ...]], *, word_dropout: float = 0.0) -> SoftLexicon:
    generator = torch.Generator().manual_seed(1)
    lexicon = SoftLexicon(
        num_words=len(words),
        num_vectors=len(words) + 1,
        vector_size=_VECTOR_SIZE,
        num_types=_NUM_TYPES,
        word_dropout=word_dropout,
    )
    keys, order = hash_words(words).sort()
    lexicon.keys.copy_(keys)
    lexicon.vector_ids.copy_(order + 1)
    lexicon.types.copy_(torch.arange(len(words))[order] % 4)
    lexicon.vectors.copy_(
        torch.randint(-127, 128, (len(words) + 1, _VECTOR_SIZE), generator=generator)
    )
    lexicon.vector_scale.copy_(torch.tensor([0.5, 1.0, 2.0]))
    torch.nn.init.normal_(lexicon.attention.weight, std=0.05, generator=generator)
    return lexicon.eval()


def describe(lexicon: SoftLexicon, word: int, length: int) -> Tensor:
    """Features of word number `word` of `_WORDS`, its vector being number `word` + 1."""
    vector = lexicon.vectors[word + 1] * lexicon.vector_scale
    types = torch.tensor([float(word % 4 & 1), float(word % 4 >> 1)])
    lengths = torch.zeros(MAX_WORD_CHARACTERS)
    lengths[length - 1] = 1.0
    return torch.cat((vector, types, lengths))


def pool_by_hand(lexicon: SoftLexicon, text: list[int], position: int, role: int) -> Tensor:
    parts = []
    for number, word in enumerate(_WORDS):
        for start in range(len(text) - len(word) + 1):
            if tuple(text[start : start + len(word)]) != word:
                continue
            if not start <= position < start + len(word):
                continue
            if len(word) == 1:
                at = 3
            elif position == start:
                at = 0
            else:
                at = 2 if position == start + len(word) - 1 else 1
            if at == role:
                features = describe(lexicon, number, len(word))
                score = float(lexicon.attention(features)[role])
                parts.append((math.exp(score), features))
    total = sum(weight for weight, _ in parts)
    pooled = torch.zeros(_NUM_FEATURES)
    for weight, features in parts:
        pooled += weight / total * features
    return pooled


def test_each_role_of_each_character_pools_its_words_by_their_learned_weights() -> None:
    lexicon = make_lexicon(_WORDS)
    source = random.Random(7)
    texts = [[source.choice([6, 7, 8, 9]) for _ in range(12)] for _ in range(20)]
    texts[0] = [9] * 12
    with torch.no_grad():
        output = lexicon(torch.tensor(texts)).unflatten(-1, (4, _NUM_FEATURES))
        for row, text in enumerate(texts):
            for position in range(len(text)):
                for role in range(4):
                    expected = pool_by_hand(lexicon, text, position, role)
                    torch.testing.assert_close(
                        output[row, position, role], expected, atol=1e-4, rtol=1e-5
                    )


def test_a_text_without_words_gets_zeros_and_padding_changes_nothing() -> None:
    lexicon = make_lexicon(_WORDS)
    with torch.no_grad():
        assert not lexicon(torch.tensor([[7, 9, 7, 2]])).any()
        alone = lexicon(torch.tensor([[6, 7, 8]]))
        padded = lexicon(torch.tensor([[6, 7, 8, 3, 0, 0]]))
    torch.testing.assert_close(alone[0], padded[0, :3])
    assert not padded[0, 3:].any()


@pytest.mark.parametrize("length", [0, 1, 2])
def test_texts_shorter_than_the_longest_word_are_read(length: int) -> None:
    lexicon = make_lexicon(_WORDS)
    output = lexicon(torch.full((2, length), 6))
    assert output.shape == (2, length, lexicon.output_size)
    assert output.any() == (length > 0)


def test_words_left_out_in_training_are_there_in_evaluation() -> None:
    lexicon = make_lexicon(_WORDS, word_dropout=1.0)
    text = torch.tensor([[6, 7, 8, 9]])
    assert not lexicon.train()(text).any()
    assert lexicon.eval()(text).any()


def test_the_gradient_reaches_the_weights_of_the_pooling_only() -> None:
    lexicon = make_lexicon(_WORDS)
    # Rows in which two words compete for a role: 6 7 and 6 7 8 both begin at the first character.
    lexicon(torch.tensor([[6, 7, 8, 9]])).square().sum().backward()
    assert [name for name, _ in lexicon.named_parameters()] == [
        "attention.weight",
        "attention.bias",
    ]
    assert lexicon.attention.weight.grad is not None
    assert lexicon.attention.weight.grad.abs().sum() > 0


def test_keys_of_words_are_those_of_the_search() -> None:
    words = [(5000 + number, number % 7 + 6, 21127) for number in range(500)]
    keys = hash_words(words)
    assert len(keys.unique()) == 500
    found = find_words(keys.sort().values, torch.tensor(words))
    assert found.start.tolist() == [0] * 500
    assert found.length.tolist() == [3] * 500
    assert sorted(found.row.tolist()) == list(range(500))


def test_sizes_out_of_range_are_named() -> None:
    with pytest.raises(ValueError, match="expected num_types from 1 to 31, got 32"):
        SoftLexicon(num_words=1, num_vectors=1, vector_size=1, num_types=32, word_dropout=0.0)
