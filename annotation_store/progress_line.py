"""How far an import is, as a line on standard error that is written over again and again."""

import sys
import time
from types import TracebackType
from typing import Self

from annotation_store.importing import ImportProgress

_WIDTH = 30
_SECONDS_BETWEEN = 0.2


class ProgressLine:
    """The line; only a terminal gets one, and it is gone when the work ends."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()
        self._shown_at = 0.0
        self._length = 0

    def show(self, progress: ImportProgress) -> None:
        """Write the line over, but not so often that writing costs more than the work."""
        now = time.monotonic()
        if self._is_shown and now - self._shown_at >= _SECONDS_BETWEEN:
            self._shown_at = now
            self._write(format_progress(progress))

    def _write(self, text: str) -> None:
        print("\r" + text.ljust(self._length), end="", file=sys.stderr, flush=True)
        self._length = len(text)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._length:
            self._write("")
            print("\r", end="", file=sys.stderr, flush=True)


def format_progress(progress: ImportProgress) -> str:
    """The line without its end."""
    share = progress.done / progress.total if progress.total else 1.0
    bar = "#" * int(share * _WIDTH)
    if progress.step == "reading":
        counts = f"{progress.done / 1e6:.1f} of {progress.total / 1e6:.1f} MB read"
    else:
        counts = f"{progress.done} of {progress.total} documents stored"
    return f"[{bar:.<{_WIDTH}}] {share:4.0%} {counts}"
