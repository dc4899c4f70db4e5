"""Choose sentences without entities from plain text: `python -m trainer.entity_free`.

CLUENER has no sentence without an entity, so a tagger trained on it finds one in nearly every text.
Sentences of other text, labelled as empty, teach it otherwise (`--train cluener=FILE` beside the
rest). Nobody reads them, so all that could hold an entity is left out: what contains a mention of
the training data, what a public tagger (Baidu's LAC) sees a name in, what a second tagger of other
labels finds anything in (`--witness`), and what the tagger that is to be improved is sure of.
Where that one finds something without being sure, it is most likely wrong: these sentences teach
the most. So do Latin letters: abbreviations, code and English words are taken for
names. Words of small letters and a capital (iPad, Linux) mostly are names: they are left out.
"""

import math
import random
import re
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Protocol, TypeVar

from tqdm import tqdm

from ner_core.command_line import (
    CommandLineParser,
    check_output_file,
    number_between,
    run_command,
)
from ner_core.formats import write_cluener
from ner_core.prediction import Predictor
from ner_core.preprocessing import fold_text
from ner_core.spans import Example
from trainer.config import DataSource
from trainer.corpus import CorpusSource
from trainer.sentence_draw import Drawn, draw_sentences, has_latin
from trainer.silver_labels import load_lac
from trainer.sources import read_source

PROG = "python -m trainer.entity_free"

# LAC's tags of persons, places, organizations and works, as its network and its CRF name them.
_NAME_TAGS = frozenset({"PER", "LOC", "ORG", "nr", "ns", "nt", "nw"})
# Brands, events, things with a name. LAC takes most Latin letters for one: those are kept.
_OTHER_NAME_TAG = "nz"
_CHINESE = re.compile("[\u4e00-\u9fff]")
# A character that is a mention somewhere is an ordinary one in most sentences.
_MIN_MENTION_CHARACTERS = 2
_TEXTS_PER_ROUND = 256

_Item = TypeVar("_Item")


class _WordTagger(Protocol):
    def run(self, texts: str) -> list[tuple[str, str]]: ...


@dataclass(frozen=True, slots=True)
class EntityFree:
    """A sentence in which nothing speaks for an entity.

    Attributes:
        text: The sentence.
        probability: Of the surest span that the tagger finds in it; 0 when it finds none.
    """

    text: str
    probability: float

    @property
    def is_mistaken(self) -> bool:
        """Whether the tagger finds an entity."""
        return self.probability > 0.0


class Filter:
    """Leaves out what may hold an entity, and counts it.

    Args:
        known: Examples whose texts and mentions must not occur.
        words: LAC.
        tagger: The one to be improved.
        witnesses: Other taggers; whatever they find, however unsure, is believed.
        max_probability: A span at least so probable of the tagger to be improved is believed.

    Attributes:
        left_out: How many sentences for which reason.
    """

    def __init__(
        self,
        known: Iterable[Example],
        words: _WordTagger,
        tagger: Predictor,
        witnesses: Sequence[Predictor],
        max_probability: float,
    ) -> None:
        examples = list(known)
        self._seen = {fold_text(example.text) for example in examples}
        mentions = (
            fold_text(example.text[span.start : span.end])
            for example in examples
            for span in example.spans
        )
        self._mentions = {name for name in mentions if len(name) >= _MIN_MENTION_CHARACTERS}
        self._mention_lengths = sorted({len(mention) for mention in self._mentions})
        self._words = words
        self._tagger = tagger
        self._witnesses = witnesses
        self._max_probability = max_probability
        self.left_out: Counter[str] = Counter()

    def pass_on(self, sentences: Iterable[str]) -> Iterator[EntityFree]:
        """Those that may be taken for sentences without entities, in their order."""
        unnamed = (sentence for sentence in sentences if not self._is_left_out(sentence))
        while texts := list(islice(unnamed, _TEXTS_PER_ROUND)):
            for witness in self._witnesses:
                found = witness.predict(texts)
                texts = [prediction.text for prediction in found if not prediction.spans]
                self.left_out[f"{witness.name} finds an entity"] += len(found) - len(texts)
            for prediction in self._tagger.predict(texts):
                scores = (span.score or 0.0 for span in prediction.spans)
                probability = max(scores, default=0.0)
                if probability < self._max_probability:
                    yield EntityFree(prediction.text, probability)
                else:
                    self.left_out["the tagger believes in an entity"] += 1

    def _is_left_out(self, sentence: str) -> bool:
        folded = fold_text(sentence)
        if folded in self._seen:
            reason = "stands in the training data, or came before"
        elif self._has_mention(folded):
            reason = "holds a mention of the training data"
        elif any(is_name(word, tag) for word, tag in self._words.run(sentence)):
            reason = "LAC finds a name"
        else:
            self._seen.add(folded)
            return False
        self.left_out[reason] += 1
        return True

    def _has_mention(self, folded: str) -> bool:
        return any(
            folded[start : start + length] in self._mentions
            for length in self._mention_lengths
            for start in range(len(folded) - length + 1)
        )


def is_name(word: str, tag: str) -> bool:
    """Whether a word that LAC tagged so may be an entity."""
    return tag in _NAME_TAGS or (tag == _OTHER_NAME_TAG and bool(_CHINESE.search(word)))


def choose(
    groups: Sequence[Sequence[EntityFree]], num_sentences: int, mistake_share: float
) -> list[EntityFree]:
    """Sentences of all groups alike, those in which the tagger is mistaken first.

    Args:
        groups: Of each file, in random order.
        num_sentences: At most so many.
        mistake_share: Of these, at most so many in which the tagger finds something, unless there
            are too few others.
    """
    mistakes = take_in_turn([[one for one in group if one.is_mistaken] for group in groups])
    others = take_in_turn([[one for one in group if not one.is_mistaken] for group in groups])
    num_mistakes = round(num_sentences * mistake_share)
    ranked = chain(mistakes[:num_mistakes], others, mistakes[num_mistakes:])
    return list(islice(ranked, num_sentences))


def take_in_turn(groups: Sequence[Sequence[_Item]]) -> list[_Item]:
    """The first of each group, then the second of each, and so on."""
    longest = max(map(len, groups), default=0)
    return [group[place] for place in range(longest) for group in groups if place < len(group)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0, or see `ner_core.command_line`."""
    given = _build_parser().parse_args(arguments)
    return run_command(PROG, lambda: _choose(given))


def _choose(given: Namespace) -> None:
    if given.min_characters > given.max_characters:
        raise ValueError(
            f"expected --min-characters up to --max-characters, got {given.min_characters} and"
            f" {given.max_characters}"
        )
    check_output_file(given.output, "--output")
    words = load_lac()
    tagger = Predictor.load(given.checkpoint)
    witnesses = [Predictor.load(witness) for witness in given.witness]
    sources = [read_source(source, tagger.labels) for source in given.train]
    known = (example for source in sources for example in source.corpus.examples)
    checks = Filter(known, words, tagger, witnesses, given.max_probability)
    num_latin = round(given.num_sentences * given.latin_share)
    num_other = given.num_sentences - num_latin
    drawn = _draw(given, num_latin, num_other)
    num_drawn = sum(len(file.latin) + len(file.other) for file in drawn)
    with tqdm(total=num_drawn, desc="checked", unit="sentence", disable=None) as progress:

        def check(sentences: Sequence[str]) -> list[EntityFree]:
            return list(checks.pass_on(_count(sentences, progress)))

        latin = [check(file.latin) for file in drawn]
        other = [check(file.other) for file in drawn]
    chosen = [
        *choose(latin, num_latin, given.mistake_share),
        *choose(other, num_other, given.mistake_share),
    ]
    left_out = sum((Counter(file.left_out) for file in drawn), Counter())
    lines = [
        f"{sum(file.num_sentences for file in drawn):,} sentences in {len(drawn)} files",
        *_list_reasons(left_out),
        f"{num_drawn:,} of the others drawn and checked",
        *_list_reasons(checks.left_out),
    ]
    if not chosen:
        raise ValueError(f"expected sentences without entities, found none: {'; '.join(lines)}")
    # The trainer may cut dev off the end of a source.
    random.Random(given.seed).shuffle(chosen)
    write_cluener(given.output, (Example("", one.text) for one in chosen))
    num_mistaken = sum(one.is_mistaken for one in chosen)
    lines += [
        f"{given.output}: {len(chosen):,} sentences of {given.num_sentences:,} asked for",
        f"  {sum(has_latin(one.text) for one in chosen):,} with Latin letters, of {num_latin:,}",
        f"  {num_mistaken:,} in which {tagger.name} finds an entity",
    ]
    print("\n".join(lines))


def _draw(given: Namespace, num_latin: int, num_other: int) -> list[Drawn]:
    """Candidates, as many from each file, so that enough pass the checks."""
    files = list(dict.fromkeys(map(str, given.corpus)))
    per_file = given.candidates_per_sentence / len(files)
    return [
        draw_sentences(
            CorpusSource("text", file),
            num_latin=math.ceil(num_latin * per_file),
            num_other=math.ceil(num_other * per_file),
            min_characters=given.min_characters,
            max_characters=given.max_characters,
            seed=given.seed,
        )
        for file in files
    ]


def _count(sentences: Sequence[str], progress: tqdm) -> Iterator[str]:
    for sentence in sentences:
        progress.update()
        yield sentence


def _list_reasons(left_out: Counter[str]) -> list[str]:
    return [f"  {count:,} left out: {reason}" for reason, count in left_out.most_common()]


def _build_parser() -> CommandLineParser:
    parser = CommandLineParser(PROG, "Choose sentences without entities from plain text.")
    count = number_between(int, 1, 10_000_000)
    share = number_between(float, 0.0, 1.0)
    parser.add_argument(
        "--corpus",
        action="append",
        type=Path,
        required=True,
        metavar="FILE",
        help="sentences or paragraphs, one in each line, plain or .xz; repeatable",
    )
    parser.add_argument(
        "--train",
        action="append",
        type=DataSource.parse,
        required=True,
        metavar="NAME=PATH",
        help="labelled texts whose mentions must not occur; as for trainer.finetune, repeatable",
    )
    parser.add_argument(
        "--checkpoint",
        required=True,
        metavar="DIR",
        help="checkpoint directory or Hub id of the tagger to be improved",
    )
    parser.add_argument(
        "--witness",
        action="append",
        default=[],
        metavar="DIR",
        help="another tagger, best of other labels and other training data; sentences in which it"
        " finds anything are left out; repeatable",
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FILE", help="CLUENER JSON file to write"
    )
    parser.add_argument(
        "--num-sentences", type=count, default=1000, help="how many to choose, at most"
    )
    parser.add_argument(
        "--latin-share", type=share, default=0.4, help="of these, with Latin letters"
    )
    parser.add_argument(
        "--mistake-share",
        type=share,
        default=0.5,
        help="of these, at most, in which the tagger finds something",
    )
    parser.add_argument(
        "--max-probability",
        type=number_between(float, 0.0, 1.0, above_low=True),
        default=0.85,
        help="a span at least so probable is taken for an entity; at 0.5 a tenth as many mistakes"
        " are found, and fewer sentences hold an entity after all",
    )
    parser.add_argument("--min-characters", type=count, default=8, help="of a sentence")
    parser.add_argument("--max-characters", type=count, default=50, help="of a sentence")
    parser.add_argument(
        "--candidates-per-sentence",
        type=count,
        default=20,
        help="sentences to check for each one to choose; more find more mistakes, and take longer",
    )
    parser.add_argument(
        "--seed", type=number_between(int, 0, 2**32 - 1), default=42, help="of the choice"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
