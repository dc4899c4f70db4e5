"""Makes new databases quickly, for the many unit tests that want an empty one."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotation_store import store as store_module
from annotation_store.database import Database, open_database


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a database that the migrations made and nobody wrote to."""
    path = tmp_path_factory.mktemp("databases") / "empty.db"
    open_database(path, lock_timeout_s=20, must_exist=False).close()
    return path


@pytest.fixture(scope="module", autouse=True)
def _new_databases_are_copies(empty_database: Path) -> Iterator[None]:
    """A new SQLite file begins as a copy of an empty database, and is opened like any other.

    The migrations take eight times as long as opening. That they make the right tables is for the
    integration tests to prove, which do without this.
    """

    def open_copy(url_or_path: str | Path, *, lock_timeout_s: float, must_exist: bool) -> Database:
        if isinstance(url_or_path, Path) or "://" not in url_or_path:
            path = Path(url_or_path)
            if path.parent.is_dir() and not path.exists() and not must_exist:
                shutil.copyfile(empty_database, path)
        return open_database(url_or_path, lock_timeout_s=lock_timeout_s, must_exist=must_exist)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(store_module, "open_database", open_copy)
        yield
