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
def explain_lack_of_memory(batch_size: int, num_characters: int) -> Iterator[None]:
    """Turn torch's and Python's many ways of running out of memory into one clear error.

    Args:
        batch_size: Windows in the batch that is computed.
        num_characters: Of the longest of them.

    Raises:
        TrainingError: There is not enough memory.
    """
    advice = (
        f"out of memory in a batch of {batch_size} windows of up to {num_characters} characters:"
        f" lower --batch-size, and raise --accumulation by the same factor;"
        f" --activation-checkpointing saves memory too. What was saved is intact"
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
