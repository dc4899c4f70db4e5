"""The CRF against two oracles: the enumeration of all tag paths, and pytorch-crf.

Shapes: L positions, B sequences, K tags, P paths.
"""

import copy
import math
from dataclasses import dataclass
from itertools import pairwise

import pytest
import torch
import torchcrf
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.testing import assert_close

from ner_core.crf import CRF, TagSpan
from ner_core.labels import CLUENER, MSRA, LabelSet

REDUCTIONS = ("none", "sum", "mean", "token_mean")


@dataclass
class Problem:
    """A CRF and a padded batch, position first and in double precision."""

    crf: CRF
    emissions: Tensor
    tags: Tensor
    mask: Tensor

    def sequences(self):
        """Emissions and tags of each sequence without its padding."""
        for sequence, length in enumerate(self.mask.sum(dim=0).tolist()):
            yield self.emissions[:length, sequence], self.tags[:length, sequence]

    def batch_first(self) -> "Problem":
        crf = copy.deepcopy(self.crf)
        crf.batch_first = True
        swapped = (tensor.transpose(0, 1) for tensor in (self.emissions, self.tags, self.mask))
        return Problem(crf, *swapped)

    def reference(self) -> torchcrf.CRF:
        """The CRF of pytorch-crf with the same parameters."""
        reference = torchcrf.CRF(self.crf.num_tags, self.crf.batch_first).to(self.emissions.dtype)
        reference.load_state_dict(self.crf.state_dict())
        return reference


def make_problem(
    *, crf: CRF, lengths: list[int], scale: float = 3.0, seed: int = 0, dtype=torch.float64
) -> Problem:
    generator = torch.Generator().manual_seed(seed)
    shape = (max(lengths), len(lengths))
    crf = crf.to(dtype)
    for parameter in crf.parameters():
        parameter.data.normal_(generator=generator)
    return Problem(
        crf,
        scale * torch.randn(*shape, crf.num_tags, generator=generator, dtype=dtype),
        torch.randint(crf.num_tags, shape, generator=generator),
        torch.arange(shape[0]).unsqueeze(1) < torch.tensor(lengths),
    )


@st.composite
def problems(draw, *, constraints: bool = True) -> Problem:
    """Small enough to enumerate; one tag, one position and one sequence among them."""
    num_tags = draw(st.integers(1, 4))
    seed = draw(st.integers(0, 2**32))
    tables = {}
    if constraints and draw(st.booleans()):
        generator = torch.Generator().manual_seed(seed)
        starts = torch.rand(num_tags, generator=generator) < 0.6
        transitions = torch.rand(num_tags, num_tags, generator=generator) < 0.6
        # Tag 0 is O: with it there is always an allowed path.
        starts[0] = transitions[:, 0] = True
        tables = {"allowed_starts": starts, "allowed_transitions": transitions}
    return make_problem(
        crf=CRF(num_tags, **tables),
        lengths=draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)),
        scale=draw(st.sampled_from((0.1, 3.0, 30.0))),
        seed=seed,
    )


@torch.no_grad()
def enumerate_paths(crf: CRF, emissions: Tensor) -> tuple[Tensor, Tensor]:
    """Every tag path (P, L) through the emissions (L, K) of one sequence, and its score (P,)."""
    length, num_tags = emissions.shape
    paths = torch.cartesian_prod(*[torch.arange(num_tags)] * length).reshape(-1, length)
    scores = crf.start_transitions[paths[:, 0]] + crf.start_penalties[paths[:, 0]]
    for position in range(length):
        scores = scores + emissions[position, paths[:, position]]
    for before, after in zip(paths.T[:-1], paths.T[1:], strict=True):
        scores = scores + crf.transitions[before, after] + crf.transition_penalties[before, after]
    return paths, scores + crf.end_transitions[paths[:, -1]]


def gradients_of(crf: torchcrf.CRF) -> dict[str, Tensor]:
    # With one position pytorch-crf does not touch the transitions and leaves None.
    return {
        name: torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        for name, parameter in crf.named_parameters()
    }


# The loss


@settings(deadline=None, max_examples=60)
@given(problems())
def test_the_likelihood_is_that_of_the_path_among_all_paths(problem):
    # What only a forbidden path can explain is said by another test.
    log_likelihoods = problem.crf(problem.emissions, problem.tags, problem.mask, reduction="none")
    for (emissions, tags), log_likelihood in zip(problem.sequences(), log_likelihoods, strict=True):
        paths, scores = enumerate_paths(problem.crf, emissions)
        [score] = scores[(paths == tags).all(dim=1)]
        assert_close(log_likelihood, score - scores.logsumexp(dim=0))


@settings(deadline=None, max_examples=60)
@given(problems(constraints=False), st.sampled_from(REDUCTIONS), st.booleans())
def test_loss_and_gradients_are_those_of_pytorch_crf(problem, reduction, batch_first):
    if batch_first:
        problem = problem.batch_first()
    results = []
    for crf in (problem.crf, problem.reference()):
        crf.zero_grad()
        emissions = problem.emissions.clone().requires_grad_()
        log_likelihood = crf(emissions, problem.tags, problem.mask, reduction)
        # A weight for each sequence, so that their gradients cannot be mixed up.
        weights = torch.arange(1, log_likelihood.numel() + 1, dtype=torch.float64)
        (log_likelihood * weights.reshape(log_likelihood.shape)).sum().backward()
        results.append((log_likelihood, emissions.grad, gradients_of(crf)))
    assert_close(*results)


@settings(deadline=None, max_examples=10)
@given(problems())
def test_the_gradient_is_that_of_the_function(problem):
    def log_likelihood(emissions, *parameters):
        return torch.func.functional_call(
            problem.crf,
            dict(zip(names, parameters, strict=True)),
            (emissions, problem.tags, problem.mask, "none"),
        )

    names, parameters = zip(*problem.crf.named_parameters(), strict=True)
    emissions = problem.emissions.clamp(-5, 5).requires_grad_()
    assert torch.autograd.gradcheck(log_likelihood, (emissions, *parameters))


def test_a_gradient_of_the_gradient_is_refused():
    problem = make_problem(crf=CRF(3), lengths=[4])
    emissions = problem.emissions.requires_grad_()
    log_likelihood = problem.crf(emissions, problem.tags)
    with pytest.raises(NotImplementedError, match="got create_graph=True"):
        torch.autograd.grad(log_likelihood, emissions, create_graph=True)


def test_a_long_text_loses_no_accuracy():
    problem = make_problem(crf=CRF(5), lengths=[1500, 700], scale=10.0)
    expected = problem.reference()(problem.emissions, problem.tags, problem.mask, "none")
    assert_close(problem.crf(problem.emissions, problem.tags, problem.mask, "none"), expected)


@pytest.mark.parametrize("scale", [1e3, 1e6, 1e30])
def test_extreme_emissions_give_what_pytorch_crf_gives(scale):
    problem = make_problem(crf=CRF(4), lengths=[6, 3], scale=scale)
    results = []
    for crf in (problem.crf, problem.reference()):
        emissions = problem.emissions.clone().requires_grad_()
        log_likelihood = crf(emissions, problem.tags, problem.mask, "none")
        log_likelihood.sum().backward()
        results.append((log_likelihood, emissions.grad))
    assert_close(*results, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("score", [1e4, 1e30, math.inf])
def test_a_text_that_only_forbidden_paths_explain_gives_finite_gradients(score):
    # All but I-x are as good as impossible, and I-x may not come first.
    crf = CRF.for_labels(MSRA)
    emissions = torch.full((1, 5, MSRA.num_tags), -score)
    emissions[..., MSRA.tag_ids["I-LOC"]] = 0.0
    emissions.requires_grad_()
    log_likelihood = crf(emissions, torch.full((1, 5), MSRA.tag_ids["I-LOC"]))
    log_likelihood.backward()
    assert log_likelihood.isfinite()
    assert emissions.grad.isfinite().all()
    assert all(parameter.grad.isfinite().all() for parameter in crf.parameters())
    assert crf.marginals(emissions).isfinite().all()


EXTREME_SCORES = st.sampled_from((0.0, 1.0, -50.0, -299.0, -301.0, -700.0, -1e4, 1e4, 1e30))


@settings(deadline=None, max_examples=100)
@given(st.data(), st.integers(1, 4), st.integers(1, 3))
def test_no_score_is_too_extreme_for_finite_results(data, length, num_tags):
    def draw(*shape: int, scores: st.SearchStrategy[float] = EXTREME_SCORES) -> Tensor:
        size = math.prod(shape)
        drawn = data.draw(st.lists(scores, min_size=size, max_size=size))
        return torch.tensor(drawn, dtype=torch.float64).reshape(shape)

    crf = CRF(num_tags).double()
    for parameter in crf.parameters():
        parameter.data = draw(*parameter.shape)
    emissions = draw(length, 1, num_tags, scores=EXTREME_SCORES | st.just(-math.inf))
    # One tag at least must be possible at each position.
    emissions[..., 0] = draw(length, 1)
    emissions.requires_grad_()
    tags = torch.zeros(length, 1, dtype=torch.long)
    log_likelihood = crf(emissions, tags)
    log_likelihood.backward()
    assert log_likelihood.isfinite()
    assert emissions.grad.isfinite().all()
    assert all(parameter.grad.isfinite().all() for parameter in crf.parameters())
    assert_close(crf.marginals(emissions).sum(dim=2), torch.ones(length, 1, dtype=torch.float64))
    spans = [TagSpan(start, length, 0, num_tags - 1) for start in range(length)]
    assert all(0 <= p <= 1 for p in crf.span_probabilities(emissions, [spans])[0])


@settings(deadline=None, max_examples=30)
@given(problems())
def test_a_sequence_alone_gets_what_it_gets_in_a_padded_batch(problem):
    crf, is_padding = problem.crf, ~problem.mask
    emissions = problem.emissions.masked_fill(is_padding.unsqueeze(2), math.nan).requires_grad_()
    tags = problem.tags.masked_fill(is_padding, -100)
    log_likelihoods = crf(emissions, tags, problem.mask, "none")
    [gradient] = torch.autograd.grad(log_likelihoods.sum(), emissions)
    paths = crf.decode(emissions, problem.mask)
    marginals = crf.marginals(emissions, problem.mask)
    assert gradient[is_padding].count_nonzero() == 0
    assert marginals[is_padding].count_nonzero() == 0
    for index, (alone, tags_alone) in enumerate(problem.sequences()):
        alone = alone.unsqueeze(1).requires_grad_()
        log_likelihood = crf(alone, tags_alone.unsqueeze(1))
        [gradient_alone] = torch.autograd.grad(log_likelihood, alone)
        assert_close(log_likelihoods[index], log_likelihood)
        assert_close(gradient[: len(alone), index], gradient_alone.squeeze(1))
        assert_close(marginals[: len(alone), index], crf.marginals(alone).squeeze(1))
        assert paths[index] == crf.decode(alone)[0]


# Decoding


@settings(deadline=None, max_examples=60)
@given(problems(), st.booleans())
def test_decode_finds_the_best_of_all_paths(problem, batch_first):
    call = problem.batch_first() if batch_first else problem
    best_paths = call.crf.decode(call.emissions, call.mask)
    for (emissions, _), best_path in zip(problem.sequences(), best_paths, strict=True):
        paths, scores = enumerate_paths(problem.crf, emissions)
        assert best_path == paths[scores.argmax()].tolist()


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_decode_gives_what_pytorch_crf_gives(batch_first, dtype):
    crf = CRF(CLUENER.num_tags)
    problem = make_problem(crf=crf, lengths=[40, 1, 17, 40, 33], scale=1.0, dtype=dtype)
    problem = problem.batch_first() if batch_first else problem
    decoded = problem.crf.decode(problem.emissions, problem.mask)
    assert decoded == problem.reference().decode(problem.emissions, problem.mask)
    assert {type(tag) for path in decoded for tag in path} == {int}


@pytest.mark.parametrize("labels", [MSRA, CLUENER, LabelSet(("x",))])
def test_a_label_sets_crf_never_decodes_an_inside_tag_that_continues_nothing(labels):
    problem = make_problem(crf=CRF.for_labels(labels), lengths=[30] * 8, scale=5.0)
    for path in problem.batch_first().crf.decode(problem.emissions.transpose(0, 1)):
        assert labels.is_allowed_start(path[0])
        for before, after in pairwise(path):
            assert labels.is_allowed_transition(before, after), (before, after)


def test_without_tables_nothing_is_forbidden():
    crf = CRF(3)
    assert crf.start_penalties.count_nonzero() == 0
    assert crf.transition_penalties.count_nonzero() == 0


# Marginals and spans


@settings(deadline=None, max_examples=60)
@given(problems(), st.booleans())
def test_marginals_are_sums_over_all_paths(problem, batch_first):
    call = problem.batch_first() if batch_first else problem
    marginals = call.crf.marginals(call.emissions, call.mask)
    marginals = marginals.transpose(0, 1) if batch_first else marginals
    for index, (emissions, _) in enumerate(problem.sequences()):
        paths, scores = enumerate_paths(problem.crf, emissions)
        # shape: (P, L, K)
        is_taken = torch.nn.functional.one_hot(paths, problem.crf.num_tags)
        expected = (is_taken * scores.softmax(dim=0).reshape(-1, 1, 1)).sum(dim=0)
        assert_close(marginals[: len(emissions), index], expected)


@st.composite
def span_problems(draw) -> tuple[LabelSet, Problem]:
    labels = draw(st.sampled_from((LabelSet(("x",)), LabelSet(("x", "y")))))
    crf = CRF.for_labels(labels) if draw(st.booleans()) else CRF(labels.num_tags)
    crf.batch_first = False
    lengths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    scale = draw(st.sampled_from((0.1, 3.0, 30.0)))
    return labels, make_problem(
        crf=crf, lengths=lengths, scale=scale, seed=draw(st.integers(0, 2**32))
    )


@settings(deadline=None, max_examples=60)
@given(span_problems(), st.booleans())
def test_the_probability_of_a_span_is_that_of_all_paths_that_hold_it(labels_and_problem, swap):
    labels, problem = labels_and_problem
    begin_tags = [labels.tag_ids[f"B-{label}"] for label in labels.labels]
    spans = [
        [
            TagSpan(start, end, begin_tag, begin_tag + 1)
            for start in range(len(tags))
            for end in range(start + 1, len(tags) + 1)
            for begin_tag in begin_tags
        ]
        for _, tags in problem.sequences()
    ]
    call = problem.batch_first() if swap else problem
    probabilities = call.crf.span_probabilities(call.emissions, spans, call.mask)
    for (emissions, _), its_spans, its_probabilities in zip(
        problem.sequences(), spans, probabilities, strict=True
    ):
        paths, scores = enumerate_paths(problem.crf, emissions)
        expected = []
        for span in its_spans:
            holds_it = paths[:, span.start] == span.begin_tag
            holds_it &= (paths[:, span.start + 1 : span.end] == span.inside_tag).all(dim=1)
            # Where the path ends, there is no next tag, and none continues the span.
            holds_it &= (paths[:, span.end : span.end + 1] != span.inside_tag).all(dim=1)
            expected.append(scores.softmax(dim=0)[holds_it].sum().item())
        assert its_probabilities == pytest.approx(expected, abs=1e-12)
        assert all(0.0 <= probability <= 1.0 for probability in its_probabilities)


def test_a_span_that_is_certain_has_no_more_than_probability_1():
    crf = CRF.for_labels(MSRA)
    emissions = torch.zeros(1, 300, MSRA.num_tags)
    emissions[0, 0, 1] = emissions[0, 1:, 2] = 50.0
    [[probability]] = crf.span_probabilities(emissions, [[TagSpan(0, 300, 1, 2)]])
    assert 1 - 1e-9 < probability <= 1.0


def test_sequences_without_spans_get_empty_lists():
    crf = CRF.for_labels(MSRA)
    emissions = torch.zeros(3, 2, MSRA.num_tags)
    assert crf.span_probabilities(emissions, [[], [], []]) == [[], [], []]
    [none, [probability], nothing] = crf.span_probabilities(
        emissions, [[], [TagSpan(0, 1, 1, 2)], []]
    )
    assert (none, nothing) == ([], [])
    assert 0 < probability < 1


# What it takes and what it refuses


def test_parameters_and_state_dict_are_those_of_pytorch_crf():
    crf, reference = CRF.for_labels(MSRA), torchcrf.CRF(MSRA.num_tags)
    assert crf.state_dict().keys() == reference.state_dict().keys()
    assert [name for name, _ in crf.named_parameters()] == [
        n for n, _ in reference.named_parameters()
    ]
    crf.load_state_dict(reference.state_dict())
    reference.load_state_dict(crf.state_dict())
    assert repr(crf) == repr(reference)
    assert crf.batch_first


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_emissions_give_a_float32_likelihood(dtype):
    problem = make_problem(crf=CRF(4), lengths=[6, 3], dtype=torch.float32)
    emissions = problem.emissions.to(dtype).requires_grad_()
    log_likelihood = problem.crf(emissions, problem.tags, problem.mask, "none")
    expected = problem.crf(emissions.float(), problem.tags, problem.mask, "none")
    assert_close(log_likelihood, expected)
    assert log_likelihood.dtype == torch.float32
    log_likelihood.sum().backward()
    assert emissions.grad.dtype == dtype
    assert problem.crf.marginals(emissions).dtype == torch.float32
    half = copy.deepcopy(problem.crf).to(dtype)
    assert half(emissions, problem.tags).dtype == torch.float32
    assert half.decode(emissions, problem.mask) == half.decode(emissions.float(), problem.mask)


def test_autocast_changes_nothing():
    problem = make_problem(crf=CRF(21), lengths=[30, 12], dtype=torch.float32)
    arguments = (problem.emissions, problem.tags, problem.mask)
    expected = problem.crf(*arguments)
    expected.backward()
    expected_gradient = problem.crf.transitions.grad.clone()
    problem.crf.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        log_likelihood = problem.crf(*arguments)
        decoded = problem.crf.decode(*arguments[::2])
    log_likelihood.backward()
    assert decoded == problem.crf.decode(*arguments[::2])
    assert_close(log_likelihood, expected, rtol=0, atol=0)
    assert_close(problem.crf.transitions.grad, expected_gradient, rtol=0, atol=0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_cuda_device_gives_what_the_cpu_gives():
    problem = make_problem(crf=CRF(21), lengths=[30, 12, 1])
    arguments = (problem.emissions, problem.tags, problem.mask)
    on_cuda = [tensor.cuda() for tensor in arguments]
    crf = copy.deepcopy(problem.crf).cuda()
    spans = [[TagSpan(0, 3, 1, 2)], [], [TagSpan(0, 1, 3, 4)]]
    assert_close(crf(*on_cuda).cpu(), problem.crf(*arguments))
    assert crf.decode(on_cuda[0], on_cuda[2]) == problem.crf.decode(*arguments[::2])
    for on_device, expected in zip(
        crf.span_probabilities(on_cuda[0], spans, on_cuda[2]),
        problem.crf.span_probabilities(arguments[0], spans, arguments[2]),
        strict=True,
    ):
        assert on_device == pytest.approx(expected)


def test_a_mask_of_uint8_is_as_good_as_one_of_bool():
    problem = make_problem(crf=CRF(3), lengths=[5, 2])
    numbers = problem.mask.to(torch.uint8)
    for reduction in REDUCTIONS:
        with_bool = problem.crf(problem.emissions, problem.tags, problem.mask, reduction)
        assert_close(problem.crf(problem.emissions, problem.tags, numbers, reduction), with_bool)
    with_bool = problem.crf.decode(problem.emissions, problem.mask)
    assert problem.crf.decode(problem.emissions, numbers) == with_bool


def test_a_batch_without_sequences_has_likelihood_0_and_no_paths():
    emissions = torch.zeros(4, 0, 3)
    tags = torch.zeros(4, 0, dtype=torch.long)
    mask = torch.ones(4, 0, dtype=torch.bool)
    for crf in (CRF(3), torchcrf.CRF(3)):
        assert crf(emissions, tags, mask).item() == 0
        assert crf.decode(emissions, mask) == []
    assert CRF(3).span_probabilities(emissions, []) == []


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize(
    ("emissions_shape", "tags_shape", "mask_shape"),
    [
        ((1, 2), (2, 2), None),
        ((1, 2, 4), (1, 2), None),
        ((1, 2, 3), (2, 2), None),
        ((1, 2, 3), (1, 2), (2, 2)),
    ],
)
def test_shapes_that_do_not_match_are_refused_in_pytorch_crfs_words(
    emissions_shape, tags_shape, mask_shape, batch_first
):
    emissions = torch.zeros(emissions_shape)
    tags = torch.zeros(tags_shape, dtype=torch.long)
    mask = None if mask_shape is None else torch.ones(mask_shape, dtype=torch.bool)
    messages = []
    for crf in (CRF(3, batch_first), torchcrf.CRF(3, batch_first)):
        with pytest.raises(ValueError) as error:
            crf(emissions, tags, mask)
        messages.append(str(error.value))
    assert messages[0] == messages[1]


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize(
    ("mask", "message"),
    [
        ([0, 1, 1], "mask of the first timestep must all be on"),
        ([0, 0, 0], "mask of the first timestep must all be on"),
        ([1, 0, 1], "got one with a hole"),
    ],
)
def test_a_mask_that_is_no_prefix_is_refused(mask, message, batch_first):
    crf = CRF(2, batch_first)
    mask = torch.tensor([[1, 1, 1], mask], dtype=torch.bool)
    emissions, tags = torch.zeros(2, 3, 2), torch.zeros(2, 3, dtype=torch.long)
    if not batch_first:
        mask, emissions, tags = mask.T, emissions.transpose(0, 1), tags.T
    for call in (
        lambda: crf(emissions, tags, mask),
        lambda: crf.decode(emissions, mask),
        lambda: crf.marginals(emissions, mask),
        lambda: crf.span_probabilities(emissions, [[], []], mask),
    ):
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize("tag", [-1, 3, -100])
def test_a_tag_that_does_not_exist_is_refused_where_the_mask_is_on(tag):
    tags = torch.tensor([[0], [tag]])
    with pytest.raises(ValueError, match=f"between 0 and 2 where the mask is on, got {tag}"):
        CRF(3)(torch.zeros(2, 1, 3), tags)


def test_emissions_without_a_position_are_refused():
    for crf, shape in ((CRF(3), (0, 2, 3)), (CRF(3, batch_first=True), (2, 0, 3))):
        with pytest.raises(ValueError, match=r"at least one position, got shape \([02], [02], 3\)"):
            crf.decode(torch.zeros(shape))


def test_an_unknown_reduction_and_a_crf_without_tags_are_refused_as_by_pytorch_crf():
    with pytest.raises(ValueError, match="invalid reduction: median"):
        CRF(3)(torch.zeros(2, 1, 3), torch.zeros(2, 1, dtype=torch.long), reduction="median")
    with pytest.raises(ValueError, match="invalid number of tags: 0"):
        CRF(0)


def test_tables_of_allowed_tags_must_fit_the_tags():
    with pytest.raises(ValueError, match=r"allowed_starts of shape \(3,\), got \(2,\)"):
        CRF(3, allowed_starts=[True, False])
    with pytest.raises(ValueError, match=r"allowed_transitions of shape \(3, 3\), got \(3,\)"):
        CRF(3, allowed_transitions=torch.ones(3, dtype=torch.bool))


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([[]], "spans of 2 sequences, got 1"),
        ([[], [TagSpan(1, 3, 1, 2)]], r"0 <= start < end <= 2, got TagSpan.*\(sequence 1\)"),
        ([[TagSpan(2, 2, 1, 2)], []], r"0 <= start < end <= 3, got TagSpan.*\(sequence 0\)"),
        ([[TagSpan(-1, 2, 1, 2)], []], "0 <= start < end <= 3"),
        ([[TagSpan(0, 2, 1, 3)], []], r"tags between 0 and 2, got TagSpan.*inside_tag=3"),
        ([[TagSpan(0, 2, -1, 2)], []], r"tags between 0 and 2, got TagSpan.*begin_tag=-1"),
    ],
)
def test_spans_that_cannot_be_in_the_tagging_are_refused(spans, message):
    mask = torch.tensor([[True, True, True], [True, True, False]])
    with pytest.raises(ValueError, match=message):
        CRF(3, batch_first=True).span_probabilities(torch.zeros(2, 3, 3), spans, mask)


# Scores to start from


def test_initial_scores_are_logs_of_smoothed_bigram_frequencies():
    crf = CRF(2)
    crf.initialise_from_tags([[0, 1, 1], [0], []], smoothing=1.0)
    # Two texts begin, both with 0. After 0 come 1 and the end, after 1 come 1 and the end.
    assert_close(crf.start_transitions.exp(), torch.tensor([3 / 4, 1 / 4]))
    assert_close(crf.transitions.exp(), torch.tensor([[1 / 5, 2 / 5], [1 / 5, 2 / 5]]))
    assert_close(crf.end_transitions.exp(), torch.tensor([2 / 5, 2 / 5]))
    assert all(parameter.requires_grad for parameter in crf.parameters())


def test_initial_scores_make_the_tags_they_come_from_likelier_than_chance():
    labels = LabelSet(("x",))
    crf = CRF.for_labels(labels)
    texts = [[0, 0, 1, 2, 2, 0], [0, 1, 2, 0, 0, 0]]
    crf.initialise_from_tags(texts)
    # Of every text of six characters.
    paths, scores = enumerate_paths(crf, torch.zeros(6, labels.num_tags))
    log_likelihood = scores.log_softmax(dim=0)[(paths == torch.tensor(texts[0])).all(dim=1)]
    assert log_likelihood > -math.log(len(paths)) + 2


@pytest.mark.parametrize(
    ("tags", "smoothing", "message"),
    [
        ([0, 3], 1.0, "between 0 and 2, got 0 to 3"),
        ([-1, 2], 1.0, "between 0 and 2, got -1 to 2"),
        ([0], 0.0, "smoothing above 0, got 0.0"),
        ([0], math.nan, "smoothing above 0, got nan"),
    ],
)
def test_initial_scores_from_tags_that_do_not_exist_or_without_smoothing_are_refused(
    tags, smoothing, message
):
    with pytest.raises(ValueError, match=message):
        CRF(3).initialise_from_tags([tags], smoothing=smoothing)
