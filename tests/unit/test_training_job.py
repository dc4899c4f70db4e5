"""The trainer as a process: one at a time, seen by every app on its folder, ended, resumed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from filelock import FileLock

from webui import training_job
from webui.training_job import RUN_MODULE, Job, JobRunning, JobStatus, TrainingJobs, choose_name

# Does what the trainer does with its files, as its argument says.
FAKE_TRAINER = """
import json, pathlib, sys, time
from filelock import FileLock
what, output = sys.argv[1], pathlib.Path(sys.argv[2])
run = output.with_name(output.name + ".run")
if what == "wrong":
    sys.exit("python -m fake: expected 一个文件, got none")
run.mkdir(exist_ok=True)
with FileLock(run / "lock"):
    record = {"event": "step", "epoch": 1, "step": 3, "num_steps": 9, "loss": 0.5, "seconds": 1}
    (run / "metrics.jsonl").write_text(json.dumps(record) + "\\n" + '{"event": "st')
    (run / "last.pt").write_text("state")
    print("ready", flush=True)
    if what == "long":
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
            sys.exit(130)
    output.mkdir()
    (output / "config.json").write_text("{}")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "fake_trainer.py").write_text(FAKE_TRAINER, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path / "runs"


@pytest.fixture
def jobs(folder: Path):
    jobs = TrainingJobs(folder)
    yield jobs
    jobs.close()


def make_job(folder: Path, what: str, name: str = "mine-1") -> Job:
    arguments = (what, str(folder / name))
    return Job(name, "training", "fake_trainer", arguments, "default", {"base": "old"})


def wait_for(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.05)


def wait_for_state(jobs: TrainingJobs, state: str) -> JobStatus:
    wait_for(lambda: jobs.status().state == state)
    return jobs.status()


def wait_until_ready(jobs: TrainingJobs) -> None:
    wait_for(lambda: "ready" in jobs.status().log)


def test_a_folder_in_which_nothing_was_started_has_no_job(jobs: TrainingJobs) -> None:
    assert jobs.status() == JobStatus("none")
    jobs.cancel()
    with pytest.raises(ValueError, match="expected a training that was interrupted"):
        jobs.resume()
    assert not jobs.folder.exists()  # looking makes nothing


def test_a_job_runs_to_its_end_and_tells_what_it_wrote(jobs: TrainingJobs, folder: Path) -> None:
    ended: list[str] = []
    jobs.start(make_job(folder, "short"), lambda job: ended.append(job.name))
    status = wait_for_state(jobs, "done")
    assert ended == ["mine-1"]
    assert status.job is not None
    assert (status.job.status, status.job.about) == (0, {"base": "old"})
    assert status.log == ("ready",)
    # The last line was being written: it is not read.
    assert [record["step"] for record in status.records] == [3]
    assert not status.can_resume


def test_a_second_job_is_refused_in_this_app_and_in_another_one(
    jobs: TrainingJobs, folder: Path
) -> None:
    jobs.start(make_job(folder, "long"))
    other = TrainingJobs(folder)
    for each in (jobs, other):
        with pytest.raises(JobRunning):
            each.start(make_job(folder, "short", "mine-2"))
    wait_until_ready(jobs)
    assert other.status().state == "running"
    assert other.status().job == jobs.status().job


def test_a_cancelled_job_keeps_what_it_saved_and_can_be_resumed(
    jobs: TrainingJobs, folder: Path
) -> None:
    jobs.start(make_job(folder, "long"))
    wait_until_ready(jobs)
    jobs.cancel()
    status = wait_for_state(jobs, "cancelled")
    assert status.can_resume
    assert status.log[-1] == "interrupted"
    assert status.job is not None
    # The same command; the real trainer would find its state.
    jobs._write(replace(status.job, arguments=("short", str(folder / "mine-1"))))
    jobs.resume()
    assert wait_for_state(jobs, "done").job is not None


def test_a_job_that_ends_by_itself_has_failed_with_its_last_line_as_the_reason(
    jobs: TrainingJobs, folder: Path
) -> None:
    jobs.start(make_job(folder, "wrong"))
    status = wait_for_state(jobs, "failed")
    assert status.reason == "expected 一个文件, got none"
    assert not status.can_resume  # nothing was saved


def test_a_killed_trainer_has_failed_and_can_be_resumed(jobs: TrainingJobs, folder: Path) -> None:
    jobs.start(make_job(folder, "long"))
    wait_until_ready(jobs)
    job = jobs.status().job
    assert job is not None
    os.kill(job.pid, signal.SIGKILL)
    status = wait_for_state(jobs, "failed")
    assert status.job is not None
    assert status.job.status == -signal.SIGKILL
    assert status.can_resume


def test_an_app_that_ends_in_order_ends_its_trainer(jobs: TrainingJobs, folder: Path) -> None:
    jobs.start(make_job(folder, "long"))
    wait_until_ready(jobs)
    jobs.close()
    status = TrainingJobs(folder).status()
    assert status.state == "interrupted"
    assert status.can_resume


def test_a_trainer_that_the_ending_app_has_to_kill_is_interrupted_not_failed(
    jobs: TrainingJobs, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_job, "_END_TIMEOUT_S", 0.0)
    monkeypatch.setattr(subprocess.Popen, "send_signal", lambda *_: None)  # it does not listen
    jobs.start(make_job(folder, "long"))
    wait_until_ready(jobs)
    process = jobs._process
    assert process is not None
    monkeypatch.setattr(process, "kill", lambda: os.kill(process.pid, signal.SIGKILL))
    jobs.close()
    assert wait_for_state(TrainingJobs(folder), "interrupted").can_resume


def test_a_trainer_whose_app_was_killed_is_found_at_work_and_can_be_cancelled(
    folder: Path,
) -> None:
    # What a killed app leaves: its trainer at work, its note, and no lock of its own.
    folder.mkdir()
    job = make_job(folder, "long")
    environment = {**os.environ, "PYTHONPATH": str(folder.parent)}
    command = [sys.executable, "-c", RUN_MODULE, job.module, *job.arguments]
    process = subprocess.Popen(command, env=environment)
    try:
        wait_for(lambda: (folder / "mine-1.run" / "last.pt").exists())
        left = asdict(replace(job, pid=process.pid))
        (folder / "job.json").write_text(json.dumps(left), encoding="utf-8")
        jobs = TrainingJobs(folder)
        assert jobs.status().state == "running"
        with pytest.raises(JobRunning):
            jobs.start(make_job(folder, "short", "mine-2"))
        jobs.cancel()
        assert process.wait(30) == 130
        assert wait_for_state(jobs, "cancelled").can_resume
    finally:
        process.kill()
        process.wait()


def test_after_the_machine_went_down_the_job_is_interrupted(folder: Path) -> None:
    folder.mkdir()
    left = asdict(replace(make_job(folder, "long"), pid=1))
    (folder / "job.json").write_text(json.dumps(left), encoding="utf-8")
    status = TrainingJobs(folder).status()
    assert status.state == "interrupted"
    assert not status.can_resume


def test_looking_at_a_job_of_another_app_is_never_in_the_way_of_its_trainer(
    jobs: TrainingJobs, folder: Path
) -> None:
    """While the other app holds its lock, the trainer's own is not touched."""
    run = folder / "mine-1.run"
    run.mkdir(parents=True)
    (folder / "job.json").write_text(json.dumps(asdict(make_job(folder, "long"))), "utf-8")
    with FileLock(folder / "lock"):
        assert jobs.status().state == "running"
        assert not (run / "lock").exists()


def test_looks_at_the_same_moment_do_not_take_each_other_for_a_training(
    jobs: TrainingJobs, folder: Path
) -> None:
    """As when a page that is opened and the timer of one that follows the job ask at once."""
    jobs.start(make_job(folder, "short"))
    wait_for_state(jobs, "done")
    with ThreadPoolExecutor(8) as pool:
        states = list(pool.map(lambda _: jobs.status().state, range(400)))
    assert set(states) == {"done"}


def test_a_damaged_note_is_no_job(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder.mkdir()
    (folder / "job.json").write_text('{"name": "x"}', encoding="utf-8")
    assert TrainingJobs(folder).status().state == "none"
    assert "job.json is damaged" in caplog.text


def test_a_name_is_new_and_fit_for_a_directory(tmp_path: Path) -> None:
    assert choose_name(tmp_path, "新闻/2020 年", ()) == "新闻-2020-年-1"
    (tmp_path / "default-1").mkdir()
    (tmp_path / "default-2.run").mkdir()
    assert choose_name(tmp_path, "default", ("default-3",)) == "default-4"
