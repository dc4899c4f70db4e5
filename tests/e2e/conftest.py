"""Fixtures of the browser tests: the app as a subprocess on a free port, and pages in Chromium."""

import os
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from annotation_store.store import AnnotationStore
from benchmarks.running_editor import find_browser
from tests.e2e.app_process import start_app_process
from tests.e2e.editor import Editor, show_editor

_START_TIMEOUT_S = 300.0
_CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

expect.set_options(timeout=15_000)

# Waits for transitions, and for trainings: begun last, they would leave the other workers idle.
_LONGEST = ("test_every_page.py", "test_train.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files, of those in Chromium."""

    def rank(item: pytest.Item) -> int:
        if item.path.parent != Path(__file__).parent:
            return 0
        return 1 if item.path.name in _LONGEST else 2

    items.sort(key=rank)


@dataclass
class RunningApp:
    """An app in a process of its own.

    Attributes:
        url: Where it answers.
        database: Its SQLite file; tests open it beside the app.
        log: What the app prints.
    """

    script: str
    arguments: list[str]
    url: str
    database: Path
    log: Path
    process: BaseProcess | None = None

    def start(self) -> None:
        """Start it, at the same address as before, and wait until it answers."""
        self.process = start_app_process(self.script, self.arguments, self.log)
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self._answers():
            if not self.process.is_alive() or time.monotonic() > deadline:
                self.stop()
                pytest.fail(f"the app did not start:\n{self.read_log()}", pytrace=False)
            time.sleep(0.2)

    def stop(self) -> None:
        """Kill it as a crash would."""
        if self.process:
            self.process.kill()
            self.process.join()
            self.process = None

    def freeze(self) -> None:
        """Have it take requests and answer none, until it is stopped."""
        assert self.process is not None and self.process.pid is not None
        os.kill(self.process.pid, signal.SIGSTOP)

    def read_log(self) -> str:
        """Everything it has printed."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url, timeout=5):
                return True
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False


StartApp = Callable[..., RunningApp]


@contextmanager
def running_apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartApp]:
    """Start scripts with `--database`, `--port` and more arguments; stopped at the end."""
    apps: list[RunningApp] = []

    def start(script: str, *arguments: str) -> RunningApp:
        folder = tmp_path_factory.mktemp("app")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        database = folder / "annotations.db"
        app = RunningApp(
            script,
            ["--database", str(database), "--port", str(port), *arguments],
            f"http://127.0.0.1:{port}/",
            database,
            folder / "app.log",
        )
        apps.append(app)
        app.start()
        return app

    try:
        yield start
    finally:
        for app in apps:
            is_alive = app.process is not None and app.process.is_alive()
            app.stop()
            if not is_alive:
                print(f"the app at {app.url} had ended:\n{app.read_log()}")


@pytest.fixture(scope="module")
def start_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartApp]:
    """What `running_apps` gives, for the tests of a module: an idle app takes 5 % of a core."""
    with running_apps(tmp_path_factory) as start:
        yield start


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser of the machine; Playwright's own cannot be downloaded everywhere.

    Best the one without windows: it opens a page with a fifth of the work.
    """
    path = find_browser("chromium-headless-shell", "chromium", "google-chrome")
    if path is None:
        reason = "no Chromium on this machine (Debian: apt install chromium)"
        # CI sets this: there, a skipped browser test would hide a missing browser.
        (pytest.fail if os.environ.get("REQUIRE_BROWSER") else pytest.skip)(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_CHROMIUM_FLAGS))
        yield browser
        browser.close()


def is_gradios(error: Error) -> bool:
    """Whether an error is one that Gradio 6.31's plots are known for.

    One that is drawn while it is hidden and taken away before it is shown asks for its own width.
    """
    is_width = error.message == "Cannot read properties of null (reading 'offsetWidth')"
    return is_width and "/assets/Index-" in (error.stack or "")


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Open an address as a visitor of one's own; script errors on the page fail the test.

    Keyword arguments are those of a Playwright browser context, for example `locale`.
    """
    contexts = []
    errors: list[str] = []

    def open_url(url: str, **options: Any) -> Page:
        context = chromium.new_context(
            **{"locale": "zh-CN", "viewport": {"width": 1280, "height": 900}, **options}
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: is_gradios(error) or errors.append(str(error)))
        page.goto(url)
        return page

    yield open_url
    for context in contexts:
        context.close()
    assert not errors, f"script errors on the page: {errors}"


@pytest.fixture(scope="session")
def editor_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """The app on fixed rules, one for all modules that test the editor."""
    with running_apps(tmp_path_factory) as start:
        yield start("tests/e2e/rules_app.py")


@pytest.fixture
def store(editor_app: RunningApp) -> Iterator[AnnotationStore]:
    """The database of `editor_app`, with nothing left to review from the tests before."""
    with AnnotationStore.open(editor_app.database) as store:
        while (document := store.next(after=None, status="new")) is not None:
            store.save(
                document.id,
                base_revision=document.revision_number,
                spans=(),
                status="ignored",
                annotator="cleaner",
            )
        yield store


@pytest.fixture
def open_editor(editor_app: RunningApp, open_page: Callable[..., Page]) -> Callable[..., Editor]:
    """Open the page 标注 as a visitor of one's own; keyword arguments are those of `open_page`."""

    def open_tab(**options: Any) -> Editor:
        return show_editor(open_page(editor_app.url, **options))

    return open_tab
