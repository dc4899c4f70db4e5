"""The real pages over predictors of fixed rules, so that tests know each suggestion beforehand."""

import argparse
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from annotation_store.store import AnnotationStore
from ner_core.labels import CLUENER, MSRA, LabelSet
from ner_core.prediction import Prediction
from ner_core.spans import Span
from ner_core.uncertainty import Uncertainty
from webui import layout
from webui.model_choice import ModelChoice
from webui.server import start_server
from webui.settings import Settings

RULES = {
    "浙商银行": ("company", 0.99),
    "叶老桂": ("name", 0.97),
    "博士": ("position", 0.62),
    "银监会": ("government", 0.91),
}
# Of a second model, offered with --two-models; the name tries to be markup.
MSRA_RULES = {
    "浙商银行": ("ORG", 0.996),
    "叶老桂博士": ("PER", 0.55),
}
MSRA_NAME = 'msra <b>${1}</b> "rules"'


class RulesPredictor:
    """Finds the words of its rules; stands in for `ner_core.prediction.Predictor`."""

    device_name = "CPU"
    architecture = "rules"

    def __init__(
        self,
        name: str,
        labels: LabelSet,
        rules: Mapping[str, tuple[str, float]],
        *,
        is_certain: bool = True,
    ) -> None:
        self.name = name
        self.labels = labels
        self._rules = rules
        self._is_certain = is_certain

    def predict(
        self, texts: Sequence[str], *, batch_size: int = 32, with_uncertainty: bool = False
    ) -> list[Prediction]:
        return [
            Prediction(
                text,
                tuple(sorted(self._find(text))),
                self._measure(text) if with_uncertainty else None,
            )
            for text in texts
        ]

    def _measure(self, text: str) -> Uncertainty:
        """None, so that the queue has the order of the texts; or that of the least certain rule."""
        if self._is_certain:
            return Uncertainty(path=0.0, token=0.0)
        least = min((span.score or 0.0 for span in self._find(text)), default=1.0)
        return Uncertainty(path=1.0 - least, token=1.0 - least)

    def _find(self, text: str) -> list[Span]:
        return [
            Span(match.start(), match.end(), label, score)
            for word, (label, score) in self._rules.items()
            for match in re.finditer(word, text)
        ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--two-models", action="store_true")
    parser.add_argument("--uncertain", action="store_true")
    arguments = parser.parse_args()
    predictors = [RulesPredictor("rules", CLUENER, RULES, is_certain=not arguments.uncertain)]
    if arguments.two_models:
        predictors.append(RulesPredictor(MSRA_NAME, MSRA, MSRA_RULES))
    with (
        AnnotationStore.open(arguments.database) as store,
        tempfile.TemporaryDirectory() as folder,
    ):
        if not store.projects():
            store.create_project("default", CLUENER)
        blocks = layout.build(store, ModelChoice(predictors), Settings(Path(folder)))
        start_server(blocks, host="127.0.0.1", port=arguments.port, accounts=None)
        blocks.block_thread()


if __name__ == "__main__":
    main()
