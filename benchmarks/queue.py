"""How long a person waits for the queue, the lists and the counts of a large project.

    python -m benchmarks.queue [--documents 100000] [--database FILE] [--plans] [--json]

The project is made by the program's own functions: texts of 10 to 70 random Chinese characters, all
read by a model; three annotators have saved three texts in ten, of which every sixth is other than
the model says; four pages hold some texts. Every request is what one page asks for once; the median
and the longest of seven calls are given, and the processor's time, which other programs on the
machine do not lengthen.

- reference_ms: one pass over all texts (`SELECT sum(length(text))`): what a request takes at least
  that has to look at every text.
- waits: whether a person waits for it. The others run beside what people do.

Target: 100 ms for everything that a person waits for.
"""

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, Final

from sqlalchemy import Engine, event, func, select

from annotation_store.corrections import count_corrections
from annotation_store.document_filter import DocumentFilter
from annotation_store.leases import Holder, hold, read_holders
from annotation_store.predictions import (
    NewPrediction,
    find_unread,
    read_progress,
    write_predictions,
)
from annotation_store.project_changes import count_label_documents
from annotation_store.queue import ORDERS, UNREVIEWED, count_queue, read_annotators, take_documents
from annotation_store.rows import select_documents, to_document
from annotation_store.saving import NewRevision, save_revision
from annotation_store.statistics import count_labels, count_lengths, count_progress
from annotation_store.store import AnnotationStore, NewDocument
from annotation_store.tables import DocumentRow
from annotation_store.working_time import count_pace, count_work
from ner_core.labels import CLUENER
from ner_core.spans import Span

TARGET_MS: Final = 100.0
_NUM_REPEATS: Final = 7
_PROJECT: Final = "default"
_ANNOTATORS: Final = ("梅", "雷", "王")
_LABELS: Final = CLUENER.labels[:-1]
"""The last label has no entity: a filter by it finds nothing."""
_READER: Final = "model"
_BLOCK: Final = 5000

_FILTERS: Final = {
    "new": UNREVIEWED,
    "all": DocumentFilter(),
    "accepted": DocumentFilter(status="accepted"),
    "flagged, none is": DocumentFilter(status="flagged"),
    "label": DocumentFilter(label=_LABELS[0]),
    "label of new": DocumentFilter(status="new", label=_LABELS[0]),
    "label, none has it": DocumentFilter(label=CLUENER.labels[-1]),
    "annotator": DocumentFilter(annotator="梅"),
    "annotator, unknown": DocumentFilter(annotator="nobody"),
    "search, found": DocumentFilter(query="中国"),
    "search of new, not found": DocumentFilter(status="new", query="qqq"),
    "model and human differ": DocumentFilter(differs=True),
    "everything at once": DocumentFilter("accepted", _LABELS[1], "雷", "一", differs=True),
}


@dataclass(frozen=True, slots=True)
class Timing:
    """What one request took; see the top of the module.

    Attributes:
        request: What was asked for.
        waits: Whether a person waits for it.
        median_ms: Of the calls, by the clock.
        max_ms: The longest call.
        cpu_ms: Median of the processor's time.
        plans: What SQLite says it does, if it was asked.
    """

    request: str
    waits: bool
    median_ms: float
    max_ms: float
    cpu_ms: float
    plans: tuple[str, ...] = ()

    @property
    def is_in_time(self) -> bool:
        """Whether it is quick enough for whoever waits."""
        return not self.waits or self.cpu_ms <= TARGET_MS


def fill(store: AnnotationStore, num_documents: int) -> None:
    """Make the project of the measurement."""
    generator = random.Random(0)
    # The 2,500 characters that stand first in Unicode are no worse than the most frequent ones.
    characters = [chr(code) for code in range(0x4E00, 0x4E00 + 2500)]
    store.create_project(_PROJECT, CLUENER)
    for start in range(0, num_documents, _BLOCK):
        size = min(_BLOCK, num_documents - start)
        texts = [
            "".join(generator.choices(characters, k=generator.randint(10, 70)))
            + ("中国" if generator.random() < 0.05 else "")
            for _ in range(size)
        ]
        added = store.add(map(NewDocument, texts), project=_PROJECT).added_ids
        found = [_predict(generator, document_id) for document_id in added]
        write_predictions(store.database, project=_PROJECT, model=_READER, predictions=found)
        _annotate(store, generator, found)


def _predict(generator: random.Random, document_id: int) -> NewPrediction:
    starts = generator.sample((0, 3, 6), k=generator.randint(0, 3))
    spans = (Span(start, start + 2, generator.choice(_LABELS), 0.9) for start in starts)
    return NewPrediction(document_id, tuple(sorted(spans)), generator.random(), generator.random())


def _annotate(
    store: AnnotationStore, generator: random.Random, found: Sequence[NewPrediction]
) -> None:
    """Three texts in ten get a model's revision and a person's."""
    now = datetime.now(UTC)
    chosen = {one.document_id: one.spans for one in found if generator.random() < 0.3}
    with store.database.writing() as connection:
        for turn in ("model", "human"):
            rows = connection.execute(select_documents(DocumentRow.id.in_(chosen)))
            for document in map(to_document, rows.all()):
                spans = tuple(Span(s.start, s.end, s.label) for s in chosen[document.id])
                is_model = turn == "model"
                right = spans[1:] if generator.random() < 1 / 6 else spans
                new = NewRevision(
                    spans=() if is_model else right,
                    suggestions=chosen[document.id] if is_model else (),
                    status="new" if is_model else "accepted",
                    source="model" if is_model else "human",
                    annotator=_READER if is_model else generator.choice(_ANNOTATORS),
                    duration_s=None if is_model else generator.uniform(5, 60),
                )
                base = document.revision_number
                save_revision(connection, document.id, new, base_revision=base, now=now)


def list_requests(store: AnnotationStore) -> dict[str, Callable[[], object]]:
    """What a person waits for: its name and the call."""
    database, holder, size = store.database, Holder("benchmark", "梅"), store_size(store)
    first = [document.id for document in store.page(project=_PROJECT, limit=8).documents]
    (middle,) = store.page(project=_PROJECT, offset=size // 2, limit=1).documents
    take = partial(take_documents, database, project=_PROJECT, holder=holder, limit=4)
    count = partial(count_queue, database, project=_PROJECT, token=holder.token)
    page = partial(store.page, project=_PROJECT, limit=20)
    most_uncertain = [document.id for document in take(limit=200)]
    requests: dict[str, Callable[[], object]] = {}
    for order in ORDERS:
        for name in ("new", "all", "accepted"):
            requests[f"next, {order}: {name}"] = partial(take, order=order, wanted=_FILTERS[name])
    for name, wanted in _FILTERS.items():
        requests[f"next, path: {name}"] = partial(take, wanted=wanted)
        requests[f"count: {name}"] = partial(count, wanted=wanted)

    def save() -> None:
        document = store.get(middle.id)
        store.save(
            document.id,
            base_revision=document.revision_number,
            spans=document.spans,
            status="accepted",
            annotator="梅",
        )

    return requests | {
        "next, path: 200 seen": partial(take, seen=most_uncertain),
        "next, position: behind a text": partial(take, order="position", after=middle.id),
        "annotators to choose from": partial(read_annotators, database, project=_PROJECT),
        "previous text": partial(store.previous, before=middle.id, project=_PROJECT),
        "next text": partial(store.next, after=middle.id, project=_PROJECT),
        "counts by status": partial(store.counts, project=_PROJECT),
        "leases renewed": partial(hold, database, holder, first),
        "holders": partial(read_holders, database, first, other_than=""),
        "save": save,
        "list: first page": page,
        "list: last page": partial(page, offset=size - 20),
        "list: search": partial(page, query="中国"),
        "labels and their documents": partial(count_label_documents, database, project=_PROJECT),
        "reading: how far": partial(read_progress, database, project=_PROJECT, model=_READER),
        "reading: new model": partial(read_progress, database, project=_PROJECT, model="other"),
    }


def list_work(store: AnnotationStore) -> dict[str, Callable[[], object]]:
    """What runs beside people, or is asked for seldom."""
    database = store.database
    unread = partial(find_unread, database, project=_PROJECT, limit=500)
    some = store.page(project=_PROJECT, limit=32).documents
    again = [NewPrediction(document.id, (), 0.5, 0.5) for document in some]
    rank = partial(write_predictions, database, project=_PROJECT, model="other", predictions=again)
    statistics: dict[str, Callable[..., object]] = {
        "progress": count_progress,
        "lengths": count_lengths,
        "labels": count_labels,
        "work": count_work,
        "pace": count_pace,
        "corrections": count_corrections,
    }
    work: dict[str, Callable[[], object]] = {
        "reading: what is left, nothing": partial(unread, model=_READER),
        "reading: what is left, new model": partial(unread, model="other"),
        "reading: 32 texts ranked anew": rank,
    }
    for name, ask in statistics.items():
        work[f"statistics: {name}"] = partial(ask, database, project=_PROJECT)
    return work


def store_size(store: AnnotationStore) -> int:
    """All documents of the measured project."""
    return sum(store.counts(project=_PROJECT).values())


def measure(request: str, waits: bool, call: Callable[[], object]) -> Timing:
    """Time a request; the first call, which fills caches, does not count."""
    call()
    clock, processor = [], []
    for _ in range(_NUM_REPEATS):
        began, began_cpu = perf_counter(), process_time()
        call()
        processor.append(1000 * (process_time() - began_cpu))
        clock.append(1000 * (perf_counter() - began))
    return Timing(request, waits, median(clock), max(clock), median(processor))


def read_plans(store: AnnotationStore, call: Callable[[], object]) -> tuple[str, ...]:
    """What SQLite says it does for the queries of a request, one line a query."""
    queries: list[tuple[str, Any]] = []

    def keep(
        _c: object, _k: object, statement: str, parameters: Any, _x: object, many: bool
    ) -> None:
        if statement.startswith(("SELECT", "WITH")) and not many:
            queries.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", keep)
    try:
        call()
    finally:
        event.remove(Engine, "before_cursor_execute", keep)
    with store.database.reading() as connection:
        return tuple(
            "; ".join(
                row[3]
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", parameters)
            )
            for query, parameters in queries
        )


def measure_pass(store: AnnotationStore) -> float:
    """Milliseconds of the processor for one look at every text."""

    def look() -> None:
        with store.database.reading() as connection:
            connection.scalar(select(func.sum(func.length(DocumentRow.text))))

    return measure("reference", False, look).cpu_ms


def main(argv: Sequence[str] | None = None) -> int:
    """Print every request's time, as text or as JSON; 1 if somebody waits too long."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.queue", description="Time the queue of a large project."
    )
    parser.add_argument("--documents", type=int, default=100_000, help="texts in the project")
    parser.add_argument("--database", type=Path, help="keep it here, and take it if it is there")
    parser.add_argument("--plans", action="store_true", help="print SQLite's query plans, too")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        path = given.database or Path(folder) / "annotations.db"
        is_made = path.exists()
        with AnnotationStore.open(path) as store:
            if not is_made:
                fill(store, given.documents)
            reference_ms = measure_pass(store)
            timings = []
            for waits, requests in ((True, list_requests(store)), (False, list_work(store))):
                for request, call in requests.items():
                    timing = measure(request, waits, call)
                    plans = read_plans(store, call) if given.plans else ()
                    timings.append(replace(timing, plans=plans))
            num_documents = store_size(store)
    slow = [timing.request for timing in timings if not timing.is_in_time]
    if given.json:
        report = {
            "num_documents": num_documents,
            "target_ms": TARGET_MS,
            "reference_ms": reference_ms,
            "slow": slow,
            "timings": [asdict(timing) for timing in timings],
        }
        print(json.dumps(report, indent=2, ensure_ascii=False))
        return bool(slow)
    print(f"{num_documents:,} documents; one pass over all texts takes {reference_ms:.0f} ms")
    print(f"{'request':40}  waits  median ms  max ms  cpu ms")
    for it in timings:
        mark = " " if it.is_in_time else "  more than the target"
        times = f"{it.median_ms:9.1f}  {it.max_ms:6.0f}  {it.cpu_ms:6.1f}"
        print(f"{it.request:40}  {'yes' if it.waits else 'no ':5}  {times}{mark}")
        for plan in it.plans:
            print(f"      {plan}")
    return bool(slow)


if __name__ == "__main__":
    sys.exit(main())
