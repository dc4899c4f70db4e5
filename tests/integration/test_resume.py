"""Nothing is lost: runs that are killed, fail or are interrupted go on as if nothing had been."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file
from torch import Tensor

from ner_core.formats import write_cluener
from ner_core.spans import Example
from tests.integration.trapped_runs import RunAndKill, RunWithTrap, killing, trapped_runs
from trainer import finetune
from trainer.engine import Engine
from trainer.run_directory import RunDirectory
from trainer.stepper import NonFiniteLossError

ROOT = Path(__file__).parents[2]
# Dropout, averaged weights, both regularisers and accumulation: everything that has a state.
EVERYTHING = [
    *("--encoder-learning-rate", "5e-3", "--head-learning-rate", "1e-2", "--dropout", "0.3"),
    *("--ema-decay", "0.5", "--r-drop-alpha", "0.5", "--fgm-epsilon", "0.1"),
    *("--mention-replacement", "0.5"),
    *("--batch-size", "2", "--accumulation", "2", "--epochs", "3", "--device", "cpu"),
]
RunAndKill = RunAndKill
# Eight sentences make four batches, two steps, an epoch.
STEPS_PER_EPOCH = 2


@pytest.fixture
def arguments(tiny_encoder: Path, training_file: Path) -> list[str]:
    """A command line but for its output."""
    source = f"cluener={training_file}"
    common = ["--train", source, "--dev", source, "--allow-shared-texts"]
    return [*common, "--encoder", str(tiny_encoder), *EVERYTHING, "--save-every-s", "0"]


def load_weights(output: Path) -> dict[str, Tensor]:
    return load_file(output / "model.safetensors")


def are_equal(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(
        torch.equal(weight, second[name]) for name, weight in first.items()
    )


def read_epochs(output: Path) -> list[dict[str, Any]]:
    lines = (output / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [record for record in map(json.loads, lines) if record["event"] == "epoch"]


IMPORTS = """
import resource
from pathlib import Path
from trainer import finetune, fit, training
from trainer.engine import Engine
from trainer.run_directory import RunDirectory
"""


@pytest.fixture(scope="module")
def run_with_trap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunWithTrap]:
    log = tmp_path_factory.mktemp("trap") / "stderr"
    with trapped_runs("finetune", IMPORTS, log) as run:
        yield run


@pytest.fixture
def run_and_kill(run_with_trap: RunWithTrap) -> RunAndKill:
    return killing(run_with_trap)


AT_STEP = """
take_step = Engine.take_step
def take_step_or_die(self, batches, num_characters):
    if self.step == {step}:
        die()
    return take_step(self, batches, num_characters)
Engine.take_step = take_step_or_die
"""
DURING_SAVE = """
replace = Path.replace
def die_before_replacing(self, target):
    if Path(target).name == "last.pt" and Path(target).exists():
        die()
    return replace(self, target)
Path.replace = die_before_replacing
"""
BETWEEN_CHECKPOINT_AND_STATE = """
save_checkpoint = training.save_checkpoint
def save_and_die(*arguments, **options):
    save_checkpoint(*arguments, **options)
    die()
training.save_checkpoint = save_and_die
"""
BEFORE_OUTPUT = """
RunDirectory.publish = lambda self, epoch: die()
"""
BEFORE_TIDYING = """
RunDirectory.discard = lambda self: die()
"""
WHILE_TIDYING = """
import shutil
rmtree = shutil.rmtree
def remove_half_and_die(path, *arguments, **options):
    if Path(path).name.endswith(".discarded"):
        (Path(path) / "last.pt").unlink()
        die()
    return rmtree(path, *arguments, **options)
shutil.rmtree = remove_half_and_die
"""


@pytest.fixture(scope="module")
def undisturbed(
    tiny_encoder: Path,
    eight_sentences: tuple[Example, ...],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The output of a run that nothing disturbed."""
    directory = tmp_path_factory.mktemp("undisturbed")
    write_cluener(directory / "train.json", eight_sentences)
    source = f"cluener={directory / 'train.json'}"
    common = ["--train", source, "--dev", source, "--allow-shared-texts"]
    output = directory / "model"
    flags = ["--encoder", str(tiny_encoder), *EVERYTHING, "--output", str(output)]
    assert finetune.main([*common, *flags]) == 0
    return output


@pytest.mark.parametrize(
    "trap",
    [
        pytest.param(AT_STEP.format(step=1), id="in the middle of the first epoch"),
        pytest.param(AT_STEP.format(step=2 * STEPS_PER_EPOCH), id="at the end of an epoch"),
        pytest.param(AT_STEP.format(step=2 * STEPS_PER_EPOCH + 1), id="in the last epoch"),
        pytest.param(DURING_SAVE, id="while the state is replaced"),
        pytest.param(BETWEEN_CHECKPOINT_AND_STATE, id="between checkpoint and state"),
        pytest.param(BEFORE_OUTPUT, id="before the output is made"),
        pytest.param(BEFORE_TIDYING, id="when only tidying up was left"),
    ],
)
def test_a_killed_run_goes_on_to_the_same_weights_bit_by_bit(
    trap: str,
    run_and_kill: RunAndKill,
    undisturbed: Path,
    arguments: list[str],
    tmp_path: Path,
) -> None:
    output = tmp_path / "model"
    run_and_kill([*arguments, "--output", str(output)], trap)
    assert output.with_name("model.run").exists()
    assert finetune.main([*arguments, "--output", str(output)]) == 0
    assert are_equal(load_weights(output), load_weights(undisturbed))
    expected, resumed = read_epochs(undisturbed), read_epochs(output)
    assert [r["dev_f1"] for r in resumed] == [r["dev_f1"] for r in expected]
    assert [r["loss"] for r in resumed] == pytest.approx([r["loss"] for r in expected])
    assert {path.name for path in tmp_path.iterdir()} == {"model", "train.json"}


def test_a_run_killed_while_tidying_up_is_complete(
    run_and_kill: RunAndKill, undisturbed: Path, arguments: list[str], tmp_path: Path
) -> None:
    output = tmp_path / "model"
    run_and_kill([*arguments, "--output", str(output)], WHILE_TIDYING)
    assert are_equal(load_weights(output), load_weights(undisturbed))
    assert not output.with_name("model.run").exists()
    # What is left has a hidden name, and goes when the name is used again.
    output.rename(tmp_path / "kept")
    assert finetune.main([*arguments, "--output", str(output)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"model", "kept", "train.json"}


def test_a_run_killed_again_and_again_gets_there(
    run_and_kill: RunAndKill, undisturbed: Path, arguments: list[str], tmp_path: Path
) -> None:
    output = tmp_path / "model"
    for step in (1, 3, 4):
        run_and_kill([*arguments, "--output", str(output)], AT_STEP.format(step=step))
    assert finetune.main([*arguments, "--output", str(output)]) == 0
    assert are_equal(load_weights(output), load_weights(undisturbed))


def run_on_two_processes(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    return subprocess.run(
        [*command, "-m", "trainer.finetune", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=120,
    )


def test_an_error_of_one_process_ends_all_of_them_with_one_line(
    unfinished: Path, arguments: list[str]
) -> None:
    state = unfinished.with_name("model.run") / "last.pt"
    state.write_bytes(b"bad\n")
    done = run_on_two_processes([*arguments, "--output", str(unfinished)])
    assert done.returncode != 0
    assert done.stderr.count("found a damaged file") == 1
    ours = done.stderr[: done.stderr.index("found a damaged file")]
    assert "Traceback" not in ours


def test_two_processes_take_up_what_one_began(
    run_and_kill: RunAndKill, arguments: list[str], tmp_path: Path
) -> None:
    # Dropout differs by rank; without it the number of processes makes no difference.
    arguments = [*arguments, "--dropout", "0", "--r-drop-alpha", "0"]
    alone, together = tmp_path / "alone", tmp_path / "together"
    assert finetune.main([*arguments, "--output", str(alone)]) == 0
    run_and_kill([*arguments, "--output", str(together)], AT_STEP.format(step=3))
    # TensorBoard, since each process might write events.
    done = run_on_two_processes([*arguments, "--tensorboard", "--output", str(together)])
    assert done.returncode == 0, done.stderr
    assert "going on with epoch 2 behind batch 2 of 4, step 3" in done.stderr
    assert len(list((together / "tensorboard").iterdir())) == 1
    first, second = load_weights(alone), load_weights(together)
    for name, weight in first.items():
        assert (weight - second[name]).abs().max() < 1e-4, name


def test_ctrl_c_says_that_the_command_goes_on(
    undisturbed: Path,
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    output = tmp_path / "model"
    with monkeypatch.context() as patched:
        take_step = Engine.take_step

        def interrupt(self: Engine, *given: Any) -> float:
            if self.step == 3:
                raise KeyboardInterrupt
            return take_step(self, *given)

        patched.setattr(Engine, "take_step", interrupt)
        assert finetune.main([*arguments, "--output", str(output)]) == 130
    assert "the same command goes on from the last save" in caplog.text
    assert finetune.main([*arguments, "--output", str(output)]) == 0
    assert are_equal(load_weights(output), load_weights(undisturbed))


@pytest.fixture
def unfinished(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The output-to-be of a run that broke off behind its third step."""
    output = tmp_path / "model"
    with monkeypatch.context() as patched:
        take_step = Engine.take_step

        def fail(self: Engine, *given: Any) -> float:
            if self.step == 3:
                raise NonFiniteLossError("expected a finite loss")
            return take_step(self, *given)

        patched.setattr(Engine, "take_step", fail)
        assert finetune.main([*arguments, "--output", str(output)]) == 1
    return output


def test_other_settings_are_refused_and_named(
    unfinished: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--output", str(unfinished), "--seed", "7", "--dropout", "0.2"]
    assert finetune.main([*arguments, *flags]) == 2
    error = capsys.readouterr().err
    assert "expected the settings of the unfinished run" in error
    assert "(dropout 0.3 before, 0.2 now; seed 42 before, 7 now)" in error
    assert "--restart" in error


def test_settings_that_change_no_result_may_change(
    unfinished: Path, undisturbed: Path, arguments: list[str]
) -> None:
    flags = ["--output", str(unfinished), "--activation-checkpointing"]
    assert finetune.main([*arguments, *flags]) == 0
    resumed, expected = load_weights(unfinished), load_weights(undisturbed)
    assert all(torch.allclose(w, expected[name], atol=1e-5) for name, w in resumed.items())


def test_another_encoder_of_the_same_name_is_refused(
    unfinished: Path, arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    encoder = Path(arguments[arguments.index("--encoder") + 1])
    other = Path(shutil.copytree(encoder, tmp_path / "other"))
    lines = (other / "vocab.txt").read_text(encoding="utf-8").splitlines()
    (other / "vocab.txt").write_text("\n".join([*lines[:-2], *lines[:-3:-1]]), encoding="utf-8")
    changed = [str(other) if part == str(encoder) else part for part in arguments]
    assert finetune.main([*changed, "--output", str(unfinished)]) == 2
    assert "(encoder " in capsys.readouterr().err


def test_other_data_are_refused(
    unfinished: Path,
    arguments: list[str],
    training_file: Path,
    eight_sentences: tuple[Example, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_cluener(training_file, eight_sentences[::-1])
    assert finetune.main([*arguments, "--output", str(unfinished)]) == 2
    assert "(data " in capsys.readouterr().err.splitlines()[-1]


def test_restart_begins_anew(unfinished: Path, undisturbed: Path, arguments: list[str]) -> None:
    flags = ["--output", str(unfinished), "--restart"]
    assert finetune.main([*arguments, *flags, "--seed", "7"]) == 0
    assert not are_equal(load_weights(unfinished), load_weights(undisturbed))


def test_a_damaged_state_is_named(
    unfinished: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    state = unfinished.with_name("model.run") / "last.pt"
    state.write_bytes(state.read_bytes()[:1000])
    assert finetune.main([*arguments, "--output", str(unfinished)]) == 2
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert "found a damaged file" in line
    assert "last.pt" in line


def test_a_second_run_of_the_same_output_is_refused(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "model.run"
    directory.mkdir()
    with FileLock(directory / "lock"):
        assert finetune.main([*arguments, "--output", str(tmp_path / "model")]) == 2
    assert "expected no other run of the same output" in capsys.readouterr().err


def test_a_full_disk_ends_the_run_and_leaves_the_last_state(
    run_with_trap: RunWithTrap,
    run_and_kill: RunAndKill,
    undisturbed: Path,
    arguments: list[str],
    tmp_path: Path,
) -> None:
    output = tmp_path / "model"
    run_and_kill([*arguments, "--output", str(output)], AT_STEP.format(step=3))
    state = output.with_name("model.run") / "last.pt"
    before = state.read_bytes()
    # The limit on file sizes makes the kernel refuse a write for real; the state is the first file
    # to be larger than it.
    limit = f"({len(before) // 2}, resource.RLIM_INFINITY)"
    status, errors = run_with_trap(
        [*arguments, "--output", str(output)], f"resource.setrlimit(resource.RLIMIT_FSIZE, {limit})"
    )
    assert status == 1, errors
    assert "expected to write" in errors.splitlines()[-1]
    assert "make room, and the same command goes on from there" in errors
    assert state.read_bytes() == before
    assert finetune.main([*arguments, "--output", str(output)]) == 0
    assert are_equal(load_weights(output), load_weights(undisturbed))


def test_an_output_that_cannot_be_written_is_found_before_training(
    arguments: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Engine, "take_step", lambda *_: pytest.fail("trained"))
    (tmp_path / "file").write_text("no directory", encoding="utf-8")
    assert finetune.main([*arguments, "--output", str(tmp_path / "file" / "model")]) == 2
    assert "file" in capsys.readouterr().err.splitlines()[-1]


def test_a_loss_that_is_no_number_names_its_batch_and_leaves_the_last_state(
    undisturbed: Path,
    arguments: list[str],
    eight_sentences: tuple[Example, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "model"
    with monkeypatch.context() as patched:
        sum_loss = Engine._sum_loss

        def spoil(self: Engine, batch: Any) -> tuple[Tensor, Tensor]:
            loss, penalty = sum_loss(self, batch)
            return (loss * torch.nan if self.step == 3 else loss), penalty

        patched.setattr(Engine, "_sum_loss", spoil)
        assert finetune.main([*arguments, "--output", str(output)]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert "expected a finite loss and gradient, got loss nan" in line
    assert "in epoch 2, batch 3 of 4 (training sentences " in line
    assert any(example.text[:20] in line for example in eight_sentences)
    assert finetune.main([*arguments, "--output", str(output)]) == 0
    assert are_equal(load_weights(output), load_weights(undisturbed))


def test_a_lack_of_memory_says_what_to_lower(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # An exabyte: refused by the allocator itself, on any machine.
    monkeypatch.setattr(Engine, "_sum_loss", lambda *_: torch.empty(2**58))
    assert finetune.main([*arguments, "--output", str(tmp_path / "model")]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert "out of memory in a batch of 2 windows of up to 10 characters" in line
    assert "a lower --batch-size, and a higher --accumulation" in line


def test_half_written_checkpoints_are_swept_up(
    undisturbed: Path, arguments: list[str], unfinished: Path
) -> None:
    leftover = RunDirectory(unfinished).path / ".epoch-002.0123"
    leftover.mkdir()
    (leftover / "model.safetensors").write_bytes(b"half")
    assert finetune.main([*arguments, "--output", str(unfinished)]) == 0
    assert are_equal(load_weights(unfinished), load_weights(undisturbed))
