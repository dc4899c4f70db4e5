"""Checkpoint directories: round trip, damage, foreign models."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoConfig,
    AutoModel,
    BertConfig,
    BertForTokenClassification,
    BertModel,
    RobertaConfig,
    RobertaModel,
    XLNetConfig,
    XLNetModel,
)

from ner_core.checkpoint import (
    Checkpoint,
    CheckpointError,
    load_checkpoint,
    load_encoder,
    save_checkpoint,
)
from ner_core.labels import LabelSet
from ner_core.models import ARCHITECTURES, Tagger, TaggerConfig
from ner_core.prediction import Predictor
from ner_core.pretrained import max_encoder_tokens

TEXT = "浙商银行的叶老桂"


def emissions_of(directory: Path) -> torch.Tensor:
    tagger = load_checkpoint(directory).tagger
    input_ids = torch.arange(2, 12).unsqueeze(0)
    mask = torch.ones(1, 10, dtype=torch.bool)
    with torch.inference_mode():
        emissions: torch.Tensor = tagger(input_ids, mask, mask[:, 2:]).emissions
    return emissions


def test_a_checkpoint_loads_as_it_was_saved(tiny_checkpoint: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    save_checkpoint(load_checkpoint(tiny_checkpoint), again, card="# again\n")
    assert torch.equal(emissions_of(again), emissions_of(tiny_checkpoint))
    assert load_checkpoint(again).name == "again"


def test_saving_replaces_what_was_there_and_leaves_nothing_beside_it(
    tiny_checkpoint: Path,
) -> None:
    (tiny_checkpoint / "stray").write_text("")
    save_checkpoint(load_checkpoint(tiny_checkpoint), tiny_checkpoint, card="# new\n")
    assert not (tiny_checkpoint / "stray").exists()
    assert [path.name for path in tiny_checkpoint.parent.iterdir()] == ["tiny"]


def test_a_failed_save_leaves_the_old_checkpoint_and_no_remains(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = emissions_of(tiny_checkpoint)
    checkpoint = load_checkpoint(tiny_checkpoint)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ner_core.checkpoint.save", fail)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(checkpoint, tiny_checkpoint, card="# new\n")
    assert [path.name for path in tiny_checkpoint.parent.iterdir()] == ["tiny"]
    assert torch.equal(emissions_of(tiny_checkpoint), before)


def test_half_precision_halves_the_weights_but_not_the_crf(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    half = tmp_path / "half"
    checkpoint = load_checkpoint(tiny_checkpoint)
    save_checkpoint(checkpoint, half, card="", weights_dtype=torch.float16)
    weights = load_file(half / "model.safetensors")
    assert weights["classifier.weight"].dtype == torch.float16
    assert weights["crf.transitions"].dtype == torch.float32
    assert load_checkpoint(half).tagger.classifier.weight.dtype == torch.float32


def test_a_checkpoint_holds_no_path_of_the_machine_it_was_made_on(
    tiny_checkpoint: Path, tiny_encoder: Path
) -> None:
    config = (tiny_checkpoint / "config.json").read_text(encoding="utf-8")
    assert str(tiny_encoder.parent) not in config


def edit_config(**changes: object) -> Callable[[Path], None]:
    def edit(directory: Path) -> None:
        path = directory / "config.json"
        settings = json.loads(path.read_text(encoding="utf-8"))
        settings.update(changes)
        path.write_text(json.dumps(settings), encoding="utf-8")

    return edit


def forget_architecture(directory: Path) -> None:
    path = directory / "config.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    del settings["architecture"]
    path.write_text(json.dumps(settings), encoding="utf-8")


def lengthen_vocabulary(directory: Path) -> None:
    with (directory / "vocab.txt").open("a", encoding="utf-8") as file:
        file.write("龘\n靐\n")


def poison_weights(directory: Path) -> None:
    weights = load_file(directory / "model.safetensors")
    weights["classifier.bias"][0] = torch.nan
    save_file(weights, directory / "model.safetensors")


def truncate_weights(directory: Path) -> None:
    weights = directory / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: (d / "config.json").unlink(), r"expected a checkpoint with config\.json"),
        (lambda d: (d / "config.json").write_text("{"), "expected JSON in"),
        (lambda d: (d / "config.json").write_text("[]"), "expected a JSON object"),
        (lambda d: (d / "model.safetensors").unlink(), "expected weights in"),
        (truncate_weights, "expected undamaged weights"),
        (lambda d: (d / "vocab.txt").unlink(), r"expected vocab\.txt"),
        (lambda d: (d / "metrics.json").write_text("{"), "expected JSON in"),
        (edit_config(format_version=99), "expected format_version 1, got 99"),
        (forget_architecture, "got no 'architecture'"),
        (edit_config(architecture="bert-gru"), "got 'bert-gru'"),
        (edit_config(architecture=3), "expected a tagger's settings"),
        (edit_config(labels=[1, 2]), r"got \[1, 2\] as 'labels' where a list of strings"),
        (edit_config(output_tags=[1]), r"got \[1\] as 'output_tags' where a list of strings"),
        (edit_config(output_tags=["O"]), "got expected an output for every tag"),
        (edit_config(max_window_tokens=20.5), "got 20.5 as 'max_window_tokens'"),
        (edit_config(max_window_tokens=512), "got max_window_tokens 512, more than .* 64 pos"),
        (edit_config(hidden_size=-3), "expected a tagger's settings"),
        (edit_config(hidden_size=17), "expected a tagger's settings"),
        (edit_config(num_attention_heads=0), "expected a tagger's settings"),
        (edit_config(hidden_act="nope"), "expected a tagger's settings"),
        (edit_config(vocab_size=6), "expected the weights that .* size mismatch"),
        (lambda d: (d / "vocab.txt").write_bytes(b"\xff\xfe"), r"vocab\.txt: .*utf-8"),
        (lambda d: (d / "vocab.txt").write_text(""), r"vocab\.txt: expected single Chinese"),
        (lengthen_vocabulary, "expected token ids below"),
        (poison_weights, "expected finite weights in .*: classifier.bias"),
        (edit_config(model_type="no-such-model"), "expected a tagger's settings"),
        (edit_config(labels=["a"]), "expected the weights that .* size mismatch"),
        (edit_config(context_hidden_size=99), "expected the weights that .* size mismatch"),
    ],
)
def test_a_damaged_checkpoint_gives_one_line_that_names_it(
    tiny_checkpoint: Path, damage: Callable[[Path], object], message: str
) -> None:
    damage(tiny_checkpoint)
    with pytest.raises(CheckpointError, match=message) as caught:
        load_checkpoint(tiny_checkpoint)
    assert str(tiny_checkpoint) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["no/such/dir", "./nowhere", "nowhere", "", "模型/检查点", Path("no/path")]
)
def test_a_missing_checkpoint_is_named(name: str | Path) -> None:
    with pytest.raises(CheckpointError, match="expected a checkpoint directory or a Hub id") as got:
        load_checkpoint(name)
    assert repr(str(name)) in str(got.value)


def test_an_unreachable_hub_gives_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise OSError("Network is unreachable\nmore")

    monkeypatch.setattr("ner_core.model_directory.snapshot_download", refuse)
    with pytest.raises(CheckpointError, match=r"got 'some/model'.*Network is unreachable$"):
        load_checkpoint("some/model")


def test_a_hub_id_is_downloaded_and_loaded(
    tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def download(hub_id: str, *, allow_patterns: list[str]) -> str:
        asked.append((hub_id, allow_patterns))
        return str(tiny_encoder)

    monkeypatch.setattr("ner_core.model_directory.snapshot_download", download)
    assert load_encoder("hfl/chinese-bert-wwm-ext").model.config.hidden_size == 16
    assert asked == [("hfl/chinese-bert-wwm-ext", ["*.json", "*.txt", "*.safetensors"])]


def test_an_encoder_alone_is_no_checkpoint(tiny_encoder: Path) -> None:
    with pytest.raises(CheckpointError, match=r"expected a tagger, got BertModel.*fine-tuned"):
        load_checkpoint(tiny_encoder)


def test_an_encoder_whose_weights_are_incomplete_is_refused(
    tiny_encoder: Path, tmp_path: Path
) -> None:
    directory = tmp_path / "encoder"
    directory.mkdir()
    for path in tiny_encoder.iterdir():
        (directory / path.name).write_bytes(path.read_bytes())
    edit_config(num_hidden_layers=2)(directory)
    with pytest.raises(CheckpointError, match=r"lacks .* of them"):
        load_encoder(directory)


def test_the_encoder_inside_a_checkpoint_can_be_trained_on(tiny_checkpoint: Path) -> None:
    encoder = load_encoder(tiny_checkpoint)
    assert encoder.checkpoint is not None
    assert encoder.model is encoder.checkpoint.tagger.encoder


def test_a_hub_token_classifier_loads_as_a_softmax_tagger(
    tiny_encoder: Path, tmp_path: Path
) -> None:
    tags = ["O", "B-name", "I-name", "S-name", "[PAD]"]
    torch.manual_seed(0)
    model = BertForTokenClassification(
        BertConfig.from_pretrained(
            tiny_encoder, num_labels=len(tags), id2label=dict(enumerate(tags))
        )
    )
    with torch.no_grad():
        model.classifier.bias[:] = torch.tensor([0.0, 0.0, 0.0, 9.0, 20.0])
    directory = tmp_path / "hub-model"
    model.save_pretrained(directory)
    (directory / "vocab.txt").write_bytes((tiny_encoder / "vocab.txt").read_bytes())
    predictor = Predictor.load(directory)
    assert predictor.architecture == "bert-softmax"
    assert predictor.labels == LabelSet(("name",))
    (prediction,) = predictor.predict(["叶老桂"])
    # The padding output, though largest, is no tag; S- makes one entity of each character.
    assert [(s.start, s.end) for s in prediction.spans] == [(0, 1), (1, 2), (2, 3)]


def test_a_hub_classifier_without_entity_tags_is_refused(
    tiny_encoder: Path, tmp_path: Path
) -> None:
    model = BertForTokenClassification(BertConfig.from_pretrained(tiny_encoder, num_labels=2))
    directory = tmp_path / "hub-model"
    model.save_pretrained(directory)
    (directory / "vocab.txt").write_bytes((tiny_encoder / "vocab.txt").read_bytes())
    with pytest.raises(CheckpointError, match="expected at least one label"):
        load_checkpoint(directory)


@pytest.mark.parametrize("prefixes", [("B", "I", "S", "E"), ("B", "I", "U", "L")])
def test_prefixes_of_other_tag_schemes_are_understood(
    prefixes: tuple[str, ...], tiny_encoder: Path, tmp_path: Path
) -> None:
    tags = ["O", *(f"{prefix}-name" for prefix in prefixes)]
    model = BertForTokenClassification(
        BertConfig.from_pretrained(tiny_encoder, num_labels=5, id2label=dict(enumerate(tags)))
    )
    with torch.no_grad():
        model.classifier.weight.zero_()
        model.classifier.bias[:] = torch.tensor([0.0, 0.0, 0.0, 9.0, 0.0])
    model.save_pretrained(tmp_path / "hub-model")
    (tmp_path / "hub-model" / "vocab.txt").write_bytes((tiny_encoder / "vocab.txt").read_bytes())
    (prediction,) = Predictor.load(tmp_path / "hub-model").predict(["叶老桂"])
    assert [(s.start, s.end) for s in prediction.spans] == [(0, 1), (1, 2), (2, 3)]


def test_a_pickled_encoder_that_is_damaged_runs_no_code_and_gives_one_line(
    tiny_encoder: Path, tmp_path: Path
) -> None:
    directory = tmp_path / "encoder"
    directory.mkdir()
    for name in ("config.json", "vocab.txt"):
        (directory / name).write_bytes((tiny_encoder / name).read_bytes())
    (directory / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(CheckpointError, match="expected a Hugging Face model in") as caught:
        load_encoder(directory)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("model_type", ["roberta", "electra", "albert", "mpnet", "distilbert"])
def test_any_encoder_of_transformers_carries_a_tagger(
    model_type: str, architecture: str, tiny_encoder: Path, tmp_path: Path
) -> None:
    vocabulary = (tiny_encoder / "vocab.txt").read_bytes()
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    if model_type == "distilbert":
        sizes = {"dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 32}
    config = AutoConfig.for_model(
        model_type,
        vocab_size=len(vocabulary.splitlines()) + 1,
        intermediate_size=32,
        embedding_size=16,
        max_position_embeddings=40,
        **sizes,
    )
    AutoModel.from_config(config).save_pretrained(tmp_path / "encoder")
    (tmp_path / "encoder" / "vocab.txt").write_bytes(vocabulary)
    encoder = load_encoder(tmp_path / "encoder")
    config = TaggerConfig(
        architecture=architecture,
        labels=LabelSet(("name",)),
        max_window_tokens=max_encoder_tokens(encoder.model),
    )
    checkpoint = Checkpoint(
        Tagger(encoder.model, config).eval(), encoder.vocabulary, encoder.tokenizer_files
    )
    save_checkpoint(checkpoint, tmp_path / "tagger", card="")
    # Longer than the position table, so that a window one token too long would fail.
    text = "浙商银行企业信贷部叶老桂博士则从另一个角度" * 5
    (before,) = Predictor(checkpoint, torch.device("cpu")).predict([text])
    (after,) = Predictor.load(tmp_path / "tagger", device="cpu").predict([text])
    assert before == after
    assert before.spans


def test_positions_of_a_roberta_begin_behind_its_padding_id() -> None:
    size = {"hidden_size": 8, "num_hidden_layers": 0, "num_attention_heads": 2, "vocab_size": 9}
    roberta = RobertaModel(RobertaConfig(max_position_embeddings=130, pad_token_id=1, **size))
    assert max_encoder_tokens(roberta) == 128
    assert max_encoder_tokens(BertModel(BertConfig(max_position_embeddings=1024, **size))) == 512


def test_an_encoder_without_a_position_limit_reads_512_tokens() -> None:
    config = XLNetConfig(d_model=8, n_layer=1, n_head=2, d_inner=8, vocab_size=9)
    assert max_encoder_tokens(XLNetModel(config)) == 512
