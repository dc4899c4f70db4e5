"""A lexicon file: words with vectors and types, made by `trainer.new_lexicon`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np


@dataclass(frozen=True)
class Lexicon:
    """Words with vectors and types; see `ner_core.soft_lexicon`.

    Attributes:
        words: Folded. Length N.
        vector_ids: Row of `vectors`; 0, the zero vector, for a word too rare for one. Shape: (N,)
        vectors: Shape: (V, D)
        types: Bit t is set where the word is of type t. Shape: (N,)
        type_names: By t.
    """

    words: Sequence[str]
    vector_ids: np.ndarray
    vectors: np.ndarray
    types: np.ndarray
    type_names: Sequence[str]

    def save(self, path: Path) -> None:
        """Write an .npz."""
        np.savez_compressed(
            path,
            words=np.array(self.words),
            vector_ids=self.vector_ids.astype(np.int32),
            vectors=self.vectors.astype(np.float32),
            types=self.types.astype(np.int32),
            type_names=np.array(self.type_names),
        )

    @classmethod
    def load(cls, path: Path) -> "Lexicon":
        """Read an .npz that `save` wrote.

        Raises:
            ValueError: The file holds something else, or parts that do not fit together.
        """
        try:
            with np.load(path) as archive:
                lexicon = cls(
                    words=[str(word) for word in archive["words"]],
                    vector_ids=archive["vector_ids"],
                    vectors=archive["vectors"],
                    types=archive["types"],
                    type_names=[str(name) for name in archive["type_names"]],
                )
        except (KeyError, TypeError, ValueError, BadZipFile) as error:
            raise ValueError(
                f"expected a lexicon of trainer.new_lexicon, got {path}: {error}"
            ) from error
        num_words = len(lexicon.words)
        if not (num_words == len(lexicon.vector_ids) == len(lexicon.types) > 0):
            raise ValueError(
                f"expected a vector id and types for each of {num_words} words, got"
                f" {len(lexicon.vector_ids)} and {len(lexicon.types)} (in {path})"
            )
        if lexicon.vectors.ndim != 2 or lexicon.vector_ids.max() >= len(lexicon.vectors):
            raise ValueError(
                f"expected vectors up to number {lexicon.vector_ids.max()}, got shape"
                f" {lexicon.vectors.shape} (in {path})"
            )
        return lexicon
