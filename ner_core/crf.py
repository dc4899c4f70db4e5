"""A linear-chain CRF on the parameters of pytorch-crf: loss, best path, marginals, spans.

Shapes: L positions, B sequences, K tags, N spans. Private code is position first, (L, B, ...),
whatever `batch_first` says. The algorithms are in `ner_core.lattice`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import torch
import torchcrf
from torch import Tensor

from ner_core.labels import LabelSet
from ner_core.lattice import Lattice, find_best_paths, score_paths, sum_paths

# Added to the score of a forbidden transition. Not -inf: minus infinities meet as NaN in gradients.
FORBIDDEN_SCORE = -1e4


@dataclass(frozen=True, slots=True)
class TagSpan:
    """A span as the CRF sees it: a begin tag, then inside tags up to where none follows.

    Attributes:
        start: First position.
        end: One past the last position.
        begin_tag: Tag id at `start`.
        inside_tag: Tag id at the other positions, and not at `end`.
    """

    start: int
    end: int
    begin_tag: int
    inside_tag: int


class CRF(torchcrf.CRF):
    """Conditional random field: a drop-in for `torchcrf.CRF`, faster, that can forbid transitions.

    Parameters, state dict, layouts and errors are those of pytorch-crf 0.7.2. Beyond it, a mask
    with a hole and tags that do not exist are refused, padding may hold any tag, and results are
    float32 at least. The gradient of the loss cannot be differentiated again (no `create_graph`).

    Args:
        num_tags: Number of tags, K.
        batch_first: Whether emissions are (B, L, K) instead of (L, B, K), tags and mask likewise.
        allowed_starts: Which tags may come first; None: all. Shape: (K,)
        allowed_transitions: Which tag (column) may follow which (row); None: all. Shape: (K, K)

    Raises:
        ValueError: There is no tag, or a table of allowed tags has another shape.
    """

    start_penalties: Tensor
    transition_penalties: Tensor

    def __init__(
        self,
        num_tags: int,
        batch_first: bool = False,
        *,
        allowed_starts: Sequence[bool] | Tensor | None = None,
        allowed_transitions: Sequence[Sequence[bool]] | Tensor | None = None,
    ) -> None:
        super().__init__(num_tags, batch_first)
        # Not persistent: the state dict stays pytorch-crf's; the label set says what is allowed.
        start_penalties = _penalties(allowed_starts, (num_tags,), "allowed_starts")
        self.register_buffer("start_penalties", start_penalties, persistent=False)
        transition_penalties = _penalties(
            allowed_transitions, (num_tags, num_tags), "allowed_transitions"
        )
        self.register_buffer("transition_penalties", transition_penalties, persistent=False)

    @classmethod
    def for_labels(cls, labels: LabelSet, batch_first: bool = True) -> Self:
        """A CRF over the tags of a label set in which I-x follows B-x or I-x only."""
        tags = range(labels.num_tags)
        return cls(
            labels.num_tags,
            batch_first,
            allowed_starts=[labels.is_allowed_start(tag) for tag in tags],
            allowed_transitions=[[labels.is_allowed_transition(i, j) for j in tags] for i in tags],
        )

    @torch.no_grad()
    def initialise_from_tags(
        self, tag_sequences: Iterable[Sequence[int]], *, smoothing: float = 1.0
    ) -> None:
        """Set start, transition and end scores to the logs of smoothed bigram frequencies.

        Args:
            tag_sequences: Tag ids of the training texts; empty sequences are passed over.
            smoothing: Added to each count, above 0.

        Raises:
            ValueError: A tag is not between 0 and K - 1, or the smoothing is not above 0.
        """
        if not smoothing > 0:
            raise ValueError(f"expected a smoothing above 0, got {smoothing}")
        boundary = self.num_tags
        # One more row and column for the boundary: what comes first, and what comes last.
        counts = torch.full((boundary + 1, boundary + 1), smoothing, dtype=torch.float64)
        for tags in tag_sequences:
            if len(tags) == 0:
                continue
            if min(tags) < 0 or max(tags) >= self.num_tags:
                raise ValueError(
                    f"expected tags between 0 and {self.num_tags - 1},"
                    f" got {min(tags)} to {max(tags)} in one sequence"
                )
            bigrams = torch.tensor([[boundary, *tags], [*tags, boundary]])
            counts.index_put_((bigrams[0], bigrams[1]), counts.new_ones(()), accumulate=True)
        # No empty sequence: the boundary does not follow itself.
        counts[boundary, boundary] = 0
        scores = (counts / counts.sum(dim=1, keepdim=True)).log()
        self.start_transitions.copy_(scores[boundary, :boundary])
        self.transitions.copy_(scores[:boundary, :boundary])
        self.end_transitions.copy_(scores[:boundary, boundary])

    def forward(
        self,
        emissions: Tensor,
        tags: Tensor,
        mask: Tensor | None = None,
        reduction: str = "sum",
    ) -> Tensor:
        """Log likelihood of tag sequences.

        Args:
            emissions: Scores of the tags. Shape: (L, B, K) or (B, L, K)
            tags: Tag ids; anything where the mask is off. Shape: (L, B) or (B, L)
            mask: Which positions count, bool or uint8: the first of each sequence, at least one.
                None: all. Shape: (L, B) or (B, L)
            reduction: "none", "sum", "mean" (over sequences) or "token_mean" (over positions).

        Returns:
            The log likelihood. Shape: (B,) with "none", else ()

        Raises:
            ValueError: A shape, the mask, a tag or the reduction is not as described.
        """
        self._validate(emissions, tags=tags, mask=mask)
        _validate_reduction(reduction)
        dtype = self._result_dtype(emissions)
        emissions, mask = self._arrange(emissions, mask)
        # shape: (L, B)
        tags = tags.transpose(0, 1) if self.batch_first else tags
        tags = tags.long().masked_fill(~mask, 0)
        self._validate_tags(tags)
        tables = self._tables()
        # shape: (B,)
        log_likelihood = score_paths(emissions, mask, *tables, tags)
        log_likelihood = log_likelihood - sum_paths(emissions, mask, *tables)
        return _reduce(log_likelihood, mask, reduction).to(dtype)

    def partial_log_likelihood(
        self,
        emissions: Tensor,
        allowed_tags: Tensor,
        mask: Tensor | None = None,
        reduction: str = "sum",
    ) -> Tensor:
        """Log of the summed probability of all tag sequences that use allowed tags only.

        The loss of a text whose labels leave a choice: Tsuboi et al. 2008, "Training conditional
        random fields using incomplete annotations", https://aclanthology.org/C08-1113. Where one
        tag is allowed at each position it is `forward` of these tags.

        Args:
            emissions: Scores of the tags. Shape: (L, B, K) or (B, L, K)
            allowed_tags: Which tags may stand where, bool; anything where the mask is off.
                Shape: (L, B, K) or (B, L, K)
            mask: As in `forward`.
            reduction: As in `forward`.

        Returns:
            The log likelihood. Shape: (B,) with "none", else ()

        Raises:
            ValueError: A shape, the mask or the reduction is not as described, or no tag is allowed
                at some position.
        """
        self._validate(emissions, mask=mask)
        _validate_reduction(reduction)
        dtype = self._result_dtype(emissions)
        if mask is None:
            mask = torch.ones(emissions.shape[:2], dtype=torch.bool, device=emissions.device)
        check_allowed_tags(allowed_tags, mask.bool(), self.num_tags, batch_first=self.batch_first)
        # shape: (L, B, K)
        allowed_tags = allowed_tags.transpose(0, 1) if self.batch_first else allowed_tags
        emissions, mask = self._arrange(emissions, mask)
        constrained = emissions.masked_fill(~allowed_tags, -torch.inf)
        # Both sums at once, as one batch of twice the size: that costs little more than one.
        # shape: (2 B,)
        log_sums = sum_paths(
            torch.cat((constrained, emissions), dim=1), mask.repeat(1, 2), *self._tables()
        )
        # shape: (B,)
        log_constrained, log_all = log_sums.chunk(2)
        return _reduce(log_constrained - log_all, mask, reduction).to(dtype)

    @torch.no_grad()
    def decode(self, emissions: Tensor, mask: Tensor | None = None) -> list[list[int]]:
        """The best tag sequence of each sequence (Viterbi), as long as its mask.

        Args:
            emissions: Scores of the tags. Shape: (L, B, K) or (B, L, K)
            mask: As in `forward`.

        Raises:
            ValueError: A shape or the mask is not as described.
        """
        self._validate(emissions, mask=mask)
        dtype = self._result_dtype(emissions)
        emissions, mask = self._arrange(emissions, mask)
        tables = (table.to(dtype) for table in self._tables())
        return find_best_paths(emissions.to(dtype), mask, *tables)

    @torch.no_grad()
    def marginals(self, emissions: Tensor, mask: Tensor | None = None) -> Tensor:
        """Probability of each tag at each position; 0 where the mask is off. Carries no gradient.

        Args:
            emissions: Scores of the tags. Shape: (L, B, K) or (B, L, K)
            mask: As in `forward`.

        Returns:
            Probabilities. Shape: (L, B, K) or (B, L, K)

        Raises:
            ValueError: A shape or the mask is not as described.
        """
        self._validate(emissions, mask=mask)
        dtype = self._result_dtype(emissions)
        emissions, mask = self._arrange(emissions, mask)
        # shape: (L, B, K)
        marginals = Lattice.of(emissions, mask, *self._tables()).marginals().to(dtype)
        return marginals.transpose(0, 1) if self.batch_first else marginals

    @torch.no_grad()
    def span_probabilities(
        self,
        emissions: Tensor,
        spans: Sequence[Sequence[TagSpan]],
        mask: Tensor | None = None,
    ) -> list[list[float]]:
        """Probability that the tagging holds exactly this span, summed over all tags around it.

        Args:
            emissions: Scores of the tags. Shape: (L, B, K) or (B, L, K)
            spans: The spans asked for, one list for each sequence; they may overlap.
            mask: As in `forward`.

        Returns:
            Probabilities in [0, 1], in the order of `spans`.

        Raises:
            ValueError: A shape or the mask is not as described, the number of lists is not B, or a
                span leaves its sequence or has a tag that does not exist.
        """
        self._validate(emissions, mask=mask)
        emissions, mask = self._arrange(emissions, mask)
        self._validate_spans(spans, mask)
        lattice = Lattice.of(emissions, mask, *self._tables())
        rows = [
            (sequence, span.start, span.end, span.begin_tag, span.inside_tag)
            for sequence, sequence_spans in enumerate(spans)
            for span in sequence_spans
        ]
        # shape: (5, N)
        columns = torch.tensor(rows, dtype=torch.long, device=emissions.device).reshape(-1, 5).T
        probabilities = iter(lattice.span_probabilities(*columns).tolist())
        return [[next(probabilities) for _ in sequence_spans] for sequence_spans in spans]

    def _tables(self) -> tuple[Tensor, Tensor, Tensor]:
        """Scores of starts (K,) and transitions (K, K) with penalties, and of ends (K,)."""
        return (
            self.start_transitions + self.start_penalties,
            self.transitions + self.transition_penalties,
            self.end_transitions,
        )

    def _result_dtype(self, emissions: Tensor) -> torch.dtype:
        """The wider type of emissions and parameters, float32 at least."""
        dtype = torch.promote_types(emissions.dtype, self.transitions.dtype)
        return torch.promote_types(dtype, torch.float32)

    def _arrange(self, emissions: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Emissions and mask, now bool, both position first."""
        if self.batch_first:
            emissions = emissions.transpose(0, 1)
            mask = None if mask is None else mask.transpose(0, 1)
        if mask is None:
            mask = torch.ones(emissions.shape[:2], dtype=torch.bool, device=emissions.device)
        return emissions, mask.bool()

    def _validate(
        self, emissions: Tensor, tags: Tensor | None = None, mask: Tensor | None = None
    ) -> None:
        if emissions.dim() == 3 and emissions.size(1 if self.batch_first else 0) == 0:
            raise ValueError(
                f"expected emissions of at least one position, got shape {tuple(emissions.shape)}"
            )
        super()._validate(emissions, tags=tags, mask=mask)
        if mask is not None:
            # shape: (L, B)
            is_on = (mask.transpose(0, 1) if self.batch_first else mask).bool()
            if (is_on[1:] & ~is_on[:-1]).any():
                raise ValueError(
                    "expected a mask that is on at the first positions of each sequence only,"
                    " got one with a hole"
                )

    def _validate_tags(self, tags: Tensor) -> None:
        if tags.numel() == 0:
            return
        lowest, highest = torch.stack(tags.aminmax()).tolist()
        if lowest < 0 or highest >= self.num_tags:
            raise ValueError(
                f"expected tags between 0 and {self.num_tags - 1} where the mask is on,"
                f" got {lowest if lowest < 0 else highest}"
            )

    def _validate_spans(self, spans: Sequence[Sequence[TagSpan]], mask: Tensor) -> None:
        lengths = mask.sum(dim=0).tolist()
        if len(spans) != len(lengths):
            raise ValueError(f"expected spans of {len(lengths)} sequences, got {len(spans)}")
        for sequence, (sequence_spans, length) in enumerate(zip(spans, lengths, strict=True)):
            for span in sequence_spans:
                if not 0 <= span.start < span.end <= length:
                    raise ValueError(
                        f"expected a span with 0 <= start < end <= {length}, got {span}"
                        f" (sequence {sequence})"
                    )
                for tag in (span.begin_tag, span.inside_tag):
                    if not 0 <= tag < self.num_tags:
                        raise ValueError(
                            f"expected tags between 0 and {self.num_tags - 1}, got {span}"
                            f" (sequence {sequence})"
                        )


def check_allowed_tags(
    allowed_tags: Tensor, mask: Tensor, num_tags: int, *, batch_first: bool = True
) -> None:
    """Refuse a table of allowed tags that leaves some position without a tag.

    Args:
        allowed_tags: Shape: (B, L, K) or (L, B, K)
        mask: Which positions count, bool. Shape: (B, L) or (L, B)
        num_tags: K.
        batch_first: Which of the two it is.

    Raises:
        ValueError: The table has another shape or type, or allows no tag where the mask is on.
    """
    expected_shape = (*mask.shape, num_tags)
    if allowed_tags.shape != expected_shape or allowed_tags.dtype != torch.bool:
        raise ValueError(
            f"expected allowed_tags of shape {expected_shape} and type torch.bool,"
            f" got {tuple(allowed_tags.shape)} and {allowed_tags.dtype}"
        )
    is_empty = mask & ~allowed_tags.any(dim=2)
    if is_empty.any():
        is_empty = is_empty if batch_first else is_empty.T
        sequence, position = is_empty.nonzero()[0].tolist()
        raise ValueError(
            f"expected at least one allowed tag at each position, got none at position {position}"
            f" of sequence {sequence}"
        )


def _validate_reduction(reduction: str) -> None:
    if reduction not in ("none", "sum", "mean", "token_mean"):
        raise ValueError(f"invalid reduction: {reduction}")


def _reduce(log_likelihood: Tensor, mask: Tensor, reduction: str) -> Tensor:
    """Shape: (B,) and (L, B) -> (B,) with "none", else ()."""
    if reduction == "none":
        return log_likelihood
    if reduction == "mean":
        return log_likelihood.mean()
    return log_likelihood.sum() / (mask.sum() if reduction == "token_mean" else 1)


def _penalties(
    allowed: Sequence[bool] | Sequence[Sequence[bool]] | Tensor | None,
    shape: tuple[int, ...],
    name: str,
) -> Tensor:
    """0 for what is allowed, `FORBIDDEN_SCORE` for the rest."""
    if allowed is None:
        return torch.zeros(shape)
    is_allowed = torch.as_tensor(allowed, dtype=torch.bool)
    if is_allowed.shape != shape:
        raise ValueError(f"expected {name} of shape {shape}, got {tuple(is_allowed.shape)}")
    return torch.zeros(shape).masked_fill(~is_allowed.cpu(), FORBIDDEN_SCORE)
