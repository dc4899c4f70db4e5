"""What can end a run besides wrong input: no memory, no disk, a loss that is no number."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.distributed import DistBackendError


class TrainingError(RuntimeError):
    """A run that cannot go on; the message says why and what to do. What was saved stays good.

    Attributes:
        is_shared: Whether all processes of the run raise it, so that one of them may speak for all.
    """

    def __init__(self, message: str, *, is_shared: bool = False) -> None:
        super().__init__(message)
        self.is_shared = is_shared


@contextmanager
def explain_lack_of_memory(batch_size: int, num_characters: int) -> Iterator[None]:
    """Turn torch's and Python's many ways of running out of memory into one clear error.

    Args:
        batch_size: Windows in the batch that is computed.
        num_characters: Of the longest of them.

    Raises:
        TrainingError: There is not enough memory.
    """
    advice = (
        f"out of memory in a batch of {batch_size} windows of up to {num_characters} characters."
        f" With --activation-checkpointing this run may go on with less; or begin anew"
        f" (--restart, or another --output) with a lower --batch-size, and a higher --accumulation"
        f" by the same factor. What was saved is intact"
    )
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise TrainingError(advice) from error
    except RuntimeError as error:
        # The processor's allocator has no error class of its own.
        if "DefaultCPUAllocator" not in str(error):
            raise
        raise TrainingError(advice) from error


@contextmanager
def explain_lost_processes() -> Iterator[None]:
    """Say in one line that another process of the run has ended, not where in it this one waited.

    Raises:
        TrainingError: An exchange with the other processes failed.
    """
    try:
        yield
    except RuntimeError as error:
        # Gloo's errors have no class of their own either.
        if not isinstance(error, DistBackendError) and "gloo" not in str(error):
            raise
        raise TrainingError(
            "another process of this run has ended, see its message; what was saved is intact"
        ) from error
