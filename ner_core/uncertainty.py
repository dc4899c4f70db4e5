"""How unsure a tagger is of a text, to put first in a queue what a person should read first.

Two measures, both from the CRF's exact probabilities and both 0 for a certain and near 1 for a
hopeless text:

path    1 less the probability of the best tagging, taken to the power 1 / characters: normalised,
        or the longest text would always be the least probable. Shen et al. 2018, "Deep Active
        Learning for Named Entity Recognition", https://arxiv.org/abs/1707.05928, as MNLP.
token   1 less the probability of the least certain character's tag, summed over all taggings of
        the rest. Marcheggiani and Artières 2014, "An Experimental Comparison of Active Learning
        Strategies for Partially Labeled Sequences", https://aclanthology.org/D14-1097.

Shapes: B segments, L characters in the longest, K tags.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ner_core.crf import CRF


@dataclass(frozen=True, slots=True)
class SegmentConfidence:
    """What the CRF says of the best tagging of one segment.

    Attributes:
        num_characters: Its length, at least 1.
        log_probability: Natural logarithm of the probability of the whole tagging, at most 0.
        least_probability: Of the tagging's tags, that of the least probable one; in [0, 1].
    """

    num_characters: int
    log_probability: float
    least_probability: float


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """How unsure a tagger is of a text; see the top of the file.

    Attributes:
        path: By the probability of the whole tagging, per character; in [0, 1].
        token: By the least certain character; in [0, 1].
    """

    path: float
    token: float

    @classmethod
    def of(cls, segments: Iterable[SegmentConfidence]) -> "Uncertainty":
        """Of the segments of one text, which are tagged apart; a text without any is certain."""
        segments = tuple(segments)
        num_characters = sum(segment.num_characters for segment in segments)
        if num_characters == 0:
            return cls(0.0, 0.0)
        log_probability = sum(segment.log_probability for segment in segments) / num_characters
        least_probability = min(segment.least_probability for segment in segments)
        return cls(path=-math.expm1(log_probability), token=1.0 - least_probability)


@torch.no_grad()
def measure_segments(crf: CRF, emissions: Sequence[Tensor]) -> list[SegmentConfidence]:
    """How sure a CRF is of the best tagging of each segment.

    Args:
        crf: Transition scores and constraints, batch first.
        emissions: One tensor for each segment. Shape of each: (segment's characters, K)
    """
    if not emissions:
        return []
    # Shape: (B, L, K)
    padded = pad_sequence(list(emissions), batch_first=True)
    lengths = torch.tensor([len(segment) for segment in emissions], device=padded.device)
    # Shape: (B, L)
    mask = torch.arange(padded.shape[1], device=padded.device) < lengths.unsqueeze(1)
    paths = [torch.tensor(path, device=padded.device) for path in crf.decode(padded, mask)]
    tags = pad_sequence(paths, batch_first=True)
    # Shape: (B,); rounding may lift a certain one above 0
    log_probabilities = crf(padded, tags, mask, reduction="none").clamp(max=0.0)
    # Shape: (B, L)
    marginals = crf.marginals(padded, mask).gather(2, tags.unsqueeze(2)).squeeze(2)
    # Shape: (B,)
    least = marginals.masked_fill(~mask, 1.0).amin(dim=1).clamp(0.0, 1.0)
    return [
        SegmentConfidence(*values)
        for values in zip(lengths.tolist(), log_probabilities.tolist(), least.tolist(), strict=True)
    ]
