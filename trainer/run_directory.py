"""`OUTPUT.run`: what a run keeps until it is complete, so that nothing ends it for good.

    OUTPUT.run/last.pt          everything that a run needs to go on, replaced in one move
    OUTPUT.run/epoch-005/       the best checkpoint so far; `last.pt` says which one it is; of
                                pretraining step-00500/, which is there at the end only
    OUTPUT.run/metrics.jsonl    written anew from `last.pt` when a run goes on
    OUTPUT.run/train.log        of all sittings

At the end the best checkpoint, with the other files in it, becomes OUTPUT. Each of these steps
leaves a directory from which the same command goes on, wherever a `kill -9` hits.
"""

import json
import logging
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from trainer.failures import TrainingError

LOG_FILE = "train.log"
METRICS_FILE = "metrics.jsonl"
STATE_FILE = "last.pt"
TENSORBOARD_DIRECTORY = "tensorboard"
_LOCK_FILE = "lock"
_STATE_VERSION = 1

logger = logging.getLogger("trainer")


@dataclass(frozen=True)
class RunDirectory:
    """The files of a run under way. Only the main process has one open for writing.

    Attributes:
        output: What the run will become.
        unit: What checkpoints are counted in: "epoch" or "step".
    """

    output: Path
    unit: str = "epoch"

    @property
    def path(self) -> Path:
        """The directory itself."""
        return self._sibling(f"{self.output.resolve().name}.run")

    def _sibling(self, name: str) -> Path:
        output = self.output.resolve()
        if not output.name:
            raise ValueError(f"expected an output directory with a name, got {self.output}")
        return output.with_name(name)

    @property
    def tensorboard(self) -> Path:
        """Where TensorBoard events go."""
        return self.path / TENSORBOARD_DIRECTORY

    def checkpoint_of(self, number: int) -> Path:
        """Where the checkpoint of an epoch or step goes."""
        return self.path / f"{self.unit}-{number:03d}"

    @contextmanager
    def open(self, *, restart: bool) -> Iterator[None]:
        """Make the directory, or take it up; log into it; let no second run write to it.

        Args:
            restart: Throw away what is there.

        Raises:
            ValueError: Another process trains into this directory right now.
            OSError: It cannot be written.
        """
        self._sweep()
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path / _LOCK_FILE)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise ValueError(
                f"expected no other run of the same output, found one at work in {self.path}"
            ) from None
        try:
            for path in self.path.iterdir():
                # A name with a dot is a checkpoint that was being written when the run was killed.
                if path.name != _LOCK_FILE and (restart or path.name.startswith(".")):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            handler = logging.FileHandler(self.path / LOG_FILE, encoding="utf-8")
            handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
            logger.addHandler(handler)
            try:
                yield
            finally:
                logger.removeHandler(handler)
                handler.close()
        finally:
            lock.release()

    def load_state(self, fingerprint: Mapping[str, str]) -> dict[str, Any] | None:
        """What `save_state` saved last; None when a run begins.

        Args:
            fingerprint: Of this run, by setting.

        Raises:
            ValueError: It is the state of a run with other settings or data, or damaged.
        """
        path = self.path / STATE_FILE
        if not path.exists():
            return None
        advice = "give the settings it began with, --restart to discard it, or another --output"
        try:
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            version, saved = state["version"], state["fingerprint"]
        except Exception as error:  # of a damaged file torch.load raises whatever it stumbles over
            raise ValueError(
                f"expected the state of an unfinished run, found a damaged file: {path}; {advice}"
            ) from error
        if version != _STATE_VERSION:
            raise ValueError(
                f"expected a state of version {_STATE_VERSION}, got {version} (in {path}); {advice}"
            )
        names = sorted({*saved, *fingerprint})
        changes = [
            f"{name} {saved.get(name)} before, {fingerprint.get(name)} now"
            for name in names
            if saved.get(name) != fingerprint.get(name)
        ]
        if changes:
            raise ValueError(
                f"expected the settings of the unfinished run in {self.path}, got others"
                f" ({'; '.join(changes)}); {advice}"
            )
        return state

    @property
    def has_state(self) -> bool:
        """Whether there is something to go on from."""
        return (self.path / STATE_FILE).exists()

    def describe_state(self) -> str:
        """For a message on why a run ends: what of it is safe, and where."""
        saved = "the state saved last is" if self.has_state else "nothing is saved yet"
        return f"{saved} in {self.path}"

    def save_state(self, fingerprint: Mapping[str, str], content: Mapping[str, Any]) -> None:
        """Replace the saved state, whole or not at all.

        Raises:
            TrainingError: It cannot be written; the one before it is still there.
        """
        path = self.path / STATE_FILE
        temporary = path.with_name(f".{STATE_FILE}")
        state = {"version": _STATE_VERSION, "fingerprint": dict(fingerprint), **content}
        with self.explain_failed_write("the state of the run"):
            try:
                with temporary.open("wb") as file:
                    torch.save(state, file)
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise

    @contextmanager
    def explain_failed_write(self, what: str) -> Iterator[None]:
        """Turn a full disk into an error that says what is safe.

        Raises:
            TrainingError: Writing failed.
        """
        try:
            yield
        # torch reports what its writer could not write as a RuntimeError.
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
            raise TrainingError(
                f"expected to write {what} to {self.path}, got: {reason}; what was saved before is"
                f" intact: make room, and the same command goes on from there"
            ) from error

    @property
    def has_metrics(self) -> bool:
        """Whether a run has been here."""
        return (self.path / METRICS_FILE).exists()

    def write_metrics(self, records: Sequence[Mapping[str, object]]) -> None:
        """Write `metrics.jsonl` anew."""
        lines = "".join(f"{json.dumps(record)}\n" for record in records)
        (self.path / METRICS_FILE).write_text(lines, encoding="utf-8")

    def append_metrics(self, record: Mapping[str, object]) -> None:
        """Add a line to `metrics.jsonl`."""
        with (self.path / METRICS_FILE).open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(record)}\n")

    def keep_checkpoint(self, number: int) -> None:
        """Delete the checkpoints of all other epochs or steps."""
        for path in self.path.glob(f"{self.unit}-*"):
            if path != self.checkpoint_of(number):
                shutil.rmtree(path)

    def publish(self, number: int) -> None:
        """Make the checkpoint of an epoch or step the output, with the run's other files in it."""
        self.keep_checkpoint(number)
        checkpoint = self.checkpoint_of(number)
        for name in (METRICS_FILE, LOG_FILE):
            shutil.copyfile(self.path / name, checkpoint / name)
        if self.tensorboard.exists():
            shutil.copytree(
                self.tensorboard, checkpoint / TENSORBOARD_DIRECTORY, dirs_exist_ok=True
            )
        checkpoint.rename(self.output)
        self.discard()

    def is_published(self) -> bool:
        """Whether the run became its output and was killed before it could tidy up."""
        has_checkpoint = any(self.path.glob(f"{self.unit}-*"))
        return self.output.exists() and self.has_state and not has_checkpoint

    def discard(self) -> None:
        """Delete the directory."""
        # Renamed first: of a directory that is half deleted nobody could say what it was.
        self.path.rename(self._discarded)
        self._sweep()

    @property
    def _discarded(self) -> Path:
        return self._sibling(f".{self.path.name}.discarded")

    def _sweep(self) -> None:
        if self._discarded.exists():
            shutil.rmtree(self._discarded)
