import json
import subprocess
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest

from benchmarks import architectures
from benchmarks.architectures import Difference, Summary


class Trainer:
    """Stands in for `trainer.finetune`: writes what a run leaves, at once."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.status = 0

    def run(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        self.commands.append(command)
        if self.status == 0:
            flags = dict(zip(command[-6::2], command[-5::2], strict=True))
            directory = Path(flags["--output"])
            directory.mkdir()
            seed = int(flags["--seed"])
            f1 = 0.6 + seed / 100 + (0.02 if "bilstm" in flags["--architecture"] else 0.0)
            metrics = {"dev": {"micro": {"f1": f1}}}
            (directory / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
            records = [
                {"event": "step", "loss": 1.0},
                *({"event": "epoch", "characters_per_second": 1000 * n} for n in (1, seed, 9)),
            ]
            lines = "\n".join(map(json.dumps, records))
            (directory / "metrics.jsonl").write_text(lines, encoding="utf-8")
        return subprocess.CompletedProcess(command, self.status)


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> Trainer:
    trainer = Trainer()
    monkeypatch.setattr(subprocess, "run", trainer.run)
    return trainer


def compare(output: Path, *arguments: str) -> int:
    data = ["--train", "cluener=a.json", "--train", "msra=b.txt", "--dev", "cluener=c.json"]
    return architectures.main([*data, "--encoder", "bert", "--output", str(output), *arguments])


def test_every_architecture_is_trained_with_every_seed_and_the_further_flags(
    trainer: Trainer, tmp_path: Path
) -> None:
    assert compare(tmp_path / "runs", "--seeds", "1", "2", "--", "--epochs", "3") == 0
    assert len(trainer.commands) == 4
    common = ["--train", "cluener=a.json", "--train", "msra=b.txt", "--dev", "cluener=c.json"]
    common += ["--encoder", "bert", "--epochs", "3"]
    names = []
    for command in trainer.commands:
        assert command[1:-6] == ["-m", "trainer.finetune", *common]
        names.append(Path(command[-1]).name)
    assert names == [
        "bert-bilstm-crf-seed-1",
        "bert-tcn-crf-seed-1",
        "bert-bilstm-crf-seed-2",
        "bert-tcn-crf-seed-2",
    ]


def test_complete_runs_are_not_repeated(trainer: Trainer, tmp_path: Path) -> None:
    assert compare(tmp_path, "--seeds", "1") == 0
    assert compare(tmp_path, "--seeds", "1", "2") == 0
    assert [Path(command[-1]).name for command in trainer.commands] == [
        f"{name}-seed-{seed}" for seed in (1, 2) for name in ("bert-bilstm-crf", "bert-tcn-crf")
    ]


def test_runs_with_other_flags_are_not_compared(
    trainer: Trainer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(tmp_path, "--seeds", "1", "--", "--epochs", "3") == 0
    assert compare(tmp_path, "--seeds", "1", "--", "--epochs", "4") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "--epochs 3; got" in line
    assert "choose another --output" in line


def test_a_failed_run_ends_the_comparison(
    trainer: Trainer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer.status = 1
    assert compare(tmp_path) == 2
    assert len(trainer.commands) == 1
    assert "expected a complete run, got exit status 1" in capsys.readouterr().err


def test_the_report_holds_means_single_values_and_differences(
    trainer: Trainer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(tmp_path, "--seeds", "1", "2", "3", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["dev_f1"]["bert-tcn-crf"]["values"] == pytest.approx([0.61, 0.62, 0.63])
    assert report["dev_f1"]["bert-tcn-crf"]["mean"] == pytest.approx(0.62)
    assert report["dev_f1"]["bert-tcn-crf"]["standard_deviation"] == pytest.approx(0.01)
    speed = report["characters_per_second"]["bert-bilstm-crf"]
    assert speed["values"] == [1000, 2000, 3000]
    (difference,) = report["differences"]
    assert (difference["first"], difference["second"]) == ("bert-bilstm-crf", "bert-tcn-crf")
    assert difference["f1"]["mean"] == pytest.approx(0.02)
    assert difference["interval"] == pytest.approx([0.02, 0.02])
    assert compare(tmp_path, "--seeds", "1", "2", "3") == 0
    out = capsys.readouterr().out
    assert "bert-tcn-crf     dev F1 0.6200, 0.0100 (0.6100, 0.6200, 0.6300)" in out
    assert "bert-bilstm-crf less bert-tcn-crf: F1 +0.0200" in out


def test_the_interval_is_student_s() -> None:
    # Scores of ten patients on two drugs, "Student" 1908, The Probable Error of a Mean: the mean
    # difference is 1.58 and its 95 % interval 0.70 to 2.46.
    first = (1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4)
    second = (0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0)
    f1 = {"a": Summary.of(first), "b": Summary.of(second)}
    difference = Difference.between("a", "b", f1)
    assert difference.f1.mean == pytest.approx(1.58)
    assert difference.interval == pytest.approx((0.70, 2.46), abs=0.005)
    assert f1["a"].mean == pytest.approx(fmean(first))
    assert f1["a"].standard_deviation == pytest.approx(stdev(first))


def test_one_seed_has_no_interval(
    trainer: Trainer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(tmp_path, "--seeds", "7") == 0
    assert "interval" not in capsys.readouterr().out


def test_more_seeds_than_there_are_quantiles_for_are_refused(
    trainer: Trainer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seeds = [str(seed) for seed in range(11)]
    assert compare(tmp_path, "--seeds", *seeds) == 2
    assert "expected at most 10 seeds, got 11" in capsys.readouterr().err
    assert not trainer.commands
