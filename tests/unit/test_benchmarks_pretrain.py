"""The benchmark of pretraining: what its reference reads, and what it prints."""

import json
from pathlib import Path

import pytest
import torch

from benchmarks import pretrain
from trainer.distributed import World
from trainer.masking import IGNORED
from trainer.pretrain_fit import build_run
from trainer.pretrain_flags import parse_settings
from trainer.pretraining_run import PretrainingRun

SIZE = (1, 64)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    pretrain.write_lines(tmp_path / "lines.txt", 4000)
    return tmp_path / "lines.txt"


def test_made_up_lines_are_as_long_as_headlines_and_always_the_same(text: Path) -> None:
    lines = text.read_text(encoding="utf-8").splitlines()
    low, high = pretrain._HEADLINE_CHARACTERS
    assert {min(map(len, lines)), max(map(len, lines))} <= set(range(low, high + 1))
    assert 4000 <= sum(map(len, lines)) < 4000 + high
    pretrain.write_lines(text, 4000)
    assert text.read_text(encoding="utf-8").splitlines() == lines


@pytest.fixture
def run(text: Path, tmp_path: Path) -> PretrainingRun:
    layers, width = map(str, SIZE)
    settings = parse_settings(
        [
            *("--corpus", str(text), "--output", str(tmp_path / "encoder"), "--batch-size", "4"),
            *("--num-layers", layers, "--hidden-size", width, "--held-out-fraction", "0.05"),
        ]
    )
    corpus, speed = pretrain.prepare(text, tmp_path / "prepared", settings)
    assert speed > 0
    return build_run(settings, World(0, 1, torch.device("cpu")), "", corpus, None)


def test_the_reference_reads_the_same_lines_each_in_a_row_of_its_own(run: PretrainingRun) -> None:
    batch = next(run.batches.read_from(0))
    token_ids, attention_mask, targets = pretrain._unpack(batch, run)
    assert len(token_ids) == int((batch.line_numbers.max(dim=1).values).sum())
    assert len(token_ids) > len(batch.token_ids)
    is_token = attention_mask.bool()
    # Nothing is lost, and what is masked stays masked; the order within a batch is the same.
    is_text = batch.line_numbers > 0
    assert torch.equal(token_ids[is_token], batch.token_ids[is_text])
    assert torch.equal(targets[is_token], batch.targets[is_text])
    assert (targets[~is_token] == IGNORED).all()
    assert (token_ids[:, 0] == run.start.vocabulary.cls_token_id).all()
    last = is_token.sum(dim=1) - 1
    ends = token_ids.gather(1, last.unsqueeze(1))
    assert (ends == run.start.vocabulary.sep_token_id).all()


def test_the_command_trains_for_real_and_prints_one_json_object(
    text: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(pretrain.SIZES, "tiny", SIZE)
    arguments = ["--text", str(text), "--sizes", "tiny", "--batch-size", "4", "--steps", "1"]
    assert pretrain.main([*arguments, "--rounds", "1", "--device", "cpu", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["text"] == "lines.txt"
    assert 0.5 < report["preparing"]["filled"] <= 1
    (row,) = report["steps"]
    assert (row["size"], row["precision"]) == ("tiny", "fp32")
    assert row["ratio"] == row["tokens_per_second"] / row["reference_tokens_per_second"] > 0
    assert len(pretrain._format(report).splitlines()) == 4


def test_a_file_that_is_not_there_gives_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert pretrain.main(["--text", "nowhere.txt", "--device", "cpu"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "nowhere.txt" in line
