"""app.py as a process: it says where it answers, shares no port, and cleans up at its end."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def start(
    shared_tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator["Start"]:
    folder = tmp_path_factory.mktemp("app")
    second = Path(shutil.copytree(shared_tiny_checkpoint, folder / "second"))
    starter = Start([shared_tiny_checkpoint, second], folder)
    yield starter
    for process in starter.processes:
        process.kill()
        process.communicate()


class Start:
    """Starts app.py in a folder of its own, with a temporary folder of its own."""

    def __init__(self, checkpoints: list[Path], folder: Path) -> None:
        self.folder = folder
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.checkpoints = checkpoints
        self.processes: list[subprocess.Popen[str]] = []

    def __call__(self, port: int, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(_ROOT / "app.py"), "--port", str(port), *arguments],
            cwd=self.folder,
            env=os.environ
            | {
                "NER_CHECKPOINT": os.pathsep.join(map(str, self.checkpoints)),
                "TMPDIR": str(self.temporary),
                "OMP_NUM_THREADS": "1",
            }
            | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process


def find_free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def test_where_one_has_to_sign_in_language_models_get_no_tools(
    start: Start, tmp_path: Path
) -> None:
    accounts = tmp_path / "accounts.txt"
    accounts.write_text("li:a password\n", encoding="utf-8")
    accounts.chmod(0o600)
    port = find_free_port()
    process = start(port, "--auth-file", str(accounts))
    assert process.stdout is not None
    assert f"http://127.0.0.1:{port}/" in process.stdout.readline()
    for path in ("mcp/schema", "mcp/"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/gradio_api/{path}", timeout=30)
        refused.value.close()
        assert refused.value.code in (401, 404)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)


def test_it_serves_at_the_address_that_it_prints_and_ends_cleanly(
    start: Start,
) -> None:
    port = find_free_port()
    process = start(port)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line == f"tiny, second on CPU: http://127.0.0.1:{port}/\n"
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as response:
        assert response.status == 200
    assert (start.folder / "annotations.db").exists()
    assert list(start.temporary.glob("ner-downloads-*"))

    second = start(port)
    _, errors = second.communicate(timeout=120)
    assert second.returncode == 2
    expected = f"expected a free port, got 127.0.0.1:{port}; choose another with --port"
    assert errors == f"app.py: {expected}\n"

    # SIGTERM is made to end it as Ctrl-C does, so this stands for both.
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "MCP" not in output
    assert errors == ""
    assert not list(start.temporary.glob("ner-downloads-*"))


@pytest.mark.parametrize("module", ["torch", "gradio", "sqlalchemy"])
def test_ctrl_c_during_the_imports_ends_it_in_one_line(
    start: Start, tmp_path: Path, module: str
) -> None:
    # Found before the real module: Ctrl-C in the middle of its import.
    (tmp_path / f"{module}.py").write_text(
        # Whoever runs the tests in the background has SIGINT ignored, and so would the app.
        "import os, signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "os.kill(os.getpid(), signal.SIGINT)\n",
        encoding="utf-8",
    )
    process = start(7860, PYTHONPATH=str(tmp_path))
    output, errors = process.communicate(timeout=120)
    assert (process.returncode, output, errors) == (130, "", "app.py: interrupted\n")
