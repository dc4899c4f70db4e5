"""Batches made in a thread while the model works on the one before."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

_T = TypeVar("_T")
# How often a thread that has nothing to do looks whether it is still wanted, in seconds.
_PATIENCE_S = 0.1


@contextmanager
def prefetch(items: Iterator[_T], num_ahead: int = 2) -> Iterator[Iterator[_T]]:
    """Take items from an iterator in a thread, some before they are asked for.

    What the iterator raises is raised where its item would have come. The thread ends with the
    block.

    Args:
        items: Used by the thread alone from now on.
        num_ahead: How many may wait.
    """
    waiting: queue.Queue[tuple[_T | None, BaseException | None]] = queue.Queue(num_ahead)
    is_over = threading.Event()

    def put(item: _T | None, error: BaseException | None) -> None:
        while not is_over.is_set():
            try:
                waiting.put((item, error), timeout=_PATIENCE_S)
            except queue.Full:
                continue
            return

    def fill() -> None:
        try:
            for item in items:
                put(item, None)
                if is_over.is_set():
                    return
            put(None, StopIteration())
        except BaseException as error:  # whatever it is, it belongs to the thread that waits
            put(None, error)

    def take() -> Iterator[_T]:
        while True:
            item, error = waiting.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item  # type: ignore[misc]  # None only beside an error

    thread = threading.Thread(target=fill, name="prefetch", daemon=True)
    thread.start()
    try:
        yield take()
    finally:
        is_over.set()
        thread.join()
