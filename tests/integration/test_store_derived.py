"""What the database keeps twice: every difference has a name, and `repair` makes both sides alike.

Nothing that the store itself does may make one.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation_store.__main__ import main
from annotation_store.derived import repair
from annotation_store.predictions import NewPrediction, write_predictions
from annotation_store.project_changes import LabelInUse, add_label, remove_label, rename_label
from annotation_store.store import AnnotationStore, NewDocument
from annotation_store.upkeep import verify
from ner_core.labels import LabelSet
from ner_core.spans import Span
from tests.integration.postgresql_server import find_binaries, running_server

TEXT = "叶老桂在杭州"
NAME = Span(0, 3, "name")
PLACE = Span(4, 6, "place", 0.5)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Texts that nobody, only a model, a person and a pre-annotation have said something about."""
    path = tmp_path / "annotations.db"
    with AnnotationStore.open(path) as store:
        store.create_project("default", LabelSet(("name", "place")))
        store.add(
            [
                NewDocument("还没有人看过"),
                NewDocument("模型看过" + TEXT),
                NewDocument("李雷看过" + TEXT),
                NewDocument("导入的" + TEXT, suggestions=(Span(3, 6, "name"),), annotator="x"),
            ]
        )
        predictions = [
            NewPrediction(document_id, (Span(4, 7, "name"), Span(8, 10, "place")), 0.5, 0.5)
            for document_id in (2, 3)
        ]
        write_predictions(store.database, project="default", model="m", predictions=predictions)
        store.save(
            3, base_revision=0, spans=[Span(4, 7, "name")], status="accepted", annotator="李雷"
        )
    return path


DIFFERENCES = [
    (
        "UPDATE document SET status = 'flagged' WHERE id = 3",
        "document 3: expected status 'accepted' of its newest revision, got 'flagged'",
    ),
    (
        "UPDATE document SET num_differences = 7 WHERE id = 3",
        "document 3: expected 1 differences between model and people, got 7",
    ),
    (
        "UPDATE document SET num_differences = 0 WHERE id = 2",
        "document 2: expected None differences between model and people, got 0",
    ),
    (
        "UPDATE document SET predicted_by = 'm' WHERE id = 1",
        "document 1: expected a prediction by 'm', got none",
    ),
    (
        "UPDATE prediction SET model = 'n' WHERE document_id = 2",
        "document 2: expected a prediction by 'm', got one by 'n'",
    ),
    (
        "DELETE FROM document_label WHERE document_id = 2 AND label = 'place'",
        "document 2: expected the labels 'name', 'place' to filter by, got 'name'",
    ),
    (
        "INSERT INTO document_label VALUES (3, 'place')",
        "document 3: expected the labels 'name' to filter by, got 'name', 'place'",
    ),
    (
        "DELETE FROM document_label WHERE document_id = 4",
        "document 4: expected the labels 'name' to filter by, got (none)",
    ),
    (
        "DELETE FROM project_annotator WHERE annotator = '李雷'",
        "project 'default': expected the annotators 'x', '李雷' to filter by, got 'x'",
    ),
    (
        "INSERT INTO project_annotator VALUES (1, '韩梅梅')",
        "project 'default': expected the annotators 'x', '李雷' to filter by,"
        " got 'x', '李雷', '韩梅梅'",
    ),
]


@pytest.mark.parametrize(("statement", "problem"), DIFFERENCES)
def test_a_difference_is_named_and_repaired(
    database: Path, capsys: pytest.CaptureFixture[str], statement: str, problem: str
) -> None:
    with AnnotationStore.open(database) as store:
        assert verify(store.database).problems == ()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(statement)
        connection.commit()
    assert main(["verify", "--database", str(database)]) == 2
    output, error = capsys.readouterr()
    assert output.splitlines()[1:] == [problem]
    assert "got 1 problems, of which repair mends 1 (" in error
    assert main(["repair", "--database", str(database)]) == 0
    assert capsys.readouterr().out.splitlines() == ["repaired 1 differences", problem]
    with AnnotationStore.open(database) as store:
        assert verify(store.database).problems == ()


def test_what_only_a_person_can_decide_is_left_as_it_is(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DROP TRIGGER revision_no_delete")
        connection.execute("DROP TRIGGER revision_no_update")
        connection.execute("DELETE FROM revision WHERE document_id = 3")
        connection.execute("UPDATE revision SET num_changes = 5 WHERE document_id = 4")
        connection.execute("UPDATE prediction SET spans = '[1]' WHERE document_id = 2")
        connection.commit()
    for _attempt in range(2):
        assert main(["verify", "--database", str(database)]) == 2
        output, error = capsys.readouterr()
        assert (
            output.splitlines()[1:]
            == [
                "document 3: expected revisions 1 to 1, got 0 up to 0",
                "document 4, revision 1: expected 0 changes, got 5",
                "expected a suggestion with start, end, label and score, got 1"
                " (prediction of document 2)",
                "project 'default': expected the annotators 'x' to filter by, got 'x', '李雷'",
            ][: 4 - _attempt]
        )
        assert error.count("\n") == 1
        assert main(["repair", "--database", str(database)]) == 0
        capsys.readouterr()


LABELS = ("a", "b", "c")
SPANS = st.lists(
    st.sampled_from([Span(begin, begin + 2, label) for begin in range(3) for label in LABELS]),
    max_size=3,
    unique=True,
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), SPANS, st.booleans()),
        st.tuples(st.just("save"), st.integers(1, 3), SPANS, SPANS, st.sampled_from("甲乙")),
        st.tuples(st.just("suggest"), st.integers(1, 3), SPANS),
        st.tuples(st.just("predict"), st.integers(1, 3), SPANS, st.sampled_from("mn")),
        st.tuples(st.just("rename"), st.sampled_from(LABELS), st.sampled_from((*LABELS, "d"))),
        st.tuples(st.just("remove"), st.sampled_from(LABELS)),
        st.tuples(st.just("add label"), st.sampled_from((*LABELS, "d"))),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_nothing_that_the_store_does_makes_a_difference(steps: list[tuple[object, ...]]) -> None:
    with TemporaryDirectory() as folder, AnnotationStore.open(Path(folder) / "a.db") as store:
        store.create_project("default", LabelSet(("a", "b")))
        store.add([NewDocument("第一条文本")])
        for step in steps:
            take_step(store, *step)
        assert verify(store.database).problems == ()


def take_step(store: AnnotationStore, kind: object, *values: object) -> None:
    documents = store.page().documents
    document = documents[-1]
    if isinstance(values[0], int):
        document = documents[values[0] % len(documents)]
    ways = {
        "add": lambda: store.add(
            [
                NewDocument(
                    f"第{len(documents)}条文本",
                    None if values[1] else tuple(values[0]),
                    suggestions=tuple(values[0]) if values[1] else (),
                    is_preannotated=values[1],
                )
            ],
            annotator="丙",
        ),
        "save": lambda: store.save(
            document.id,
            base_revision=document.revision_number,
            spans=values[1],
            suggestions=values[2],
            status="accepted",
            annotator=values[3],
        ),
        "suggest": lambda: store.save(
            document.id,
            base_revision=document.revision_number,
            spans=[],
            suggestions=values[1],
            status="new",
            annotator="n",
            source="model",
        ),
        "predict": lambda: write_predictions(
            store.database,
            project="default",
            model=values[2],
            predictions=[NewPrediction(document.id, tuple(values[1]), 0.5, 0.5)],
        ),
        "rename": lambda: rename_label(store.database, "default", *values),
        "remove": lambda: remove_label(store.database, "default", *values),
        "add label": lambda: add_label(store.database, "default", *values),
    }
    try:
        ways[str(kind)]()
    except (LabelInUse, ValueError):
        return  # not every step is possible: a label may be gone, or there already


def test_postgresql_is_repaired_too() -> None:
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed")
    with running_server(binaries) as url, AnnotationStore.open(url) as store:
        store.create_project("default", LabelSet(("name", "place")))
        store.add([NewDocument(f"第{number}条", (Span(0, 1, "name"),)) for number in range(300)])
        with store.database.writing() as connection:
            connection.exec_driver_sql("DELETE FROM document_label WHERE mod(document_id, 2) = 0")
            connection.exec_driver_sql("UPDATE document SET status = 'flagged' WHERE id = 3")
        assert verify(store.database).num_repairable == 151
        assert len(repair(store.database)) == 151
        assert verify(store.database).problems == ()
