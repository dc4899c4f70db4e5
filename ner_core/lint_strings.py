"""Lint of strings: the same string labelled here and not there, or with two labels. No torch.

A string counts as standing in a text without a label where no span covers any of its characters,
read from left to right, the longest labelled string first: 北京 in an unlabelled 北京大学 is not
looked for where 北京大学 is labelled in another text. A string that begins or ends inside a Latin
word or a number is another string.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from ner_core.findings import Finding, FindingKind
from ner_core.spans import Example, Span

# The index is looked up by the first characters, then by the lengths that begin so.
_PREFIX_CHARACTERS = 2
# Of one character, most labelled strings (美, 中) stand everywhere as a part of other words.
_SHORTEST_ELSEWHERE = 2
_LEAST_SHARE_ELSEWHERE = 0.5


class _Mentions:
    """Every labelled string of the data, to be found in a text.

    Attributes:
        labels: How often each string has each label.
    """

    def __init__(self, examples: Sequence[Example]) -> None:
        self.labels: defaultdict[str, Counter[str]] = defaultdict(Counter)
        lengths: defaultdict[str, set[int]] = defaultdict(set)
        for example in examples:
            for span in example.spans:
                mention = example.text[span.start : span.end]
                self.labels[mention][span.label] += 1
                lengths[mention[:_PREFIX_CHARACTERS]].add(len(mention))
        self._lengths = {
            prefix: sorted(its_lengths, reverse=True) for prefix, its_lengths in lengths.items()
        }

    def find_free(self, example: Example) -> Iterator[tuple[int, int]]:
        """Ranges that hold a labelled string but no character of a span."""
        position = 0
        for span in (*sorted(example.spans), None):
            gap_end = span.start if span else len(example.text)
            while position < gap_end:
                end = self._match(example.text, position, gap_end)
                if end:
                    yield position, end
                position = end or position + 1
            position = max(position, span.end) if span else position

    def _match(self, text: str, start: int, gap_end: int) -> int:
        """Where the longest labelled string that begins here ends; 0 if none begins here."""
        for length in (
            *self._lengths.get(text[start : start + _PREFIX_CHARACTERS], ()),
            *self._lengths.get(text[start], ()),
        ):
            end = start + length
            if (
                end <= gap_end
                and text[start:end] in self.labels
                and not _cuts_word(text, start, end)
            ):
                return end
        return 0


def lint_strings(examples: Sequence[Example]) -> Iterator[Finding]:
    """All findings that compare strings; first the unlabelled ones, each in order of the data."""
    mentions = _Mentions(examples)
    free = [list(mentions.find_free(example)) for example in examples]
    num_free = Counter(
        example.text[start:end]
        for example, ranges in zip(examples, free, strict=True)
        for start, end in ranges
    )
    for index, (example, ranges) in enumerate(zip(examples, free, strict=True)):
        labels_here: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for span in example.spans if ranges else ():
            labels_here[example.text[span.start : span.end]][span.label] += 1
        for start, end in ranges:
            mention = example.text[start:end]
            num_labelled = mentions.labels[mention].total()
            # One more in the denominator: one text alone is weak evidence.
            share = num_labelled / (num_labelled + num_free[mention] + 1)
            is_repeat = mention in labels_here
            if not is_repeat and (
                len(mention) < _SHORTEST_ELSEWHERE or share < _LEAST_SHARE_ELSEWHERE
            ):
                continue
            labels = labels_here[mention] if is_repeat else mentions.labels[mention]
            ((label, _),) = labels.most_common(1)
            yield Finding(
                FindingKind.UNLABELLED_REPEAT if is_repeat else FindingKind.UNLABELLED_ELSEWHERE,
                index,
                None,
                Span(start, end, label),
                # A reader of the text has called this very string an entity.
                max(share, 0.5) if is_repeat and len(mention) > 1 else share,
                num_like=num_free[mention],
                num_other=num_labelled,
            )
    yield from _find_two_labels(examples, mentions)


def _find_two_labels(examples: Sequence[Example], mentions: _Mentions) -> Iterator[Finding]:
    for index, example in enumerate(examples):
        present = set(example.spans)
        for span in example.spans:
            labels = mentions.labels[example.text[span.start : span.end]]
            if len(labels) == 1:
                continue
            num_like = labels[span.label]
            label, num_other = min(
                ((it, count) for it, count in labels.items() if it != span.label),
                key=lambda it: (-it[1], it[0]),
            )
            other = Span(span.start, span.end, label)
            # One place may carry both labels: CLUENER allows it, and somebody has looked twice.
            if num_other >= num_like and other not in present:
                yield Finding(
                    FindingKind.TWO_LABELS,
                    index,
                    span,
                    other,
                    num_other / (num_other + num_like + 1),
                    num_like=num_like,
                    num_other=num_other,
                )


def _cuts_word(text: str, start: int, end: int) -> bool:
    """Whether a Latin word or a number goes on over one of the borders."""
    return _is_word(text, start - 1, start) or _is_word(text, end - 1, end)


def _is_word(text: str, first: int, second: int) -> bool:
    if first < 0 or second >= len(text):
        return False
    pair = text[first] + text[second]
    return pair.isascii() and pair.isalnum()
