"""All paths through a linear chain at once: their sum and its gradient, marginals, spans.

Shapes: L positions, B sequences, K tags, N spans; position first.

Sums run in double precision on factors, `exp(score)`, and every position is divided by its sum
(Rabiner 1989, "A tutorial on hidden Markov models", section V.A, https://doi.org/10.1109/5.18626):
one matrix product a position instead of a logsumexp over (B, K, K). Autocast leaves double
precision alone, so a bf16 encoder in front changes nothing here.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

# A score further than this below the best of its position (emissions) or table (transitions) counts
# as this far below. Beside 1, exp(-300) weighs nothing; and with it each position's sum is at least
# exp(-300) and each backward factor at most K exp(300), so that no emission and no constraint,
# however extreme, leads to infinity or NaN.
SCORE_FLOOR = -300.0


class ForwardPass(NamedTuple):
    """The paths that lead to each tag.

    Attributes:
        factors: Their sum, divided so that it sums to 1 over the tags. Shape: (L, B, K)
        sums: What each position was divided by. Shape: (L, B)
        total: Sum over the complete paths of what remained. Shape: (B,)
    """

    factors: Tensor
    sums: Tensor
    total: Tensor


class BackwardPass(NamedTuple):
    """The paths that lead from each tag to the end.

    Attributes:
        factors: Times the forward factors they are the marginals; 0 for padding. Shape: (L, B, K)
        arrivals: The same with the tag's own emission: what follows a transition to it. Row 0
            means nothing. Shape: (L, B, K)
    """

    factors: Tensor
    arrivals: Tensor


@dataclass(frozen=True, slots=True)
class Lattice:
    """All paths through a batch of sequences, as factors in (0, 1].

    Attributes:
        emissions: Shape: (L, B, K)
        mask: Shape: (L, B)
        start: Shape: (K,)
        transitions: Shape: (K, K)
        end: Shape: (K,)
        log_scale: What was subtracted from the scores of each path. Shape: (B,)
    """

    emissions: Tensor
    mask: Tensor
    start: Tensor
    transitions: Tensor
    end: Tensor
    log_scale: Tensor

    @classmethod
    def of(
        cls, emissions: Tensor, mask: Tensor, start: Tensor, transitions: Tensor, end: Tensor
    ) -> Self:
        """The lattice of scores in double precision; emissions are 0 where the mask is off."""
        # shape: (L, B, 1)
        best = emissions.amax(dim=2, keepdim=True)
        num_transitions = mask.sum(dim=0) - 1
        # shape: (B,)
        log_scale = best.sum(dim=(0, 2)) + num_transitions * transitions.max()
        return cls(
            emissions=(emissions - best).clamp_min(SCORE_FLOOR).exp(),
            mask=mask,
            start=(start - start.max()).clamp_min(SCORE_FLOOR).exp(),
            transitions=(transitions - transitions.max()).clamp_min(SCORE_FLOOR).exp(),
            end=(end - end.max()).clamp_min(SCORE_FLOOR).exp(),
            log_scale=log_scale + start.max() + end.max(),
        )

    def last(self) -> tuple[Tensor, Tensor]:
        """Index of the last position of each sequence. Shape: (B,) twice"""
        num_sequences = self.mask.size(1)
        return self.mask.sum(dim=0) - 1, torch.arange(num_sequences, device=self.mask.device)

    def run_forward(self) -> ForwardPass:
        """Sum the paths that lead to each tag."""
        # shape: (L, B, K)
        factors = torch.empty_like(self.emissions)
        # shape: (L, B, 1)
        sums = self.emissions.new_empty((*self.mask.shape, 1))
        torch.mul(self.start, self.emissions[0], out=factors[0])
        previous = None
        for current, emissions, current_sum in zip(factors, self.emissions, sums, strict=True):
            if previous is not None:
                torch.mm(previous, self.transitions, out=current)
                current *= emissions
            torch.sum(current, dim=1, keepdim=True, out=current_sum)
            current /= current_sum
            previous = current
        return ForwardPass(factors, sums.squeeze(2), factors[self.last()] @ self.end)

    def log_partition(self, forward: ForwardPass) -> Tensor:
        """Log of the sum over all paths. Shape: (B,)"""
        log_sums = (forward.sums.log() * self.mask).sum(dim=0)
        return log_sums + forward.total.log() + self.log_scale

    def run_backward(self, forward: ForwardPass) -> BackwardPass:
        """Sum the paths that lead from each tag to the end."""
        # shape: (L, B, K)
        factors = torch.zeros_like(self.emissions)
        factors[self.last()] = self.end / forward.total.unsqueeze(1)
        # Nothing arrives at padding, so the factors there stay 0.
        # shape: (L, B, K)
        arrivals = (self.emissions / forward.sums.unsqueeze(2)) * self.mask.unsqueeze(2)
        for position in range(len(factors) - 1, 0, -1):
            arrivals[position] *= factors[position]
            factors[position - 1].addmm_(arrivals[position], self.transitions.T)
        return BackwardPass(factors, arrivals)

    def span_probabilities(
        self,
        sequences: Tensor,
        starts: Tensor,
        ends: Tensor,
        begin_tags: Tensor,
        inside_tags: Tensor,
    ) -> Tensor:
        """Probability of each span; all arguments and the result have the shape (N,)."""
        forward = self.run_forward()
        backward = self.run_backward(forward)
        # Summed once, the emissions inside any span are a difference of two entries.
        # shape: (L, B, K)
        inside = (self.emissions / forward.sums.unsqueeze(2)).log().cumsum(dim=0)
        is_longer = ends - starts > 1
        # shape: (N,)
        log_inside = (
            self.transitions[begin_tags, inside_tags].log()
            + self.transitions[inside_tags, inside_tags].log() * (ends - starts - 2)
            + inside[ends - 1, sequences, inside_tags]
            - inside[starts, sequences, inside_tags]
        )
        log_inside = torch.where(is_longer, log_inside, 0.0)
        last_tags = torch.where(is_longer, inside_tags, begin_tags)

        # After the span comes any tag that does not continue it, or the end of the sequence.
        lengths = self.mask.sum(dim=0)[sequences]
        # shape: (N, K)
        next_arrivals = backward.arrivals[ends.clamp_max(len(self.mask) - 1), sequences]
        next_arrivals = next_arrivals.scatter(1, inside_tags.unsqueeze(1), 0.0)
        # shape: (N,)
        after = torch.where(
            ends < lengths,
            (self.transitions[last_tags] * next_arrivals).sum(dim=1),
            backward.factors[ends - 1, sequences, last_tags],
        )
        before = forward.factors[starts, sequences, begin_tags]
        # Rounding may lead past 1.
        return (before * log_inside.exp() * after).clamp(0.0, 1.0)


class LogPartition(torch.autograd.Function):
    """Log of the sum over all paths, and its gradient, which is made of marginals."""

    @staticmethod
    def forward(ctx: Any, *scores: Tensor) -> Tensor:
        """Arguments as of `Lattice.of`. Shape: (B,)"""
        ctx.lattice = Lattice.of(*scores)
        ctx.forward_pass = ctx.lattice.run_forward()
        return ctx.lattice.log_partition(ctx.forward_pass)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Marginals of tags and of pairs of tags, weighted by the gradient of each sequence."""
        lattice: Lattice = ctx.lattice
        forward: ForwardPass = ctx.forward_pass
        backward = lattice.run_backward(forward)
        # shape: (L, B, K)
        marginals = forward.factors * backward.factors * gradient.unsqueeze(1)
        # shape: (K, K)
        pairs = lattice.transitions * torch.mm(
            forward.factors[:-1].flatten(0, 1).T,
            (backward.arrivals[1:] * gradient.unsqueeze(1)).flatten(0, 1),
        )
        return marginals, None, marginals[0].sum(dim=0), pairs, marginals[lattice.last()].sum(dim=0)


def score_paths(
    emissions: Tensor, tags: Tensor, mask: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> Tensor:
    """Score of one path through each sequence. Shape: (B,)"""
    # shape: (L, B)
    emission_scores = emissions.gather(2, tags.unsqueeze(2)).squeeze(2)
    # shape: (L - 1, B)
    transition_scores = transitions[tags[:-1], tags[1:]] * mask[1:]
    # shape: (B,)
    last_tags = tags.gather(0, mask.sum(dim=0, keepdim=True) - 1).squeeze(0)
    return (
        start[tags[0]] + emission_scores.sum(dim=0) + transition_scores.sum(dim=0) + end[last_tags]
    )
