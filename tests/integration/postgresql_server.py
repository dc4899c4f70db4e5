"""A PostgreSQL server of one test run, from the package `postgresql` of the system."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def find_binaries() -> Path | None:
    """The folder of initdb, postgres and pg_isready; None when PostgreSQL is not installed."""
    # Debian does not put them on the path.
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if on_path := shutil.which("initdb"):
        folders.append(Path(on_path).parent)
    complete = (folder for folder in folders if (folder / "pg_isready").exists())
    return next(complete, None)


@contextmanager
def running_server(binaries: Path) -> Iterator[str]:
    """A server that listens on a socket of its own; gives the URL of its database."""
    # Not below pytest's folder, which PostgreSQL's own user may not enter.
    folder = Path(tempfile.mkdtemp(prefix="ner-postgresql-"))
    data = folder / "data"
    as_user: list[str] = []
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    try:
        subprocess.run(
            [*as_user, binaries / "initdb", "-D", data, "-U", "ner", "-A", "trust", "-E", "UTF8"],
            check=True,
            capture_output=True,
            timeout=120,
            cwd=folder,
        )
        server = subprocess.Popen(
            [
                *(*as_user, binaries / "postgres", "-D", data, "-k", folder),
                *("-c", "listen_addresses=", "-c", "fsync=off"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
        )
        try:
            deadline = time.monotonic() + 120
            ready = [binaries / "pg_isready", "-h", folder, "-q"]
            while subprocess.run(ready).returncode:
                assert server.poll() is None, "PostgreSQL ended"
                assert time.monotonic() < deadline, "PostgreSQL does not answer"
                time.sleep(0.2)
            yield f"postgresql://ner@/postgres?host={folder}"
        finally:
            server.terminate()
            server.wait(timeout=60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
