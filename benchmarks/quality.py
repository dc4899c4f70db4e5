"""How well the bundled models tag, beside published results.

    python -m benchmarks.quality --data cluener=dev.json [--checkpoint DIR] [--json]

- micro_f1, per_label, official_macro_f1: see `ner_core.evaluation`, on the file given.
- false_alarm_rate: share of the 60 sentences in entity_free.txt (written for this project, everyday
  and news language, no entity of CLUENER's or MSRA's kinds in any) in which something is found.
- megabytes: of the whole checkpoint directory.

Published figures are quoted, not measured, and on other sentences, so not quite comparable: of
CLUENER on its official dev set of 1,343 sentences (hemingkx/CLUENER2020, a BiLSTM-CRF without
anything pretrained; lonePatient/BERT-NER-Pytorch, BERT-base with a CRF); of MSRA on its official
test set (Zhang and Yang 2018, https://aclanthology.org/P18-1144: a BiLSTM-CRF on pretrained
characters, and the same with a lattice of words).
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from ner_core.conll import read_conll
from ner_core.evaluation import evaluate
from ner_core.formats import read_cluener
from ner_core.prediction import Predictor
from trainer.config import DataSource

DEFAULT_CHECKPOINT = Path(__file__).parents[1] / "models" / "cluener-small"
ENTITY_FREE = Path(__file__).with_name("entity_free.txt")
PUBLISHED = {
    "cluener": {
        "BiLSTM-CRF, nothing pretrained (hemingkx/CLUENER2020)": 0.675,
        "BERT-base + CRF (lonePatient/BERT-NER-Pytorch)": 0.8076,
    },
    "msra": {
        "BiLSTM-CRF on characters (Zhang and Yang 2018)": 0.8881,
        "Lattice LSTM (Zhang and Yang 2018)": 0.9318,
    },
}


@dataclass(frozen=True, slots=True)
class Quality:
    """What was measured; see the top of the module."""

    checkpoint: str
    data: str
    num_examples: int
    micro_f1: float
    micro_precision: float
    micro_recall: float
    official_macro_f1: float
    per_label: dict[str, float]
    false_alarm_rate: float
    megabytes: float


def measure(checkpoint: Path, source: DataSource) -> Quality:
    """Tag a labelled file and the sentences without entities."""
    predictor = Predictor.load(checkpoint)
    read = read_cluener if source.name == "cluener" else read_conll
    examples = read(source.path, labels=predictor.labels).examples
    predictions = predictor.predict([example.text for example in examples])
    evaluation = evaluate(
        [example.spans for example in examples],
        [prediction.spans for prediction in predictions],
        [example.text for example in examples],
        predictor.labels,
    )
    sentences = ENTITY_FREE.read_text(encoding="utf-8").splitlines()
    alarms = [bool(prediction.spans) for prediction in predictor.predict(sentences)]
    return Quality(
        checkpoint=predictor.name,
        data=Path(source.path).name,
        num_examples=evaluation.num_examples,
        micro_f1=evaluation.micro.f1,
        micro_precision=evaluation.micro.precision,
        micro_recall=evaluation.micro.recall,
        official_macro_f1=evaluation.official_macro_f1,
        per_label={label: scores.f1 for label, scores in evaluation.per_label.items()},
        false_alarm_rate=sum(alarms) / len(alarms),
        megabytes=sum(path.stat().st_size for path in checkpoint.iterdir()) / 1e6,
    )


def main(arguments: list[str] | None = None) -> int:
    """Print the measurements and the published figures, as text or as JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality", description="Measure a bundled model."
    )
    parser.add_argument(
        "--data",
        type=DataSource.parse,
        required=True,
        metavar="NAME=FILE",
        help="labelled file, cluener=FILE or msra=FILE",
    )
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_CHECKPOINT, help="directory")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(arguments)
    quality = measure(given.checkpoint, given.data)
    published = PUBLISHED.get(given.data.name, {})
    if given.json:
        report = {"measured": asdict(quality), "published_micro_f1": published}
        print(json.dumps(report, ensure_ascii=False, indent=2))
        return 0
    for name, value in asdict(quality).items():
        if name == "per_label":
            for label, f1 in value.items():
                print(f"  {label:22} {f1:.4f}")
        else:
            print(f"{name:24} {value:.4f}" if isinstance(value, float) else f"{name:24} {value}")
    for name, f1 in published.items():
        print(f"quoted: {name}: {f1:.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
