"""Lines of text into rows of token ids with word borders: what preparation writes.

A row is `[CLS] line [SEP] [CLS] line [SEP] ... [PAD] ...`. Each line will be read as if it stood
alone (see `trainer.masked_batches`), as the tagger reads it later: so lines of any origin may share
a row. Imports no torch: the processes that find word borders start at once.

Shapes: R rows, W tokens in each.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from ner_core.preprocessing import (
    CharacterVocabulary,
    find_sentence_ends,
    fold_text,
    split_segments,
)
from trainer.corpus import CorpusLine
from trainer.packing import pack_lines
from trainer.word_borders import find_word_starts

# A tag id in a row: 0 where there is no silver label, or the number of the tag from 1.
NO_TAG = 0
_HASH_BITS = 64
# [CLS] and [SEP].
_NUM_SPECIAL = 2


def row_type(window_tokens: int, id_type: str, *, has_tags: bool) -> np.dtype[np.void]:
    """How a row is stored.

    Its fields: `token_ids`, shape (W,); `word_starts`, a bit for each token; with silver labels
    `tag_ids`, shape (W,).

    Args:
        window_tokens: W.
        id_type: Numpy's name of an unsigned type that holds all token ids.
        has_tags: Whether there are silver labels.
    """
    fields: list[tuple[str, str, tuple[int, ...]]] = [
        ("token_ids", id_type, (window_tokens,)),
        ("word_starts", "u1", (-(-window_tokens // 8),)),
    ]
    if has_tags:
        fields.append(("tag_ids", "u1", (window_tokens,)))
    return np.dtype(fields)


def is_held_out(sentence: str, fraction: float) -> bool:
    """Whether a sentence is kept for measuring: by its own hash, whatever stands around it.

    So it stays where it is when the corpus grows, and is on one side where it occurs twice: in a
    paragraph, and alone among silver labels. Forms that look alike to the encoder (full width,
    upper case) count as the same.
    """
    folded = fold_text(sentence.strip()).encode()
    value = int.from_bytes(blake2b(folded, digest_size=_HASH_BITS // 8).digest())
    return value < fraction * 2**_HASH_BITS


def split_sides(line: CorpusLine, fraction: float) -> Iterator[tuple[CorpusLine, bool]]:
    """A line as long parts that are held out or not: most lines stay in one piece."""
    sides: list[tuple[int, bool]] = []
    start = 0
    for end in find_sentence_ends(line.text):
        side = is_held_out(line.text[start:end], fraction)
        if sides and sides[-1][1] == side:
            sides.pop()
        sides.append((end, side))
        start = end
    start = 0
    for end, side in sides:
        part = line.cut(start, end)
        if part is not None:
            yield part, side
        start = end


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of some lines.

    Attributes:
        train: To learn from. Shape: (R,), of `row_type`
        held_out: To measure on.
    """

    train: NDArray[np.void]
    held_out: NDArray[np.void]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A line, or a part of one that is too long.

    Attributes:
        token_ids: Of its characters.
        starts: Whether a word begins there.
        tag_ids: Of its characters; None for plain text.
    """

    token_ids: NDArray[np.uint32]
    starts: NDArray[np.bool_]
    tag_ids: NDArray[np.uint8] | None


class LineEncoder:
    """Turns lines into rows.

    Args:
        vocabulary: Characters to token ids.
        characters: All that occur in the corpus.
        tags: Silver tags by id; () without silver labels.
        window_tokens: W.
        held_out_fraction: Of the sentences.
        is_packed: Whether several lines share a row.
    """

    def __init__(
        self,
        vocabulary: CharacterVocabulary,
        characters: Iterable[str],
        *,
        tags: Sequence[str],
        window_tokens: int,
        held_out_fraction: float,
        is_packed: bool,
    ) -> None:
        known = sorted(characters)
        # Sorted code points and their ids: small enough to be sent to another process.
        self._code_points = np.array([ord(character) for character in known], dtype=np.uint32)
        self._ids = np.array(vocabulary.encode("".join(known)), dtype=np.uint32)
        self._unk, self._pad = vocabulary.unk_token_id, vocabulary.pad_token_id
        self._cls, self._sep = vocabulary.cls_token_id, vocabulary.sep_token_id
        self._tag_ids = {tag: number for number, tag in enumerate(tags, start=1)}
        assert len(self._tag_ids) < 2**8
        self._window_tokens = window_tokens
        self._held_out_fraction = held_out_fraction
        self._is_packed = is_packed
        highest = max(vocabulary.token_ids.values())
        id_type = "<u2" if highest < 2**16 else "<u4"
        self.row_type = row_type(window_tokens, id_type, has_tags=bool(tags))

    def encode(self, lines: Iterable[CorpusLine]) -> Rows:
        """The rows of some lines, which share no row with others."""
        train: list[_Piece] = []
        held_out: list[_Piece] = []
        for line in lines:
            for part, is_out in split_sides(line, self._held_out_fraction):
                (held_out if is_out else train).extend(self._cut(part))
        return Rows(self._fill_rows(train), self._fill_rows(held_out))

    def _cut(self, line: CorpusLine) -> Iterator[_Piece]:
        """Pieces that fit into a row: at the ends of sentences, or else between words."""
        token_ids = self._encode_characters(line.text)
        starts = find_word_starts(line.text)
        tag_ids = None
        if line.tags is not None:
            tag_ids = np.array([self._tag_ids[tag] for tag in line.tags], dtype=np.uint8)
        limit = self._window_tokens - _NUM_SPECIAL
        if len(line.text) <= limit:
            yield _Piece(token_ids, starts, tag_ids)
            return
        for segment in split_segments(line.text, limit):
            start = segment.start
            while start < segment.end:
                end = min(start + limit, segment.end)
                if end < segment.end:
                    borders = np.flatnonzero(starts[start + 1 : end + 1])
                    # A word longer than a row is cut where the row ends.
                    end = start + 1 + int(borders[-1]) if len(borders) else end
                tags = None if tag_ids is None else tag_ids[start:end]
                piece_starts = starts[start:end].copy()
                piece_starts[0] = True
                yield _Piece(token_ids[start:end], piece_starts, tags)
                start = end

    def _encode_characters(self, text: str) -> NDArray[np.uint32]:
        code_points = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
        places = np.searchsorted(self._code_points, code_points)
        places = np.minimum(places, len(self._code_points) - 1)
        is_known = self._code_points[places] == code_points
        return np.where(is_known, self._ids[places], self._unk).astype(np.uint32)

    def _fill_rows(self, pieces: Sequence[_Piece]) -> NDArray[np.void]:
        lengths = [len(piece.token_ids) + _NUM_SPECIAL for piece in pieces]
        if self._is_packed:
            packed = pack_lines(lengths, self._window_tokens)
        else:
            packed = [[number] for number in range(len(pieces))]
        rows = np.zeros(len(packed), dtype=self.row_type)
        token_ids = rows["token_ids"]
        token_ids[:] = self._pad
        starts = np.zeros((len(packed), self._window_tokens), dtype=bool)
        for row, numbers in enumerate(packed):
            place = 0
            for number in numbers:
                piece, end = pieces[number], place + lengths[number]
                token_ids[row, place] = self._cls
                token_ids[row, place + 1 : end - 1] = piece.token_ids
                token_ids[row, end - 1] = self._sep
                starts[row, place + 1 : end - 1] = piece.starts
                if piece.tag_ids is not None:
                    rows["tag_ids"][row, place + 1 : end - 1] = piece.tag_ids
                place = end
        rows["word_starts"] = np.packbits(starts, axis=1)
        return rows
