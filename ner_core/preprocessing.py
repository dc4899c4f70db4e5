"""From a text to what an encoder reads, without ever moving an offset.

One token stands for one character. Texts longer than the encoder's window are cut into segments at
the ends of sentences, and segments into windows that overlap; nothing is dropped.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Full-width digits and letters (U+FF10..U+FF5A) stand 0xFEE0 above their ASCII forms. Full-width
# punctuation stays: Chinese vocabularies know "，" as a token of its own.
_FULL_WIDTH_OFFSET = 0xFEE0
_FULL_WIDTH_RANGES = (("０", "９"), ("Ａ", "Ｚ"), ("ａ", "ｚ"))

SENTENCE_ENDS = frozenset("。！？；!?;\n")
# A closing mark belongs to the sentence before it.
_CLOSING_MARKS = frozenset("”’」』】》）)\"'")

# 《你好。世界》 is one title, not two sentences; a mark that never closes protects nothing.
_TITLE = re.compile("《[^《》\n]{1,60}》")
_CHINESE = re.compile("[\u4e00-\u9fff]")

UNKNOWN_TOKEN = "[UNK]"
# BERT's Chinese vocabularies have no token for a blank; the first unused one is free for it.
BLANK_TOKEN = "[unused1]"


def fold_character(character: str) -> str:
    """Lower case and half width, where that keeps the length of one character.

    >>> fold_character("Ｑ"), fold_character("İ")
    ('q', 'İ')
    """
    for first, last in _FULL_WIDTH_RANGES:
        if first <= character <= last:
            character = chr(ord(character) - _FULL_WIDTH_OFFSET)
            break
    lowered = character.lower()
    return lowered if len(lowered) == 1 else character


def fold_text(text: str) -> str:
    """A text as the vocabulary sees it, each character folded; the length stays."""
    return "".join(map(fold_character, text))


@dataclass(frozen=True)
class CharacterVocabulary:
    """Characters to token ids, on top of an encoder's own vocabulary.

    Never WordPiece over a text: it merges digits and Latin letters and loses blanks, and the
    offsets with them.

    Attributes:
        token_ids: The encoder's vocabulary, token to id.
        cls_token_id: Token before the first character.
        sep_token_id: Token after the last character.
        pad_token_id: Token that fills a batch.
        unk_token_id: Token of every character that the vocabulary lacks.
        blank_token_id: Token of every white-space character that the vocabulary lacks; the unknown
            token's where the vocabulary has none to spare (RoBERTa's).
    """

    token_ids: dict[str, int]
    cls_token_id: int
    sep_token_id: int
    pad_token_id: int
    unk_token_id: int
    blank_token_id: int

    @classmethod
    def from_token_ids(cls, token_ids: dict[str, int]) -> "CharacterVocabulary":
        """Find the special tokens of a BERT-like vocabulary or of a RoBERTa-like one (`<s>`).

        Raises:
            ValueError: A special token is missing.
        """

        def find(*names: str) -> int:
            for name in names:
                if name in token_ids:
                    return token_ids[name]
            raise ValueError(f"expected a vocabulary with {' or '.join(names)}, got neither")

        unknown = find(UNKNOWN_TOKEN, "<unk>")
        return cls(
            token_ids=token_ids,
            cls_token_id=find("[CLS]", "<s>"),
            sep_token_id=find("[SEP]", "</s>"),
            pad_token_id=find("[PAD]", "<pad>"),
            unk_token_id=unknown,
            blank_token_id=token_ids.get(BLANK_TOKEN, unknown),
        )

    @classmethod
    def load(cls, directory: Path) -> "CharacterVocabulary":
        """Read the vocabulary of an encoder or checkpoint directory.

        `vocab.txt` and `tokenizer.json` are read as they are: building a tokenizer that is never
        asked to tokenize takes longer than loading a small model.

        Raises:
            ValueError: The directory holds neither file, or one that is no vocabulary of Chinese
                characters with special tokens; the message names the file.
        """
        for name, read in (("vocab.txt", _read_plain), ("tokenizer.json", _read_tokenizer)):
            path = directory / name
            if not path.is_file():
                continue
            try:
                token_ids = read(path.read_text(encoding="utf-8"))
                if not any(len(t) == 1 and _CHINESE.match(t) for t in token_ids):
                    raise ValueError(
                        f"expected single Chinese characters among the tokens, found none among"
                        f" {len(token_ids)} (a byte-level vocabulary?)"
                    )
                return cls.from_token_ids(token_ids)
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from error
        raise ValueError(f"expected vocab.txt or tokenizer.json, got neither (in {directory})")

    def encode(self, text: str) -> list[int]:
        """Token ids of a text, exactly one for each character, without special tokens."""
        return [self._encode_character(character) for character in text]

    def _encode_character(self, character: str) -> int:
        token_id = self.token_ids.get(fold_character(character))
        if token_id is None:
            token_id = self.token_ids.get(character)
        if token_id is None:
            return self.blank_token_id if character.isspace() else self.unk_token_id
        return token_id


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open range of a text, in code points."""

    start: int
    end: int

    @property
    def num_characters(self) -> int:
        """Length in code points."""
        return self.end - self.start


def find_sentence_ends(text: str, unbroken: Sequence[Window] = ()) -> list[int]:
    """Offsets one past each sentence: after 。！？； and line ends, closing marks included.

    The last offset is the length of the text.

    Args:
        text: The whole text.
        unbroken: Ranges in which no sentence ends, such as gold entities. Titles in 《》 are
            always such ranges.
    """
    titles = (Window(*found.span()) for found in _TITLE.finditer(text))
    inside = {offset for kept in (*titles, *unbroken) for offset in range(kept.start + 1, kept.end)}
    ends: list[int] = []
    for index, character in enumerate(text):
        if character in _CLOSING_MARKS and ends and ends[-1] == index:
            ends[-1] = index + 1
        elif character in SENTENCE_ENDS and index + 1 not in inside:
            if ends and ends[-1] == index:
                ends[-1] = index + 1
            else:
                ends.append(index + 1)
    if text and (not ends or ends[-1] < len(text)):
        ends.append(len(text))
    return ends


def split_segments(text: str, max_characters: int, unbroken: Sequence[Window] = ()) -> list[Window]:
    """Cut a text at sentence ends into segments that cover it without a gap or an overlap.

    As many whole sentences as fit go into one segment, so a short text stays in one piece. A
    sentence longer than the limit is a segment of its own and keeps its length.

    Args:
        text: The whole text.
        max_characters: Longest segment of several sentences.
        unbroken: As in `find_sentence_ends`.
    """
    segments: list[Window] = []
    start = previous = 0
    for end in find_sentence_ends(text, unbroken):
        if end - start > max_characters and previous > start:
            segments.append(Window(start, previous))
            start = previous
        previous = end
    if previous > start:
        segments.append(Window(start, previous))
    return segments


def split_windows(num_characters: int, max_characters: int, stride: int) -> list[Window]:
    """Cut a segment into windows of at most `max_characters`, each `stride` after the one before.

    The last window is moved back so that it is full.

    Raises:
        ValueError: The stride would leave characters uncovered or is not positive.
    """
    if not 0 < stride <= max_characters:
        raise ValueError(f"expected a stride from 1 to {max_characters}, got {stride}")
    if num_characters <= max_characters:
        return [Window(0, num_characters)] if num_characters else []
    last_start = num_characters - max_characters
    starts = [*range(0, last_start, stride), last_start]
    return [Window(start, start + max_characters) for start in starts]


def assign_to_windows(windows: Sequence[Window]) -> list[Window]:
    """The part of the segment that each window answers for.

    Where windows overlap, a character belongs to the one whose nearer edge is farther away: the
    border runs through the middle of the overlap.
    """
    owned = []
    for index, window in enumerate(windows):
        before = windows[index - 1].end if index else None
        after = windows[index + 1].start if index + 1 < len(windows) else None
        start = window.start if before is None else (window.start + before) // 2
        end = window.end if after is None else (after + window.end) // 2
        owned.append(Window(start, end))
    return owned


def _read_plain(content: str) -> dict[str, int]:
    tokens = content.split("\n")
    if tokens[-1] == "":
        tokens.pop()
    return {token.removesuffix("\r"): token_id for token_id, token in enumerate(tokens)}


def _read_tokenizer(content: str) -> dict[str, int]:
    """Vocabulary of a `tokenizer.json`: token to id, or pairs of token and score in order of id."""
    tokenizer: Any = json.loads(content)
    try:
        vocabulary = tokenizer["model"]["vocab"]
        if isinstance(vocabulary, list):
            vocabulary = {token: token_id for token_id, (token, _) in enumerate(vocabulary)}
        added = {token["content"]: token["id"] for token in tokenizer.get("added_tokens") or ()}
        token_ids = {**vocabulary, **added}
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("expected a tokenizer with a vocabulary, got another object") from error
    if not all(type(token_id) is int and token_id >= 0 for token_id in token_ids.values()):
        raise ValueError("expected whole numbers as token ids, got something else")
    return token_ids


def build_vocabulary(texts: Iterable[str], *, min_count: int = 1) -> list[str]:
    """Tokens of a new character vocabulary; see `rank_characters`."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    return rank_characters(counts, min_count=min_count)


def rank_characters(counts: Mapping[str, int], *, min_count: int = 1) -> list[str]:
    """Tokens of a new character vocabulary: BERT's special tokens, then characters by frequency.

    Characters are folded first; white space is left to the blank token. Ties sort by code point.

    Args:
        counts: How often each character occurs, as it stands in the text.
        min_count: Characters that are rarer, folded, get no token.
    """
    folded_counts: Counter[str] = Counter()
    for character, count in counts.items():
        folded = fold_character(character)
        if not folded.isspace():
            folded_counts[folded] += count
    frequent = [character for character, count in folded_counts.items() if count >= min_count]
    frequent.sort(key=lambda character: (-folded_counts[character], character))
    return ["[PAD]", UNKNOWN_TOKEN, "[CLS]", "[SEP]", "[MASK]", BLANK_TOKEN, *frequent]
