"""The trainer as a process of its own: started, watched, cancelled, resumed.

One folder holds everything, so that nothing depends on the process of the app:

    FOLDER/job.json         what was started last, by whom, and how it ended
    FOLDER/output.log       what the process has printed
    FOLDER/NAME.data/       what it reads
    FOLDER/NAME.run/        the trainer's own: state, metrics, log; see `trainer.run_directory`
    FOLDER/NAME/            the checkpoint, once it is complete

One job at a time. The app that starts one holds FOLDER/lock as long as its process lives; the
trainer holds the lock in NAME.run. So a second app on the same folder sees the job, and an app that
was killed finds its trainer at work when it is started again.

An app that ends in an orderly way (Ctrl-C, SIGTERM) ends its trainer: nobody wonders why the
machine is busy. A trainer whose app was killed runs on. In both cases what was saved stays, and
"resume" goes on from there.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from filelock import FileLock, Timeout

from ner_core.checkpoint import CONFIG_FILE
from trainer.learning_curve import CURVE_FILE
from trainer.run_directory import METRICS_FILE, RunDirectory

JobKind = Literal["training", "curve"]
State = Literal["none", "running", "done", "cancelled", "failed", "interrupted"]

_ROOT: Final = Path(__file__).parents[1]
_JOB_FILE: Final = "job.json"
_LOG_FILE: Final = "output.log"
_LOCK_FILE: Final = "lock"
_LOG_LINES: Final = 12
# The trainer answers Ctrl-C within a step; a save of a large model takes some seconds more.
_END_TIMEOUT_S: Final = 20.0

logger = logging.getLogger(__name__)

# As python -m, but ready to be cancelled: whoever starts the app in the background (`app.py &`) has
# SIGINT ignored, and a process inherits that.
RUN_MODULE: Final = """
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""


class JobRunning(ValueError):
    """Another job is at work in this folder."""


@dataclass(frozen=True, slots=True)
class Job:
    """What was started.

    Attributes:
        name: Of the directory that it makes.
        kind: A training, or the trainings of a learning curve.
        module: What Python runs, for example "trainer.finetune".
        arguments: Its command line.
        project: The project whose annotations it reads.
        about: What the pages remember with it; goes into the checkpoint's `training.json`.
        pid: Of the process; 0 before there is one.
        status: Its exit status; None while it runs, or when nobody saw it end.
        is_cancelled: Whether somebody asked it to end.
    """

    name: str
    kind: JobKind
    module: str
    arguments: tuple[str, ...]
    project: str
    about: Mapping[str, Any]
    pid: int = 0
    status: int | None = None
    is_cancelled: bool = False


@dataclass(frozen=True, slots=True)
class JobStatus:
    """How a job stands.

    Attributes:
        state: See `TrainingJobs.status`.
        job: None when none was ever started.
        records: The lines of its `metrics.jsonl`.
        log: The last lines that it printed.
        can_resume: Whether the same command goes on with what it has saved.
    """

    state: State
    job: Job | None = None
    records: tuple[dict[str, Any], ...] = ()
    log: tuple[str, ...] = ()
    can_resume: bool = False

    @property
    def reason(self) -> str:
        """Why it failed, as its last line says it; "" where that says nothing."""
        return self.log[-1].partition(": ")[2] or self.log[-1] if self.log else ""


class TrainingJobs:
    """The jobs of one folder. Thread-safe.

    Args:
        folder: Where everything is kept; made when the first job starts.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: threading.Thread | None = None
        self._mutex = threading.Lock()
        # Looks of this app take turns: each takes locks, and is no training to the next one.
        self._looking = threading.Lock()
        self._is_cancelled = False
        self._is_closing = False

    def start(self, job: Job, on_success: Callable[[Job], None] = lambda _: None) -> None:
        """Start a process; returns at once.

        Args:
            job: What to start.
            on_success: Called in a thread when it has ended well.

        Raises:
            JobRunning: There is one already, of this app or of another one.
            OSError: The folder cannot be written.
        """
        with self._mutex:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = self._lock()
            try:
                # A moment, for another app that only looks whether there is a job.
                lock.acquire(timeout=1.0)
            except Timeout:
                raise JobRunning("expected no other training, found one at work") from None
            try:
                if self._is_orphan_running():
                    raise JobRunning("expected no other training, found one at work")
                self._is_cancelled = False
                self._process = self._spawn(job)
                job = replace(job, pid=self._process.pid, status=None, is_cancelled=False)
                self._write(job)
            except BaseException:
                lock.release()
                raise
            self._watcher = threading.Thread(
                target=self._watch, args=(self._process, job, lock, on_success), daemon=True
            )
            self._watcher.start()

    def resume(self, on_success: Callable[[Job], None] = lambda _: None) -> None:
        """Start the last job again; it goes on from what it has saved.

        Raises:
            JobRunning: It is at work, or another one is.
            ValueError: There is nothing to resume.
        """
        status = self.status()
        if status.job is None or not status.can_resume:
            raise ValueError("expected a training that was interrupted, found none")
        self.start(status.job, on_success)

    def cancel(self) -> None:
        """Ask the running job to end; what it has saved stays. Does nothing when none runs."""
        with self._mutex:
            process = self._process
            if process is not None and process.poll() is None:
                self._is_cancelled = True
                process.send_signal(signal.SIGINT)
                return
            job = self._read()
            with self._looking:
                is_running = self._is_orphan_running()
            # The trainer's lock proves that this is its process, and no other one of that number.
            if job is not None and job.pid and is_running:
                with suppress(ProcessLookupError):  # ended at this very moment
                    os.kill(job.pid, signal.SIGINT)
                self._write(replace(job, is_cancelled=True))

    def close(self) -> None:
        """End the process that this app has started, and wait for it; for the app's own end."""
        process, watcher = self._process, self._watcher
        if process is None or watcher is None:
            return
        self._is_closing = True
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(_END_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
        watcher.join(_END_TIMEOUT_S)

    def status(self) -> JobStatus:
        """How the last job stands.

        "running" while its process lives, whoever started it. Then "done" if it has left what it
        was to make; "cancelled" if somebody ended it; "failed" if it ended by itself;
        "interrupted" if the app or the machine went down with it.
        """
        job = self._read()
        if job is None:
            return JobStatus("none")
        is_running = self._is_running()
        # Read again: it may have ended, and said so, in between.
        job = self._read() or job
        output, unfinished = self.folder / job.name, RunDirectory(self.folder / job.name)
        is_complete = (output / CONFIG_FILE).is_file() or (output / CURVE_FILE).is_file()
        state: State
        if is_running:
            state = "running"
        elif is_complete:
            state = "done"
        elif job.is_cancelled:
            state = "cancelled"
        else:
            is_ended = job.status is not None and job.status != -signal.SIGINT
            state = "failed" if is_ended and job.status != 130 else "interrupted"
        records = _read_records(unfinished.path / METRICS_FILE)
        if not records:
            records = _read_records(output / METRICS_FILE)
        can_resume = state in ("cancelled", "failed", "interrupted") and (
            job.kind == "curve" or unfinished.has_state
        )
        return JobStatus(state, job, records, self._read_log(), can_resume)

    def _is_running(self) -> bool:
        process = self._process
        if process is not None and process.poll() is None:
            return True
        with self._looking:
            lock = self._lock()
            try:
                lock.acquire(timeout=0)
            except Timeout:
                return True
            try:
                return self._is_orphan_running()
            finally:
                lock.release()

    def _is_orphan_running(self) -> bool:
        """Whether a trainer is at work whose app has gone; only for whoever holds the lock.

        Otherwise this look could itself be in the way of a trainer that is about to start.
        """
        for path in self.folder.glob("*.run/lock"):
            lock = FileLock(path, thread_local=False)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                return True
            lock.release()
        return False

    def _lock(self) -> FileLock:
        # Released by the thread that watches the process, not by the one that starts it.
        return FileLock(self.folder / _LOCK_FILE, thread_local=False)

    def _spawn(self, job: Job) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        environment["PYTHONPATH"] = os.pathsep.join(
            [str(_ROOT), *filter(None, [environment.get("PYTHONPATH")])]
        )
        # The app goes on answering while a model is trained.
        environment.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 2) - 1)))
        # Opened anew, not appended to: the log shows this sitting; train.log has them all.
        with (self.folder / _LOG_FILE).open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-c", RUN_MODULE, job.module, *job.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                # Ctrl-C in the app's terminal is for the app, which then ends the trainer.
                start_new_session=True,
            )

    def _watch(
        self,
        process: subprocess.Popen[bytes],
        job: Job,
        lock: FileLock,
        on_success: Callable[[Job], None],
    ) -> None:
        status: int | None = process.wait()
        if self._is_closing and status != 0:
            status = None  # however it ended, it was the app that made it
        try:
            self._write(replace(job, status=status, is_cancelled=self._is_cancelled))
            if status == 0:
                on_success(job)
        except Exception:
            logger.exception("what follows the training %s failed", job.name)
        finally:
            lock.release()

    def _read(self) -> Job | None:
        try:
            stored = json.loads((self.folder / _JOB_FILE).read_text(encoding="utf-8"))
            return Job(**{**stored, "arguments": tuple(stored["arguments"])})
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError) as error:
            logger.warning("%s is damaged: %s", self.folder / _JOB_FILE, error)
            return None

    def _write(self, job: Job) -> None:
        path = self.folder / _JOB_FILE
        temporary = path.with_name(f".{path.name}")
        temporary.write_text(json.dumps(asdict(job), ensure_ascii=False), encoding="utf-8")
        temporary.replace(path)

    def _read_log(self) -> tuple[str, ...]:
        try:
            data = (self.folder / _LOG_FILE).read_bytes()[-20_000:]
        except FileNotFoundError:
            return ()
        lines = data.decode("utf-8", errors="replace").splitlines()
        return tuple([line for line in lines if line.strip()][-_LOG_LINES:])


def _read_records(path: Path) -> tuple[dict[str, Any], ...]:
    """The complete lines of a `metrics.jsonl`; none when it is not there, or not yet."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except (FileNotFoundError, NotADirectoryError):
        return ()
    return tuple(json.loads(line) for line in lines if line.endswith("\n"))


def choose_name(folder: Path, project: str, taken: Sequence[str]) -> str:
    """A name for the next model of a project, which no model and no directory has."""
    stem = "".join(c if c.isalnum() or c in "-_" else "-" for c in project)[:60]
    number = 1
    while True:
        name = f"{stem}-{number}"
        if name not in taken and not any(folder.glob(f"{name}.*")) and not (folder / name).exists():
            return name
        number += 1
