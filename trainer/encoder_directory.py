"""What the programs that make encoders share: the vocabulary, its vectors, and the directory.

The result is a Hugging Face directory whose vocabulary holds single characters only, counted on
texts, and those that a file of vectors adds.
"""

import json
import shutil
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4
from zipfile import BadZipFile

import numpy as np
from transformers import PreTrainedModel

from ner_core.command_line import CommandLineParser, check_new_directory, number_between
from ner_core.formats import decode_text
from ner_core.preprocessing import build_vocabulary, fold_character


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Tokens of an encoder, and what is known of them.

    Attributes:
        tokens: By id.
        vectors: Character to vector of shape (vector_size,); empty without a file of vectors.
    """

    tokens: Sequence[str]
    vectors: Mapping[str, np.ndarray]

    @property
    def vector_size(self) -> int | None:
        """Width of the vectors; None without any."""
        return next((len(vector) for vector in self.vectors.values()), None)


def add_vocabulary_flags(parser: CommandLineParser) -> None:
    """The flags that `read_vocabulary` reads, the output and the seed."""
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
    parser.add_argument(
        "--min-count",
        type=number_between(int, 1, 1_000_000),
        default=2,
        help="rarer characters are unknown",
    )
    parser.add_argument(
        "--seed", type=number_between(int, 0, 2**32 - 1), default=42, help="of the weights"
    )


def read_vocabulary(given: Namespace) -> Vocabulary:
    """Count the characters of the texts, and read their vectors.

    Raises:
        ValueError: The output is there already, or a file holds something else.
        OSError: A file cannot be read.
    """
    check_new_directory(given.output)
    vectors = read_vectors(given.vectors) if given.vectors else {}
    texts = (decode_text(path.read_bytes(), str(path)) for path in given.text)
    counted = build_vocabulary(texts, min_count=given.min_count)
    # Blanks share one token of the vocabulary's own.
    added = (character for character in vectors if not character.isspace())
    return Vocabulary(list(dict.fromkeys([*counted, *added])), vectors)


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


def describe_tokenizer(tokens: Sequence[str]) -> dict[str, bytes]:
    """The tokenizer files of a vocabulary, by name."""
    config = {"tokenizer_class": "BertTokenizer", "do_lower_case": True}
    return {
        "vocab.txt": "".join(f"{token}\n" for token in tokens).encode(),
        "tokenizer_config.json": json.dumps(config).encode(),
    }


def write_encoder(model: PreTrainedModel, tokens: Sequence[str], output: Path) -> None:
    """Write an encoder directory, whole or not at all.

    Raises:
        ValueError: The directory exists already.
    """
    check_new_directory(output)
    temporary = output.with_name(f".{output.name}.{uuid4().hex}")
    try:
        model.save_pretrained(temporary)
        for name, content in describe_tokenizer(tokens).items():
            (temporary / name).write_bytes(content)
        temporary.rename(output)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
