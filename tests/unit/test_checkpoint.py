"""Checkpoint directories: round trip, damage, foreign models."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import BertConfig, BertForTokenClassification, RobertaConfig

from ner_core.checkpoint import (
    CheckpointError,
    load_checkpoint,
    load_encoder,
    max_encoder_tokens,
    save_checkpoint,
)
from ner_core.labels import LabelSet
from ner_core.prediction import Predictor

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


@pytest.mark.parametrize("name", ["no/such/dir", "./nowhere", "nowhere", Path("no/path")])
def test_a_missing_checkpoint_is_named(name: str | Path) -> None:
    with pytest.raises(CheckpointError, match="expected a checkpoint directory or a Hub id") as got:
        load_checkpoint(name)
    assert str(name) in str(got.value)


def test_an_unreachable_hub_gives_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise OSError("Network is unreachable\nmore")

    monkeypatch.setattr("ner_core.checkpoint.snapshot_download", refuse)
    with pytest.raises(CheckpointError, match=r"got some/model.*Network is unreachable$"):
        load_checkpoint("some/model")


def test_a_hub_id_is_downloaded_and_loaded(
    tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def download(hub_id: str, *, allow_patterns: list[str]) -> str:
        asked.append((hub_id, allow_patterns))
        return str(tiny_encoder)

    monkeypatch.setattr("ner_core.checkpoint.snapshot_download", download)
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


def test_positions_of_a_roberta_begin_behind_its_padding_id() -> None:
    roberta = RobertaConfig(max_position_embeddings=130, pad_token_id=1)
    assert max_encoder_tokens(roberta) == 128
    assert max_encoder_tokens(BertConfig(max_position_embeddings=1024)) == 512
