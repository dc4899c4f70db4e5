"""Several programs on one database, SQLite and PostgreSQL: nobody gets another one's document."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from annotation_store.document_filter import DocumentFilter
from annotation_store.independence import IndependenceCounts, count_independence
from annotation_store.leases import Holder, hold, read_holders, release
from annotation_store.predictions import NewPrediction, find_unread, write_predictions
from annotation_store.project_changes import (
    LabelInUse,
    add_label,
    count_label_documents,
    remove_label,
    rename_label,
    set_annotators_per_text,
)
from annotation_store.queue import count_queue, take_documents
from annotation_store.store import AnnotationStore, NewDocument, StaleRevision
from annotation_store.tables import Base
from annotation_store.upkeep import verify
from ner_core.labels import LabelSet
from ner_core.spans import Span
from tests.integration.postgresql_server import find_binaries, running_server

LABELS = LabelSet(("name", "place"))


@pytest.fixture(scope="module")
def server_url() -> Iterator[str]:
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed (Debian's package postgresql)")
    with running_server(binaries) as url:
        yield url


@pytest.fixture
def postgresql_url(server_url: str) -> str:
    """The URL of a new, empty database."""
    name = f"ner_{uuid4().hex[:12]}"
    engine = create_engine(
        server_url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server_url.replace("/postgres?", f"/{name}?")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "annotations.db")
    url = request.getfixturevalue("postgresql_url")
    assert isinstance(url, str)
    return url


@pytest.fixture
def stores(url: str) -> Iterator[tuple[AnnotationStore, AnnotationStore]]:
    """Two doors to one database of 40 documents, as two programs would have."""
    with AnnotationStore.open(url) as first, AnnotationStore.open(url) as second:
        first.create_project("default", LABELS)
        first.add(NewDocument(f"第{number}篇：叶老桂在杭州") for number in range(40))
        yield first, second
        assert verify(second.database).problems == ()


Stores = tuple[AnnotationStore, AnnotationStore]


def test_eight_people_at_once_share_the_queue_without_meeting(stores: Stores) -> None:
    barrier = threading.Barrier(8)

    def work(person: int) -> list[int]:
        store, holder = stores[person % 2], Holder(f"page-{person}", f"person {person}")
        barrier.wait()
        taken: list[int] = []
        while True:
            some = take_documents(
                store.database, project="default", holder=holder, seen=taken, limit=2
            )
            if not some:
                return taken
            taken += [document.id for document in some]

    with ThreadPoolExecutor(8) as people:
        given = list(people.map(work, range(8)))
    counts = Counter(document_id for taken in given for document_id in taken)
    assert set(counts.values()) == {1}, counts
    assert len(counts) == 40


def test_leases_end_and_are_given_back_across_programs(stores: Stores) -> None:
    first, second = stores
    mei, lei = Holder("mei", "梅"), Holder("lei", "雷")

    def take(store: AnnotationStore, holder: Holder, lease_s: float = 60.0) -> int:
        (document,) = take_documents(
            store.database, project="default", holder=holder, lease_s=lease_s
        )
        return document.id

    assert take(first, mei) == 1
    assert take(second, lei, lease_s=0.3) == 2
    assert hold(second.database, lei, [1], keeps_others=True) == {1: "梅"}
    counts = count_queue(second.database, project="default", token="lei")
    assert (counts.num_matching, counts.num_held) == (40, 1)
    release(first.database, "mei")
    assert read_holders(first.database, [1], other_than="") == {}
    time.sleep(0.35)
    assert hold(first.database, mei, [2]) == {}
    assert read_holders(second.database, [2], other_than="lei") == {2: "梅"}


def test_filters_and_counts_of_labels(stores: Stores) -> None:
    store, other = stores
    name, place = Span(5, 8, "name"), Span(9, 11, "place")
    store.save(21, base_revision=0, spans=[name], status="accepted", annotator="梅")
    store.save(
        22,
        base_revision=0,
        spans=[],
        suggestions=[place],
        status="new",
        annotator="m",
        source="model",
    )
    found = [NewPrediction(21, (place,), 0.9, 0.9)]
    write_predictions(store.database, project="default", model="m", predictions=found)
    rename_label(other.database, "default", "name", "person")
    assert count_label_documents(store.database, project="default") == {"person": 1}
    with pytest.raises(LabelInUse, match="which 1 documents have"):
        remove_label(store.database, "default", "person")
    for number, wanted in enumerate(
        (
            DocumentFilter(label="person"),
            DocumentFilter(annotator="梅"),
            DocumentFilter(differs=True),
            DocumentFilter(label="place"),
            DocumentFilter(query="第39篇"),
        )
    ):
        documents = take_documents(
            store.database,
            project="default",
            holder=Holder(f"page-{number}", "a"),
            wanted=wanted,
            limit=9,
        )
        assert len(documents) == (0 if number in (1, 2) else 1), wanted  # held by page-0
        assert all(document.id in (21, 22, 40) for document in documents)


def test_saves_readings_and_changes_of_labels_do_not_block_each_other(stores: Stores) -> None:
    """All lock the project before its documents; otherwise PostgreSQL finds a deadlock here."""
    store, other = stores
    failures: list[BaseException] = []

    def repeat(work: Callable[[int], object], times: int) -> None:
        for number in range(times):
            try:
                work(number)
            except StaleRevision:
                pass
            except BaseException as error:
                failures.append(error)
                return

    def save(number: int) -> None:
        document = store.get(number % 10 + 1)
        store.save(
            document.id,
            base_revision=document.revision_number,
            spans=[Span(6, 9, "name")],
            status="accepted",
            annotator="梅",
        )

    def read(number: int) -> None:
        found = [NewPrediction(i, (Span(6, 9, "name"),), 0.5, 0.5) for i in range(1, 11)]
        write_predictions(other.database, project="default", model=f"m{number}", predictions=found)

    def change_labels(number: int) -> None:
        add_label(other.database, "default", f"label-{number}")
        remove_label(other.database, "default", f"label-{number}")

    threads = [
        threading.Thread(target=repeat, args=arguments)
        for arguments in ((save, 40), (save, 40), (read, 15), (change_labels, 10))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_three_people_label_every_second_text_independently_at_once(stores: Stores) -> None:
    """Everybody is given each text that is not theirs yet, and no text gets a third version."""
    set_annotators_per_text(stores[0].database, "default", 2, percent=50)
    chosen = count_independence(stores[1].database, project="default").num_chosen
    assert 0 < chosen < 40
    barrier = threading.Barrier(3)

    def work(person: int) -> list[int]:
        store, name = stores[person % 2], f"person {person}"
        holder = Holder(f"page-{person}", name)
        barrier.wait()
        done: list[int] = []
        # By the clock: how often one looks while another works is up to the machine.
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            given = take_documents(store.database, project="default", holder=holder)
            for document in given:
                # Two of three agree on a text; nobody may be told that they were late.
                spans = [Span(5, 8, "name")] if document.id % 3 != person else []
                store.save(
                    document.id,
                    base_revision=document.revision_number,
                    spans=spans,
                    status="accepted",
                    annotator=name,
                )
                done.append(document.id)
            release(store.database, holder.token)
            if not given:
                if store.counts()["new"] == num_undecided():
                    break
                time.sleep(0.01)
        return done

    def num_undecided() -> int:
        return count_independence(stores[0].database, project="default").num_undecided

    with ThreadPoolExecutor(3) as people:
        done = list(people.map(work, range(3)))
    assert all(len(set(taken)) == len(taken) for taken in done)
    times = Counter(Counter(document_id for taken in done for document_id in taken).values())
    assert times == {1: 40 - chosen, 2: chosen}
    store = stores[1]
    independent = [it.id for it in store.page(limit=99).documents if len(store.history(it.id)) == 2]
    assert len(independent) == chosen
    for document_id in independent:
        first, second = store.history(document_id)
        is_agreed = first.spans == second.spans
        assert store.get(document_id).status == ("accepted" if is_agreed else "new")
    undecided = num_undecided()
    assert count_independence(store.database, project="default") == IndependenceCounts(
        chosen, 0, undecided
    )
    assert 0 < undecided < chosen


def test_a_reading_that_was_cut_off_goes_on_where_it_was(stores: Stores) -> None:
    store, other = stores
    found = [NewPrediction(number, (), 0.5, 0.5) for number in range(1, 31)]
    write_predictions(store.database, project="default", model="m", predictions=found)
    unread = find_unread(other.database, project="default", model="m", limit=100)
    assert [document.document_id for document in unread] == list(range(31, 41))


def test_the_migrations_make_exactly_the_tables_of_the_models_on_postgresql(
    postgresql_url: str,
) -> None:
    AnnotationStore.open(postgresql_url).close()
    engine = create_engine(postgresql_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        options = {"version_table": "annotation_store_version", "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []
        for statement in ("UPDATE revision SET status = 'new'", "DELETE FROM revision"):
            connection.execute(text(statement))  # no row, no trigger: the tables are empty
    engine.dispose()
