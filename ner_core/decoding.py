"""Emissions to spans with probabilities.

Windows limit only what the encoder sees at once. Their emissions are merged back into segments, and
the CRF decodes each segment as a whole, so that no entity is cut at a window's edge.

Shapes: B segments, L characters in the longest, K tags.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ner_core.crf import CRF, TagSpan
from ner_core.labels import LabelSet
from ner_core.preprocessing import Window, assign_to_windows
from ner_core.spans import Span


def merge_windows(windows: Sequence[Window], emissions: Sequence[Tensor]) -> Tensor:
    """Join the emissions of overlapping windows into those of their segment.

    Each character is taken from the window in which it stands farthest from an edge.

    Args:
        windows: Ranges within the segment, in order, covering it.
        emissions: One tensor for each window. Shape of each: (window's characters, K)

    Returns:
        Shape: (segment's characters, K)
    """
    parts = [
        window_emissions[owned.start - window.start : owned.end - window.start]
        for window, owned, window_emissions in zip(
            windows, assign_to_windows(windows), emissions, strict=True
        )
    ]
    return torch.cat(parts)


def decode_spans(crf: CRF, labels: LabelSet, emissions: Sequence[Tensor]) -> list[tuple[Span, ...]]:
    """The best valid tagging of each segment, as spans with their exact probabilities.

    The probability of a span is that of exactly this range with exactly this label, summed over all
    taggings of the rest of the segment.

    Args:
        crf: Transition scores and constraints.
        labels: The label set behind the tags.
        emissions: One tensor for each segment. Shape of each: (segment's characters, K)
    """
    if not emissions:
        return []
    padded, mask = _pad(emissions)
    spans = _find_best(crf, labels, padded, mask)
    tag_spans = [[_to_tag_span(span, labels) for span in segment_spans] for segment_spans in spans]
    probabilities = crf.span_probabilities(padded, tag_spans, mask)
    return [
        tuple(
            Span(span.start, span.end, span.label, score=probability)
            for span, probability in zip(segment_spans, segment_probabilities, strict=True)
        )
        for segment_spans, segment_probabilities in zip(spans, probabilities, strict=True)
    ]


def find_spans(
    crf: CRF, labels: LabelSet, emissions: Sequence[Tensor], *, outside_offset: float
) -> list[tuple[Span, ...]]:
    """The best valid tagging of each segment, as spans without probabilities.

    Args:
        crf: Transition scores and constraints, batch first; tag 0 is O.
        labels: The label set behind the tags.
        emissions: One tensor for each segment. Shape of each: (segment's characters, K)
        outside_offset: Added to the score of O at every character, in log-odds.
    """
    if not emissions:
        return []
    padded, mask = _pad(emissions)
    padded[:, :, 0] += outside_offset
    return _find_best(crf, labels, padded, mask)


@torch.no_grad()
def outside_probabilities(
    crf: CRF, emissions: Sequence[Tensor], ranges: Sequence[tuple[int, int]]
) -> list[float]:
    """The exact probability that no character of a range belongs to any entity.

    It is summed over all taggings that have O on the whole range.

    Args:
        crf: Transition scores and constraints, batch first; tag 0 is O.
        emissions: One tensor for each segment. Shape of each: (segment's characters, K)
        ranges: Start and end, half-open, of one range in each segment.
    """
    if not emissions:
        return []
    padded, mask = _pad(emissions)
    # Shape: (B, L, K)
    allowed_tags = torch.ones_like(padded, dtype=torch.bool)
    for row, (start, end) in enumerate(ranges):
        allowed_tags[row, start:end, 1:] = False
    # Shape: (B,); rounding may lift a certain one above 1
    log_likelihood = crf.partial_log_likelihood(padded, allowed_tags, mask, reduction="none")
    return [float(it) for it in log_likelihood.exp().clamp(max=1.0)]


def _find_best(crf: CRF, labels: LabelSet, padded: Tensor, mask: Tensor) -> list[tuple[Span, ...]]:
    """Shapes: (B, L, K), (B, L)."""
    return [labels.tags_to_spans(tag_ids) for tag_ids in crf.decode(padded, mask)]


def _pad(emissions: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Emissions of all segments with their mask. Shapes: (B, L, K), (B, L)."""
    padded = pad_sequence(list(emissions), batch_first=True)
    lengths = torch.tensor([len(segment) for segment in emissions], device=padded.device)
    return padded, torch.arange(padded.shape[1], device=padded.device) < lengths.unsqueeze(1)


def _to_tag_span(span: Span, labels: LabelSet) -> TagSpan:
    begin_tag = labels.tag_ids[f"B-{span.label}"]
    return TagSpan(span.start, span.end, begin_tag, begin_tag + 1)
