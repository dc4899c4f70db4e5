"""Load once, predict many: the only door that the application uses."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from ner_core.checkpoint import Checkpoint, load_checkpoint
from ner_core.crf import CRF
from ner_core.dataset import EncodedWindow, collate
from ner_core.decoding import decode_spans, find_spans, merge_windows, outside_probabilities
from ner_core.labels import LabelSet
from ner_core.preprocessing import Window, split_segments, split_windows
from ner_core.spans import Span, check_spans, check_text
from ner_core.uncertainty import SegmentConfidence, Uncertainty, measure_segments

DEVICES = ("auto", "cpu", "cuda")
# Padded characters in one batch: one text of 20,000 must not pad thirty short ones to its length.
_MAX_BATCH_CHARACTERS = 16_384
# Texts whose emissions are held at once, to bound memory on files of any length.
_TEXTS_PER_ROUND = 512

# From the emissions of segments to their spans.
_Decode = Callable[[CRF, LabelSet, Sequence[Tensor]], list[tuple[Span, ...]]]


@dataclass(frozen=True, slots=True)
class Prediction:
    """A text and the entities found in it.

    Attributes:
        text: As it was given.
        spans: Sorted, without overlaps, each with its probability as score.
        uncertainty: How unsure the tagger is of the text; None unless that was asked for.
    """

    text: str
    spans: tuple[Span, ...]
    uncertainty: Uncertainty | None = None


@dataclass(frozen=True, slots=True)
class _Segment:
    """Where a segment stands: its text's index, its range, and its windows within the range."""

    text_index: int
    range: Window
    windows: tuple[Window, ...]


class Predictor:
    """A tagger with its vocabulary on one device. Safe to call from several threads.

    Args:
        checkpoint: The tagger.
        device: Where it runs. On CUDA the encoder and the context layer run in bfloat16 where the
            hardware has it; the CRF always runs in float32.
    """

    def __init__(self, checkpoint: Checkpoint, device: torch.device) -> None:
        self._tagger = checkpoint.tagger.to(device).eval()
        self._vocabulary = checkpoint.vocabulary
        self._device = device
        self._lock = threading.Lock()
        self.name = checkpoint.name

    @classmethod
    def load(cls, checkpoint: str | Path, *, device: str = "auto") -> "Predictor":
        """Load a checkpoint directory or a Hub id.

        Args:
            checkpoint: Directory or Hub id.
            device: "cpu", "cuda", or "auto", which takes CUDA when there is one.

        Raises:
            CheckpointError: The checkpoint cannot be used.
            ValueError: There is no such device.
        """
        if device not in DEVICES:
            raise ValueError(f"expected a device of {', '.join(DEVICES)}, got {device!r}")
        has_cuda = torch.cuda.is_available()
        if device == "cuda" and not has_cuda:
            raise ValueError("expected a CUDA device, found none; --device cpu runs without")
        kind = "cuda" if has_cuda and device != "cpu" else "cpu"
        return cls(load_checkpoint(checkpoint), torch.device(kind))

    @property
    def labels(self) -> LabelSet:
        """The checkpoint's label set."""
        return self._tagger.config.labels

    @property
    def architecture(self) -> str:
        """One of `ner_core.models.ARCHITECTURES`."""
        return self._tagger.config.architecture

    @property
    def device_name(self) -> str:
        """What a person calls the device: "CPU", or the name of the graphics card."""
        if self._device.type == "cuda":
            return torch.cuda.get_device_name(self._device)
        return "CPU"

    def predict(
        self, texts: Sequence[str], *, batch_size: int = 32, with_uncertainty: bool = False
    ) -> list[Prediction]:
        """Tag texts of any length; windows of like length share a batch.

        Args:
            texts: Any number of texts; one without characters gets no spans.
            batch_size: Windows that the encoder reads at once; fewer where they are very long.
            with_uncertainty: Measure the uncertainty, too; the encoder still reads a text once.

        Raises:
            ValueError: A text holds NUL or half of a surrogate pair, or the batch size is not
                positive.
        """
        predictions: list[Prediction] = []
        for part in _rounds(texts, batch_size):
            predictions += self._predict_round(part, batch_size, with_uncertainty)
        return predictions

    def find_spans(
        self, texts: Sequence[str], outside_offsets: Sequence[float], *, batch_size: int = 32
    ) -> Iterator[list[tuple[Span, ...]]]:
        """Spans without probabilities under each of some offsets; the encoder reads a text once.

        Never holds the emissions of more texts than `predict` does.

        Args:
            texts: As for `predict`.
            outside_offsets: Added to the score of O at every character, in log-odds, one by one.
            batch_size: As for `predict`.

        Yields:
            For each text its spans with each offset, in their order.

        Raises:
            ValueError: As for `predict`, with the first text.
        """
        for part in _rounds(texts, batch_size):
            yield from self._find_round(part, outside_offsets, batch_size)

    def measure_uncertainty(
        self, texts: Sequence[str], *, batch_size: int = 32
    ) -> list[Uncertainty]:
        """How unsure the tagger is of each text; arguments and errors as for `predict`."""
        measured: list[Uncertainty] = []
        for part in _rounds(texts, batch_size):
            measured += self._measure_round(part, batch_size)
        return measured

    def outside_probabilities(
        self, texts: Sequence[str], spans: Sequence[Sequence[Span]], *, batch_size: int = 32
    ) -> list[list[float]]:
        """How sure the tagger is, for each of some spans, that no entity touches its characters.

        Args:
            texts: As for `predict`.
            spans: Spans of each text, in any order; they may overlap, and their labels do not
                matter.
            batch_size: As for `predict`.

        Returns:
            Exact probabilities in [0, 1], in the order of the spans.

        Raises:
            ValueError: As for `predict`, or a span ends behind its text, or the lengths differ.
        """
        for text, its_spans in zip(texts, spans, strict=True):
            check_spans(text, its_spans)
        probabilities: list[list[float]] = []
        for part in _rounds(texts, batch_size):
            start = len(probabilities)
            probabilities += self._weigh_round(part, spans[start : start + len(part)], batch_size)
        return probabilities

    def _predict_round(
        self, texts: Sequence[str], batch_size: int, with_uncertainty: bool
    ) -> list[Prediction]:
        segments = list(self._split(texts))
        with self._lock, torch.inference_mode():
            emissions = self._score(texts, segments, batch_size)
            segment_spans = self._decode(emissions, batch_size, decode_spans)
            uncertainties: Sequence[Uncertainty | None] = [None] * len(texts)
            if with_uncertainty:
                uncertainties = self._measure(len(texts), segments, emissions, batch_size)
        spans = _join(len(texts), segments, segment_spans)
        return [
            Prediction(text, found, uncertainty)
            for text, found, uncertainty in zip(texts, spans, uncertainties, strict=True)
        ]

    def _find_round(
        self, texts: Sequence[str], outside_offsets: Sequence[float], batch_size: int
    ) -> list[list[tuple[Span, ...]]]:
        segments = list(self._split(texts))
        with self._lock, torch.inference_mode():
            emissions = self._score(texts, segments, batch_size)
            by_offset = [
                self._decode(emissions, batch_size, partial(find_spans, outside_offset=offset))
                for offset in outside_offsets
            ]
        joined = [_join(len(texts), segments, found) for found in by_offset]
        return [[spans[index] for spans in joined] for index in range(len(texts))]

    def _measure_round(self, texts: Sequence[str], batch_size: int) -> list[Uncertainty]:
        segments = list(self._split(texts))
        with self._lock, torch.inference_mode():
            emissions = self._score(texts, segments, batch_size)
            return self._measure(len(texts), segments, emissions, batch_size)

    def _measure(
        self,
        num_texts: int,
        segments: Sequence[_Segment],
        emissions: Sequence[Tensor],
        batch_size: int,
    ) -> list[Uncertainty]:
        measured: list[list[SegmentConfidence]] = [[] for _ in range(num_texts)]
        for indices in _batches_by_length([len(it) for it in emissions], batch_size):
            batch = measure_segments(self._tagger.crf, [emissions[i] for i in indices])
            for index, confidence in zip(indices, batch, strict=True):
                measured[segments[index].text_index].append(confidence)
        return [Uncertainty.of(confidences) for confidences in measured]

    def _weigh_round(
        self, texts: Sequence[str], spans: Sequence[Sequence[Span]], batch_size: int
    ) -> list[list[float]]:
        segments = list(self._split(texts))
        probabilities = [[1.0] * len(of_text) for of_text in spans]
        # A span that goes over several segments has a part in each: they are tagged apart, so the
        # probabilities of the parts are multiplied.
        parts = [
            (index, number)
            for index, segment in enumerate(segments)
            for number, span in enumerate(spans[segment.text_index])
            if span.start < segment.range.end and segment.range.start < span.end
        ]
        with self._lock, torch.inference_mode():
            emissions = self._score(texts, segments, batch_size)
            lengths = [len(emissions[index]) for index, _ in parts]
            for rows in _batches_by_length(lengths, batch_size):
                batch = [parts[row] for row in rows]
                ranges = []
                for index, number in batch:
                    segment = segments[index]
                    span = spans[segment.text_index][number]
                    start = max(span.start, segment.range.start)
                    end = min(span.end, segment.range.end)
                    ranges.append((start - segment.range.start, end - segment.range.start))
                weighed = outside_probabilities(
                    self._tagger.crf, [emissions[index] for index, _ in batch], ranges
                )
                for (index, number), probability in zip(batch, weighed, strict=True):
                    probabilities[segments[index].text_index][number] *= probability
        return probabilities

    def _split(self, texts: Sequence[str]) -> Iterator[_Segment]:
        max_characters = self._tagger.config.max_window_characters
        # Half a window of overlap gives every character a quarter of a window of context.
        stride = max(1, max_characters // 2)
        for text_index, text in enumerate(texts):
            for segment in split_segments(text, max_characters):
                windows = split_windows(segment.num_characters, max_characters, stride)
                yield _Segment(text_index, segment, tuple(windows))

    def _score(
        self, texts: Sequence[str], segments: Sequence[_Segment], batch_size: int
    ) -> list[Tensor]:
        """Emissions of each segment. Shape of each: (segment's characters, K)."""
        encoded: list[EncodedWindow] = []
        for segment in segments:
            text = texts[segment.text_index][segment.range.start : segment.range.end]
            token_ids = self._vocabulary.encode(text)
            encoded += [
                EncodedWindow(tuple(token_ids[window.start : window.end]))
                for window in segment.windows
            ]
        scored: dict[int, Tensor] = {}
        for indices in _batches_by_length([len(w.token_ids) for w in encoded], batch_size):
            batch = collate([encoded[index] for index in indices], self._vocabulary).to(
                self._device
            )
            with torch.autocast("cuda", torch.bfloat16, enabled=self._uses_bfloat16):
                output = self._tagger(batch.input_ids, batch.attention_mask, batch.mask)
            for index, emissions in zip(indices, output.emissions.float(), strict=True):
                scored[index] = emissions[: len(encoded[index].token_ids)]
        in_order = iter(scored[index] for index in range(len(encoded)))
        return [
            merge_windows(segment.windows, [next(in_order) for _ in segment.windows])
            for segment in segments
        ]

    def _decode(
        self, emissions: Sequence[Tensor], batch_size: int, decode: _Decode
    ) -> list[tuple[Span, ...]]:
        decoded: dict[int, tuple[Span, ...]] = {}
        for indices in _batches_by_length([len(segment) for segment in emissions], batch_size):
            batch = [emissions[index] for index in indices]
            found = decode(self._tagger.crf, self.labels, batch)
            decoded.update(zip(indices, found, strict=True))
        return [decoded[index] for index in range(len(emissions))]

    @property
    def _uses_bfloat16(self) -> bool:
        return self._device.type == "cuda" and torch.cuda.is_bf16_supported()


def _rounds(texts: Sequence[str], batch_size: int) -> Iterator[Sequence[str]]:
    """The texts in parts whose emissions fit into memory, checked before the first of them."""
    if batch_size < 1:
        raise ValueError(f"expected a positive batch size, got {batch_size}")
    for text in texts:
        check_text(text)
    for start in range(0, len(texts), _TEXTS_PER_ROUND):
        yield texts[start : start + _TEXTS_PER_ROUND]


def _batches_by_length(lengths: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """Indices in batches of like length, the longest first: memory runs out early or never."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    start = 0
    while start < len(order):
        num_rows = max(1, min(batch_size, _MAX_BATCH_CHARACTERS // lengths[order[start]]))
        yield order[start : start + num_rows]
        start += num_rows


def _join(
    num_texts: int, segments: Sequence[_Segment], found: Sequence[Sequence[Span]]
) -> list[tuple[Span, ...]]:
    """The spans of segments as those of their texts."""
    spans: list[list[Span]] = [[] for _ in range(num_texts)]
    for segment, of_segment in zip(segments, found, strict=True):
        spans[segment.text_index] += _shift(of_segment, segment.range.start)
    return [tuple(of_text) for of_text in spans]


def _shift(spans: Sequence[Span], offset: int) -> list[Span]:
    return [Span(s.start + offset, s.end + offset, s.label, s.score) for s in spans]
