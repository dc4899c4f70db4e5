import json
import subprocess
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest

from benchmarks import variants
from benchmarks.variants import Difference, Summary


class Trainer:
    """Stands in for `trainer.finetune`: writes what a run leaves, at once."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.status = 0

    @property
    def outputs(self) -> list[str]:
        return [Path(command[-1]).name for command in self.commands]

    def run(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        self.commands.append(command)
        if self.status == 0:
            flags = dict(zip(command[-4::2], command[-3::2], strict=True))
            directory = Path(flags["--output"])
            directory.mkdir()
            seed = int(flags["--seed"])
            f1 = 0.6 + seed / 100 + (0.02 if "--fgm-epsilon" in command else 0.0)
            metrics = {"dev": {"micro": {"f1": f1}}}
            (directory / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
            records = [{"event": "epoch", "seconds": seconds} for seconds in (10, 1000 * seed)]
            lines = "\n".join(map(json.dumps, records))
            (directory / "metrics.jsonl").write_text(lines, encoding="utf-8")
        return subprocess.CompletedProcess(command, self.status)


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> Trainer:
    trainer = Trainer()
    monkeypatch.setattr(subprocess, "run", trainer.run)
    return trainer


TWO = ("--variant", "plain=", "--variant", "fgm=--fgm-epsilon 1 --map 'a:PER=name, LOC=scene'")
COMMON = ("--train", "cluener=a.json", "--dev", "cluener=c.json", "--epochs", "3")


def compare(output: Path, *arguments: str, common: tuple[str, ...] = COMMON) -> int:
    return variants.main([*arguments, "--output", str(output), "--", *common])


def test_every_variant_is_trained_with_every_seed(trainer: Trainer, tmp_path: Path) -> None:
    assert compare(tmp_path / "runs", *TWO, "--seeds", "1", "2") == 0
    assert trainer.outputs == ["plain-seed-1", "fgm-seed-1", "plain-seed-2", "fgm-seed-2"]
    plain, fgm = trainer.commands[:2]
    assert plain[1:-4] == ["-m", "trainer.finetune", *COMMON]
    assert fgm[1:-4] == [*plain[1:-4], "--fgm-epsilon", "1", "--map", "a:PER=name, LOC=scene"]
    assert [command[-3] for command in trainer.commands] == ["1", "1", "2", "2"]


def test_complete_runs_are_not_repeated_and_variants_are_added(
    trainer: Trainer, tmp_path: Path
) -> None:
    assert compare(tmp_path, *TWO[:2], "--seeds", "1") == 0
    assert compare(tmp_path, *TWO, "--seeds", "1", "2") == 0
    assert trainer.outputs == ["plain-seed-1", "fgm-seed-1", "plain-seed-2", "fgm-seed-2"]
    assert compare(tmp_path, *TWO[:2], "--seeds", "1") == 0
    assert compare(tmp_path, *TWO, "--seeds", "1", "2") == 0
    assert len(trainer.commands) == 4


def test_runs_with_other_flags_are_not_compared(
    trainer: Trainer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(tmp_path, *TWO, "--seeds", "1") == 0
    assert compare(tmp_path, *TWO, "--seeds", "1", common=(*COMMON[:-1], "4")) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "--epochs 3'; got" in line
    assert "choose another --output" in line
    assert compare(tmp_path, "--variant", "fgm=--fgm-epsilon 2") == 2
    assert "got '--fgm-epsilon 2': choose another --output" in capsys.readouterr().err
    assert len(trainer.commands) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fgm", "expected NAME=FLAGS with a name of letters, digits and hyphens, got 'fgm'"),
        ("../up=", "expected NAME=FLAGS with a name"),
        ("=--epochs 3", "expected NAME=FLAGS with a name"),
        ("a=--map 'b", "expected flags as for a shell"),
    ],
)
def test_a_variant_that_cannot_be_read_is_refused(
    text: str, expected: str, trainer: Trainer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        compare(tmp_path, "--variant", text)
    assert expected in capsys.readouterr().err


def test_variants_of_one_name_are_refused(
    trainer: Trainer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(tmp_path, "--variant", "a=", "--variant", "a=--epochs 9") == 2
    assert "expected different names of variants, got a, a" in capsys.readouterr().err
    assert not trainer.commands


def test_a_failed_run_ends_the_comparison(
    trainer: Trainer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer.status = 1
    assert compare(tmp_path, *TWO) == 2
    assert len(trainer.commands) == 1
    assert "expected a complete run, got exit status 1" in capsys.readouterr().err


def test_the_report_holds_means_single_values_and_differences(
    trainer: Trainer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(tmp_path, *TWO, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["dev_f1"]["plain"]["values"] == pytest.approx([0.61, 0.62, 0.63])
    assert report["dev_f1"]["plain"]["mean"] == pytest.approx(0.62)
    assert report["dev_f1"]["plain"]["standard_deviation"] == pytest.approx(0.01)
    assert report["seconds"]["fgm"]["values"] == [1000, 2000, 3000]
    assert report["less_plain"].keys() == {"fgm"}
    difference = report["less_plain"]["fgm"]
    assert difference["f1"]["mean"] == pytest.approx(0.02)
    assert difference["interval"] == pytest.approx([0.02, 0.02])
    assert compare(tmp_path, *TWO) == 0
    out = capsys.readouterr().out
    assert "plain: dev F1 0.6200, 0.0100 (0.6100, 0.6200, 0.6300); 2,000 s" in out
    assert "fgm less plain: F1 +0.0200, 0.0000" in out
    assert "95 % interval +0.0200 to +0.0200" in out


def test_the_interval_is_student_s() -> None:
    # Scores of ten patients on two drugs, "Student" 1908, The Probable Error of a Mean: the mean
    # difference is 1.58 and its 95 % interval 0.70 to 2.46.
    first = (1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4)
    second = (0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0)
    difference = Difference.between(Summary.of(first), Summary.of(second))
    assert difference.f1.mean == pytest.approx(1.58)
    assert difference.interval == pytest.approx((0.70, 2.46), abs=0.005)
    assert Summary.of(first).mean == pytest.approx(fmean(first))
    assert Summary.of(first).standard_deviation == pytest.approx(stdev(first))


def test_one_seed_has_no_interval(
    trainer: Trainer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(tmp_path, *TWO, "--seeds", "7") == 0
    assert "interval" not in capsys.readouterr().out


def test_more_seeds_than_there_are_quantiles_for_are_refused(
    trainer: Trainer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seeds = [str(seed) for seed in range(11)]
    assert compare(tmp_path, *TWO, "--seeds", *seeds) == 2
    assert "expected at most 10 seeds, got 11" in capsys.readouterr().err
    assert not trainer.commands
