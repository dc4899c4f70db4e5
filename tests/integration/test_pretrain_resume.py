"""A pretraining that is killed anywhere goes on to the same weights."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.pretraining_cases import (
    COMMON,
    NEWS,
    differ,
    read_records,
)
from tests.integration.trapped_runs import RunAndKill, killing, trapped_runs
from trainer import pretrain

IMPORTS = """
from pathlib import Path
from trainer import preparation, pretrain, pretrain_fit
from trainer.pretraining_run import PretrainingStepper
from trainer.run_directory import RunDirectory
"""


@pytest.fixture(scope="module")
def run_and_kill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunAndKill]:
    log = tmp_path_factory.mktemp("trap") / "stderr"
    with trapped_runs("pretrain", IMPORTS, log) as run_with_trap:
        yield killing(run_with_trap)


AT_STEP = """
take_step = PretrainingStepper.take_counted_step
def take_step_or_die(self, *given):
    if self.step == {step}:
        die()
    return take_step(self, *given)
PretrainingStepper.take_counted_step = take_step_or_die
"""
WHILE_PREPARING = """
write_rows = preparation._write_rows
def write_or_die(rows, path):
    if path.name == "000-00000.held-out":
        die()
    write_rows(rows, path)
preparation._write_rows = write_or_die
"""
BEFORE_MANIFEST = """
preparation.Preparation.write_manifest = lambda self, directory: die()
"""
DURING_SAVE = """
replace = Path.replace
def die_before_replacing(self, target):
    if Path(target).name == "last.pt" and Path(target).exists():
        die()
    return replace(self, target)
Path.replace = die_before_replacing
"""
BEFORE_OUTPUT = """
RunDirectory.publish = lambda self, step: die()
"""
BEFORE_TIDYING = """
RunDirectory.discard = lambda self: die()
"""


@pytest.fixture(scope="module")
def disturbed_flags() -> list[str]:
    """Five steps of two batches, over more than an epoch, with dropout, saved after each."""
    more = ("--steps", "5", "--accumulation", "2", "--dropout", "0.3", "--save-every-s", "0")
    return ["--corpus", str(NEWS), *COMMON, *more, "--batch-size", "6"]


@pytest.fixture(scope="module")
def undisturbed(disturbed_flags: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("undisturbed") / "encoder"
    assert pretrain.main([*disturbed_flags, "--output", str(output)]) == 0
    return output


@pytest.mark.parametrize(
    "trap",
    [
        pytest.param(WHILE_PREPARING, id="while the corpus is prepared"),
        pytest.param(BEFORE_MANIFEST, id="when all parts are there"),
        pytest.param(AT_STEP.format(step=0), id="before the first step"),
        pytest.param(AT_STEP.format(step=3), id="in the middle"),
        pytest.param(DURING_SAVE, id="while the state is replaced"),
        pytest.param(BEFORE_OUTPUT, id="before the output is made"),
        pytest.param(BEFORE_TIDYING, id="when only tidying up was left"),
    ],
)
def test_a_killed_run_goes_on_to_the_same_weights_bit_by_bit(
    trap: str,
    run_and_kill: RunAndKill,
    undisturbed: Path,
    disturbed_flags: list[str],
    tmp_path: Path,
) -> None:
    arguments = [*disturbed_flags, "--output", str(tmp_path / "encoder")]
    run_and_kill(arguments, trap)
    assert (tmp_path / "encoder.run").exists()
    assert pretrain.main(arguments) == 0
    assert differ(undisturbed, tmp_path / "encoder") == 0
    assert {path.name for path in tmp_path.iterdir()} == {"encoder"}
    expected, resumed = (
        [(record["step"], record["num_tokens"], record["loss"]) for record in records]
        for records in (
            read_records(undisturbed, "step"),
            read_records(tmp_path / "encoder", "step"),
        )
    )
    assert resumed == expected


def test_other_settings_are_refused_and_named(
    run_and_kill: RunAndKill,
    disturbed_flags: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = [*disturbed_flags, "--output", str(tmp_path / "encoder")]
    run_and_kill(arguments, AT_STEP.format(step=3))
    assert pretrain.main([*arguments, "--seed", "7"]) == 2
    assert "(seed 42 before, 7 now)" in capsys.readouterr().err
    assert pretrain.main([*arguments, "--min-count", "2"]) == 2
    assert "(min_count 1 before, 2 now)" in capsys.readouterr().err
    assert pretrain.main([*arguments, "--min-count", "2", "--restart"]) == 0
