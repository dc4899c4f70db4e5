"""Single optimizer steps: what each option of the recipe does to gradients and weights."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from ner_core.checkpoint import load_encoder
from ner_core.dataset import Batch, TaggingDataset, collate
from ner_core.labels import CLUENER
from ner_core.models import Tagger, TaggerConfig
from ner_core.preprocessing import CharacterVocabulary
from ner_core.spans import Example
from trainer.config import OptimizationSettings
from trainer.distributed import World
from trainer.engine import Engine, _disagreement, _perturbed_embeddings
from trainer.flags import parse_settings
from trainer.stepper import NonFiniteLossError, processor_has_bfloat16

ALONE = World(0, 1, torch.device("cpu"))
HOW: OptimizationSettings = parse_settings(
    ["--train", "cluener=a", "--output", "b", "--recipe", "base"], lambda _: {}
).optimization


class MakeEngine(Protocol):
    """Makes an engine over a random tagger without dropout, the same one each time."""

    def __call__(
        self, architecture: str = "bert-bilstm-crf", world: World = ALONE, **settings: Any
    ) -> Engine: ...


@pytest.fixture
def batch(eight_sentences: tuple[Example, ...], tiny_encoder: Path) -> Batch:
    vocabulary = CharacterVocabulary.load(tiny_encoder)
    dataset = TaggingDataset.from_examples(eight_sentences, CLUENER, vocabulary, max_characters=62)
    return collate(list(dataset.windows), vocabulary)


@pytest.fixture
def make_engine(tiny_encoder: Path) -> MakeEngine:
    def make(
        architecture: str = "bert-bilstm-crf", world: World = ALONE, **settings: Any
    ) -> Engine:
        encoder = load_encoder(tiny_encoder).model
        torch.manual_seed(1)
        config = TaggerConfig(architecture=architecture, labels=CLUENER, dropout=0.0)
        return Engine(Tagger(encoder, config), replace(HOW, **settings), world, num_steps=10)

    return make


def take_step(engine: Engine, batch: Batch) -> float:
    return engine.take_step([batch], batch.num_characters)


def gradients(engine: Engine, batch: Batch) -> dict[str, Tensor]:
    """Gradients that a step would use."""
    engine._accumulate_gradients([batch], batch.num_characters)
    named = engine.tagger.named_parameters()
    return {name: p.grad.clone() for name, p in named if p.grad is not None}


def test_steps_on_one_batch_lower_its_loss(batch: Batch, make_engine: MakeEngine) -> None:
    engine = make_engine(head_learning_rate=1e-2, encoder_learning_rate=1e-3)
    losses = [take_step(engine, batch) for _ in range(8)]
    assert losses == sorted(losses, reverse=True)
    assert engine.step == 8


def test_an_accumulated_step_is_the_step_of_the_whole_batch(
    batch: Batch, make_engine: MakeEngine
) -> None:
    whole, parts = make_engine(), make_engine()
    first, second = (
        Batch(
            *(
                column[rows]
                for column in (batch.input_ids, batch.attention_mask, batch.mask, batch.tag_ids)
                if column is not None
            )
        )
        for rows in (slice(0, 3), slice(3, None))
    )
    loss = whole.take_step([batch], batch.num_characters)
    summed = parts.take_step([first, second], batch.num_characters)
    assert summed == pytest.approx(loss, rel=1e-5)
    for one, two in zip(whole.tagger.parameters(), parts.tagger.parameters(), strict=True):
        assert torch.allclose(one, two, atol=1e-6)


@pytest.fixture
def process_group() -> Iterator[None]:
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.mark.usefixtures("process_group")
def test_accumulated_gradients_are_exchanged_once_a_step(
    batch: Batch, make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The engine takes itself for one of two, so that it exchanges; nobody answers differently.
    monkeypatch.setattr(World, "sum", lambda _, values: list(values))
    engine = make_engine(world=World(0, 2, torch.device("cpu")))
    assert isinstance(engine.model, DistributedDataParallel)
    exchanged: list[Tensor] = []

    def exchange(_: None, bucket: dist.GradBucket) -> torch.futures.Future[Tensor]:
        exchanged.append(bucket.buffer())
        answer: torch.futures.Future[Tensor] = torch.futures.Future()
        answer.set_result(bucket.buffer())
        return answer

    engine.model.register_comm_hook(None, exchange)
    engine.take_step([batch], batch.num_characters)
    per_step = len(exchanged)
    assert per_step > 0
    engine.take_step([batch, batch, batch], 3 * batch.num_characters)
    assert len(exchanged) == 2 * per_step


@pytest.mark.usefixtures("process_group")
def test_the_mean_over_processes_is_the_sum_over_characters(
    batch: Batch, make_engine: MakeEngine
) -> None:
    alone = gradients(make_engine(), batch)
    # DDP will divide by two what two of them add up.
    one_of_two = gradients(make_engine(world=World(0, 2, torch.device("cpu"))), batch)
    assert one_of_two.keys() == alone.keys()
    for name, gradient in alone.items():
        torch.testing.assert_close(one_of_two[name], 2 * gradient, atol=1e-6, rtol=1e-4)


def test_compiling_is_left_to_torch_and_only_where_it_is_asked_for(
    make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[dict[str, object]] = []
    monkeypatch.setattr(nn.Module, "compile", lambda _, **options: compiled.append(options))
    make_engine()
    assert compiled == []
    make_engine(compile=True)
    # Batches are of many lengths: a graph for each would be compiled anew all the time.
    assert compiled == [{"dynamic": True}]


def test_the_adversarial_step_goes_up_the_loss_and_comes_back(
    batch: Batch, make_engine: MakeEngine
) -> None:
    engine = make_engine()
    weight = engine.tagger.encoder.get_input_embeddings().weight
    before = weight.detach().clone()
    clean = engine._accumulate_gradients([batch], batch.num_characters)
    with _perturbed_embeddings(engine.tagger, 0.5):
        assert (weight - before).norm().item() == pytest.approx(0.5, rel=1e-4)
        moved = engine._accumulate_gradients([batch], batch.num_characters)
    assert moved > clean
    assert torch.equal(weight, before)


def test_the_adversarial_gradient_is_added_to_the_clean_one(
    batch: Batch, make_engine: MakeEngine
) -> None:
    plain, adversarial = make_engine(), make_engine(fgm_epsilon=1e-6, max_gradient_norm=1e9)
    clean = gradients(plain, batch)["classifier.weight"]
    seen: list[Tensor] = []

    def look(*_: Any) -> None:
        gradient = adversarial.tagger.classifier.weight.grad
        assert gradient is not None
        seen.append(gradient.clone())

    adversarial.optimizer.register_step_pre_hook(look)
    take_step(adversarial, batch)
    # With hardly any perturbation the second gradient is the first once more.
    assert torch.allclose(seen[0], 2 * clean, atol=1e-4)


def test_two_passes_agree_without_dropout_and_differ_with_it(
    batch: Batch, make_engine: MakeEngine
) -> None:
    quiet, noisy = make_engine(r_drop_alpha=1.0), make_engine(r_drop_alpha=1.0)
    noisy.tagger.dropout.p = 0.5
    plain_loss, _ = make_engine()._sum_loss(batch)
    loss, penalty = quiet._sum_loss(batch)
    assert loss.item() == pytest.approx(plain_loss.item(), rel=1e-5)
    assert penalty.item() == pytest.approx(0.0, abs=1e-4)
    noisy.tagger.train()
    _, penalty = noisy._sum_loss(batch)
    assert penalty.item() > 0.1


def test_alpha_weighs_the_disagreement(batch: Batch, make_engine: MakeEngine) -> None:
    penalties = []
    for alpha in (1.0, 2.5):
        engine = make_engine(r_drop_alpha=alpha)
        engine.tagger.dropout.p = 0.5
        engine.tagger.train()
        torch.manual_seed(1)
        penalties.append(engine._sum_loss(batch)[1].item())
    assert penalties[1] == pytest.approx(2.5 * penalties[0], rel=1e-5)
    assert penalties[0] > 0


def test_a_gradient_is_clipped_to_its_norm_before_the_step(
    batch: Batch, make_engine: MakeEngine
) -> None:
    def norm_in_step(limit: float) -> float:
        engine = make_engine(max_gradient_norm=limit)
        norms: list[float] = []

        def look(*_: Any) -> None:
            gradients = [p.grad for p in engine.tagger.parameters() if p.grad is not None]
            norms.append(nn.utils.get_total_norm(gradients).item())

        engine.optimizer.register_step_pre_hook(look)
        take_step(engine, batch)
        return norms[0]

    free = norm_in_step(1e9)
    assert norm_in_step(free / 4) == pytest.approx(free / 4, rel=1e-3)


def test_disagreement_is_the_symmetric_divergence_of_both_passes() -> None:
    emissions = torch.randn(
        4, 3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    )
    mask = torch.tensor([[True, True, False], [True, True, True]]).repeat(2, 1)
    first, second = (torch.distributions.Categorical(logits=e) for e in emissions.chunk(2))
    kl = torch.distributions.kl_divergence
    expected = ((kl(first, second) + kl(second, first)) / 4)[mask[:2]].sum()
    assert torch.allclose(_disagreement(emissions, mask), expected)


def test_averaged_weights_follow_fast_at_first_and_slowly_later(
    batch: Batch, make_engine: MakeEngine
) -> None:
    engine = make_engine(ema_decay=0.5, head_learning_rate=1e-2)
    weight, averaged = engine.tagger.classifier.weight, engine.best_tagger.classifier.weight
    take_step(engine, batch)
    expected = weight.detach().clone()
    for decay in (2 / 11, 3 / 12):
        take_step(engine, batch)
        expected = decay * expected + (1 - decay) * weight
        assert torch.allclose(averaged, expected, atol=1e-6)
    for _ in range(20):
        take_step(engine, batch)
    before = averaged.detach().clone()
    take_step(engine, batch)
    assert torch.allclose(averaged, (before + weight) / 2, atol=1e-6)


def test_averaged_weights_of_a_short_run_are_not_those_it_began_with(
    batch: Batch, make_engine: MakeEngine
) -> None:
    settings = {"head_learning_rate": 1e-2, "encoder_learning_rate": 1e-2}
    engine = make_engine(ema_decay=0.999, **settings)
    began = engine.tagger.classifier.weight.detach().clone()
    for _ in range(10):
        take_step(engine, batch)
    moved = (engine.tagger.classifier.weight - began).norm()
    assert (engine.best_tagger.classifier.weight - began).norm() > moved / 2


def test_activation_checkpointing_changes_no_gradient(
    batch: Batch, make_engine: MakeEngine
) -> None:
    plain, saving = make_engine(), make_engine(activation_checkpointing=True)
    for engine in (plain, saving):
        engine.tagger.train()
    expected, got = gradients(plain, batch), gradients(saving, batch)
    assert expected.keys() == got.keys()
    assert all(torch.allclose(got[name], expected[name], atol=1e-7) for name in expected)


@pytest.mark.usefixtures("bfloat16_processor")
def test_bf16_trains_with_a_loss_near_that_of_fp32(batch: Batch, make_engine: MakeEngine) -> None:
    exact, rounded = (
        take_step(make_engine(), batch),
        take_step(make_engine(precision="bf16"), batch),
    )
    assert rounded != exact
    assert rounded == pytest.approx(exact, rel=0.02)


def test_fp16_is_refused_without_a_graphics_card(make_engine: MakeEngine) -> None:
    with pytest.raises(
        ValueError, match="expected --precision auto, fp32 or bf16 on cpu, got fp16"
    ):
        make_engine(precision="fp16")


def test_bf16_is_refused_where_the_processor_has_none(
    make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Tensor:
        raise RuntimeError("could not create a primitive descriptor for the LSTM")

    processor_has_bfloat16.cache_clear()
    monkeypatch.setattr(torch, "lstm", refuse)
    with pytest.raises(ValueError, match="expected --precision auto or fp32 on this processor"):
        make_engine(precision="bf16")
    monkeypatch.undo()
    processor_has_bfloat16.cache_clear()


def test_bf16_is_taken_exactly_where_an_lstm_runs_in_it(
    batch: Batch, make_engine: MakeEngine
) -> None:
    if processor_has_bfloat16():
        take_step(make_engine(precision="bf16"), batch)
    else:
        engine = make_engine()
        engine.precision = torch.bfloat16
        with pytest.raises(RuntimeError):
            take_step(engine, batch)


def test_smoothed_labels_raise_the_loss_of_softmax(batch: Batch, make_engine: MakeEngine) -> None:
    plain = take_step(make_engine("bert-softmax"), batch)
    assert take_step(make_engine("bert-softmax", label_smoothing=0.2), batch) != plain


def test_a_bad_loss_leaves_the_weights_and_the_count_of_steps(
    batch: Batch, make_engine: MakeEngine
) -> None:
    engine = make_engine()
    take_step(engine, batch)
    with torch.no_grad():
        engine.tagger.classifier.bias[0] = torch.inf
    before = {name: w.clone() for name, w in engine.tagger.state_dict().items()}
    with pytest.raises(NonFiniteLossError, match="expected a finite loss and gradient"):
        take_step(engine, batch)
    assert engine.step == 1
    # Nothing of the bad gradient is left to be added to the next one.
    assert all(p.grad is None for p in engine.tagger.parameters())
    assert all(torch.equal(w, before[name]) for name, w in engine.tagger.state_dict().items())


def test_a_loaded_engine_goes_on_as_the_saved_one(batch: Batch, make_engine: MakeEngine) -> None:
    # Rates that change from step to step, so that a schedule begun anew would tell.
    settings = {"ema_decay": 0.5, "head_learning_rate": 1e-2, "warmup_fraction": 0.5}
    first = make_engine(**settings)
    for _ in range(3):
        take_step(first, batch)
    saved = copy_by_file(first.state_dict())
    second = make_engine(**settings)
    second.load_state_dict(saved)
    for engine in (first, first, second, second):
        take_step(engine, batch)
    for module, other in ((first.tagger, second.tagger), (first.best_tagger, second.best_tagger)):
        assert all(
            torch.equal(one, two)
            for one, two in zip(module.parameters(), other.parameters(), strict=True)
        )
    assert first.learning_rate == second.learning_rate


def test_dropout_depends_on_seed_step_and_rank_only(batch: Batch, make_engine: MakeEngine) -> None:
    def loss_of(step: int, rank: int, noise: int, seed: int = 42) -> float:
        engine = make_engine(seed=seed)
        engine.tagger.dropout.p = 0.5
        engine.step = step
        engine.world = replace(ALONE, rank=rank)
        torch.manual_seed(noise)
        return take_step(engine, batch)

    assert loss_of(3, 0, noise=1) == loss_of(3, 0, noise=2)
    others = [loss_of(4, 0, noise=1), loss_of(3, 1, noise=1), loss_of(3, 0, noise=1, seed=43)]
    assert len({loss_of(3, 0, noise=1), *others}) == 4


def copy_by_file(state: dict[str, Any]) -> dict[str, Any]:
    """What a state is after it was saved and loaded."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    loaded: dict[str, Any] = torch.load(buffer, weights_only=True)
    return loaded
