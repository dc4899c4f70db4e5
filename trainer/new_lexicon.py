"""Make a lexicon from plain text and word lists: `python -m trainer.new_lexicon`.

The text is cut into words (jieba), the words get vectors (word2vec, Mikolov et al. 2013,
https://arxiv.org/abs/1301.3781, by gensim), and the lists tell of what types a word is. Words of
the lists that the text never holds are left out: they would cost room and teach nothing.
`trainer.new_lexicon_encoder` makes an encoder from the result.
"""

import logging
import lzma
import multiprocessing
import sys
import tempfile
from argparse import ArgumentTypeError, Namespace
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from ner_core.command_line import (
    CommandLineParser,
    check_output_file,
    number_between,
    run_command,
)
from ner_core.formats import decode_text, split_lines
from ner_core.preprocessing import fold_text
from ner_core.soft_lexicon import MAX_WORD_CHARACTERS, find_words, hash_words
from trainer.lexicon import Lexicon
from trainer.word_borders import load_jieba

PROG = "python -m trainer.new_lexicon"
logger = logging.getLogger(__name__)

# Of the tags of jieba's own dictionary: persons, places, organizations, other proper names.
_JIEBA_TAGS = ("nr", "ns", "nt", "nz")
# How frequent jieba takes a listed word to be that its dictionary lacks: rare, since a list with
# frequencies of its own would outbid the dictionary.
_LISTED_WORD_COUNT = 3
# Words that gensim reads as one context.
_MAX_SENTENCE_WORDS = 1_000


def make_lexicon(
    corpus: Sequence[Path],
    lists: Mapping[str, Sequence[Path]],
    *,
    vector_size: int,
    min_count: int,
    min_matches: int,
    epochs: int,
    num_workers: int,
    seed: int,
) -> Lexicon:
    """Cut, embed and count.

    Args:
        corpus: Text files, plain or packed with xz.
        lists: Type to files with a word in front of each line.
        vector_size: D.
        min_count: Rarer words get no vector.
        min_matches: Listed words without a vector are kept when the text holds them that often.
        epochs: Passes of word2vec.
        num_workers: Processes that cut and threads that embed; with one, the result is repeatable.
        seed: Of word2vec.

    Raises:
        ValueError: A file is unusable, or the text holds too few words.
        OSError: A file cannot be read.
    """
    types, type_names = _collect_types(lists)
    with tempfile.TemporaryDirectory(prefix="lexicon-") as folder:
        segmented = Path(folder) / "words.txt"
        _segment(corpus, segmented, listed=[*types], num_workers=num_workers)
        vectors, vector_words = _embed(
            segmented,
            vector_size,
            min_count=min_count,
            epochs=epochs,
            num_workers=num_workers,
            seed=seed,
        )
        rare = [word for word in types if word not in vector_words]
        matches = count_matches(rare, _read_lines(segmented))
    kept = [word for word, count in zip(rare, matches, strict=True) if count >= min_matches]
    words = [*vector_words, *kept]
    return Lexicon(
        words=words,
        vector_ids=np.array([vector_words.get(word, 0) for word in words]),
        vectors=vectors,
        types=np.array([types.get(word, 0) for word in words]),
        type_names=type_names,
    )


def count_matches(words: Sequence[str], lines: Iterable[str]) -> list[int]:
    """How often each word occurs in lines of words parted by blanks, across the blanks too."""
    if not words:
        return []
    keys, order = hash_words([[*map(ord, word)] for word in words]).sort()
    counts = torch.zeros(len(words), dtype=torch.int64)
    remaining = iter(lines)
    while block := [line.replace(" ", "") for line in islice(remaining, 5_000)]:
        # No word holds a line end, so none is found across one.
        characters = torch.tensor([[*map(ord, "\n".join(block))]])
        found = find_words(keys, characters).word
        counts += torch.bincount(order[found], minlength=len(words))
    return counts.tolist()


def _collect_types(lists: Mapping[str, Sequence[Path]]) -> tuple[dict[str, int], list[str]]:
    """Word to bits, and the names of the bits: the given lists', then jieba's tags."""
    names = [*lists, *(f"jieba-{tag}" for tag in _JIEBA_TAGS)]
    types: dict[str, int] = {}

    def add(word: str, name: str) -> None:
        word = fold_text(word)
        if 2 <= len(word) <= MAX_WORD_CHARACTERS and word.isprintable():
            types[word] = types.get(word, 0) | 1 << names.index(name)

    for name, paths in lists.items():
        for path in paths:
            for line in split_lines(decode_text(path.read_bytes(), str(path))):
                if line.strip():
                    add(line.split()[0], name)
    dictionary = Path(load_jieba().__file__).with_name("dict.txt")
    for line in dictionary.read_text(encoding="utf-8").splitlines():
        word, _, tag = line.split(" ")
        # nrt and nrfg are kinds of nr.
        if tag[:2] in _JIEBA_TAGS:
            add(word, f"jieba-{tag[:2]}")
    return types, names


def _segment(
    corpus: Sequence[Path], output: Path, *, listed: Sequence[str], num_workers: int
) -> None:
    """Write the words of all texts, parted by blanks."""
    lines = (line for path in corpus for line in _read_lines(path))
    # Forked where possible: each process then has the dictionary already.
    with (
        output.open("w", encoding="utf-8") as file,
        multiprocessing.Pool(num_workers, _prepare_jieba, (listed,)) as pool,
    ):
        progress = tqdm(
            pool.imap(_cut, lines, chunksize=500), unit="line", desc="cut", disable=None
        )
        for words in progress:
            if words:
                file.write(words + "\n")


def _prepare_jieba(listed: Sequence[str]) -> None:
    jieba = load_jieba()
    jieba.setLogLevel(logging.WARNING)
    jieba.initialize()
    for word in listed:
        if not jieba.dt.FREQ.get(word):
            jieba.add_word(word, freq=_LISTED_WORD_COUNT)


def _cut(line: str) -> str:
    return " ".join(word for word in load_jieba().cut(fold_text(line)) if not word.isspace())


def _embed(
    segmented: Path, size: int, *, min_count: int, epochs: int, num_workers: int, seed: int
) -> tuple[np.ndarray, dict[str, int]]:
    """Vectors with the zero vector in front, and the words' rows."""
    from gensim.models import Word2Vec
    from gensim.models.word2vec import LineSentence

    model = Word2Vec(
        vector_size=size,
        min_count=min_count,
        sg=1,
        window=5,
        negative=5,
        sample=1e-4,
        workers=num_workers,
        seed=seed,
    )
    sentences = LineSentence(str(segmented), max_sentence_length=_MAX_SENTENCE_WORDS)
    model.build_vocab(sentences)
    if not len(model.wv):
        raise ValueError(f"expected words that occur {min_count} times in --corpus, found none")
    model.train(sentences, total_examples=model.corpus_count, epochs=epochs)
    rows = {
        word: row
        for row, word in enumerate(model.wv.index_to_key)
        if len(word) <= MAX_WORD_CHARACTERS and word.isprintable()
    }
    vectors = np.zeros((len(rows) + 1, size), dtype=np.float32)
    vectors[1:] = model.wv.vectors[list(rows.values())]
    return vectors, {word: number for number, word in enumerate(rows, start=1)}


def _read_lines(path: Path) -> Iterator[str]:
    """Lines of a text file, plain or packed with xz, without their ends.

    Raises:
        ValueError: The file is not UTF-8, or damaged.
    """
    opened = lzma.open if path.suffix == ".xz" else open
    try:
        with opened(path, "rt", encoding="utf-8-sig", errors="strict") as file:
            for line in file:
                yield line.rstrip("\r\n")
    except (UnicodeDecodeError, lzma.LZMAError, EOFError) as error:
        raise ValueError(f"expected text in UTF-8, got {path}: {error}") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0, or see `ner_core.command_line`."""
    given = _build_parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    return run_command(PROG, lambda: _make(given))


def _make(given: Namespace) -> None:
    check_output_file(given.output, "--output")
    lists: dict[str, list[Path]] = {}
    for name, path in given.list or ():
        lists.setdefault(name, []).append(path)
    lexicon = make_lexicon(
        given.corpus,
        lists,
        vector_size=given.vector_size,
        min_count=given.min_count,
        min_matches=given.min_matches,
        epochs=given.epochs,
        num_workers=given.num_workers,
        seed=given.seed,
    )
    lexicon.save(given.output)
    print(
        f"{given.output}: {len(lexicon.words):,} words, {len(lexicon.vectors) - 1:,} of them with"
        f" vectors, {len(lexicon.type_names)} types"
    )


def _read_list(value: str) -> tuple[str, Path]:
    name, separator, path = value.partition("=")
    if not (name and separator and path):
        raise ArgumentTypeError(f"expected TYPE=FILE, got {value!r}")
    return name, Path(path)


def _build_parser() -> CommandLineParser:
    parser = CommandLineParser(PROG, "Make a lexicon from plain text and word lists.")
    parser.add_argument(
        "--corpus",
        type=Path,
        action="append",
        required=True,
        metavar="FILE",
        help="plain text in UTF-8, also .xz; repeatable",
    )
    parser.add_argument(
        "--list",
        type=_read_list,
        action="append",
        metavar="TYPE=FILE",
        help="words of a type, one in front of each line; repeatable",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help=".npz to write")
    for flag, convert, default, description in (
        ("--vector-size", number_between(int, 1, 1024), 64, "width of the vectors"),
        ("--min-count", number_between(int, 1, 1_000_000), 12, "rarer words get no vector"),
        (
            "--min-matches",
            number_between(int, 0, 1_000_000),
            2,
            "listed words without a vector are kept when the text holds them that often",
        ),
        ("--epochs", number_between(int, 1, 100), 3, "passes over the text"),
        ("--num-workers", number_between(int, 1, 256), 2, "1 makes the result repeatable"),
        ("--seed", number_between(int, 0, 2**32 - 1), 42, "of the vectors"),
    ):
        parser.add_argument(flag, type=convert, default=default, help=description)
    return parser


if __name__ == "__main__":
    sys.exit(main())
