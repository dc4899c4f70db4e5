"""What a run shows and leaves: records, curves, events, the card, and what a dry run says."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from annotation_store.store import AnnotationStore, NewDocument
from ner_core.labels import CLUENER
from ner_core.spans import Example
from trainer import finetune


@pytest.fixture
def arguments(training_file: Path, tiny_encoder: Path) -> list[str]:
    source = f"cluener={training_file}"
    common = ["--train", source, "--dev", source, "--allow-shared-texts", "--device", "cpu"]
    return [*common, "--encoder", str(tiny_encoder), "--batch-size", "2", "--epochs", "2"]


def read_records(output: Path) -> list[dict[str, Any]]:
    lines = (output / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_records_follow_the_steps_and_the_epochs(arguments: list[str], tmp_path: Path) -> None:
    output = tmp_path / "model"
    assert finetune.main([*arguments, "--output", str(output)]) == 0
    records = read_records(output)
    events = [(record["event"], record["epoch"], record["step"]) for record in records]
    first = [("step", 1, step) for step in (1, 2, 3, 4)] + [("epoch", 1, 4)]
    second = [("step", 2, step) for step in (5, 6, 7, 8)] + [("epoch", 2, 8)]
    assert events == first + second
    steps = [record for record in records if record["event"] == "step"]
    assert {record["num_steps"] for record in steps} == {8}
    assert records[-1]["learning_rate"] == 0.0
    seconds = [record["seconds"] for record in records]
    assert seconds == sorted(seconds)
    assert (output / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_the_loss_of_an_epoch_is_the_mean_of_its_steps_by_characters(
    arguments: list[str], tmp_path: Path
) -> None:
    output = tmp_path / "model"
    flags = ["--batch-size", "8", "--epochs", "1", "--output", str(output)]
    assert finetune.main([*arguments, *flags]) == 0
    step, epoch = read_records(output)
    assert step["loss"] == pytest.approx(epoch["loss"])


def test_tensorboard_gets_the_numbers_of_the_records(arguments: list[str], tmp_path: Path) -> None:
    output = tmp_path / "model"
    assert finetune.main([*arguments, "--tensorboard", "--output", str(output)]) == 0
    events = EventAccumulator(str(output / "tensorboard"))
    events.Reload()
    for name in ("step/loss", "epoch/dev_f1"):
        event, _, key = name.partition("/")
        expected = [(r["step"], r[key]) for r in read_records(output) if r["event"] == event]
        got = [(scalar.step, scalar.value) for scalar in events.Scalars(name)]
        assert [step for step, _ in got] == [step for step, _ in expected]
        assert [v for _, v in got] == pytest.approx([v for _, v in expected], rel=1e-5)


def test_without_tensorboard_the_flag_says_what_to_install(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    assert finetune.main([*arguments, "--tensorboard", "--output", str(tmp_path / "model")]) == 2
    assert "pip install tensorboard" in capsys.readouterr().err
    assert not list(tmp_path.glob("model*"))


def test_the_card_says_how_the_model_was_made(
    arguments: list[str], training_file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "model"
    assert finetune.main([*arguments, "--seed", "5", "--output", str(output)]) == 0
    card = (output / "README.md").read_text(encoding="utf-8")
    assert f"python -m trainer.finetune --train cluener={training_file}" in card
    assert "recipe small, seed 5; the best epoch on dev was epoch" in card
    assert f"torch {torch.__version__}, transformers {transformers.__version__}" in card
    assert "8 sentences, SHA-256" in card
    assert all(f"| {label} |" in card for label in CLUENER.labels)


def test_a_dry_run_says_what_the_run_would_cost_and_writes_nothing(
    arguments: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = set(tmp_path.rglob("*"))
    assert finetune.main([*arguments, "--dry-run", "--output", str(tmp_path / "model")]) == 0
    assert set(tmp_path.rglob("*")) == before
    (line,) = [line for line in caplog.messages if line.startswith("dry run")]
    assert "8 steps in 2 epochs of" in line
    assert "MiB of memory at the widest batch (10 characters)" in line
    assert "sentences" in caplog.text


@pytest.mark.usefixtures("bfloat16_processor")
def test_bf16_on_a_processor_learns_too(arguments: list[str], tmp_path: Path) -> None:
    rates = ["--encoder-learning-rate", "5e-3", "--head-learning-rate", "2e-2"]
    output = tmp_path / "model"
    flags = ["--precision", "bf16", "--epochs", "15", "--patience", "15", "--dropout", "0"]
    assert finetune.main([*arguments, *rates, *flags, "--output", str(output)]) == 0
    epochs = [record for record in read_records(output) if record["event"] == "epoch"]
    assert epochs[-1]["loss"] < epochs[0]["loss"] / 5


def test_several_sources_of_one_label_set_are_read_by_their_weights(
    arguments: list[str],
    training_file: Path,
    eight_sentences: tuple[Example, ...],
    tmp_path: Path,
) -> None:
    database = tmp_path / "annotations.db"
    with AnnotationStore.open(database) as store:
        store.create_project("default", CLUENER)
        store.add(
            NewDocument(text=e.text + "。", spans=e.spans, status="accepted")
            for e in eight_sentences
        )
    output = tmp_path / "model"
    both = ["--train", f"annotations={database}", "--weight", "annotations=3"]
    assert finetune.main([*arguments, *both, "--output", str(output)]) == 0
    # Eight sentences once and eight three times, two in a batch.
    assert read_records(output)[-1]["step"] == 2 * 16
    assert "read 3 times an epoch" in (output / "README.md").read_text(encoding="utf-8")


def test_a_mapped_source_teaches_the_runs_labels(
    tiny_encoder: Path, tmp_path: Path, training_file: Path
) -> None:
    coarse = tmp_path / "coarse.txt"
    coarse.write_text("王\tB-PER\n明\tI-PER\n在\tO\n京\tB-LOC\n", encoding="utf-8")
    output = tmp_path / "model"
    dev = ["--dev", f"cluener={training_file}", "--encoder", str(tiny_encoder)]
    maps = ["--map", "msra:PER=name,ORG=company|government,LOC=address|scene"]
    sources = ["--train", f"cluener={training_file}", "--train", f"msra={coarse}"]
    flags = ["--allow-shared-texts", "--epochs", "1", "--output", str(output)]
    assert finetune.main([*sources, *maps, *dev, *flags]) == 0
    assert "map PER=name" in (output / "README.md").read_text(encoding="utf-8")
