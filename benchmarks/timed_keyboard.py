"""A keyboard for measurements: it presses keys in the editor and tells what each of them took.

The page has to be one that `benchmarks.running_editor.open_editor` opened.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Final

from playwright.sync_api import Page

from ner_core.spans import Span

_READ_HINTS: Final = """() =>
  Array.from(document.querySelectorAll('[data-testid="word-hints"] kbd'), ({ dataset }) =>
    [dataset.code, Number(dataset.start), Number(dataset.end)])"""
_READ_ACTIVE: Final = """() => {
  const active = document.querySelector('[data-testid="annotator-text"] .ed-active[data-start]');
  return active && [Number(active.dataset.start), Number(active.dataset.end)];
}"""


@dataclass(frozen=True, slots=True)
class PaintTimes:
    """Milliseconds from key to paint, and of work on the page's main thread."""

    num_keys: int
    median_ms: float
    p95_ms: float
    max_ms: float
    median_cpu_ms: float
    p95_cpu_ms: float


@dataclass(frozen=True, slots=True)
class _KeyTime:
    """What one press took."""

    kind: str
    paint_ms: float
    cpu_ms: float


class TimedKeyboard:
    """A person at the keyboard: presses keys, counts them, and waits for each one's paint."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._client = page.context.new_cdp_session(page)
        self._client.send("Performance.enable", {"timeDomain": "threadTicks"})
        self._times: list[_KeyTime] = []

    @property
    def num_presses(self) -> int:
        """How many keys were pressed."""
        return len(self._times)

    def press(self, key: str) -> None:
        """Press a key and look at what it does."""
        # Some keys leave the page for another document; that is not the key's own paint.
        before = self._page.evaluate("window.paintTimes.length")
        began_s = self._read_cpu_time_s()
        self._page.keyboard.press(key)
        self._page.wait_for_function("n => window.paintTimes.length > n", arg=before)
        cpu_ms = 1000 * (self._read_cpu_time_s() - began_s)
        paint_ms = self._page.evaluate("n => window.paintTimes[n]", before)
        self._times.append(_KeyTime(_kind_of(key), paint_ms, cpu_ms))

    def paint_times(self) -> PaintTimes:
        """Of all keys."""
        return _summarize_times(self._times)

    def paint_times_by_key(self) -> dict[str, PaintTimes]:
        """Of each kind of key, the dearest first."""
        by_kind: dict[str, list[_KeyTime]] = {}
        for time_of_key in self._times:
            by_kind.setdefault(time_of_key.kind, []).append(time_of_key)
        of_kind = {kind: _summarize_times(times) for kind, times in by_kind.items()}
        return dict(sorted(of_kind.items(), key=lambda item: -item[1].median_cpu_ms))

    def _read_cpu_time_s(self) -> float:
        metrics = self._client.send("Performance.getMetrics")["metrics"]
        (seconds,) = [m["value"] for m in metrics if m["name"] == "TaskDuration"]
        return float(seconds)

    def select(self, start: int, end: int) -> None:
        """Select characters by the letters over words, then move the borders where needed."""
        self.press("w")
        words = self._page.evaluate(_READ_HINTS)
        first = max((word for word in words if word[1] <= start), key=lambda word: word[1])
        last = max((word for word in words if word[1] < end), key=lambda word: word[1])
        for letter in first[0] if first is last else first[0] + last[0]:
            self.press(letter)
        for _ in range(start - first[1]):
            self.press("]")
        for _ in range(abs(last[2] - end)):
            self.press("Shift+[" if last[2] > end else "Shift+]")

    def activate(self, span: Span) -> None:
        """Go to an entity from one to the next."""
        for _ in range(100):
            self.press("Tab")
            if self._page.evaluate(_READ_ACTIVE) == [span.start, span.end]:
                return
        raise AssertionError(f"no entity at {span.start}:{span.end}")


def _kind_of(key: str) -> str:
    return "digit" if key.isdigit() else key


def _summarize_times(times: Sequence[_KeyTime]) -> PaintTimes:
    paint_ms = [each.paint_ms for each in times]
    cpu_ms = [each.cpu_ms for each in times]
    return PaintTimes(
        num_keys=len(times),
        median_ms=median(paint_ms),
        p95_ms=quantiles(paint_ms, n=20)[-1],
        max_ms=max(paint_ms),
        median_cpu_ms=median(cpu_ms),
        p95_cpu_ms=quantiles(cpu_ms, n=20)[-1],
    )
