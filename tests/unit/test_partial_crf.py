"""The partial CRF against the enumeration of all tag paths, and the sums it is made of.

Shapes: L positions, B sequences, K tags, P paths.
"""

import math
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.testing import assert_close

from ner_core.crf import CRF
from ner_core.label_map import LabelMap
from ner_core.labels import CLUENER, MSRA


@dataclass
class Problem:
    """A CRF and a padded batch, batch first and in double precision."""

    crf: CRF
    emissions: Tensor
    allowed_tags: Tensor
    mask: Tensor

    def sequences(self):
        """Emissions and allowed tags of each sequence without its padding."""
        for sequence, length in enumerate(self.mask.sum(dim=1).tolist()):
            yield self.emissions[sequence, :length], self.allowed_tags[sequence, :length]


@st.composite
def problems(draw: st.DrawFn, *, scales=(0.1, 3.0, 1e4)) -> Problem:
    """Small enough to enumerate; often with forbidden transitions, even none but forbidden ones."""
    num_tags = draw(st.integers(1, 5))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))

    def draw_table(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator) < draw(st.sampled_from((0.3, 0.7, 1.0)))

    crf = CRF(
        num_tags,
        batch_first=True,
        allowed_starts=draw_table(num_tags),
        allowed_transitions=draw_table(num_tags, num_tags),
    ).double()
    for parameter in crf.parameters():
        parameter.data.normal_(generator=generator)
    lengths = torch.tensor(draw(st.lists(st.integers(1, 5), min_size=1, max_size=3)))
    shape = (len(lengths), int(lengths.max()), num_tags)
    allowed_tags = draw_table(*shape)
    always = torch.randint(num_tags, (*shape[:2], 1), generator=generator)
    return Problem(
        crf,
        draw(st.sampled_from(scales)) * torch.randn(*shape, generator=generator).double(),
        allowed_tags.scatter(2, always, True),
        torch.arange(shape[1]) < lengths.unsqueeze(1),
    )


def enumerate_log_likelihood(crf: CRF, emissions: Tensor, allowed_tags: Tensor) -> Tensor:
    """Of one sequence, differentiable by everything. Shape: (L, K) twice -> ()"""
    length, num_tags = emissions.shape
    # shape: (P, L)
    paths = torch.cartesian_prod(*[torch.arange(num_tags)] * length).reshape(-1, length)
    # shape: (P,)
    scores = crf.start_transitions[paths[:, 0]] + crf.start_penalties[paths[:, 0]]
    is_allowed = torch.ones(len(paths), dtype=torch.bool)
    for position in range(length):
        scores = scores + emissions[position, paths[:, position]]
        is_allowed &= allowed_tags[position, paths[:, position]]
    transitions = crf.transitions + crf.transition_penalties
    for before, after in zip(paths.T[:-1], paths.T[1:], strict=True):
        scores = scores + transitions[before, after]
    scores = scores + crf.end_transitions[paths[:, -1]]
    return scores[is_allowed].logsumexp(dim=0) - scores.logsumexp(dim=0)


def gradients(crf: CRF, emissions: Tensor, log_likelihood: Tensor) -> tuple[Tensor, ...]:
    parameters = list(crf.parameters())
    return torch.autograd.grad(
        log_likelihood, [emissions, *parameters], allow_unused=True, materialize_grads=True
    )


@settings(deadline=None, max_examples=150)
@given(problems())
def test_the_likelihood_is_the_share_of_the_allowed_paths_among_all_paths(problem: Problem) -> None:
    log_likelihoods = problem.crf.partial_log_likelihood(
        problem.emissions, problem.allowed_tags, problem.mask, "none"
    )
    expected = [enumerate_log_likelihood(problem.crf, *each) for each in problem.sequences()]
    assert_close(log_likelihoods, torch.stack(expected), atol=1e-7, rtol=1e-9)


@settings(deadline=None, max_examples=150)
@given(problems())
def test_the_gradient_is_that_of_the_enumeration(problem: Problem) -> None:
    problem.emissions.requires_grad_()
    weights = torch.arange(1.0, len(problem.mask) + 1, dtype=torch.float64)
    log_likelihoods = problem.crf.partial_log_likelihood(
        problem.emissions, problem.allowed_tags, problem.mask, "none"
    )
    expected = [enumerate_log_likelihood(problem.crf, *each) for each in problem.sequences()]
    assert_close(
        gradients(problem.crf, problem.emissions, (log_likelihoods * weights).sum()),
        gradients(problem.crf, problem.emissions, (torch.stack(expected) * weights).sum()),
        atol=1e-7,
        rtol=1e-7,
    )


@settings(deadline=None, max_examples=15)
@given(problems(scales=(0.1, 3.0)))
def test_the_gradient_is_that_of_the_function(problem: Problem) -> None:
    def log_likelihood(emissions: Tensor, *parameters: Tensor) -> Tensor:
        return torch.func.functional_call(
            problem.crf,
            dict(zip(names, parameters, strict=True)),
            (emissions, problem.allowed_tags, problem.mask, "none"),
        )

    names, parameters = zip(*problem.crf.named_parameters(), strict=True)
    # What `functional_call` calls.
    problem.crf.forward = problem.crf.partial_log_likelihood
    emissions = problem.emissions.requires_grad_()
    assert torch.autograd.gradcheck(log_likelihood, (emissions, *parameters))


@settings(deadline=None, max_examples=60)
@given(problems(), st.data())
def test_with_one_allowed_tag_at_each_position_it_is_the_likelihood_of_these_tags(
    problem: Problem, data: st.DataObject
) -> None:
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 2**32)))
    num_tags = problem.crf.num_tags
    tags = torch.randint(num_tags, problem.mask.shape, generator=generator)
    allowed_tags = torch.nn.functional.one_hot(tags, num_tags).bool()
    emissions = problem.emissions.requires_grad_()
    partial = problem.crf.partial_log_likelihood(emissions, allowed_tags, problem.mask)
    full = problem.crf(emissions, tags, problem.mask)
    assert_close(partial, full, atol=1e-7, rtol=1e-9)
    assert_close(
        gradients(problem.crf, emissions, partial),
        gradients(problem.crf, emissions, full),
        atol=1e-9,
        rtol=1e-9,
    )


@settings(deadline=None, max_examples=60)
@given(problems())
def test_the_likelihood_of_full_gold_is_exact_for_contradicting_emissions_too(
    problem: Problem,
) -> None:
    """Emissions of 1e4 against transitions that are forbidden by as much."""
    tags = problem.allowed_tags.long().argmax(dim=2)
    log_likelihoods = problem.crf(problem.emissions, tags, problem.mask, "none")
    one_hot = torch.nn.functional.one_hot(tags, problem.crf.num_tags).bool()
    expected = [
        enumerate_log_likelihood(problem.crf, emissions, one_hot[sequence, : len(emissions)])
        for sequence, (emissions, _) in enumerate(problem.sequences())
    ]
    assert_close(log_likelihoods, torch.stack(expected), atol=1e-7, rtol=1e-9)


def test_an_allowed_path_of_next_to_no_probability_keeps_its_likelihood_and_a_gradient() -> None:
    crf = CRF.for_labels(MSRA).double()
    for parameter in crf.parameters():
        torch.nn.init.zeros_(parameter)
    begin, inside = MSRA.tag_ids["B-LOC"], MSRA.tag_ids["I-LOC"]
    # The model is sure of O and, of the two begin tags that are allowed, sure of the wrong one.
    emissions = torch.zeros(1, 2, MSRA.num_tags, dtype=torch.float64)
    emissions[..., 0] = 5000.0
    emissions[0, 0, MSRA.tag_ids["B-PER"]] = 700.0
    emissions.requires_grad_()
    allowed_tags = torch.zeros(1, 2, MSRA.num_tags, dtype=torch.bool)
    allowed_tags[0, 0, [begin, MSRA.tag_ids["B-PER"]]] = True
    allowed_tags[0, 1, inside] = True
    log_likelihood = crf.partial_log_likelihood(emissions, allowed_tags)
    assert_close(log_likelihood.item(), -10_000.0)
    [gradient] = torch.autograd.grad(log_likelihood, emissions)
    expected = torch.zeros_like(gradient)
    expected[0, :, 0] = -1.0
    expected[0, 0, begin] = expected[0, 1, inside] = 1.0
    assert_close(gradient, expected)


@pytest.mark.parametrize("is_end", [False, True])
def test_a_learned_score_far_below_the_others_counts_in_full(is_end: bool) -> None:
    """Tag 0 may as good as not come first (or last), and no other path is much likelier."""
    crf = CRF(2, batch_first=True).double()
    for parameter in crf.parameters():
        torch.nn.init.zeros_(parameter)
    emissions = torch.zeros(1, 2, 2, dtype=torch.float64)
    (crf.end_transitions if is_end else crf.start_transitions).data[0] = -1000.0
    crf.transitions.data[(0, 1) if is_end else (1, 0)] = -299.0
    emissions[0, 0 if is_end else 1, 1] = -299.0
    allowed_tags = torch.ones(1, 2, 2, dtype=torch.bool)
    allowed_tags[0, 0 if is_end else 1, 0] = False
    assert_close(
        crf.partial_log_likelihood(emissions, allowed_tags),
        enumerate_log_likelihood(crf, emissions[0], allowed_tags[0]),
    )


def test_where_everything_is_allowed_nothing_is_learned() -> None:
    crf = CRF.for_labels(MSRA)
    emissions = torch.randn(2, 9, MSRA.num_tags, generator=torch.Generator().manual_seed(0))
    emissions.requires_grad_()
    log_likelihood = crf.partial_log_likelihood(emissions, torch.ones(2, 9, 7, dtype=torch.bool))
    assert_close(log_likelihood.item(), 0.0)
    assert all(
        not g.any() or g.abs().max() < 1e-9 for g in gradients(crf, emissions, log_likelihood)
    )


def test_a_coarse_label_is_as_probable_as_the_fine_ones_together() -> None:
    crf = CRF.for_labels(CLUENER).double()
    generator = torch.Generator().manual_seed(0)
    for parameter in crf.parameters():
        parameter.data.normal_(generator=generator)
    emissions = torch.randn(1, 3, CLUENER.num_tags, generator=generator, dtype=torch.float64)
    text = "PER=O,LOC=O,ORG=company|organization"
    label_map = LabelMap.parse(text, source=MSRA, target=CLUENER)
    coarse_tags = [MSRA.tag_ids[tag] for tag in ("B-ORG", "I-ORG", "O")]
    allowed_tags = torch.from_numpy(label_map.allowed_tags[coarse_tags]).unsqueeze(0)
    others = [
        tag
        for tag_id, tag in enumerate(CLUENER.tags)
        if allowed_tags[0, 2, tag_id] and not tag.startswith("I-")
    ]
    assert len(others) == 1 + 8
    log_likelihoods = [
        crf(emissions, torch.tensor([[CLUENER.tag_ids[tag] for tag in (f"B-{x}", f"I-{x}", last)]]))
        for x in ("company", "organization")
        for last in others
    ]
    expected = torch.stack(log_likelihoods).logsumexp(dim=0)
    likelihood = crf.partial_log_likelihood(emissions, allowed_tags)
    # Paths with a forbidden transition weigh exp(-10,000).
    assert_close(likelihood, expected)


@settings(deadline=None, max_examples=40)
@given(problems())
def test_padding_is_never_read(problem: Problem) -> None:
    is_padding = ~problem.mask.unsqueeze(2)
    emissions = problem.emissions.masked_fill(is_padding, math.nan).requires_grad_()
    allowed_tags = problem.allowed_tags.masked_fill(is_padding, False)
    log_likelihoods = problem.crf.partial_log_likelihood(
        emissions, allowed_tags, problem.mask, "none"
    )
    [gradient] = torch.autograd.grad(log_likelihoods.sum(), emissions)
    assert gradient[~problem.mask].count_nonzero() == 0
    for index, (alone, allowed_alone) in enumerate(problem.sequences()):
        alone = alone.unsqueeze(0).requires_grad_()
        log_likelihood = problem.crf.partial_log_likelihood(alone, allowed_alone.unsqueeze(0))
        [gradient_alone] = torch.autograd.grad(log_likelihood, alone)
        assert_close(log_likelihoods[index], log_likelihood, atol=1e-7, rtol=1e-9)
        assert_close(gradient[index, : alone.shape[1]], gradient_alone.squeeze(0))


@settings(deadline=None, max_examples=20)
@given(problems(scales=(3.0,)))
def test_both_layouts_and_all_reductions_agree(problem: Problem) -> None:
    arguments = (problem.emissions, problem.allowed_tags, problem.mask)
    each = problem.crf.partial_log_likelihood(*arguments, "none")
    expected = {
        "none": each,
        "sum": each.sum(),
        "mean": each.mean(),
        "token_mean": each.sum() / problem.mask.sum(),
    }
    swapped = [tensor.transpose(0, 1) for tensor in arguments]
    for reduction, value in expected.items():
        problem.crf.batch_first = True
        assert_close(problem.crf.partial_log_likelihood(*arguments, reduction), value)
        problem.crf.batch_first = False
        assert_close(problem.crf.partial_log_likelihood(*swapped, reduction), value)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_emissions_give_a_float32_likelihood(dtype: torch.dtype) -> None:
    crf = CRF.for_labels(MSRA)
    emissions = torch.randn(2, 5, 7, generator=torch.Generator().manual_seed(0)).to(dtype)
    allowed_tags = torch.rand(2, 5, 7, generator=torch.Generator().manual_seed(0)) < 0.5
    allowed_tags[..., 0] = True
    likelihood = crf.partial_log_likelihood(emissions, allowed_tags)
    assert likelihood.dtype == torch.float32
    assert_close(likelihood, crf.partial_log_likelihood(emissions.float(), allowed_tags))


@pytest.mark.parametrize("batch_first", [True, False])
def test_a_position_without_an_allowed_tag_is_named(batch_first: bool) -> None:
    allowed_tags = torch.ones(2, 4, 3, dtype=torch.bool)
    allowed_tags[1, 2] = False
    emissions = torch.zeros(2, 4, 3)
    if not batch_first:
        allowed_tags, emissions = allowed_tags.transpose(0, 1), emissions.transpose(0, 1)
    with pytest.raises(ValueError, match="got none at position 2 of sequence 1"):
        CRF(3, batch_first).partial_log_likelihood(emissions, allowed_tags)


@pytest.mark.parametrize(
    ("allowed_tags", "message"),
    [
        (torch.ones(2, 4, 2, dtype=torch.bool), r"of shape \(2, 4, 3\) and .* got \(2, 4, 2\)"),
        (torch.ones(3, dtype=torch.bool), r"of shape \(2, 4, 3\) and .* got \(3,\)"),
        (torch.ones(4, 2, 3, dtype=torch.bool), r"of shape \(2, 4, 3\) and .* got \(4, 2, 3\)"),
        (torch.ones(2, 4, 3), r"type torch.bool, got \(2, 4, 3\) and torch.float32"),
    ],
)
def test_allowed_tags_of_another_shape_or_type_are_refused(
    allowed_tags: Tensor, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        CRF(3, batch_first=True).partial_log_likelihood(torch.zeros(2, 4, 3), allowed_tags)


def test_an_unknown_reduction_is_refused() -> None:
    arguments = (torch.zeros(1, 1, 2), torch.ones(1, 1, 2, dtype=torch.bool), None, "median")
    with pytest.raises(ValueError, match="invalid reduction: median"):
        CRF(2).partial_log_likelihood(*arguments)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("scale", [3.0, 1e4])
def test_a_cuda_device_gives_what_the_cpu_gives(scale: float) -> None:
    crf = CRF.for_labels(CLUENER).double()
    generator = torch.Generator().manual_seed(0)
    emissions = scale * torch.randn(4, 30, 21, generator=generator, dtype=torch.float64)
    allowed_tags = torch.rand(4, 30, 21, generator=generator) < 0.5
    allowed_tags[..., 0] = True
    mask = torch.arange(30) < torch.tensor([30, 12, 1, 30]).unsqueeze(1)
    expected = crf.partial_log_likelihood(emissions, allowed_tags, mask, "none")
    on_cuda = [tensor.cuda() for tensor in (emissions, allowed_tags, mask)]
    assert_close(crf.cuda().partial_log_likelihood(*on_cuda, "none").cpu(), expected)
