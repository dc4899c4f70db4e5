"""What pretraining says when something is wrong, and what it leaves behind."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.integration.pretraining_cases import NEWS, flags
from trainer import new_lexicon_encoder, pretrain
from trainer.pretraining_run import PretrainingStepper


def test_a_loss_that_is_no_number_ends_the_run_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sum_loss = PretrainingStepper._sum_loss

    def spoil(self: PretrainingStepper, batch: Any) -> tuple[Tensor, Tensor]:
        loss, penalty = sum_loss(self, batch)
        return (loss * torch.nan if self.step == 2 else loss), penalty

    monkeypatch.setattr(PretrainingStepper, "_sum_loss", spoil)
    output = tmp_path / "encoder"
    assert pretrain.main(flags(output, "--steps", "4", "--save-every-s", "0")) == 1
    (line,) = [x for x in capsys.readouterr().err.splitlines() if x.startswith(pretrain.PROG)]
    assert "expected a finite loss and gradient" in line
    assert "in step 3 of 4; the state saved last is in" in line
    assert (tmp_path / "encoder.run" / "last.pt").exists()


def test_a_full_disk_is_told_and_the_run_can_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "encoder"
    arguments = flags(output, "--steps", "2")
    with monkeypatch.context() as patched:
        patched.setattr("trainer.preparation.os.fsync", fail)
        assert pretrain.main(arguments) == 1
    error = capsys.readouterr().err
    assert "expected to write the prepared corpus" in error
    assert "No space left on device" in error
    assert pretrain.main(arguments) == 0


def fail(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_lack_of_memory_is_told_with_what_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(PretrainingStepper, "_sum_loss", lambda *_: torch.empty(2**58))
    assert pretrain.main(flags(tmp_path / "encoder", "--steps", "1")) == 1
    assert "out of memory in a batch of 8 windows of up to 32" in capsys.readouterr().err


def test_a_dry_run_says_what_the_run_would_cost_and_writes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert pretrain.main(flags(tmp_path / "encoder", "--steps", "100", "--dry-run")) == 0
    assert "dry run: about 18 rows of 32 tokens, 100 steps of" in caplog.text
    assert not list(tmp_path.iterdir())


def test_a_dry_run_tries_the_widest_of_some_batches_and_a_usual_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without packing, or else nobody knew whether memory suffices."""
    widths = []
    take_step = PretrainingStepper.take_counted_step

    def take_and_note(self: PretrainingStepper, batches: Any, counts: Any) -> float:
        widths.append(batches[0].token_ids.shape[1])
        return take_step(self, batches, counts)

    monkeypatch.setattr(PretrainingStepper, "take_counted_step", take_and_note)
    more = ["--no-packing", "--batch-size", "4", "--dry-run"]
    assert pretrain.main(flags(tmp_path / "encoder", *more)) == 0
    widest, usual = widths
    assert widest > usual


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["--corpus", "nowhere.txt"], "nowhere.txt: No such file"),
        (["--held-out-fraction", "1e-9"], "expected lines to hold out, got none"),
        (["--precision", "fp16"], "half precision is for graphics cards"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(
    changes: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pretrain.main(flags(tmp_path / "encoder", *changes)) == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_an_encoder_that_cannot_be_built_is_refused_before_the_corpus_is_prepared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pretrain.main(flags(tmp_path / "encoder", "--num-heads", "3")) == 2
    assert "a --hidden-size that 3 heads can share, got 16" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_activation_checkpointing_of_a_lexicon_encoder_is_refused_before_the_corpus_is_prepared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    encoder = tmp_path / "lexicon"
    more = ["--min-count", "1", "--embedding-size", "8", "--output", str(encoder)]
    assert new_lexicon_encoder.main(["--text", str(NEWS), *more]) == 0
    arguments = ["--encoder", str(encoder), "--corpus", str(NEWS), "--no-packing"]
    more = ["--activation-checkpointing", "--device", "cpu", "--output", str(tmp_path / "out")]
    assert pretrain.main([*arguments, *more]) == 2
    assert "checkpointing" in capsys.readouterr().err.splitlines()[-1]
    assert list(tmp_path.iterdir()) == [encoder]


def test_an_output_that_is_there_already_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pretrain.main(flags(tmp_path)) == 2
    assert "expected an output directory that does not exist yet" in capsys.readouterr().err


def test_a_longer_row_than_the_encoder_has_positions_is_refused(
    tiny_encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--corpus", str(NEWS), "--encoder", str(tiny_encoder), "--window-tokens", "128"]
    assert pretrain.main([*arguments, "--output", str(tmp_path / "encoder")]) == 2
    assert "at most the encoder's 64 positions, got 128" in capsys.readouterr().err
