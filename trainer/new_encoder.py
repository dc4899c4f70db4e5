"""Make a small encoder directory without downloading anything: `python -m trainer.new_encoder`.

The result is an ordinary Hugging Face BERT directory with random weights, or with character vectors
in its embedding table; `--encoder` takes it like any other. Its vocabulary holds single characters
only, counted on texts.
"""

import logging
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence

import numpy as np
import torch
import transformers
from transformers import BertConfig, BertModel

from ner_core.command_line import CommandLineParser, number_between, run_command
from trainer.encoder_directory import add_vocabulary_flags, read_vocabulary, write_encoder

PROG = "python -m trainer.new_encoder"
logger = logging.getLogger(__name__)


def make_encoder(
    tokens: Sequence[str],
    *,
    hidden_size: int,
    num_layers: int,
    max_positions: int,
    dropout: float,
    vectors: Mapping[str, np.ndarray],
    seed: int,
) -> BertModel:
    """A BERT of the given size, its embedding table filled with what vectors there are.

    Args:
        tokens: The vocabulary, by id.
        hidden_size: Width; a multiple of 4 heads when there are layers.
        num_layers: Transformer layers; 0 leaves the embeddings and their layer norm.
        max_positions: Longest input in tokens, [CLS] and [SEP] included.
        dropout: Probability in the encoder.
        vectors: Character to vector of shape (hidden_size,); may be empty.
        seed: Draws the weights that no vector gives.

    Raises:
        ValueError: The heads of a layer cannot share the width.
    """
    num_heads = 4 if num_layers else 1
    if hidden_size % num_heads:
        raise ValueError(
            f"expected a width that {num_heads} heads can share, got {hidden_size}; without layers"
            f" any width will do"
        )
    torch.manual_seed(seed)
    model = BertModel(
        BertConfig(
            vocab_size=len(tokens),
            hidden_size=hidden_size,
            num_hidden_layers=num_layers,
            num_attention_heads=num_heads,
            intermediate_size=4 * hidden_size,
            max_position_embeddings=max_positions,
            type_vocab_size=1,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
        ),
        add_pooling_layer=False,
    )
    if vectors:
        table = model.embeddings.word_embeddings.weight
        # Vectors come at any scale; BERT's own tables start at initializer_range.
        scale = model.config.initializer_range / np.std(np.stack(list(vectors.values())))
        with torch.no_grad():
            for token_id, token in enumerate(tokens):
                if token in vectors:
                    table[token_id] = torch.from_numpy(vectors[token] * scale)
    return model


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit status: 0, or see `ner_core.command_line`.
    """
    given = _build_parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    transformers.utils.logging.disable_progress_bar()
    return run_command(PROG, lambda: _make(given))


def _build_parser() -> CommandLineParser:
    parser = CommandLineParser(PROG, "Make a small, untrained encoder directory.")
    add_vocabulary_flags(parser)
    for flag, convert, default, description in (
        ("--hidden-size", number_between(int, 1, 8192), 192, "width without --vectors"),
        ("--num-layers", number_between(int, 0, 48), 0, "transformer layers"),
        ("--max-positions", number_between(int, 4, 8192), 256, "longest input in tokens"),
        ("--dropout", number_between(float, 0.0, 0.9), 0.1, "probability in the encoder"),
    ):
        parser.add_argument(flag, type=convert, default=default, help=description)
    return parser


def _make(given: Namespace) -> None:
    vocabulary = read_vocabulary(given)
    model = make_encoder(
        vocabulary.tokens,
        hidden_size=vocabulary.vector_size or given.hidden_size,
        num_layers=given.num_layers,
        max_positions=given.max_positions,
        dropout=given.dropout,
        vectors=vocabulary.vectors,
        seed=given.seed,
    )
    write_encoder(model, vocabulary.tokens, given.output)
    logger.info(
        "%s: %d tokens, %d parameters",
        given.output,
        len(vocabulary.tokens),
        model.num_parameters(),
    )


if __name__ == "__main__":
    sys.exit(main())
