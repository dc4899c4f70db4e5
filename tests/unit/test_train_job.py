"""The card that follows a training, without a browser: what its plots show, and when."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from annotation_store.projects import Project
from ner_core.labels import CLUENER
from webui.train_job import JobWatch
from webui.training_job import Job, JobStatus

JOB = Job("mine-1", "training", "fake_trainer", (), "default", {"base": "old"})
# An epoch has three steps.
STEPS = [
    {"event": "step", "epoch": epoch, "step": step, "num_steps": 60, "seconds": 1, "loss": loss}
    for epoch, step, loss in ((1, 1, 0.9), (4, 10, 0.5), (10, 30, 0.3))
]
EPOCHS = [
    {"event": "epoch", "epoch": epoch, "step": 3 * epoch, "seconds": 1, "dev_f1": f1}
    for epoch, f1 in ((1, 0.25), (2, 0.5), (10, 0.75))
]


def describe(folder: Path, *records: dict[str, Any]) -> list[Any]:
    """The card of a job that is at work and has written these records."""
    jobs = SimpleNamespace(folder=folder, status=lambda: JobStatus("running", JOB, records))
    models = SimpleNamespace(for_project=lambda project: None)
    watch = JobWatch(None, models, jobs)  # type: ignore[arg-type]
    return watch.describe(Project("default", CLUENER), "en")


def test_a_training_at_work_draws_its_losses_by_step_and_its_f1_by_epoch(tmp_path: Path) -> None:
    value, losses, scores, timer = describe(tmp_path, *STEPS, *EPOCHS)
    assert (value["state"], value["step"], value["best_f1"]) == ("running", 30, 0.75)
    assert losses.visible
    assert losses.value["data"] == [[1, 0.9], [10, 0.5], [30, 0.3]]
    assert scores.visible
    # In the order of the epochs, not of their names.
    assert scores.sort == ["1", "2", "10"]
    assert scores.value["data"] == [["1", 0.25], ["2", 0.5], ["10", 0.75]]
    assert timer.active


@pytest.mark.parametrize(
    ("records", "visible"),
    [([], (False, False)), (STEPS, (True, False)), ([*STEPS, EPOCHS[0]], (True, False))],
)
def test_a_plot_is_hidden_until_there_is_a_line_to_draw(
    tmp_path: Path, records: list[dict[str, Any]], visible: tuple[bool, bool]
) -> None:
    _value, losses, scores, _timer = describe(tmp_path, *records)
    assert (losses.visible, scores.visible) == visible
