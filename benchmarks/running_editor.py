"""The app as a user starts it, and its editor in Chromium, for measurements."""

import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, sync_playwright

_ROOT: Final = Path(__file__).parents[1]
_START_TIMEOUT_S: Final = 180.0
_CHROMIUM_FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")

# A message that is sent in an animation frame arrives when the frame has been painted. Shift and
# Control alone do nothing: to count them would halve the times of the keys they are held with.
_WATCH_KEYS: Final = """
window.paintTimes = [];
window.addEventListener("keydown", (event) => {
  if (["Shift", "Control"].includes(event.key)) return;
  const received = event.timeStamp;
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => window.paintTimes.push(performance.now() - received);
    port2.postMessage(null);
  });
}, { capture: true });
"""


def find_browser(*names: str) -> str | None:
    """The path of the first of these programs that the machine has."""
    return next(filter(None, map(shutil.which, names)), None)


@contextmanager
def running_app(folder: Path, *, model: str) -> Iterator[str]:
    """Start the app on `annotations.db` in a folder with one bundled model; gives its address.

    Raises:
        RuntimeError: It did not start; with what it printed.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/"
    database = str(folder / "annotations.db")
    checkpoint = str(_ROOT / "models" / model)
    command = [sys.executable, "app.py", "--database", database, "--checkpoint", checkpoint]
    with (folder / "app.log").open("wb") as log:
        app = subprocess.Popen(
            [*command, "--port", str(port)], cwd=_ROOT, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not _answers(url):
            if app.poll() is not None or time.monotonic() > deadline:
                output = (folder / "app.log").read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"the app did not start:\n{output}")
            time.sleep(0.2)
        yield url
    finally:
        app.terminate()
        app.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


@contextmanager
def open_editor(url: str) -> Iterator[Page]:
    """The page Annotate in Chromium; `window.paintTimes` gets the milliseconds of each key."""
    path = find_browser("chromium", "google-chrome", "chromium-headless-shell")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_CHROMIUM_FLAGS))
        page = browser.new_page(locale="en-US", viewport={"width": 1280, "height": 900})
        page.set_default_timeout(60_000)
        page.add_init_script(_WATCH_KEYS)
        page.goto(url)
        page.get_by_role("tab", name="Annotate").click()
        page.wait_for_selector('[data-testid="annotator"][data-state="ready"]')
        yield page
        browser.close()
