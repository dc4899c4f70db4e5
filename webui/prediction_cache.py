"""What models find in texts, computed once for each model and text, with progress."""

import threading
from collections.abc import Iterator, Sequence
from typing import Final
from weakref import WeakKeyDictionary

from ner_core.prediction import Predictor
from ner_core.spans import Span

# Few enough for a progress bar that moves and a stop that is heard, many enough to fill batches.
_TEXTS_PER_STEP: Final = 64


class PredictionCache:
    """Predictions by model and text. Thread-safe; those of a model go when the model goes.

    The texts are those of the database, so the cache is about as large as what it stands beside.
    """

    def __init__(self) -> None:
        self._spans: WeakKeyDictionary[Predictor, dict[str, tuple[Span, ...]]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def read(self, predictor: Predictor, texts: Sequence[str]) -> Iterator[int]:
        """Have a model read the texts that it has not read yet.

        Yields:
            How many of the texts have been read so far; first at once, last when all have been.
        """
        known = self._of(predictor)
        # Of like length together: a batch is padded to its longest text.
        missing = sorted((text for text in dict.fromkeys(texts) if text not in known), key=len)
        for start in range(0, len(missing), _TEXTS_PER_STEP):
            yield len(texts) - len(missing) + start
            for prediction in predictor.predict(missing[start : start + _TEXTS_PER_STEP]):
                known[prediction.text] = prediction.spans
        yield len(texts)

    def spans_of(self, predictor: Predictor, text: str) -> tuple[Span, ...]:
        """What a model finds in a text, with probabilities; it is read now if it has not been."""
        known = self._of(predictor)
        if text not in known:
            (prediction,) = predictor.predict([text])
            known[text] = prediction.spans
        return known[text]

    def _of(self, predictor: Predictor) -> dict[str, tuple[Span, ...]]:
        with self._lock:
            return self._spans.setdefault(predictor, {})
