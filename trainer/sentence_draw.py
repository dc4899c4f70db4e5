"""Sentences drawn at random from a text file, however large it is.

Each sentence has a number, the hash of itself and the seed; the lowest are drawn. So what a seed
draws does not change with the order of the lines, and a sentence that occurs twice is drawn once.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from heapq import heappush, heapreplace

from tqdm import tqdm

from ner_core.preprocessing import find_sentence_ends
from trainer.corpus import CorpusSource

# Quoted titles and speech, handles and addresses, and what no text should hold.
_MARKS = re.compile("[《》“”「」『』@＠\x00-\x1f]|https?:|www\\.", re.IGNORECASE)
# Fewer are a table, a list of numbers or another language.
_CHINESE = re.compile("(?:[\u4e00-\u9fff][^\u4e00-\u9fff]*){4}")
# A capital and a small letter in one word: iPad, Linux, New York. Units (mmHg) go with them.
_CAPITALISED = re.compile(
    "[A-ZＡ-Ｚ][A-Za-zＡ-Ｚａ-ｚ]*[a-zａ-ｚ]|[a-zａ-ｚ][A-Za-zＡ-Ｚａ-ｚ]*[A-ZＡ-Ｚ]"
)
# A single letter is a variable or a kind (A股, T恤); two may be taken for a name.
_LATIN = re.compile("[A-Za-zＡ-Ｚａ-ｚ]{2}")


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was drawn from a file.

    Attributes:
        name: Of the file.
        latin: Sentences with two Latin letters in a row, in random order.
        other: Those without.
        num_sentences: In the file, with those that were left out and those that occur twice.
        left_out: How many for which flaw (see `find_flaw`).
    """

    name: str
    latin: Sequence[str]
    other: Sequence[str]
    num_sentences: int
    left_out: Mapping[str, int]


class LowestHashes:
    """The sentences of a stream with the lowest hashes; never holds more than it draws.

    Args:
        size: How many to draw.
        seed: Another one draws others.
    """

    def __init__(self, size: int, seed: int) -> None:
        self._size = size
        self._key = seed.to_bytes(8)
        # The highest hash first, as it is the next to go.
        self._heap: list[tuple[int, str]] = []
        self._hashes: set[int] = set()

    def offer(self, sentence: str) -> None:
        """Draw a sentence, unless enough others have lower hashes."""
        digest = blake2b(sentence.encode(), digest_size=8, key=self._key).digest()
        value = int.from_bytes(digest)
        if value in self._hashes or self._size == 0:
            return
        if len(self._heap) < self._size:
            heappush(self._heap, (-value, sentence))
        elif value < -self._heap[0][0]:
            highest, _ = heapreplace(self._heap, (-value, sentence))
            self._hashes.discard(-highest)
        else:
            return
        self._hashes.add(value)

    def sentences(self) -> list[str]:
        """What is drawn so far, the lowest hash first."""
        return [sentence for _, sentence in sorted(self._heap, reverse=True)]


def draw_sentences(
    source: CorpusSource,
    *,
    num_latin: int,
    num_other: int,
    min_characters: int,
    max_characters: int,
    seed: int,
) -> Drawn:
    """Read a file once, line by line, and draw from its sentences.

    Args:
        source: Sentences or paragraphs, one in each line.
        num_latin: How many to draw of those with Latin letters.
        num_other: How many of the others.
        min_characters: Shortest sentence, in code points, with its full stop.
        max_characters: Longest sentence.
        seed: Of the draw.

    Raises:
        ValueError: The file is damaged, or no text.
        OSError: It cannot be read.
    """
    latin, other = LowestHashes(num_latin, seed), LowestHashes(num_other, seed)
    left_out: Counter[str] = Counter()
    num_sentences = 0
    lines = tqdm(source.read_lines(), desc=source.name, unit="line", disable=None)
    for sentence in (part for line in lines for part in cut_sentences(line.text)):
        num_sentences += 1
        if flaw := find_flaw(sentence, min_characters, max_characters):
            left_out[flaw] += 1
        else:
            (latin if has_latin(sentence) else other).offer(sentence)
    return Drawn(source.name, latin.sentences(), other.sentences(), num_sentences, left_out)


def cut_sentences(text: str) -> Iterator[str]:
    """The sentences of a line, without blanks around them."""
    start = 0
    for end in find_sentence_ends(text):
        if sentence := text[start:end].strip():
            yield sentence
        start = end


def find_flaw(sentence: str, min_characters: int, max_characters: int) -> str | None:
    """Why a sentence is not to be drawn, in a few words; None when it may be."""
    if len(sentence) < min_characters:
        return f"shorter than {min_characters} characters"
    if len(sentence) > max_characters:
        return f"longer than {max_characters} characters"
    if _MARKS.search(sentence):
        return "quotation marks, handles, addresses"
    if _CAPITALISED.search(sentence):
        return "a Latin word of capital and small letters"
    if not _CHINESE.search(sentence):
        return "fewer than four Chinese characters"
    return None


def has_latin(sentence: str) -> bool:
    """Whether two Latin letters, of whichever width, stand side by side."""
    return _LATIN.search(sentence) is not None
