"""Sentences without any entity, and how often a tagger finds one in them all the same.

entity_free.txt was written for this project: everyday language, news, code, verse and more. A line
that begins with "# " names the kind of the sentences below it. No sentence holds an entity of
CLUENER's ten labels or of MSRA's three: no job or office (经理, 记者) and no team either; common
nouns for places (阳台, 公园) are no entities. Training on these sentences would spoil the measure.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ner_core.formats import DataFormatError
from ner_core.prediction import Prediction
from ner_core.spans import Span

ENTITY_FREE = Path(__file__).with_name("entity_free.txt")
_KIND = "# "


class TextTagger(Protocol):
    """What finds entities in texts: a `Predictor`, or something else that is measured like one."""

    def predict(self, texts: Sequence[str]) -> Sequence[Prediction]:
        """One prediction for each text."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text without any entity.

    Attributes:
        text: One line.
        kind: What it is like, for example "headlines".
    """

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class FalseAlarm:
    """A sentence in which a tagger found something.

    Attributes:
        sentence: It holds no entity.
        spans: What was found, with its probability as score if the tagger gives one; at least one.
    """

    sentence: Sentence
    spans: tuple[Span, ...]

    def to_json(self) -> dict[str, object]:
        """The sentence and what was found in it, as plain values."""
        text = self.sentence.text
        found = [
            {"mention": text[span.start : span.end], "label": span.label, "probability": span.score}
            for span in self.spans
        ]
        return {"kind": self.sentence.kind, "text": text, "found": found}


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """What a tagger found where there is nothing.

    Attributes:
        alarms: In the order of the file.
        num_sentences: Of each kind, in the order of the file.
    """

    alarms: tuple[FalseAlarm, ...]
    num_sentences: dict[str, int]

    @property
    def rate(self) -> float:
        """Share of the sentences in which at least one entity was found."""
        return len(self.alarms) / sum(self.num_sentences.values())

    @property
    def num_alarms(self) -> dict[str, int]:
        """Sentences with an alarm of each kind, the most first; kinds without any are left out."""
        return dict(Counter(alarm.sentence.kind for alarm in self.alarms).most_common())

    def to_json(self) -> dict[str, object]:
        """The share and the alarms, as plain values."""
        return {
            "false_alarm_rate": self.rate,
            "num_sentences_without_entities": sum(self.num_sentences.values()),
            "false_alarms": [alarm.to_json() for alarm in self.alarms],
        }


def read_sentences(path: Path = ENTITY_FREE) -> tuple[Sentence, ...]:
    """Read the sentences and their kinds.

    Raises:
        DataFormatError: A line is empty, or a sentence stands before the first kind, or there is
            no sentence.
        OSError: The file cannot be read.
    """
    sentences: list[Sentence] = []
    kind = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith(_KIND):
            kind = line.removeprefix(_KIND)
        elif not line.strip():
            raise DataFormatError(path.name, number, "expected a sentence, got an empty line")
        elif not kind:
            reason = f'expected a line "{_KIND}KIND" before the first sentence'
            raise DataFormatError(path.name, number, reason)
        else:
            sentences.append(Sentence(line, kind))
    if not sentences:
        raise DataFormatError(path.name, None, "expected at least one sentence, got none")
    return tuple(sentences)


def find_false_alarms(tagger: TextTagger, sentences: Sequence[Sentence]) -> FalseAlarms:
    """Tag sentences that hold no entity; there is at least one of them."""
    predictions = tagger.predict([sentence.text for sentence in sentences])
    return FalseAlarms(
        alarms=tuple(
            FalseAlarm(sentence, prediction.spans)
            for sentence, prediction in zip(sentences, predictions, strict=True)
            if prediction.spans
        ),
        num_sentences=dict(Counter(sentence.kind for sentence in sentences)),
    )
