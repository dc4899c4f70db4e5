r"""CoNLL/BIO files: one character and its tag in each line, an empty line after each sentence.

This is the shape of the MSRA data: `<character><tab><tag>`; blanks instead of the tab are read too.
Two rules make every text come back as it was:

- A line break cannot stand on a line: the tokens `\n`, `\r` and `\t` (a backslash and a letter)
  mean a line feed, a carriage return and a tab, and `\ufeff` what would pass for a byte order mark
  at the start of a file. A backslash of the text is a token of its own.
- A token that is missing (`<tab>O`) is a blank: some writers strip their characters.

BIO tags cannot express spans that overlap; `write_conll` drops the shorter ones and counts them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ner_core.formats import Corpus, DataFormatError, decode_text, quote, split_lines, write_lines
from ner_core.labels import OUTSIDE, LabelSet
from ner_core.spans import Example, Span, check_text, drop_overlaps

_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\ufeff": "\\ufeff"}
# A token, the prefix of its tag (B, I or O), and its label (None for O).
_Row = tuple[str, str, str | None]
_ESCAPED_CHARACTERS = {escape: character for character, escape in _ESCAPES.items()}


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a file.

    Attributes:
        text: Its tokens, joined without a blank.
        spans: In order; they do not overlap.
        num_repaired_tags: I- tags that continued nothing and were read as B-.
    """

    text: str
    spans: tuple[Span, ...]
    num_repaired_tags: int


def split_sentences(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """The lines of each sentence, and the number of its first line, counted from 1.

    Args:
        lines: With or without their ends; a sentence ends with an empty one.
    """
    sentence: list[str] = []
    number = 0
    for number, line in enumerate(lines, start=1):
        line = line.removesuffix("\n").removesuffix("\r")
        if line.strip(" \t"):
            sentence.append(line)
        elif sentence:
            yield number - len(sentence), sentence
            sentence = []
    if sentence:
        yield number + 1 - len(sentence), sentence


def parse_sentence(
    lines: Iterable[str], *, source: str, first_line: int, labels: LabelSet | None = None
) -> Sentence:
    """One sentence, one token and one tag in each line.

    Args:
        lines: Without their ends, none of them empty.
        source: File name for messages.
        first_line: Number of the first line, for messages.
        labels: The labels that may occur; None for any.

    Raises:
        DataFormatError: Names the first line that is wrong.
    """
    rows: list[_Row] = []
    for line_number, line in enumerate(lines, start=first_line):
        try:
            token, tag = _parse_line(line)
            check_text(token)
            prefix, label = _parse_tag(tag)
            if label is not None and labels is not None and label not in labels.labels:
                raise ValueError(
                    f"expected one of the labels {', '.join(labels.labels)}, got {quote(label)}"
                )
        except ValueError as error:
            raise DataFormatError(source, line_number, str(error)) from None
        rows.append((token, prefix, label))
    return _join_rows(rows)


def tags_to_sentence(tokens: Sequence[str], tags: Sequence[str]) -> Sentence:
    """The sentence of tokens and their BIO tags, as many as tokens.

    Raises:
        ValueError: A tag is none.
    """
    rows = [(token, *_parse_tag(tag)) for token, tag in zip(tokens, tags, strict=True)]
    return _join_rows(rows)


def _join_rows(rows: Iterable[_Row]) -> Sentence:
    num_repaired_tags = 0
    tokens: list[str] = []
    spans: list[Span] = []
    num_characters = 0  # of the tokens so far
    open_label = None  # label of the span that the last token belongs to
    for token, prefix, label in rows:
        end = num_characters + len(token)
        if label is not None:
            if prefix == "I" and label == open_label:
                spans[-1] = Span(spans[-1].start, end, label)
            else:
                num_repaired_tags += prefix == "I"
                spans.append(Span(num_characters, end, label))
        tokens.append(token)
        num_characters, open_label = end, label
    return Sentence("".join(tokens), tuple(spans), num_repaired_tags)


def parse_conll(text: str, *, source: str, labels: LabelSet | None = None) -> Corpus:
    """A whole CoNLL/BIO file, one token and one tag in each line; examples have no id.

    Tokens of several characters are joined without a blank. An I- tag that continues nothing
    begins a span; these repairs are counted.

    Raises:
        DataFormatError: Names the first line that is wrong.
    """
    sentences = [
        parse_sentence(lines, source=source, first_line=first_line, labels=labels)
        for first_line, lines in split_sentences(split_lines(text))
    ]
    examples = tuple(Example("", sentence.text, sentence.spans) for sentence in sentences)
    num_repaired_tags = sum(sentence.num_repaired_tags for sentence in sentences)
    return Corpus(examples, num_repaired_tags=num_repaired_tags)


def _parse_line(line: str) -> tuple[str, str]:
    """Token and tag of one line."""
    token, separator, tag = line.rpartition("\t" if "\t" in line else " ")
    if not separator or not _is_tag(tag):
        raise ValueError(
            f"expected a character, a tab and a tag (O, B-LABEL or I-LABEL), got {quote(line)}"
        )
    if separator == " " and not token.strip(" "):
        token = token[:1]  # several blanks in a row are one token and a wide separator
    elif separator == " ":
        token = token.rstrip(" ")
    if token.strip(" \t") and ("\t" in token or (separator == " " and " " in token)):
        raise ValueError(f"expected two columns, a character and its tag, got {quote(line)}")
    return _ESCAPED_CHARACTERS.get(token, token or " "), tag


def is_conll_line(line: str) -> bool:
    """Whether a line without its end could be a token and its tag."""
    try:
        _parse_line(line)
    except ValueError:
        return False
    return True


def _is_tag(tag: str) -> bool:
    prefix, _, label = tag.partition("-")
    return tag == OUTSIDE or (prefix in ("B", "I") and label.split() == [label])


def _parse_tag(tag: str) -> tuple[str, str | None]:
    """Prefix (B, I or O) and label (None for O)."""
    if not _is_tag(tag):
        raise ValueError(f"expected a tag (O, B-LABEL or I-LABEL), got {quote(tag)}")
    prefix, _, label = tag.partition("-")
    return prefix, label or None


def format_conll(example: Example) -> str:
    """The lines of one sentence, a character each, without the line end after the last.

    Raises:
        ValueError: The text is empty, a label is no BIO label, or spans overlap.
    """
    if not example.text:
        raise ValueError(
            f"expected a text with at least one character for CoNLL, got an empty one"
            f" (example {quote(example.id)})"
        )
    tags = [OUTSIDE] * len(example.text)
    if example.spans:
        labels = LabelSet(tuple(dict.fromkeys(span.label for span in example.spans)))
        tag_ids = labels.spans_to_tags(example.spans, len(example.text))
        tags = [labels.tags[tag_id] for tag_id in tag_ids]
    return "\n".join(
        f"{_ESCAPES.get(character, character)}\t{tag}"
        for character, tag in zip(example.text, tags, strict=True)
    )


def read_conll(path: str | Path, *, labels: LabelSet | None = None) -> Corpus:
    """Read a CoNLL/BIO file in UTF-8, UTF-16 or GB18030.

    Raises:
        DataFormatError: Names the first line that is wrong.
        OSError: The file cannot be read.
    """
    source = str(path)
    return parse_conll(decode_text(Path(path).read_bytes(), source), source=source, labels=labels)


def write_conll(path: str | Path, examples: Iterable[Example]) -> int:
    """Write a CoNLL/BIO file in UTF-8, whole or not at all; ids are not kept.

    Returns:
        How many spans were dropped because they overlap a longer one (see `drop_overlaps`).
    """
    num_dropped = 0

    def sentences() -> Iterator[str]:
        nonlocal num_dropped
        for example in examples:
            kept, dropped = drop_overlaps(example.spans)
            num_dropped += len(dropped)
            yield format_conll(Example(example.id, example.text, kept)) + "\n"

    write_lines(path, sentences())
    return num_dropped
