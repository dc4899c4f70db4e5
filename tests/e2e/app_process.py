"""Apps in processes of their own that need not import everything anew.

To import Gradio, torch and transformers takes most of an app's start. Where the system can fork,
one process imports them, and each app begins as a copy of it.
"""

import multiprocessing
import os
import runpy
import sys
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_ENVIRONMENT = {
    "PYTHONPATH": str(_ROOT),
    "OMP_NUM_THREADS": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
}
_CAN_FORK = "forkserver" in multiprocessing.get_all_start_methods()
_CONTEXT = multiprocessing.get_context("forkserver" if _CAN_FORK else "spawn")
_CONTEXT.set_forkserver_preload(
    ["app", "webui.layout", "ner_core.prediction", "mcp.server.streamable_http_manager"]
)


def start_app_process(script: str, arguments: list[str], log: Path) -> BaseProcess:
    """Run a script as `python SCRIPT ARGUMENT ...` would, its output appended to a file."""
    before = {name: os.environ.get(name) for name in _ENVIRONMENT}
    os.environ.update(_ENVIRONMENT)
    try:
        if _CAN_FORK:
            forkserver.ensure_running()  # in this environment
        log.touch()
        process = _CONTEXT.Process(target=_run, args=(script, arguments, log), daemon=True)
        process.start()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    return process


def _run(script: str, arguments: list[str], log: Path) -> None:
    os.chdir(_ROOT)
    os.environ.update(_ENVIRONMENT)
    with log.open("ab") as output:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(output.fileno(), stream.fileno())
    sys.argv = [script, *arguments]
    runpy.run_path(script, run_name="__main__")
