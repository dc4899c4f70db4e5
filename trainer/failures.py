"""What can end a run besides wrong input: no memory, no disk, a loss that is no number."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


class TrainingError(RuntimeError):
    """A run that cannot go on; the message says why and what to do. What was saved stays good.

    Attributes:
        is_shared: Whether all processes of the run raise it, so that one of them may speak for all.
    """

    def __init__(self, message: str, *, is_shared: bool = False) -> None:
        super().__init__(message)
        self.is_shared = is_shared


@contextmanager
def explain_lack_of_memory(advice: str) -> Iterator[None]:
    """Turn torch's and Python's many ways of running out of memory into one clear error.

    Args:
        advice: What was computed, and what to lower.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise TrainingError(f"out of memory {advice}") from error
    except RuntimeError as error:
        # The processor's allocator has no error class of its own.
        if "DefaultCPUAllocator" not in str(error):
            raise
        raise TrainingError(f"out of memory {advice}") from error
