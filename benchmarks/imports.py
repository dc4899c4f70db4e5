"""How long a large file takes into the store, and what somebody who saves meanwhile waits.

    python -m benchmarks.imports [--lines 100000] [--json]

The file is plain text, a line of 10 to 70 random Chinese characters each. It goes in as on the page
Data (`webui.import_job`), while somebody accepts a text every half second.

- seconds: from *Import* to the end.
- num_reports: how often the progress that the page draws had changed, looked at ten times a second.
- num_saves, longest_save_ms: of the one who works on.

Target: everything that was in the file is there, and no save takes longer than a second.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from annotation_store.formats.format import ReadOptions
from annotation_store.store import AnnotationStore, NewDocument
from ner_core.labels import CLUENER
from webui.import_job import ImportJob

TARGET_MS: Final = 1000.0
_PROJECT: Final = "default"
_BETWEEN_REPORTS_S: Final = 0.1
_BETWEEN_SAVES_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Import:
    """What was measured; see the top of the module."""

    num_lines: int
    megabytes: float
    seconds: float
    num_reports: int
    num_saves: int
    longest_save_ms: float

    @property
    def is_in_time(self) -> bool:
        """Whether nobody had to wait."""
        return self.longest_save_ms <= TARGET_MS


def write_lines(path: Path, num_lines: int) -> None:
    """Write the file; no two lines are the same."""
    generator = random.Random(0)
    characters = [chr(code) for code in range(0x4E00, 0x4E00 + 2500)]
    with path.open("w", encoding="utf-8") as file:
        for number in range(num_lines):
            text = "".join(generator.choices(characters, k=generator.randint(10, 70)))
            file.write(f"{number} {text}\n")


def measure(store: AnnotationStore, path: Path, num_lines: int) -> Import:
    """Import a file while somebody works on what was there before.

    Raises:
        RuntimeError: Not all of it arrived.
    """
    store.create_project(_PROJECT, CLUENER)
    waiting = store.add([NewDocument(f"先有的第{n}条") for n in range(2000)]).added_ids[::-1]
    job = ImportJob(path, path.name)
    megabytes = path.stat().st_size / 1e6
    job.inspect(ReadOptions(), None)
    remaining, saves_ms, reports = list(waiting), [], set()
    began = time.perf_counter()
    job.start(store, _PROJECT)
    saved_at = began
    while job.wait(_BETWEEN_REPORTS_S):
        described = job.describe("en")
        reports.add((described["step"], described["done"]))
        if remaining and time.perf_counter() - saved_at >= _BETWEEN_SAVES_S:
            saved_at = time.perf_counter()
            store.save(
                remaining.pop(), base_revision=0, spans=(), status="accepted", annotator="梅"
            )
            saves_ms.append(1000 * (time.perf_counter() - saved_at))
    seconds = time.perf_counter() - began
    num_stored = sum(store.counts(project=_PROJECT).values()) - len(waiting)
    if job.state != "done" or num_stored != num_lines:
        raise RuntimeError(f"expected {num_lines} texts stored, got {num_stored} ({job.state})")
    job.close()
    longest_ms = max(saves_ms, default=0.0)
    return Import(num_lines, megabytes, seconds, len(reports), len(saves_ms), longest_ms)


def main(argv: Sequence[str] | None = None) -> int:
    """Print what was measured, as text or as JSON; 1 if somebody waits too long."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.imports", description="Time the import of a large file."
    )
    parser.add_argument("--lines", type=int, default=100_000, help="texts in the file")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(argv)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "lines.txt"
        write_lines(path, given.lines)
        with AnnotationStore.open(Path(folder) / "annotations.db") as store:
            measured = measure(store, path, given.lines)
    if given.json:
        print(json.dumps(asdict(measured) | {"target_ms": TARGET_MS}, indent=2))
    else:
        print(
            f"{measured.num_lines:,} lines ({measured.megabytes:.1f} MB) in"
            f" {measured.seconds:.0f} s, {measured.num_reports} reports of progress;"
            f" {measured.num_saves} saves meanwhile, the longest {measured.longest_save_ms:.0f} ms"
        )
    return not measured.is_in_time


if __name__ == "__main__":
    sys.exit(main())
