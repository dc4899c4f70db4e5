"""Records of a run as TensorBoard events, for those who have TensorBoard."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class EventLog:
    """Writes the numbers of `metrics.jsonl` as TensorBoard scalars; without a writer, nothing.

    Attributes:
        writer: TensorBoard's `SummaryWriter`.
    """

    writer: Any = None

    @classmethod
    @contextmanager
    def open(cls, directory: Path | None) -> Iterator["EventLog"]:
        """An empty log, whatever an earlier sitting left: the caller writes its records again.

        Args:
            directory: Where to; None writes nothing.
        """
        if directory is None:
            yield cls()
            return
        from torch.utils.tensorboard import SummaryWriter

        shutil.rmtree(directory, ignore_errors=True)
        with SummaryWriter(str(directory)) as writer:
            yield cls(writer)

    def write(self, record: Mapping[str, Any]) -> None:
        """Add one line of `metrics.jsonl`."""
        if self.writer is None:
            return
        place = {name: record[name] for name in ("event", "epoch", "step")}
        for name, value in record.items():
            if name not in place:
                self.writer.add_scalar(f"{place['event']}/{name}", value, place["step"])


def check_tensorboard() -> None:
    """Find out before the training that TensorBoard is missing.

    Raises:
        ValueError: It is not installed.
    """
    try:
        import torch.utils.tensorboard  # noqa: F401
    except ImportError as error:
        raise ValueError(
            f"argument --tensorboard: expected the package tensorboard (pip install tensorboard),"
            f" got: {error}"
        ) from error
