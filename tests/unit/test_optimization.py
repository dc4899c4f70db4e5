"""Which parameters learn, at which rates, and how the rates change."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from ner_core.labels import CLUENER
from ner_core.models import Tagger, TaggerConfig
from ner_core.preprocessing import build_vocabulary
from trainer.config import ModelSettings, OptimizationSettings
from trainer.flags import parse_settings
from trainer.new_encoder import make_encoder
from trainer.optimization import (
    build_optimizer,
    build_pretraining_optimizer,
    build_scheduler,
    encoder_depths,
    freeze_parameters,
)
from trainer.pretrain_config import PretrainingSettings

SETTINGS = parse_settings(
    ["--train", "cluener=a", "--output", "b", "--recipe", "small"], lambda _: {}
)
HOW: OptimizationSettings = SETTINGS.optimization
MODEL: ModelSettings = SETTINGS.model


@pytest.fixture
def tagger() -> Tagger:
    encoder = make_encoder(
        build_vocabulary(["长江"]),
        hidden_size=8,
        num_layers=3,
        max_positions=16,
        dropout=0.0,
        vectors={},
        seed=1,
    )
    return Tagger(encoder, TaggerConfig(architecture="bert-bilstm-crf", labels=CLUENER))


def rates_by_name(tagger: Tagger, settings: OptimizationSettings) -> dict[str, float]:
    optimizer = build_optimizer(tagger, settings)
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    return {name: rates[id(p)] for name, p in tagger.named_parameters() if id(p) in rates}


def test_layers_have_their_depths_and_embeddings_none(tagger: Tagger) -> None:
    depths = encoder_depths(tagger)
    assert {depth for name, depth in depths.items() if "embeddings" in name} == {0}
    assert {depth for name, depth in depths.items() if "layer.2." in name} == {3}


def test_each_layer_learns_more_slowly_than_the_one_above(tagger: Tagger) -> None:
    rates = rates_by_name(tagger, replace(HOW, encoder_learning_rate=1.0, layer_decay=0.5))
    assert rates["encoder.encoder.layer.2.attention.self.query.weight"] == 1.0
    assert rates["encoder.encoder.layer.0.attention.self.query.weight"] == 0.25
    assert rates["encoder.embeddings.word_embeddings.weight"] == 0.125


def test_encoder_head_and_crf_have_rates_of_their_own(tagger: Tagger) -> None:
    rates = rates_by_name(tagger, HOW)
    assert rates["encoder.embeddings.word_embeddings.weight"] == HOW.encoder_learning_rate
    assert rates["classifier.weight"] == HOW.head_learning_rate
    assert rates["context.lstm.weight_ih_l0"] == HOW.head_learning_rate
    assert rates["crf.transitions"] == HOW.crf_learning_rate
    assert set(rates) == {name for name, _ in tagger.named_parameters()}


def test_biases_norms_and_transitions_do_not_decay(tagger: Tagger) -> None:
    optimizer = build_optimizer(tagger, HOW)
    decayed = {
        id(p) for group in optimizer.param_groups if group["weight_decay"] for p in group["params"]
    }
    names = {name for name, p in tagger.named_parameters() if id(p) in decayed}
    assert "classifier.weight" in names
    assert not any("bias" in name or "LayerNorm" in name or "crf" in name for name in names)


def test_the_first_layers_are_frozen_with_the_embeddings(tagger: Tagger) -> None:
    freeze_parameters(tagger, replace(MODEL, freeze_layers=2))
    frozen = {name for name, p in tagger.named_parameters() if not p.requires_grad}
    assert any("embeddings" in name for name in frozen)
    assert any("layer.1." in name for name in frozen)
    assert not any("layer.2." in name or "classifier" in name for name in frozen)
    assert set(rates_by_name(tagger, HOW)).isdisjoint(frozen)


def test_more_frozen_layers_than_there_are_is_an_error(tagger: Tagger) -> None:
    with pytest.raises(ValueError, match="at most the encoder's 3 layers, got 4"):
        freeze_parameters(tagger, replace(MODEL, freeze_layers=4))


def test_rates_rise_to_their_peak_and_fall_to_zero() -> None:
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = build_scheduler(optimizer, replace(HOW, warmup_fraction=0.2), num_steps=10)
    rates = []
    for _ in range(10):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    assert rates[:3] == [0.5, 1.0, 1.0]
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert scheduler.get_last_lr() == [0.0]


def test_rates_of_pretraining_fall_along_a_cosine() -> None:
    settings = PretrainingSettings(learning_rate=2.0, warmup_fraction=0.2)
    optimizer, scheduler = build_pretraining_optimizer(nn.Linear(2, 2), settings, num_steps=10)
    rates = []
    for _ in range(10):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    cosine = [1 + math.cos(math.pi * step / 8) for step in range(8)]
    assert rates == pytest.approx([1.0, 2.0, *cosine])
    assert scheduler.get_last_lr() == [0.0, 0.0]


def test_both_kinds_of_training_step_in_one_kernel(tagger: Tagger) -> None:
    pretraining, _ = build_pretraining_optimizer(tagger, PretrainingSettings(), num_steps=10)
    for optimizer in (build_optimizer(tagger, HOW), pretraining):
        assert all(group["fused"] for group in optimizer.param_groups)


def test_pretraining_decays_matrices_only() -> None:
    settings = PretrainingSettings(weight_decay=0.3)
    model = nn.Sequential(nn.Embedding(4, 2), nn.LayerNorm(2), nn.Linear(2, 2))
    optimizer, _ = build_pretraining_optimizer(model, settings, num_steps=10)
    decays = {id(p): g["weight_decay"] for g in optimizer.param_groups for p in g["params"]}
    assert {name: decays[id(p)] for name, p in model.named_parameters()} == {
        "0.weight": 0.3,
        "1.weight": 0.0,
        "1.bias": 0.0,
        "2.weight": 0.3,
        "2.bias": 0.0,
    }
