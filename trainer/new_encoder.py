"""Make a small encoder directory without downloading anything: `python -m trainer.new_encoder`.

The result is an ordinary Hugging Face BERT directory with random weights, or with character vectors
in its embedding table; `--encoder` takes it like any other. Its vocabulary holds single characters
only, counted on texts.
"""

import json
import logging
import shutil
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4
from zipfile import BadZipFile

import numpy as np
import torch
import transformers
from transformers import BertConfig, BertModel, PreTrainedModel

from ner_core.command_line import CommandLineParser, number_between, run_command
from ner_core.formats import decode_text
from ner_core.preprocessing import build_vocabulary, fold_character

PROG = "python -m trainer.new_encoder"
logger = logging.getLogger(__name__)


def make_encoder(
    tokens: Sequence[str],
    *,
    hidden_size: int,
    num_layers: int,
    max_positions: int,
    dropout: float,
    vectors: dict[str, np.ndarray] | None,
    seed: int,
) -> BertModel:
    """A BERT of the given size, its embedding table filled with what vectors there are.

    Args:
        tokens: The vocabulary, by id.
        hidden_size: Width; a multiple of 4 heads when there are layers.
        num_layers: Transformer layers; 0 leaves the embeddings and their layer norm.
        max_positions: Longest input in tokens, [CLS] and [SEP] included.
        dropout: Probability in the encoder.
        vectors: Character to vector of shape (hidden_size,).
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


def read_vectors(path: Path) -> dict[str, np.ndarray]:
    """Read an .npz with `chars`, shape (V,), and `vectors`, shape (V, width).

    Raises:
        ValueError: The file holds something else.
    """
    try:
        with np.load(path) as archive:
            characters, vectors = archive["chars"], archive["vectors"]
    except (KeyError, TypeError, ValueError, BadZipFile) as error:
        raise ValueError(f"expected an .npz with chars and vectors, got {path}: {error}") from error
    if vectors.ndim != 2 or vectors.shape[0] != len(characters) or vectors.shape[1] == 0:
        raise ValueError(
            f"expected a vector for each of {len(characters)} chars, got shape {vectors.shape}"
            f" (in {path})"
        )
    if not np.isfinite(vectors).all() or np.std(vectors) == 0:
        raise ValueError(f"expected finite vectors that differ, got others (in {path})")
    return {fold_character(str(c)): v for c, v in zip(characters, vectors, strict=True) if c}


def write_encoder(model: PreTrainedModel, tokens: Sequence[str], output: Path) -> None:
    """Write an encoder directory, whole or not at all.

    Raises:
        ValueError: The directory exists already.
    """
    if output.exists():
        raise ValueError(f"expected a directory that does not exist yet, got {output}")
    temporary = output.with_name(f".{output.name}.{uuid4().hex}")
    try:
        model.save_pretrained(temporary)
        (temporary / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")
        tokenizer = {"tokenizer_class": "BertTokenizer", "do_lower_case": True}
        (temporary / "tokenizer_config.json").write_text(json.dumps(tokenizer), encoding="utf-8")
        temporary.rename(output)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


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
    parser.add_argument(
        "--text",
        type=Path,
        action="append",
        required=True,
        metavar="FILE",
        help="UTF-8 in any format, repeatable; its characters become the vocabulary",
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="directory to write"
    )
    parser.add_argument(
        "--vectors",
        type=Path,
        metavar="FILE",
        help=".npz with chars and vectors; sets the width and adds to the vocabulary",
    )
    for flag, convert, default, description in (
        ("--hidden-size", number_between(int, 1, 8192), 192, "width without --vectors"),
        ("--num-layers", number_between(int, 0, 48), 0, "transformer layers"),
        ("--max-positions", number_between(int, 4, 8192), 256, "longest input in tokens"),
        ("--dropout", number_between(float, 0.0, 0.9), 0.1, "probability in the encoder"),
        ("--min-count", number_between(int, 1, 1_000_000), 2, "rarer characters are unknown"),
        ("--seed", number_between(int, 0, 2**32 - 1), 42, "of the weights"),
    ):
        parser.add_argument(flag, type=convert, default=default, help=description)
    return parser


def _make(given: Namespace) -> None:
    vectors = read_vectors(given.vectors) if given.vectors else None
    texts = (decode_text(path.read_bytes(), str(path)) for path in given.text)
    counted = build_vocabulary(texts, min_count=given.min_count)
    tokens = list(dict.fromkeys([*counted, *(c for c in vectors or () if not c.isspace())]))
    model = make_encoder(
        tokens,
        hidden_size=len(next(iter(vectors.values()))) if vectors else given.hidden_size,
        num_layers=given.num_layers,
        max_positions=given.max_positions,
        dropout=given.dropout,
        vectors=vectors,
        seed=given.seed,
    )
    write_encoder(model, tokens, given.output)
    logger.info("%s: %d tokens, %d parameters", given.output, len(tokens), model.num_parameters())


if __name__ == "__main__":
    sys.exit(main())
