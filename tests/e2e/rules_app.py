"""The real pages over a predictor of fixed rules, so that tests know each suggestion beforehand."""

import argparse
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from annotation_store.store import AnnotationStore
from ner_core.labels import CLUENER
from ner_core.prediction import Prediction
from ner_core.spans import Span
from webui import layout
from webui.settings import Settings

RULES = {
    "浙商银行": ("company", 0.99),
    "叶老桂": ("name", 0.97),
    "博士": ("position", 0.62),
    "银监会": ("government", 0.91),
}


class RulesPredictor:
    """Finds the words of `RULES`; stands in for `ner_core.prediction.Predictor`."""

    name = "rules"
    device_name = "CPU"
    architecture = "rules"
    labels = CLUENER

    def predict(self, texts: Sequence[str], *, batch_size: int = 32) -> list[Prediction]:
        return [Prediction(text, tuple(sorted(self._find(text)))) for text in texts]

    def _find(self, text: str) -> list[Span]:
        return [
            Span(match.start(), match.end(), label, score)
            for word, (label, score) in RULES.items()
            for match in re.finditer(word, text)
        ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    with (
        AnnotationStore.open(arguments.database) as store,
        tempfile.TemporaryDirectory() as folder,
    ):
        if not store.projects():
            store.create_project("default", CLUENER)
        blocks = layout.build(store, RulesPredictor(), Settings(Path(folder)))
        blocks.launch(server_port=arguments.port, quiet=True, **layout.launch_options())


if __name__ == "__main__":
    main()
