"""Pretraining from a text file to an encoder that the trainer takes."""

import json
import math
import os
import subprocess
import sys
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import RobertaConfig

from annotation_store.store import AnnotationStore, NewDocument
from ner_core.checkpoint import load_checkpoint, load_encoder
from ner_core.labels import CLUENER
from ner_core.prediction import Predictor
from tests.integration.pretraining_cases import (
    COMMON,
    EXACT,
    NEWS,
    ROOT,
    SIZE,
    differ,
    flags,
    load_weights,
    read_records,
)
from trainer import finetune, new_lexicon_encoder, pretrain, pretraining
from trainer.corpus import CorpusLine
from trainer.line_encoder import split_sides
from trainer.pretraining import Pretraining


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder that has learned a small language."""
    directory = tmp_path_factory.mktemp("pretrained")
    (directory / "text").mkdir()
    write_combinations(directory / "text" / "combined.txt")
    arguments = ["--corpus", str(directory / "text" / "combined.txt"), *COMMON, "--dropout", "0"]
    more = ["--steps", "150", "--corpus-note", "made by hand, CC0", "--evaluations", "4"]
    output = directory / "encoder"
    assert pretrain.main([*arguments, *more, "--output", str(output)]) == 0
    return output


def write_combinations(path: Path) -> None:
    """Sixty-four sentences of four subjects, four places and four verbs."""
    subjects, places = ("老师", "学生", "医生", "记者"), ("北京", "上海", "广州", "深圳")
    sentences = product(subjects, ("在",), places, ("开会", "唱歌", "读书", "散步"))
    path.write_text("".join(f"{''.join(words)}\n" for words in sentences), encoding="utf-8")


def test_the_loss_falls_and_held_out_text_is_guessed_better_than_by_chance(encoder: Path) -> None:
    losses = [record["loss"] for record in read_records(encoder, "step")]
    assert losses[-1] < 0.6 * losses[0]
    evaluations = read_records(encoder, "evaluation")
    assert [record["step"] for record in evaluations] == [38, 75, 113, 150]
    # One of four words where chance has one of some thirty characters.
    assert evaluations[-1]["held_out_perplexity"] < 8
    assert evaluations[-1]["held_out_accuracy"] > 0.15


def test_the_output_is_an_ordinary_encoder_directory(encoder: Path) -> None:
    names = {path.name for path in encoder.iterdir()}
    files = ["config.json", "model.safetensors", "vocab.txt", "tokenizer_config.json", "README.md"]
    assert names == {*files, "metrics.json", "metrics.jsonl", "train.log"}
    assert {path.name for path in encoder.parent.iterdir()} == {"encoder", "text"}
    loaded = load_encoder(encoder)
    assert loaded.model.config.max_position_embeddings == 32
    assert loaded.vocabulary.encode("京") != [loaded.vocabulary.unk_token_id]


def test_the_card_names_corpus_licence_command_and_perplexity(encoder: Path) -> None:
    card = (encoder / "README.md").read_text(encoding="utf-8")
    perplexity = json.loads((encoder / "metrics.json").read_text("utf-8"))["held_out"]
    assert f"{perplexity['held_out_perplexity']:.2f}" in card
    assert "made by hand, CC0" in card
    assert "python -m trainer.pretrain --corpus" in card
    assert "combined.txt: 64 lines, 448 characters, SHA-256 " in card


def test_the_trainer_takes_the_encoder(encoder: Path, training_file: Path, tmp_path: Path) -> None:
    source = f"cluener={training_file}"
    arguments = ["--train", source, "--dev", source, "--allow-shared-texts", "--epochs", "1"]
    output = tmp_path / "tagger"
    more = ["--encoder", str(encoder), "--device", "cpu", "--output", str(output)]
    assert finetune.main([*arguments, *more]) == 0
    assert load_checkpoint(output).tagger.config.max_window_tokens == 32


def test_pretraining_goes_on_from_its_own_output_with_its_head(
    encoder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "adapted"
    text = encoder.parent / "text" / "combined.txt"
    arguments = ["--corpus", str(text), "--encoder", str(encoder), "--steps", "1"]
    more = ["--held-out-fraction", "0.2", "--learning-rate", "0", "--device", "cpu"]
    assert pretrain.main([*arguments, *more, "--output", str(output)]) == 0
    assert differ(encoder, output) == 0
    (last,) = read_records(output, "evaluation")
    before = read_records(encoder, "evaluation")[-1]
    # The rows are packed alike, so that the masks are the same.
    assert last["held_out_loss"] == pytest.approx(before["held_out_loss"], abs=1e-4)
    assert (output / "vocab.txt").read_bytes() == (encoder / "vocab.txt").read_bytes()


def test_pretraining_goes_on_from_the_encoder_of_a_tagger(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    output = tmp_path / "adapted"
    arguments = ["--corpus", str(NEWS), "--encoder", str(tiny_checkpoint), "--steps", "3"]
    more = ["--held-out-fraction", "0.2", "--device", "cpu", "--output", str(output)]
    assert pretrain.main([*arguments, *more]) == 0
    before = load_encoder(tiny_checkpoint).model.state_dict()
    after = load_encoder(output).model.state_dict()
    name = "encoder.layer.0.attention.self.query.weight"
    assert 0 < (before[name] - after[name]).abs().max() < 0.1


def test_a_lexicon_encoder_is_adapted_to_a_text_and_then_fine_tuned(
    encoder: Path, training_file: Path, tmp_path: Path
) -> None:
    text = str(encoder.parent / "text" / "combined.txt")
    lexicon_encoder, adapted, tagger = (tmp_path / name for name in ("lexicon", "adapted", "out"))
    more = ["--min-count", "1", "--embedding-size", "16", "--lac"]
    status = new_lexicon_encoder.main(["--text", text, *more, "--output", str(lexicon_encoder)])
    assert status == 0
    arguments = ["--encoder", str(lexicon_encoder), "--corpus", text, "--no-packing"]
    more = ["--steps", "150", "--batch-size", "8", "--learning-rate", "5e-3", "--evaluations", "2"]
    more += ["--held-out-fraction", "0.2", "--half-precision", "--device", "cpu"]
    assert pretrain.main([*arguments, *more, "--output", str(adapted)]) == 0
    first, last = read_records(adapted, "evaluation")
    # As the transformer above: one of four words where chance has one of some thirty characters.
    assert last["held_out_perplexity"] < first["held_out_perplexity"] < 9
    source = f"cluener={training_file}"
    arguments = ["--train", source, "--dev", source, "--allow-shared-texts", "--epochs", "1"]
    more = ["--encoder", str(adapted), "--architecture", "bert-bilstm-crf", "--device", "cpu"]
    assert finetune.main([*arguments, *more, "--output", str(tagger)]) == 0
    # Its head for masks is left behind; what the GRU learned is not.
    loaded = load_encoder(tagger).model
    assert loaded.config.model_type == "lexicon"
    assert not [name for name, _ in loaded.named_parameters() if "head" in name]
    before, after = (load_encoder(path).model.gru for path in (lexicon_encoder, tagger))
    assert (before.weight_hh_l0 - after.weight_hh_l0).abs().max() > 0.01


def test_the_texts_of_a_database_are_learned_from(tmp_path: Path) -> None:
    location = tmp_path / "annotations.db"
    with AnnotationStore.open(str(location)) as store:
        store.create_project("news", CLUENER)
        lines = NEWS.read_text(encoding="utf-8").splitlines()
        store.add([NewDocument(line) for line in lines if line], project="news")
    output = tmp_path / "encoder"
    corpus = f"annotations={location}"
    assert (
        pretrain.main(["--corpus", corpus, *COMMON, "--steps", "1", "--output", str(output)]) == 0
    )
    assert "annotations=annotations.db: 30 lines" in (output / "README.md").read_text("utf-8")


def test_one_project_of_a_database_is_learned_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    location = tmp_path / "annotations.db"
    lines = [line for line in NEWS.read_text(encoding="utf-8").splitlines() if line]
    with AnnotationStore.open(str(location)) as store:
        for project, texts in (("news", lines), ("notes", ["别的"])):
            store.create_project(project, CLUENER)
            store.add([NewDocument(text) for text in texts], project=project)
    output = tmp_path / "encoder"
    arguments = [*COMMON, "--steps", "1", "--output", str(output)]
    assert pretrain.main(["--corpus", f"annotations={location}#news", *arguments]) == 0
    card = (output / "README.md").read_text("utf-8")
    assert "annotations=annotations.db#news: 30 lines" in card
    other = ["--corpus", f"annotations={location}#none", *COMMON]
    assert pretrain.main([*other, "--output", str(tmp_path / "other")]) == 2
    assert "the project 'none', got news, notes (in" in capsys.readouterr().err


def test_half_precision_writes_each_weight_once(encoder: Path, tmp_path: Path) -> None:
    output = tmp_path / "half"
    text = encoder.parent / "text" / "combined.txt"
    arguments = ["--corpus", str(text), "--encoder", str(encoder), "--steps", "1"]
    more = ["--held-out-fraction", "0.2", "--device", "cpu", "--half-precision"]
    assert pretrain.main([*arguments, *more, "--output", str(output)]) == 0
    half = load_weights(output)
    assert {weight.dtype for weight in half.values()} == {torch.float16}
    assert half.keys() == load_weights(encoder).keys()


def test_a_prepared_corpus_serves_again_without_its_text(tmp_path: Path) -> None:
    prepared, text = tmp_path / "prepared", tmp_path / "news.txt"
    text.write_bytes(NEWS.read_bytes())
    more = ["--steps", "4", *EXACT, "--prepared", str(prepared)]
    first, second = tmp_path / "first", tmp_path / "second"
    assert pretrain.main(["--corpus", str(text), *more, "--output", str(first)]) == 0
    text.unlink()
    assert pretrain.main([*more, "--output", str(second)]) == 0
    assert differ(first, second) == 0


def test_a_prepared_corpus_that_is_not_what_is_asked_for_is_refused_before_the_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepared = ["--prepared", str(tmp_path / "prepared")]
    first = ["--corpus", str(NEWS), *COMMON, *prepared, "--steps", "1"]
    assert pretrain.main([*first, "--output", str(tmp_path / "first")]) == 0
    second = [*prepared, "--device", "cpu", "--steps", "1", "--output", str(tmp_path / "second")]
    for asked, message in (
        (["--keep-head"], "expected silver labels in the prepared corpus for --keep-head"),
        (["--held-out-fraction", "0.4"], "held_out_fraction 0.2 before, 0.4 now"),
        (["--no-packing"], "is_packed True before, False now"),
    ):
        assert pretrain.main([*second, *SIZE, "--window-tokens", "32", *asked]) == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "second").exists()


def test_silver_labels_are_learned_beside_the_masks(tmp_path: Path) -> None:
    silver = tmp_path / "silver.bio"
    silver.write_text("在\tO\n北\tB-LOC\n京\tI-LOC\n开\tB-v\n会\tI-v\n\n" * 30, encoding="utf-8")
    output = tmp_path / "tagger"
    more = ("--silver-labels", str(silver), "--keep-head", "--epochs", "30", "--dropout", "0")
    assert pretrain.main(flags(output, *more)) == 0
    checkpoint = load_checkpoint(output)
    assert checkpoint.tagger.config.labels.labels == ("LOC", "v")
    card = (output / "README.md").read_text("utf-8")
    assert "pipeline_tag: token-classification" in card
    assert "a chinese tagger of the silver labels loc, v" in card.lower()
    (prediction,) = Predictor(checkpoint, torch.device("cpu")).predict(["在北京开会"])
    assert [(s.start, s.end, s.label) for s in prediction.spans] == [(1, 3, "LOC"), (3, 5, "v")]


def test_accumulated_batches_learn_as_one_large_batch(tmp_path: Path) -> None:
    arguments = ["--corpus", str(NEWS), *EXACT, "--steps", "3"]
    large, small = tmp_path / "large", tmp_path / "small"
    assert pretrain.main([*arguments, "--batch-size", "1000", "--output", str(large)]) == 0
    num_rows = 18
    assert f" {num_rows} rows of 32 tokens to learn from" in (large / "README.md").read_text(
        "utf-8"
    )
    more = ["--batch-size", str(num_rows // 2 + 1), "--accumulation", "2"]
    assert pretrain.main([*arguments, *more, "--output", str(small)]) == 0
    assert differ(large, small) < 1e-4


@pytest.mark.usefixtures("bfloat16_processor")
def test_bf16_learns_nearly_what_fp32_does(tmp_path: Path) -> None:
    losses = {}
    for precision in ("fp32", "bf16"):
        output = tmp_path / precision
        arguments = ["--corpus", str(NEWS), *EXACT, "--steps", "8", "--precision", precision]
        assert pretrain.main([*arguments, "--output", str(output)]) == 0
        losses[precision] = [record["loss"] for record in read_records(output, "step")]
        # The weights themselves stay in full precision.
        assert {weight.dtype for weight in load_weights(output).values()} == {torch.float32}
    assert losses["bf16"] != losses["fp32"]
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.02)


def test_an_epoch_reads_every_character_that_is_not_held_out_once(tmp_path: Path) -> None:
    output = tmp_path / "encoder"
    assert pretrain.main(flags(output, "--epochs", "2")) == 0
    read = [record["num_tokens"] for record in read_records(output, "step")]
    lines = [line for line in NEWS.read_text(encoding="utf-8").splitlines() if line]
    parts = [part for line in lines for part in split_sides(CorpusLine(line), 0.2)]
    trained = sum(len(part.text) for part, is_out in parts if not is_out)
    assert 0 < trained < sum(map(len, lines))
    assert read[-1] == 2 * trained
    for record in read_records(output, "evaluation"):
        assert record["held_out_perplexity"] == pytest.approx(math.exp(record["held_out_loss"]))


def test_an_encoder_of_any_configuration_is_pretrained(tmp_path: Path) -> None:
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = RobertaConfig(**sizes, intermediate_size=24, max_position_embeddings=64)
    config.save_pretrained(tmp_path / "roberta")
    output = tmp_path / "encoder"
    arguments = ["--corpus", str(NEWS), "--encoder-config", str(tmp_path / "roberta")]
    more = [*COMMON[len(SIZE) :], "--steps", "2", "--output", str(output)]
    assert pretrain.main([*arguments, *more]) == 0
    model = load_encoder(output).model
    assert model.config.model_type == "roberta"
    assert (model.config.num_hidden_layers, model.config.intermediate_size) == (2, 24)


def test_activation_checkpointing_changes_no_result(tmp_path: Path) -> None:
    arguments = ["--corpus", str(NEWS), *COMMON, "--dropout", "0.2", "--steps", "3"]
    plain, sparing = tmp_path / "plain", tmp_path / "sparing"
    assert pretrain.main([*arguments, "--output", str(plain)]) == 0
    more = ["--activation-checkpointing", "--tensorboard", "--output", str(sparing)]
    assert pretrain.main([*arguments, *more]) == 0
    assert differ(plain, sparing) < 1e-5
    assert len(list((sparing / "tensorboard").iterdir())) == 1


def test_evaluations_are_as_many_as_asked_for_and_take_no_time_of_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_step, evaluate = Pretraining._take_step, pretraining.evaluate_held_out
    now = 0.0

    def take_long(self: Pretraining, batches: list[Any]) -> None:
        nonlocal now
        now += 0.05
        take_step(self, batches)

    def evaluate_longer(*arguments: Any) -> tuple[float, float, int]:
        nonlocal now
        now += 0.2
        return evaluate(*arguments)

    monkeypatch.setattr(pretraining, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(Pretraining, "_take_step", take_long)
    monkeypatch.setattr(pretraining, "evaluate_held_out", evaluate_longer)
    monkeypatch.setattr(pretraining, "_NUM_STEP_RECORDS", 3)
    output = tmp_path / "encoder"
    assert pretrain.main(flags(output, "--steps", "12", "--evaluations", "5")) == 0
    evaluations = read_records(output, "evaluation")
    assert [record["step"] for record in evaluations] == [3, 5, 8, 10, 12]
    steps = read_records(output, "step")
    assert [record["step"] for record in steps] == [4, 8, 12]
    num_tokens = [0, *(record["num_tokens"] for record in steps)]
    for before, now, record in zip(num_tokens, num_tokens[1:], steps, strict=False):
        seconds = (now - before) / record["tokens_per_second"]
        # Four steps of 50 ms, without the 200 ms of an evaluation.
        assert seconds == pytest.approx(0.2), record


def test_two_processes_learn_as_one_does(tmp_path: Path) -> None:
    corpus = tmp_path / "news.txt"
    corpus.write_text(NEWS.read_text("utf-8") * 4, encoding="utf-8")
    arguments = ["--corpus", str(corpus), *EXACT, "--steps", "6", "--evaluations", "3"]
    one, two = tmp_path / "one", tmp_path / "two"
    assert pretrain.main([*arguments, "--output", str(one)]) == 0
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*command, "-m", "trainer.pretrain", *arguments, "--output", str(two)],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=170,
    )
    assert done.returncode == 0, done.stderr
    assert differ(one, two) < 1e-5
    for event, names in (
        ("step", ("loss", "num_tokens", "learning_rate")),
        ("evaluation", ("held_out_loss", "held_out_accuracy", "num_masked")),
    ):
        alone, together = read_records(one, event), read_records(two, event)
        assert len(alone) == len(together) > 0
        for first, second in zip(alone, together, strict=True):
            for name in names:
                assert first[name] == pytest.approx(second[name], abs=1e-5), (event, name)
