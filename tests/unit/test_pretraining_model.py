"""The model in pretraining: lines of a row do not see each other, heads, what it goes on from."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForPreTraining,
    ElectraConfig,
    ElectraForMaskedLM,
    FNetConfig,
    FNetModel,
    GPT2Config,
    GPT2Model,
    PreTrainedModel,
    RobertaConfig,
    RobertaForMaskedLM,
)

from ner_core.checkpoint import Checkpoint, load_encoder, save_checkpoint
from ner_core.labels import CLUENER
from ner_core.lexicon_encoder import LexiconEncoder, LexiconEncoderConfig
from ner_core.models import Tagger, TaggerConfig
from ner_core.preprocessing import CharacterVocabulary
from ner_core.pretrained import quiet_transformers
from ner_core.soft_lexicon import hash_words
from trainer import encoder_directory
from trainer.encoder_directory import describe_tokenizer
from trainer.masked_batches import MaskedBatch
from trainer.masking import IGNORED
from trainer.pretrain_config import EncoderSettings, PretrainingSettings
from trainer.pretraining_encoder import (
    StartingEncoder,
    load_starting_encoder,
    make_starting_encoder,
    write_encoder,
)
from trainer.pretraining_model import (
    PretrainingModel,
    PretrainingOutput,
    check_packing,
    describe_lines,
    find_first_position,
)
from trainer.pretraining_run import BatchCounts, PretrainingStepper

SIZE = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 34,
}
TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused1]", *"浙商银行企业")


def make_batch(line_lengths: list[int], *, num_padding: int = 0) -> MaskedBatch:
    """One row of lines with a masked token in each."""
    generator = np.random.default_rng(sum(line_lengths))
    ids = generator.integers(6, 50, sum(line_lengths)).tolist() + [0] * num_padding
    lines = [n for n, length in enumerate(line_lengths, start=1) for _ in range(length)]
    places = [place for length in line_lengths for place in range(length)]
    padding = [0] * num_padding
    token_ids = torch.tensor([ids])
    targets = torch.full_like(token_ids, IGNORED)
    for place in np.cumsum(line_lengths) - 2:
        targets[0, place] = token_ids[0, place]
    return MaskedBatch(
        token_ids=token_ids,
        line_numbers=torch.tensor([lines + padding]),
        position_ids=torch.tensor([places + padding]),
        targets=targets,
    )


def cut(batch: MaskedBatch, start: int, end: int) -> MaskedBatch:
    names = ("token_ids", "line_numbers", "position_ids", "targets")
    return replace(batch, **{name: getattr(batch, name)[:, start:end] for name in names})


def build(family: str) -> PreTrainedModel:
    torch.manual_seed(0)
    with quiet_transformers():
        model: PreTrainedModel = {
            "bert": lambda: BertForMaskedLM(BertConfig(**SIZE)),
            "roberta": lambda: RobertaForMaskedLM(RobertaConfig(**SIZE, pad_token_id=1)),
            "electra": lambda: ElectraForMaskedLM(ElectraConfig(**SIZE, embedding_size=8)),
        }[family]()
    return model.eval()


@pytest.mark.parametrize("family", ["bert", "roberta", "electra"])
def test_a_packed_row_is_scored_as_its_lines_alone(family: str) -> None:
    model = PretrainingModel(build(family), 0, is_packed=True)
    check_packing(model.encoder)
    batch = make_batch([7, 12, 5], num_padding=6)
    whole = model(batch).mask_loss
    alone = sum(model(cut(batch, *ends)).mask_loss for ends in ((0, 7), (7, 19), (19, 24)))
    assert whole.item() == pytest.approx(alone.item(), abs=1e-4)


@pytest.mark.parametrize("family", ["bert", "roberta", "electra"])
def test_a_line_is_read_as_the_tagger_reads_it_later(family: str) -> None:
    model = build(family)
    batch = cut(make_batch([9, 4]), 0, 9)
    with torch.no_grad():
        ours = model.base_model(batch.token_ids, **describe_lines(batch, model, is_packed=True))
        plain = model.base_model(batch.token_ids, attention_mask=torch.ones(1, 9).long())
    assert torch.allclose(ours.last_hidden_state, plain.last_hidden_state, atol=1e-5)


def test_positions_of_roberta_begin_behind_its_padding() -> None:
    assert find_first_position(build("roberta")) == 2
    assert find_first_position(build("bert")) == 0


def test_an_encoder_that_cannot_keep_lines_apart_is_refused() -> None:
    config = FNetConfig(vocab_size=50, hidden_size=16, num_hidden_layers=1, intermediate_size=32)
    with pytest.raises(ValueError, match=r"got fnet .*--no-packing takes a row for"):
        check_packing(FNetModel(config))


def test_without_packing_padding_changes_nothing() -> None:
    model = PretrainingModel(build("bert"), 0, is_packed=False)
    batch = make_batch([9], num_padding=4)
    assert model(batch).mask_loss.item() == pytest.approx(
        model(cut(batch, 0, 9)).mask_loss.item(), abs=1e-4
    )


def test_the_loss_is_the_librarys_own() -> None:
    masked_lm = build("bert")
    model = PretrainingModel(masked_lm, 0, is_packed=False)
    batch = make_batch([9])
    theirs = masked_lm(batch.token_ids, labels=batch.targets).loss
    assert model(batch).mask_loss.item() == pytest.approx(theirs.item(), abs=1e-5)


def test_a_batch_without_masks_has_no_loss_and_no_gradient() -> None:
    model = PretrainingModel(build("bert"), 0, is_packed=True)
    batch = make_batch([9])
    output = model(replace(batch, targets=torch.full_like(batch.targets, IGNORED)))
    output.mask_loss.backward()
    assert output.mask_loss.item() == 0.0
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    assert gradients and not any(gradient.any() for gradient in gradients)


def test_silver_tags_count_only_where_there_are_any() -> None:
    model = PretrainingModel(build("bert"), 3, is_packed=True)
    batch = make_batch([9])
    tag_ids = torch.full_like(batch.token_ids, IGNORED)
    assert model(replace(batch, tag_ids=tag_ids)).tag_loss.item() == 0.0
    tag_ids[0, 1:4] = torch.tensor([0, 2, 1])
    lines = describe_lines(batch, model.encoder, is_packed=True)
    hidden = model.encoder(batch.token_ids, **lines).last_hidden_state
    assert isinstance(model.tag_head, nn.Linear)
    expected = nn.functional.cross_entropy(
        model.tag_head(hidden)[0, 1:4], tag_ids[0, 1:4], reduction="sum"
    )
    loss = model(replace(batch, tag_ids=tag_ids)).tag_loss
    assert loss.item() == pytest.approx(expected.item(), abs=1e-5)


def test_new_encoders_have_the_size_asked_for() -> None:
    settings = EncoderSettings(num_layers=3, hidden_size=24, num_heads=3, intermediate_size=40)
    config = make_starting_encoder(settings, TOKENS, 20).model.config
    assert (config.num_hidden_layers, config.hidden_size) == (3, 24)
    assert (config.num_attention_heads, config.intermediate_size) == (3, 40)
    assert (config.max_position_embeddings, config.vocab_size) == (20, len(TOKENS))


def test_new_encoders_can_be_of_another_family(tmp_path: Path) -> None:
    ElectraConfig(**SIZE, embedding_size=8).save_pretrained(tmp_path)
    start = make_starting_encoder(EncoderSettings(encoder_config=str(tmp_path)), TOKENS, 20)
    assert start.model.config.model_type == "electra"
    assert start.model.get_input_embeddings().num_embeddings == len(TOKENS)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A BERT with a trained head, as the Hub has them."""
    start = make_starting_encoder(EncoderSettings(num_layers=1, hidden_size=16), TOKENS, 20)
    nn.init.normal_(start.model.cls.predictions.bias)
    write(start, tmp_path / "bert")
    return tmp_path / "bert"


def write(start: StartingEncoder, directory: Path, dtype: torch.dtype = torch.float32) -> None:
    """As a run writes its output."""
    write_encoder(
        start.model,
        directory,
        tokenizer_files=start.tokenizer_files,
        card="",
        metrics={},
        weights_dtype=dtype,
    )


def test_an_encoder_is_continued_with_its_own_head(directory: Path) -> None:
    start = load_starting_encoder(str(directory), None)
    assert start.model.cls.predictions.bias.abs().min() > 0
    head, table = start.model.get_output_embeddings(), start.model.get_input_embeddings()
    assert head.weight is table.weight


def test_an_old_pickle_with_old_names_is_continued_with_its_own_head(tmp_path: Path) -> None:
    """As hfl/chinese-bert-wwm-ext on the Hub: gamma and beta, a pooler, a head for next lines."""
    torch.manual_seed(0)
    config = BertConfig(**{**SIZE, "vocab_size": len(TOKENS)})
    model = BertForPreTraining(config)
    nn.init.normal_(model.cls.predictions.bias)
    directory = tmp_path / "bert"
    directory.mkdir()
    config.to_json_file(directory / "config.json")
    (directory / "vocab.txt").write_text("".join(f"{token}\n" for token in TOKENS), "utf-8")
    old_names = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    weights = {}
    for name, weight in model.state_dict().items():
        for new, old in old_names.items():
            name = name.replace(new, old)
        if not name.endswith("decoder.bias"):
            weights[name] = weight
    torch.save(weights, directory / "pytorch_model.bin")
    start = load_starting_encoder(str(directory), None)
    assert torch.equal(start.model.cls.predictions.bias, model.cls.predictions.bias)
    for name, weight in start.model.base_model.state_dict().items():
        assert torch.equal(weight, model.bert.state_dict()[name]), name
    assert not [name for name, _ in start.model.named_parameters() if "pooler" in name]


def test_the_loss_on_silver_tags_is_a_mean_over_the_tagged() -> None:
    """Of the whole step, whose number of masked tokens is another."""
    stepper = object.__new__(PretrainingStepper)
    stepper._counts = BatchCounts(num_masked=10, num_tagged=40, num_tokens=100)
    stepper.settings = PretrainingSettings(silver_weight=0.5)
    output = PretrainingOutput(torch.tensor(30.0), torch.tensor(0), torch.tensor(80.0))
    stepper.model = lambda _batch: output
    stepper.autocast = nullcontext
    mask_loss, tag_loss = stepper._sum_loss(make_batch([4]))
    # What the base class divides by the 10 masked tokens: 3 + 0.5 * (80 / 40).
    assert (mask_loss + tag_loss).item() / 10 == pytest.approx(3 + 0.5 * 2)


def test_an_encoder_without_a_head_gets_a_new_one(tiny_encoder: Path) -> None:
    start = load_starting_encoder(str(tiny_encoder), None)
    head, table = start.model.get_output_embeddings(), start.model.get_input_embeddings()
    assert head.weight is table.weight
    assert not [name for name, _ in start.model.named_parameters() if "pooler" in name]
    assert start.tokenizer_files["vocab.txt"] == (tiny_encoder / "vocab.txt").read_bytes()


def test_dropout_of_a_continued_encoder_can_be_changed(directory: Path) -> None:
    model = load_starting_encoder(str(directory), 0.3).model
    rates = {module.p for module in model.modules() if isinstance(module, nn.Dropout)}
    assert rates == {0.3}
    assert model.config.hidden_dropout_prob == 0.3


@pytest.mark.parametrize("is_checkpoint", [False, True])
def test_a_kind_of_encoder_that_cannot_guess_is_refused_in_one_line(
    tmp_path: Path, is_checkpoint: bool
) -> None:
    encoder = GPT2Model(GPT2Config(vocab_size=len(TOKENS), n_embd=8, n_head=1, n_layer=1))
    save(encoder, tmp_path / "encoder", is_checkpoint=is_checkpoint)
    with pytest.raises(ValueError, match="got one of type 'gpt2': Unrecognized") as caught:
        load_starting_encoder(str(tmp_path / "encoder"), None)
    assert len(str(caught.value).splitlines()) == 1


def save(encoder: PreTrainedModel, directory: Path, *, is_checkpoint: bool) -> None:
    if not is_checkpoint:
        encoder_directory.write_encoder(encoder, TOKENS, directory)
        return
    tagger = Tagger(encoder, TaggerConfig(architecture="bert-crf", labels=CLUENER))
    vocabulary = CharacterVocabulary.from_token_ids({t: i for i, t in enumerate(TOKENS)})
    save_checkpoint(Checkpoint(tagger, vocabulary, describe_tokenizer(TOKENS)), directory, card="")


# --- An encoder of characters, a GRU and a lexicon ---

ROW = torch.tensor([[2, *range(6, 12), 3]])


@pytest.fixture
def lexicon_encoder() -> LexiconEncoder:
    """Of the words 银行 and 浙商银行, without dropout."""
    sizes = {"embedding_size": 8, "gru_size": 4, "vector_size": 3, "types": ("bank",)}
    config = LexiconEncoderConfig(
        50, **sizes, num_words=2, num_vectors=3, embedding_dropout=0.0, word_dropout=0.0
    )
    encoder = LexiconEncoder(config)
    assert encoder.lexicon is not None
    keys, order = hash_words([[8, 9], [6, 7, 8, 9]]).sort()
    encoder.lexicon.keys.copy_(keys)
    encoder.lexicon.vector_ids.copy_(order + 1)
    encoder.lexicon.vectors.random_(-127, 128)
    encoder.lexicon.types.fill_(1)
    return encoder


@pytest.mark.parametrize("is_checkpoint", [False, True])
def test_a_lexicon_encoder_is_continued_as_it_is(
    tmp_path: Path, lexicon_encoder: LexiconEncoder, is_checkpoint: bool
) -> None:
    save(lexicon_encoder, tmp_path / "encoder", is_checkpoint=is_checkpoint)
    model = load_starting_encoder(str(tmp_path / "encoder"), None).model
    for name, weight in lexicon_encoder.state_dict().items():
        assert torch.equal(model.base_model.state_dict()[name], weight), name
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight


def test_a_lexicon_encoder_learns_from_its_masks_and_keeps_its_words(
    tmp_path: Path, lexicon_encoder: LexiconEncoder
) -> None:
    save(lexicon_encoder, tmp_path / "encoder", is_checkpoint=False)
    start = load_starting_encoder(str(tmp_path / "encoder"), None)
    words = {name: tensor.clone() for name, tensor in start.model.named_buffers()}
    model = PretrainingModel(start.model, 0, is_packed=False)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    batch = make_batch([8])
    batch.targets[:, 1:-1] = batch.token_ids[:, 1:-1]
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = model(batch).mask_loss
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 10
    gru = start.model.base_model.gru.state_dict()
    moved = {name for name, w in lexicon_encoder.gru.state_dict().items() if (gru[name] != w).any()}
    assert moved == set(gru)
    assert words
    for name, tensor in start.model.named_buffers():
        assert torch.equal(tensor, words[name]), name


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_pretrained_lexicon_encoder_is_read_back(
    tmp_path: Path, lexicon_encoder: LexiconEncoder, dtype: torch.dtype
) -> None:
    """Whole numbers stay whole: half precision would lose the words of the lexicon."""
    save(lexicon_encoder, tmp_path / "encoder", is_checkpoint=False)
    start = load_starting_encoder(str(tmp_path / "encoder"), None)
    nn.init.normal_(start.model.lm_head.decoder.bias)
    write(start, tmp_path / "pretrained", dtype)
    again = load_starting_encoder(str(tmp_path / "pretrained"), None).model
    bias = start.model.lm_head.decoder.bias
    assert torch.equal(again.lm_head.decoder.bias, bias.to(dtype).float())
    encoder = load_encoder(tmp_path / "pretrained").model.eval()
    with torch.no_grad():
        mask = torch.ones_like(ROW)
        read_back = encoder(ROW, mask).last_hidden_state
        wanted = lexicon_encoder.eval()(ROW, mask).last_hidden_state
    assert (read_back - wanted).abs().max() < (1e-6 if dtype == torch.float32 else 1e-2)
    # Four vectors of 12 features: 银 begins one word and is in the middle of the other.
    assert (read_back[0, 3, -48:-24].view(2, 12).abs().sum(dim=1) > 0).all()


def test_a_lexicon_encoder_wants_one_line_a_row(lexicon_encoder: LexiconEncoder) -> None:
    with pytest.raises(ValueError, match=r"got lexicon \(it reads one text in each row\); --no-p"):
        check_packing(lexicon_encoder)
