"""The architectures: what they see, what padding does, how foreign outputs are joined."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from transformers import BertConfig, BertModel

from ner_core.context import TCN, BiLSTM
from ner_core.labels import CLUENER, MSRA, LabelSet
from ner_core.models import ARCHITECTURES, OutputMerge, Tagger, TaggerConfig
from trainer import config as trainer_config

CONFIG = TaggerConfig(architecture="bert-crf", labels=CLUENER)


def make_tagger(architecture: str, *, num_layers: int = 1) -> Tagger:
    torch.manual_seed(0)
    encoder = BertModel(
        BertConfig(
            vocab_size=30,
            hidden_size=16,
            num_hidden_layers=num_layers,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=64,
        )
    )
    return Tagger(encoder, replace(CONFIG, architecture=architecture)).eval()


def make_batch(lengths: list[int]) -> tuple[Tensor, Tensor, Tensor]:
    width = max(lengths)
    generator = torch.Generator().manual_seed(1)
    input_ids = torch.randint(4, 30, (len(lengths), width + 2), generator=generator)
    attention_mask = torch.zeros(len(lengths), width + 2, dtype=torch.bool)
    mask = torch.zeros(len(lengths), width, dtype=torch.bool)
    for row, length in enumerate(lengths):
        attention_mask[row, : length + 2] = True
        mask[row, :length] = True
    return input_ids.masked_fill(~attention_mask, 0), attention_mask, mask


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_sentence_alone_scores_as_in_a_padded_batch(architecture: str) -> None:
    tagger = make_tagger(architecture)
    input_ids, attention_mask, mask = make_batch([5, 20, 11])
    together = tagger(input_ids, attention_mask, mask).emissions
    for row, length in enumerate([5, 20, 11]):
        alone = tagger(
            input_ids[row : row + 1, : length + 2],
            attention_mask[row : row + 1, : length + 2],
            mask[row : row + 1, :length],
        ).emissions
        torch.testing.assert_close(alone[0], together[row, :length], atol=1e-5, rtol=1e-4)


def test_a_character_is_scored_by_its_own_token() -> None:
    # Without layers, what the encoder says of a token depends on that token alone.
    tagger = make_tagger("bert-softmax", num_layers=0)
    input_ids, attention_mask, mask = make_batch([5])
    before = tagger(input_ids, attention_mask, mask).emissions
    # The third character: [CLS] comes first.
    input_ids[0, 3] = 4 if input_ids[0, 3] > 4 else 5
    after = tagger(input_ids, attention_mask, mask).emissions
    differs = (before != after).any(dim=2)
    assert differs.tolist() == [[False, False, True, False, False]]


@pytest.mark.parametrize("layer", ["bilstm", "tcn"])
@pytest.mark.parametrize("position", [0, 7, 14])
def test_the_context_layer_sees_both_ends_of_the_sentence(layer: str, position: int) -> None:
    torch.manual_seed(0)
    context = (
        BiLSTM(6, 16, num_layers=1, dropout=0.0)
        if layer == "bilstm"
        else TCN(6, 16, num_levels=3, dropout=0.0)
    )
    hidden = torch.randn(1, 15, 6, requires_grad=True)
    output = context(hidden, torch.ones(1, 15, dtype=torch.bool))
    (gradient,) = torch.autograd.grad(output[0, position].sum(), hidden)
    assert gradient[0, 0].abs().sum() > 0
    assert gradient[0, -1].abs().sum() > 0


def test_on_a_processor_the_bilstm_computes_what_a_packed_lstm_computes() -> None:
    torch.manual_seed(3)
    layer = BiLSTM(6, 5, num_layers=2, dropout=0.5).eval()
    hidden = torch.randn(4, 9, 6)
    lengths = torch.tensor([9, 3, 1, 7])
    mask = torch.arange(9) < lengths.unsqueeze(1)
    packed = pack_padded_sequence(hidden, lengths, batch_first=True, enforce_sorted=False)
    expected, _ = pad_packed_sequence(layer.lstm(packed)[0], batch_first=True)
    assert torch.allclose(layer(hidden, mask)[mask], expected[mask], atol=1e-6)
    gradients = []
    for output in (layer(hidden, mask), expected):
        layer.zero_grad()
        (output[mask] ** 2).sum().backward()
        gradients.append([parameter.grad.clone() for parameter in layer.parameters()])
    for one, two in zip(*gradients, strict=True):
        assert torch.allclose(one, two, atol=1e-5)


def test_dropout_between_the_layers_of_the_bilstm_is_for_training_only() -> None:
    layer = BiLSTM(6, 5, num_layers=2, dropout=0.5)
    hidden, mask = torch.randn(1, 4, 6), torch.ones(1, 4, dtype=torch.bool)
    assert not torch.equal(layer(hidden, mask), layer(hidden, mask))
    layer.eval()
    assert torch.equal(layer(hidden, mask), layer(hidden, mask))


def test_each_half_of_the_tcn_sees_its_own_side_only() -> None:
    torch.manual_seed(0)
    context = TCN(6, 4, num_levels=2, dropout=0.0)
    hidden = torch.randn(1, 15, 6, requires_grad=True)
    output = context(hidden, torch.ones(1, 15, dtype=torch.bool))
    past, future = output[0, 7].split(4)
    (past_gradient,) = torch.autograd.grad(past.sum(), hidden, retain_graph=True)
    (future_gradient,) = torch.autograd.grad(future.sum(), hidden)
    assert past_gradient[0, 8:].abs().sum() == 0
    assert past_gradient[0, :7].abs().sum() > 0
    assert future_gradient[0, :7].abs().sum() == 0
    assert future_gradient[0, 8:].abs().sum() > 0


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_loss_is_a_sum_so_that_batches_add_up(architecture: str) -> None:
    tagger = make_tagger(architecture)
    input_ids, attention_mask, mask = make_batch([9, 4])
    tag_ids = torch.zeros(2, 9, dtype=torch.long)
    tag_ids[0, 2:4] = torch.tensor([1, 2])
    both = tagger(input_ids, attention_mask, mask, tag_ids).loss
    parts = [
        tagger(
            input_ids[row : row + 1], attention_mask[row : row + 1], mask[row : row + 1], tags
        ).loss
        for row, tags in enumerate(tag_ids.split(1))
    ]
    torch.testing.assert_close(sum(parts), both)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_trained_parameter_gets_a_gradient(architecture: str) -> None:
    tagger = make_tagger(architecture)
    input_ids, attention_mask, mask = make_batch([9, 4])
    tagger(input_ids, attention_mask, mask, torch.zeros(2, 9, dtype=torch.long)).loss.backward()
    without = [n for n, p in tagger.named_parameters() if p.requires_grad and p.grad is None]
    assert without == []


def make_gold(lengths: list[int]) -> Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.randint(CLUENER.num_tags, (len(lengths), max(lengths)), generator=generator)


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_choice_of_one_tag_has_the_loss_of_full_gold(
    architecture: str, label_smoothing: float
) -> None:
    tagger = make_tagger(architecture)
    tagger.label_smoothing = label_smoothing if architecture == "bert-softmax" else 0.0
    batch, tag_ids = make_batch([9, 4]), make_gold([9, 4])
    allowed_tags = nn.functional.one_hot(tag_ids, CLUENER.num_tags).bool()
    full = tagger(*batch, tag_ids).loss
    partial = tagger(*batch, allowed_tags=allowed_tags).loss
    torch.testing.assert_close(partial, full)
    parameters = [parameter for parameter in tagger.parameters() if parameter.requires_grad]
    torch.testing.assert_close(
        torch.autograd.grad(partial, parameters, allow_unused=True),
        torch.autograd.grad(full, parameters, allow_unused=True),
        atol=1e-4,
        rtol=1e-4,
    )


def test_softmax_sums_the_probabilities_of_the_allowed_tags_of_each_character() -> None:
    tagger = make_tagger("bert-softmax")
    *inputs, mask = make_batch([9, 4])
    generator = torch.Generator().manual_seed(3)
    allowed_tags = torch.rand(2, 9, CLUENER.num_tags, generator=generator) < 0.3
    allowed_tags[..., 0] = True
    output = tagger(*inputs, mask, allowed_tags=allowed_tags & mask.unsqueeze(2))
    probabilities = output.emissions.softmax(dim=2)
    allowed = (probabilities * allowed_tags).sum(dim=2)
    torch.testing.assert_close(output.loss, -allowed[mask].log().sum())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_partial_loss_is_a_sum_of_finite_terms_of_each_sentence(architecture: str) -> None:
    tagger = make_tagger(architecture)
    input_ids, attention_mask, mask = make_batch([9, 4])
    # No sentence may hold a tag that the model is far from: its loss is still a number.
    tagger.classifier.bias.data[:11] = 1e4
    allowed_tags = torch.zeros(2, 9, CLUENER.num_tags, dtype=torch.bool)
    allowed_tags[..., 11::2] = True
    arguments = (input_ids, attention_mask, mask)
    loss = tagger(*arguments, allowed_tags=allowed_tags).loss
    loss.backward()
    assert 13 * 9_990 < loss < 13 * 10_010
    gradients = [p.grad for p in tagger.parameters() if p.grad is not None]
    assert gradients and all(gradient.isfinite().all() for gradient in gradients)
    for row in range(2):
        part = [tensor[row : row + 1] for tensor in arguments]
        loss = loss - tagger(*part, allowed_tags=allowed_tags[row : row + 1]).loss
    assert abs(loss.item()) < 0.1


@pytest.mark.parametrize("architecture", ["bert-softmax", "bert-crf"])
def test_a_character_without_an_allowed_tag_is_named(architecture: str) -> None:
    allowed_tags = torch.ones(2, 9, CLUENER.num_tags, dtype=torch.bool)
    allowed_tags[1, 2] = False
    with pytest.raises(ValueError, match="got none at position 2 of sequence 1"):
        make_tagger(architecture)(*make_batch([9, 4]), allowed_tags=allowed_tags)


def test_label_smoothing_asks_for_every_tag_a_little() -> None:
    tagger = make_tagger("bert-softmax")
    batch, tag_ids = make_batch([5]), make_gold([5])
    plain = tagger(*batch, tag_ids)
    tagger.label_smoothing = 0.2
    uniform = -plain.emissions.log_softmax(dim=2).mean(dim=2).sum()
    torch.testing.assert_close(tagger(*batch, tag_ids).loss, 0.8 * plain.loss + 0.2 * uniform)


def test_label_smoothing_is_refused_where_there_is_nothing_to_smooth() -> None:
    tagger = make_tagger("bert-crf")
    tagger.label_smoothing = 0.0
    with pytest.raises(ValueError, match=r"of 0 for bert-crf, got 0\.1: only bert-softmax"):
        tagger.label_smoothing = 0.1
    for value in (-0.1, 1.0):
        with pytest.raises(ValueError, match=rf"label_smoothing in \[0, 1\), got {value}"):
            make_tagger("bert-softmax").label_smoothing = value


def test_label_smoothing_is_no_part_of_the_weights_or_the_config() -> None:
    tagger, other = make_tagger("bert-softmax"), make_tagger("bert-softmax")
    tagger.label_smoothing = 0.1
    assert tagger.state_dict().keys() == other.state_dict().keys()
    assert tagger.config == other.config


def test_an_encoder_of_embeddings_alone_serves() -> None:
    output = make_tagger("bert-bilstm-crf", num_layers=0)(*make_batch([3]))
    assert output.emissions.shape == (1, 3, CLUENER.num_tags)


def test_softmax_keeps_its_transition_scores_at_zero() -> None:
    crf = make_tagger("bert-softmax").crf
    assert all(not p.requires_grad and not p.any() for p in crf.parameters())


def test_outputs_for_single_characters_and_ends_are_joined_by_probability() -> None:
    labels = LabelSet(("x",))
    merge = OutputMerge(("I-x", "S-x", "O", "[PAD]", "B-x", "E-x"), labels)
    logits = torch.randn(1, 1, 6)
    probabilities = logits.softmax(dim=-1)[0, 0]
    merged = merge(logits)[0, 0].exp() / logits.exp().sum()
    expected = torch.stack(
        (
            probabilities[2],
            probabilities[1] + probabilities[4],
            probabilities[0] + probabilities[5],
        )
    )
    torch.testing.assert_close(merged, expected)


def test_a_tag_without_an_output_is_named() -> None:
    with pytest.raises(ValueError, match="found none for I-LOC"):
        OutputMerge(("O", "B-PER", "I-PER", "B-LOC", "B-ORG", "I-ORG"), MSRA)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architecture": "bert-gru"}, "expected an architecture of .*, got 'bert-gru'"),
        ({"dropout": 1.0}, r"expected a dropout in \[0, 1\), got 1.0"),
        ({"context_hidden_size": 0}, "positive context_hidden_size, got 0"),
        ({"context_num_layers": 0}, "positive context_num_layers, got 0"),
        ({"max_window_tokens": 3}, "max_window_tokens >= 4, got 3"),
    ],
)
def test_a_wrong_setting_is_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(CONFIG, **changes)


def test_the_trainer_offers_exactly_these_architectures() -> None:
    assert trainer_config.ARCHITECTURES == ARCHITECTURES


def test_the_pooler_is_removed_for_the_reducers_sake() -> None:
    tagger = make_tagger("bert-crf")
    assert tagger.encoder.pooler is None
    assert isinstance(tagger.classifier, nn.Linear)
