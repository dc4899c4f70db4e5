"""The number of processes makes no difference: one process against two, over gloo.

This file is also the program of the two processes, which train everything in one process group:
starting Python and torch anew for each run would take longer than the runs.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from safetensors.torch import load_file
from torch import Tensor

from ner_core.checkpoint import load_checkpoint
from ner_core.evaluation import Counts, SpanCounts
from ner_core.formats import read_cluener, write_cluener
from ner_core.labels import CLUENER
from ner_core.spans import Example
from trainer import finetune, training
from trainer.distributed import World, join_world
from trainer.engine import Engine, evaluate_tagger
from trainer.fit import fit
from trainer.flags import parse_settings
from trainer.recipes import read_encoder_config
from trainer.training import Training

ROOT = Path(__file__).parents[2]
ALONE = World(0, 1, torch.device("cpu"))
MAP = "msra:PER=name,ORG=company|organization|government,LOC=address|scene|government"
# Without dropout, which each rank draws for itself: with it, no two numbers of processes can agree.
# R-Drop compares two dropouts, so that here it doubles the batch and adds nothing.
CASES = {
    "plain": (),
    "accumulation": ("--accumulation", "2"),
    "averaged weights": ("--ema-decay", "0.5"),
    "fgm": ("--fgm-epsilon", "0.3"),
    "r-drop": ("--r-drop-alpha", "1"),
    "everything": (
        *("--accumulation", "2", "--ema-decay", "0.5", "--fgm-epsilon", "0.3"),
        *("--r-drop-alpha", "1", "--layer-decay", "0.9", "--activation-checkpointing"),
    ),
    "frozen encoder": ("--freeze-encoder", "--architecture", "bert-crf"),
    "frozen layers": ("--freeze-layers", "1", "--architecture", "bert-tcn-crf"),
    "softmax": ("--architecture", "bert-softmax", "--label-smoothing", "0.1"),
    "mention replacement": ("--mention-replacement", "0.5"),
    "mapped source": ("--train", "msra=msra.txt", "--map", MAP, "--weight", "msra=1.5"),
}
# Trained on two processes only.
WITH_DROPOUT = ("--dropout", "0.4", "--r-drop-alpha", "1", "--ema-decay", "0.5")


def flags_of(directory: Path, output: Path, *more: str) -> list[str]:
    """The command line of a run: batches of 8, 8 and 4 sentences, seven sentences in dev."""
    files = [part.replace("msra=msra.txt", f"msra={directory / 'msra.txt'}") for part in more]
    return [
        *("--train", f"cluener={directory / 'train.json'}"),
        *("--dev", f"cluener={directory / 'dev.json'}", "--allow-shared-texts"),
        *("--encoder", str(directory / "encoder"), "--batch-size", "8", "--epochs", "2"),
        *("--encoder-learning-rate", "5e-3", "--head-learning-rate", "1e-2", "--dropout", "0"),
        *("--device", "cpu", *files, "--output", str(output)),
    ]


def fit_by_flags(flags: list[str], world: World) -> None:
    fit(parse_settings(flags, read_encoder_config), world, command="test")


# --- What the two processes do ---


def main(mode: str, directory: Path) -> None:
    if mode == "spoil":
        spoil_second_rank()
        status = finetune.main(flags_of(directory, directory / "spoilt", "--save-every-s", "0"))
        print("process group left:", not dist.is_initialized(), file=sys.stderr, flush=True)
        sys.exit(status)
    if mode == "wait":
        make_torch_impatient()
        with join_world("cpu") as world:
            assert world.on_main(work_alone) == "done"
        return
    with join_world("cpu") as world:
        digests = {}
        for name, more in {**CASES, "dropout": WITH_DROPOUT}.items():
            digests[name] = train_and_sign(
                flags_of(directory, together(directory, name), *more), world
            )
        report = {
            "digests": digests,
            "evaluations": evaluate_both_ways(directory, world),
            "num_epochs": stop_early(directory, world),
        }
    report["is_group_left"] = not dist.is_initialized()
    (directory / f"rank-{world.rank}.json").write_text(json.dumps(report), encoding="utf-8")


def train_and_sign(flags: list[str], world: World) -> str:
    """Train, and return a digest of all that this rank's engine holds at the end."""
    engines: list[Engine] = []
    finish = Training.finish

    def finish_and_keep(self: Training) -> Any:
        engines.append(self.engine)
        return finish(self)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Training, "finish", finish_and_keep)
        fit_by_flags(flags, world)
    digest = hashlib.sha256()
    for tensor in tensors_of(engines[0].state_dict()):
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def tensors_of(state: Any) -> Iterator[Tensor]:
    if isinstance(state, Tensor):
        yield state.detach()
    elif isinstance(state, dict):
        for value in state.values():
            yield from tensors_of(value)


def evaluate_both_ways(directory: Path, world: World) -> dict[str, list[int]]:
    """Counts on seven sentences, shared out and not."""
    # Untrained, and so with many a wrong span.
    checkpoint = load_checkpoint(directory / "checkpoint")
    examples = read_cluener(directory / "dev.json").examples
    return {
        name: evaluate_tagger(checkpoint, checkpoint.tagger, examples, where).to_list()
        for name, where in (("shared out", world), ("whole", ALONE))
    }


def stop_early(directory: Path, world: World) -> int:
    """Epochs of a run in which the ranks see other scores: rank 1 alone would stop sooner."""
    num_right = iter([2, 8, 8, 5, 9] if world.is_main else [8, 2, 2, 2, 2])
    num_epochs = 0

    def evaluate_as_told(*_: Any, **__: Any) -> SpanCounts:
        nonlocal num_epochs
        num_epochs += 1
        counts = SpanCounts.zero(CLUENER)
        return replace(counts, spans=(Counts(next(num_right), 10, 10), *counts.spans[1:]))

    flags = flags_of(directory, together(directory, "stopped"), "--epochs", "9", "--patience", "2")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(training, "evaluate_tagger", evaluate_as_told)
        fit_by_flags(flags, world)
    return num_epochs


def make_torch_impatient() -> None:
    """Give up after ten seconds, where torch itself waits for ten minutes or half an hour."""
    dist.init_process_group = partial(dist.init_process_group, timeout=timedelta(seconds=10))


def work_alone() -> str:
    time.sleep(15)
    return "done"


def spoil_second_rank() -> None:
    """Make the loss a NaN on rank 1, at the second step."""
    sum_loss = Engine._sum_loss

    def spoil(self: Engine, batch: Any) -> tuple[Tensor, Tensor]:
        loss, penalty = sum_loss(self, batch)
        is_bad = self.world.rank == 1 and self.step == 1
        return (loss * torch.nan if is_bad else loss), penalty

    Engine._sum_loss = spoil  # type: ignore[method-assign]


# --- What the tests look at ---


@dataclass(frozen=True)
class Results:
    """Where the runs are, and what each rank reported of those on two processes."""

    directory: Path
    ranks: tuple[dict[str, Any], ...]


def together(directory: Path, case: str) -> Path:
    """The output of a case on two processes."""
    return directory / "on-2" / case.replace(" ", "-")


def run_on_two_processes(mode: str, directory: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    return subprocess.run(
        [*command, __file__, mode, str(directory)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        # Processes wait for a day: who comes back in time did not wait for a lost one.
        timeout=170,
    )


@pytest.fixture(scope="module")
def directory(
    tiny_encoder: Path,
    shared_tiny_checkpoint: Path,
    eight_sentences: tuple[Example, ...],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A directory with data, encoder and checkpoint."""
    directory = tmp_path_factory.mktemp("distributed")
    (directory / "encoder").symlink_to(tiny_encoder)
    (directory / "checkpoint").symlink_to(shared_tiny_checkpoint)
    write_cluener(directory / "train.json", (eight_sentences * 3)[:20])
    write_cluener(directory / "dev.json", eight_sentences[:7])
    sentence = "叶\tB-PER\n老\tI-PER\n桂\tI-PER\n去\tO\n长\tB-LOC\n沙\tI-LOC\n"
    (directory / "msra.txt").write_text(f"{sentence}\n{sentence[:24]}\n", encoding="utf-8")
    return directory


@pytest.fixture(scope="module")
def results(directory: Path) -> Results:
    """All cases, trained on two processes."""
    done = run_on_two_processes("train", directory)
    assert done.returncode == 0, done.stderr
    ranks = (directory / f"rank-{rank}.json" for rank in (0, 1))
    return Results(directory, tuple(json.loads(path.read_text("utf-8")) for path in ranks))


def read_records(output: Path) -> list[dict[str, Any]]:
    lines = (output / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("case", CASES)
def test_two_processes_train_as_one_does(case: str, results: Results) -> None:
    alone = results.directory / "on-1" / case.replace(" ", "-")
    fit_by_flags(flags_of(results.directory, alone, *CASES[case]), ALONE)
    one, two = read_records(alone), read_records(together(results.directory, case))
    # Every step has its line, and every epoch.
    assert [record["event"] for record in one] == [record["event"] for record in two]
    assert len(one) == (6 if "--accumulation" in CASES[case] else 8)
    for first, second in zip(one, two, strict=True):
        assert first["loss"] == pytest.approx(second["loss"], abs=1e-5)
        assert first["learning_rate"] == second["learning_rate"]
        assert first.get("dev_f1") == second.get("dev_f1")
    weights = load_file(alone / "model.safetensors")
    others = load_file(together(results.directory, case) / "model.safetensors")
    assert weights.keys() == others.keys()
    for name, weight in weights.items():
        assert (weight - others[name]).abs().max() < 1e-4, name


def test_every_option_changes_the_training(results: Results) -> None:
    # Or else the comparison of one process with two would say nothing about it.
    digests = {**results.ranks[0]["digests"]}
    del digests["r-drop"]
    assert len(set(digests.values())) == len(digests) == len(CASES)


def test_weights_averages_and_moments_are_equal_on_all_ranks(results: Results) -> None:
    first, second = results.ranks
    assert first["digests"] == second["digests"]
    assert "dropout" in first["digests"]


def test_an_odd_number_of_sentences_is_evaluated_as_by_one_process(results: Results) -> None:
    for rank in results.ranks:
        assert rank["evaluations"]["shared out"] == rank["evaluations"]["whole"]
    counts = SpanCounts.from_list(results.ranks[0]["evaluations"]["whole"], CLUENER)
    assert sum(label.num_predicted for label in counts.spans) > 7


def test_the_main_process_alone_decides_when_to_stop(results: Results) -> None:
    assert [rank["num_epochs"] for rank in results.ranks] == [4, 4]
    metrics = json.loads(
        (together(results.directory, "stopped") / "metrics.json").read_text("utf-8")
    )
    assert metrics["best_epoch"] == 3  # of equals the later one


def test_the_process_group_is_left_at_the_end(results: Results) -> None:
    assert [rank["is_group_left"] for rank in results.ranks] == [True, True]


def test_what_one_process_does_alone_may_take_long(directory: Path) -> None:
    done = run_on_two_processes("wait", directory)
    assert done.returncode == 0, done.stderr


def test_a_nan_on_one_rank_ends_all_with_one_line_and_keeps_the_last_state(
    directory: Path,
) -> None:
    done = run_on_two_processes("spoil", directory)
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if line.startswith(finetune.PROG)]
    assert len(lines) == 1, done.stderr
    assert "expected a finite loss and gradient" in lines[0]
    assert "in epoch 1, batch 2 of 3 (training sentences " in lines[0]
    # Not of both: torchrun ends the slower one when the other has ended.
    assert "process group left: True" in done.stderr
    assert "process group left: False" not in done.stderr
    assert (directory / "spoilt.run" / "last.pt").exists()
    assert not (directory / "spoilt").exists()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
