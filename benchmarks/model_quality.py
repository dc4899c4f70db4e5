"""What is measured of one model: scores, false alarms, size and speed."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.entity_free import FalseAlarms, Sentence, TextTagger, find_false_alarms
from benchmarks.labelled_data import DataSet
from ner_core.evaluation import Evaluation, SpanCounts, count_spans
from ner_core.significance import Interval, f1_interval
from ner_core.spans import Example

# Sentences tagged before the clock starts: the first call also pays for what torch sets up once.
_NUM_WARM_UP = 64


@dataclass(frozen=True, slots=True)
class Quality:
    """What was measured of one model.

    Attributes:
        checkpoint: The model's name.
        data_set: Name of the data set.
        evaluation: Scores on the labelled sentences.
        micro_f1_interval: Of micro F1, see `ner_core.significance`.
        false_alarms: On the sentences without entities.
        megabytes: The whole directory of its files, in 10^6 bytes.
        sentences_per_second: One pass over the labelled sentences, probabilities included.
    """

    checkpoint: str
    data_set: str
    evaluation: Evaluation
    micro_f1_interval: Interval
    false_alarms: FalseAlarms
    megabytes: float
    sentences_per_second: float

    def to_json(self) -> dict[str, object]:
        """All of it as plain values, the false alarms one by one."""
        return {
            "checkpoint": self.checkpoint,
            "data_set": self.data_set,
            **self.evaluation.to_json(),
            "micro_f1_interval": asdict(self.micro_f1_interval),
            "megabytes": self.megabytes,
            "sentences_per_second": self.sentences_per_second,
            **self.false_alarms.to_json(),
        }


def measure_quality(
    name: str,
    directory: Path,
    tagger: TextTagger,
    data_set: DataSet,
    examples: Sequence[Example],
    sentences: Sequence[Sentence],
) -> Quality:
    """Measure one model.

    Args:
        name: What to call it.
        directory: Its files.
        tagger: The same, loaded.
        data_set: What the examples are from; labels of other spans than its own are an error.
        examples: Labelled sentences, at least one.
        sentences: Without entities, at least one.
    """
    texts = [example.text for example in examples]
    gold = [example.spans for example in examples]
    tagger.predict(texts[:_NUM_WARM_UP])
    began = time.perf_counter()
    predictions = tagger.predict(texts)
    elapsed_s = time.perf_counter() - began
    predicted = [prediction.spans for prediction in predictions]
    counts = count_spans(gold, predicted, texts, data_set.labels)
    return Quality(
        checkpoint=name,
        data_set=data_set.name,
        evaluation=sum(counts, SpanCounts.zero(data_set.labels)).evaluation(),
        micro_f1_interval=f1_interval(counts),
        false_alarms=find_false_alarms(tagger, sentences),
        megabytes=sum(it.stat().st_size for it in directory.rglob("*") if it.is_file()) / 1e6,
        sentences_per_second=len(texts) / elapsed_s,
    )
