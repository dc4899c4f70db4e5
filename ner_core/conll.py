r"""CoNLL/BIO files: one character and its tag in each line, an empty line after each sentence.

This is the shape of the MSRA data: `<character><tab><tag>`; blanks instead of the tab are read too.
Two rules make every text come back as it was:

- A line break cannot stand on a line: the tokens `\n`, `\r` and `\t` (a backslash and a letter)
  mean a line feed, a carriage return and a tab, and `\ufeff` what would pass for a byte order mark
  at the start of a file. A backslash of the text is a token of its own.
- A token that is missing (`<tab>O`) is a blank: some writers strip their characters.

BIO tags cannot express spans that overlap; `write_conll` drops the shorter ones and counts them.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from ner_core.formats import Corpus, DataFormatError, decode_text, quote, split_lines, write_lines
from ner_core.labels import OUTSIDE, LabelSet
from ner_core.spans import Example, Span, check_text, drop_overlaps

_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\ufeff": "\\ufeff"}
_ESCAPED_CHARACTERS = {escape: character for character, escape in _ESCAPES.items()}


def parse_conll(text: str, *, source: str, labels: LabelSet | None = None) -> Corpus:
    """A whole CoNLL/BIO file, one token and one tag in each line; examples have no id.

    Tokens of several characters are joined without a blank. An I- tag that continues nothing
    begins a span; these repairs are counted.

    Raises:
        DataFormatError: Names the first line that is wrong.
    """
    examples: list[Example] = []
    num_repaired_tags = 0
    tokens: list[str] = []
    spans: list[Span] = []
    num_characters = 0  # of the tokens so far
    open_label = None  # label of the span that the last token belongs to
    # The empty line at the end closes the last sentence of a file that has none.
    for line_number, line in enumerate((*split_lines(text), ""), start=1):
        if not line.strip(" \t"):
            if tokens:
                examples.append(Example("", "".join(tokens), tuple(spans)))
            tokens, spans, num_characters, open_label = [], [], 0, None
            continue
        try:
            token, prefix, label = _parse_line(line)
            check_text(token)
            if label is not None and labels is not None and label not in labels.labels:
                raise ValueError(
                    f"expected one of the labels {', '.join(labels.labels)}, got {quote(label)}"
                )
        except ValueError as error:
            raise DataFormatError(source, line_number, str(error)) from None
        end = num_characters + len(token)
        if label is not None:
            if prefix == "I" and label == open_label:
                spans[-1] = Span(spans[-1].start, end, label)
            else:
                num_repaired_tags += prefix == "I"
                spans.append(Span(num_characters, end, label))
        tokens.append(token)
        num_characters, open_label = end, label
    return Corpus(tuple(examples), num_repaired_tags=num_repaired_tags)


def _parse_line(line: str) -> tuple[str, str, str | None]:
    """Token, prefix (B, I or O) and label (None for O) of one line."""
    token, separator, tag = line.rpartition("\t" if "\t" in line else " ")
    prefix, _, label = tag.partition("-")
    is_tag = tag == OUTSIDE or (prefix in ("B", "I") and label.split() == [label])
    if not separator or not is_tag:
        raise ValueError(
            f"expected a character, a tab and a tag (O, B-LABEL or I-LABEL), got {quote(line)}"
        )
    if separator == " " and not token.strip(" "):
        token = token[:1]  # several blanks in a row are one token and a wide separator
    elif separator == " ":
        token = token.rstrip(" ")
    if token.strip(" \t") and ("\t" in token or (separator == " " and " " in token)):
        raise ValueError(f"expected two columns, a character and its tag, got {quote(line)}")
    return _ESCAPED_CHARACTERS.get(token, token or " "), prefix, label or None


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
    """Read a CoNLL/BIO file in UTF-8 or GB18030.

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
