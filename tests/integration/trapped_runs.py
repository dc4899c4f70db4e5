"""A command line in processes of its own that some Python changes and may kill.

To import torch and the trainer takes seconds: one process does it, and each run begins as a copy.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import torch

_ROOT = Path(__file__).parents[2]
_LOOP = """
import json, os, signal, sys

def die():
    os.kill(os.getpid(), signal.SIGKILL)

for line in sys.stdin:
    trap, arguments, log = json.loads(line)
    child = os.fork()
    if child == 0:
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        exec(trap)
        os._exit({program}.main(arguments))
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""

RunAndKill = Callable[[list[str], str], None]


class RunWithTrap(Protocol):
    """Runs the program with some arguments, changed by some Python that may call `die()`.

    Returns the exit status, negative for a signal, and what went to standard error.
    """

    def __call__(self, arguments: list[str], trap: str) -> tuple[int, str]: ...


@contextmanager
def trapped_runs(program: str, imports: str, log: Path) -> Iterator[RunWithTrap]:
    """Ready to run `PROGRAM.main`; `imports` are what the traps need, the program among them."""
    with subprocess.Popen(
        [sys.executable, "-c", imports + _LOOP.format(program=program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
        # Sums are cut in as many parts as there are threads: bits agree only for as many.
        env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())},
    ) as driver:
        assert driver.stdin is not None
        assert driver.stdout is not None
        stdin, stdout = driver.stdin, driver.stdout

        def run(arguments: list[str], trap: str) -> tuple[int, str]:
            stdin.write(json.dumps([trap, arguments, str(log)]) + "\n")
            stdin.flush()
            return int(stdout.readline()), log.read_text(encoding="utf-8")

        yield run
        stdin.close()


def killing(run_with_trap: RunWithTrap) -> RunAndKill:
    """The same for traps that are to kill the run."""

    def run(arguments: list[str], trap: str) -> None:
        status, errors = run_with_trap(arguments, trap)
        assert status == -signal.SIGKILL, errors

    return run
