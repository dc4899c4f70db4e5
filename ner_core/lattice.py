"""All paths through a linear chain: their sum and its gradient, marginals, spans, the best path.

Shapes: L positions, B sequences, K tags, N spans; position first.

Sums run in double precision on factors, `exp(score)`, and every position is divided by its sum
(Rabiner 1989, "A tutorial on hidden Markov models", section V.A, https://doi.org/10.1109/5.18626):
one matrix product a position instead of a logsumexp over (B, K, K). Autocast leaves double
precision alone, so a bf16 encoder in front changes nothing here.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

# A score further than this below the best of its position (emissions) or table (transitions) counts
# as this far below. Beside 1, exp(-300) weighs nothing; and with it each position's sum is at least
# exp(-300), each backward factor at most exp(300) and each quotient of the two at most exp(600), so
# that no emission and no constraint, however extreme, leads to infinity or NaN (double precision
# ends at exp(709)).
SCORE_FLOOR = -300.0

# A sum is taken for exact while what the floor lifted makes up no more than this share of it.
_LIFTED_TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True)
class ForwardPass:
    """The paths that lead to each tag.

    Attributes:
        factors: Their sum, divided so that it sums to 1 over the tags. Shape: (L, B, K)
        sums: What each position was divided by. Shape: (L, B, 1)
        total: Sum over the complete paths of what remained. Shape: (B,)
    """

    factors: Tensor
    sums: Tensor
    total: Tensor


@dataclass(frozen=True, slots=True)
class BackwardPass:
    """The paths that lead from each tag to the end.

    Attributes:
        factors: Times the forward factors they are the marginals; 0 for padding. Shape: (L, B, K)
        arrivals: The same with the tag's own emission: what follows a transition to the tag. No
            transition leads to the first position: its row means nothing. Shape: (L, B, K)
    """

    factors: Tensor
    arrivals: Tensor


@dataclass(frozen=True, slots=True)
class Lattice:
    """All paths through a batch of sequences, as factors in (0, 1].

    Attributes:
        emissions: Shape: (L, B, K)
        start: Shape: (K,)
        transitions: From row to column. Shape: (K, K)
        end: Shape: (K,)
        mask: Shape: (L, B)
        lengths: Shape: (B,)
        log_scale: What was taken off the score of each path. Shape: (B,)
    """

    emissions: Tensor
    start: Tensor
    transitions: Tensor
    end: Tensor
    mask: Tensor
    lengths: Tensor
    log_scale: Tensor

    @classmethod
    def of(
        cls, emissions: Tensor, mask: Tensor, start: Tensor, transitions: Tensor, end: Tensor
    ) -> Self:
        """The lattice of scores of any floating type; in padding emissions may be NaN."""
        # A copy in any case, and dense: the steps below change it in place.
        # shape: (L, B, K)
        factors = torch.empty(emissions.shape, dtype=torch.float64, device=emissions.device)
        factors.copy_(emissions).masked_fill_(~mask.unsqueeze(2), 0.0)
        # shape: (L, B, 1)
        best = factors.amax(dim=2, keepdim=True)
        # shape: (B,)
        lengths = mask.sum(dim=0)
        start, transitions, end = start.double(), transitions.double(), end.double()
        log_scale = best.sum(dim=(0, 2)) + (lengths - 1) * transitions.max()
        return cls(
            emissions=factors.sub_(best).clamp_min_(SCORE_FLOOR).exp_(),
            start=_to_factors(start),
            transitions=_to_factors(transitions),
            end=_to_factors(end),
            mask=mask,
            lengths=lengths,
            log_scale=log_scale + start.max() + end.max(),
        )

    def last(self) -> tuple[Tensor, Tensor]:
        """Index of the last position of each sequence. Shape: (B,) twice"""
        return self.lengths - 1, torch.arange(len(self.lengths), device=self.lengths.device)

    def run_forward(self) -> ForwardPass:
        """Sum the paths that lead to each tag."""
        # shape: (L, B, K)
        factors = torch.empty_like(self.emissions)
        # shape: (L, B, 1)
        sums = self.emissions.new_empty((*self.mask.shape, 1))
        previous = None
        for current, emissions, current_sum in zip(factors, self.emissions, sums, strict=True):
            # shape: (B, K)
            if previous is None:
                torch.mul(emissions, self.start, out=current)
            else:
                torch.mm(previous, self.transitions, out=current).mul_(emissions)
            torch.sum(current, dim=1, keepdim=True, out=current_sum)
            previous = current.div_(current_sum)
        return ForwardPass(factors, sums, total=factors[self.last()] @ self.end)

    def log_partition(self, forward: ForwardPass) -> Tensor:
        """Log of the sum over all paths. Shape: (B,)"""
        # shape: (B,)
        log_sums = (forward.sums.squeeze(2).log() * self.mask).sum(dim=0)
        return log_sums + forward.total.log() + self.log_scale

    def run_backward(self, forward: ForwardPass) -> BackwardPass:
        """Sum the paths that lead from each tag to the end."""
        # shape: (L, B, K)
        factors = torch.zeros_like(self.emissions)
        factors[self.last()] = self.end / forward.total.unsqueeze(1)
        # Factors start as 0 in padding and nothing is added to them there.
        # shape: (L, B, K)
        arrivals = self.emissions / forward.sums
        steps = zip(factors.unbind(), arrivals.unbind(), strict=True)
        for (current, arrival), (previous, _) in pairwise(reversed(list(steps))):
            # shape: (B, K)
            previous.addmm_(arrival.mul_(current), self.transitions.T)
        return BackwardPass(factors, arrivals)

    def lifted_share(self, forward: ForwardPass, backward: BackwardPass) -> Tensor:
        """Bounds the share of each sum that exists only because of the floor. Shape: (B,)

        A lifted factor is exp(SCORE_FLOOR), and forward factors sum to 1. So of all that arrives at
        a tag, no more than exp(SCORE_FLOOR) comes over a lifted transition (or start), and as much
        over a lifted emission; and as much of the total leaves over a lifted end.
        """
        # shape: (L, B)
        arriving = backward.factors.sum(dim=2) / forward.sums.squeeze(2)
        return math.exp(SCORE_FLOOR) * (2 * arriving.sum(dim=0) + 1 / forward.total)

    def marginals(self) -> Tensor:
        """Probability of each tag at each position; 0 for padding. Shape: (L, B, K)"""
        forward = self.run_forward()
        return self.run_backward(forward).factors.mul_(forward.factors)

    def span_probabilities(
        self,
        sequences: Tensor,
        starts: Tensor,
        ends: Tensor,
        begin_tags: Tensor,
        inside_tags: Tensor,
    ) -> Tensor:
        """Probability of spans, see `ner_core.crf.TagSpan`; everything has the shape (N,)."""
        forward = self.run_forward()
        backward = self.run_backward(forward)
        # Summed up once, so that the emissions inside a span are the difference of two entries.
        # shape: (L, B, K)
        emissions_so_far = (self.emissions / forward.sums).log_().cumsum(dim=0)
        is_longer = ends - starts > 1
        # shape: (N,)
        log_inside = (
            self.transitions[begin_tags, inside_tags].log()
            + self.transitions[inside_tags, inside_tags].log() * (ends - starts - 2)
            + emissions_so_far[ends - 1, sequences, inside_tags]
            - emissions_so_far[starts, sequences, inside_tags]
        )
        inside = torch.where(is_longer, log_inside, 0.0).exp()
        last_tags = torch.where(is_longer, inside_tags, begin_tags)
        # After the span comes any tag that does not continue it, or the end of the sequence.
        # shape: (N, K)
        next_arrivals = backward.arrivals[ends.clamp_max(len(self.mask) - 1), sequences]
        next_arrivals = next_arrivals.scatter(1, inside_tags.unsqueeze(1), 0.0)
        # shape: (N,)
        after = torch.where(
            ends < self.lengths[sequences],
            (self.transitions[last_tags] * next_arrivals).sum(dim=1),
            backward.factors[ends - 1, sequences, last_tags],
        )
        # Rounding may lead past 1.
        before = forward.factors[starts, sequences, begin_tags]
        return (before * inside * after).clamp_max(1.0)


class LogPartition(torch.autograd.Function):
    """Log of the sum over all paths. Its gradient is made of marginals. See `sum_paths`."""

    @staticmethod
    def forward(
        ctx: Any, emissions: Tensor, mask: Tensor, *tables: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Arguments as of `Lattice.of`; the logs, and whether each is exact. Shape: (B,) twice"""
        lattice = Lattice.of(emissions, mask, *tables)
        forward = lattice.run_forward()
        # Already here, since only both passes together tell what the floor has done.
        backward = lattice.run_backward(forward)
        is_exact = lattice.lifted_share(forward, backward) < _LIFTED_TOLERANCE
        ctx.mark_non_differentiable(is_exact)
        # shape: (L, B, K)
        marginals = backward.factors.mul_(forward.factors)
        ctx.saved = lattice, forward.factors, backward.arrivals, marginals
        return lattice.log_partition(forward), is_exact

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        """Marginals of tags and of pairs of tags, weighted by the gradient of each sequence.

        Raises:
            NotImplementedError: The gradient is to be differentiated again.
        """
        # Autograd's own `once_differentiable` does not see this (torch 2.13): it would take the
        # marginals for constants.
        if torch.is_grad_enabled():
            raise NotImplementedError(
                "expected a first derivative, got create_graph=True:"
                " the gradient of the CRF cannot be differentiated again"
            )
        lattice, factors, arrivals, marginals = ctx.saved
        # shape: (B, 1)
        gradient = gradient.unsqueeze(1)
        # shape: (L, B, K)
        marginals = marginals * gradient
        # shape: ((L - 1) B, K)
        departures = factors[:-1].flatten(0, 1)
        arrivals = (arrivals[1:] * gradient).flatten(0, 1)
        # shape: (K, K)
        pairs = lattice.transitions * torch.mm(departures.T, arrivals)
        # Autograd casts each to the type of its input.
        return marginals, None, marginals[0].sum(dim=0), pairs, marginals[lattice.last()].sum(dim=0)


def sum_paths(
    emissions: Tensor, mask: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> Tensor:
    """Log of the sum over all paths, however far apart their scores are.

    Where `SCORE_FLOOR` has told on the sum of a sequence, that one is summed again, slowly: when
    emissions that differ by hundreds contradict each other or a forbidden transition.

    Args:
        emissions: As of `Lattice.of`, like the others; -inf excludes a tag from all paths, but one
            of each position must be left. Shape: (L, B, K)
        mask: Shape: (L, B)
        start: Shape: (K,)
        transitions: Shape: (K, K)
        end: Shape: (K,)

    Returns:
        The logs, in double precision. Shape: (B,)
    """
    tables = (start, transitions, end)
    # shape: (B,)
    log_sums, is_exact = LogPartition.apply(emissions, mask, *tables)
    if is_exact.all():
        return log_sums
    others = is_exact.logical_not().nonzero().squeeze(1)
    exact = _sum_paths_in_logs(emissions[:, others], mask[:, others], *tables)
    return log_sums.index_copy(0, others, exact)


def _sum_paths_in_logs(
    emissions: Tensor, mask: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> Tensor:
    """`sum_paths` without factors: nothing overflows and nothing is lifted."""
    emissions = emissions.double()
    # shape: (B, K)
    log_sums = emissions[0] + start.double()
    for current, is_on in zip(emissions[1:], mask[1:].unsqueeze(2), strict=True):
        # shape: (B, K from, K to)
        candidates = log_sums.unsqueeze(2) + transitions.double()
        log_sums = torch.where(is_on, candidates.logsumexp(dim=1) + current, log_sums)
    return (log_sums + end.double()).logsumexp(dim=1)


def _to_factors(table: Tensor) -> Tensor:
    """Factors in (0, 1] of the scores of a table."""
    return (table - table.max()).clamp_min(SCORE_FLOOR).exp()


def score_paths(
    emissions: Tensor, mask: Tensor, start: Tensor, transitions: Tensor, end: Tensor, tags: Tensor
) -> Tensor:
    """Score of one path through each sequence, in double precision.

    Args:
        emissions: As of `Lattice.of`, like the next four. Shape: (L, B, K)
        mask: Shape: (L, B)
        start: Shape: (K,)
        transitions: Shape: (K, K)
        end: Shape: (K,)
        tags: Any that exist where the mask is off. Shape: (L, B)

    Returns:
        The scores. Shape: (B,)
    """
    # shape: (L, B)
    emission_scores = emissions.gather(2, tags.unsqueeze(2)).squeeze(2).double()
    # Not times the mask: padding may hold NaN.
    emission_scores = emission_scores.masked_fill(~mask, 0.0)
    # shape: (L - 1, B)
    transition_scores = transitions.double()[tags[:-1], tags[1:]] * mask[1:]
    # shape: (B,)
    last_tags = tags.gather(0, mask.sum(dim=0, keepdim=True) - 1).squeeze(0)
    inner_scores = emission_scores.sum(dim=0) + transition_scores.sum(dim=0)
    return inner_scores + start.double()[tags[0]] + end.double()[last_tags]


def find_best_paths(
    emissions: Tensor, mask: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> list[list[int]]:
    """The path with the highest score through each sequence (Viterbi).

    The way back looks for the best previous tag again, along the path alone; that is cheaper than
    recording it for every tag on the way forward.

    Args:
        emissions: Float32 or float64, like the tables. Shape: (L, B, K)
        mask: Shape: (L, B)
        start: Shape: (K,)
        transitions: Shape: (K, K)
        end: Shape: (K,)
    """
    num_positions, num_sequences, num_tags = emissions.shape
    # Sequences last: maxima over the first dimension of dense memory are three times as fast.
    # shape: (L, K, B); becomes the score of the best path that leads to each tag
    scores = emissions.transpose(1, 2).clone(memory_format=torch.contiguous_format)
    scores[0] += start.unsqueeze(1)
    # shape: (K from, K to, B)
    candidates = scores.new_empty((num_tags, num_tags, num_sequences))
    for previous, current in pairwise(scores):
        torch.add(previous.unsqueeze(1), transitions.unsqueeze(2), out=candidates)
        # shape: (K, B)
        current += candidates.amax(dim=0)

    # shape: (L, B, K)
    path_scores = scores.cpu().numpy().transpose(0, 2, 1)
    # shape: (K to, K from)
    transitions_to = transitions.cpu().numpy().T
    # shape: (B,)
    lengths = mask.sum(dim=0).cpu().numpy()
    last_scores = path_scores[lengths - 1, np.arange(num_sequences)] + end.cpu().numpy()
    last_tags = last_scores.argmax(axis=1)
    # shape: (L, B)
    paths = np.empty((num_positions, num_sequences), dtype=np.int64)
    paths[-1] = tags = last_tags
    for position in range(num_positions - 2, -1, -1):
        # shape: (B,)
        best_previous = (path_scores[position] + transitions_to[tags]).argmax(axis=1)
        paths[position] = tags = np.where(position < lengths - 1, best_previous, last_tags)
    return [path[:length].tolist() for path, length in zip(paths.T, lengths, strict=True)]
