"""Rows that other hands changed: each is named, with its database, and `verify` finds them all."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from annotation_store.__main__ import main
from annotation_store.store import AnnotationStore, NewDocument, StoreError
from annotation_store.upkeep import verify
from ner_core.labels import CLUENER, MSRA
from ner_core.spans import Span

NO_GUARDS = (
    "DROP TRIGGER revision_no_update",
    "DROP TRIGGER document_no_text_update",
    "PRAGMA ignore_check_constraints = ON",
)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Two projects; of the first one's two documents, the first has a revision."""
    path = tmp_path / "annotations.db"
    with AnnotationStore.open(path) as store:
        store.create_project("default", CLUENER)
        store.create_project("other", MSRA)
        store.add([NewDocument("叶老桂博士", (Span(0, 3, "name"),)), NewDocument("还没有人看过")])
        store.add([NewDocument("好的")], project="other")
    return path


def damage(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in (*NO_GUARDS, *statements):
            connection.execute(statement)


def refusal_of(ask: object) -> str:
    assert callable(ask)
    with pytest.raises(StoreError) as refusal:
        ask()
    message = str(refusal.value)
    assert "\n" not in message
    return message


DAMAGED_LABELS = [
    ("null", "expected a list of labels, got None"),
    ("[1]", "expected a list of labels, got [1]"),
    ('"abc"', "expected a list of labels, got 'abc'"),
    ("not json", "expected a list of labels, got 'not json'"),
    ("[]", "expected at least one label, got none"),
    ('["a", "a"]', "expected every label once, got a more than once"),
]


@pytest.mark.parametrize(("labels", "reason"), DAMAGED_LABELS)
def test_a_project_with_damaged_labels_is_named(database: Path, labels: str, reason: str) -> None:
    damage(database, f"UPDATE project SET labels = '{labels}' WHERE id = 1")
    with AnnotationStore.open(database) as store:
        for ask in (store.projects, store.page, lambda: list(store.examples(status=None))):
            assert refusal_of(ask) == f"{reason} (project 'default'; {database})"
        assert store.page(project="other").num_total == 1, "the other project can be used"
        assert verify(store.database).problems == (f"{reason} (project 'default')",)


DAMAGED_DOCUMENTS = [
    (
        "text = CAST(x'E58FB6FFE5' AS TEXT)",
        "expected text that UTF-8 can hold, got a lone surrogate (U+DCFF) at character 1",
    ),
    ("text = x'E58FB6'", "expected text as the document's text, got b'\\xe5\\x8f\\xb6'"),
    ("external_id = x'00'", "expected text as the document's external id, got b'\\x00'"),
]


@pytest.mark.parametrize(("change", "reason"), DAMAGED_DOCUMENTS)
def test_a_damaged_document_is_named(database: Path, change: str, reason: str) -> None:
    damage(database, f"UPDATE document SET {change} WHERE id = 1")
    with AnnotationStore.open(database) as store:
        for ask in (
            lambda: store.get(1),
            store.page,
            lambda: store.history(1),
            lambda: list(store.examples(status=None)),
        ):
            assert refusal_of(ask) == f"{reason} (document 1; {database})"
        assert store.get(2).text == "还没有人看过"
        assert verify(store.database).problems == (f"{reason} (document 1)",)


DAMAGED_REVISIONS = [
    ("created_at = 'yesterday'", "expected a date and a time, got 'yesterday'"),
    ("created_at = x'00'", "expected a date and a time, got b'\\x00'"),
    ("created_at = 5", "expected a date and a time, got 5"),
    (
        "created_at = '0001-01-01 00:00:00+14:00'",
        "expected a date and a time, got '0001-01-01 00:00:00+14:00'",
    ),
    ("annotator = x'00'", "expected text as the annotator's name, got b'\\x00'"),
    ("num_changes = 'many'", "expected a whole number as the number of changes, got 'many'"),
    ("source = 'robot'", "expected one of the sources model, human, import, review, got 'robot'"),
    ("label = 'none'", 'expected an object as "label", got "none"'),
    ("label = 'null'", 'expected an object as "label", got null'),
    (
        """label = '{"name": {"叶老": [[0, 2]]}}'""",
        'expected "叶老" at [0, 2] (end inclusive), got "叶老桂" (mention "叶老" of label "name")',
    ),
    ("suggestions = '{}'", "expected a list of suggestions, got {}"),
    (
        """suggestions = '[{"start": 0}]'""",
        "expected a suggestion with start, end, label and score, got {'start': 0}",
    ),
    (
        """suggestions = '[{"start": 0, "end": true, "label": "name", "score": 1}]'""",
        "expected a suggestion with start, end, label and score,"
        " got {'end': True, 'label': 'name', 'score': 1, 'start': 0}",
    ),
    (
        """suggestions = '[{"start": 0, "end": 9, "label": "name", "score": 1}]'""",
        "expected a span inside the text of 5 characters, got 0:9 (name)",
    ),
]


@pytest.mark.parametrize(("change", "reason"), DAMAGED_REVISIONS)
def test_a_damaged_revision_is_named(database: Path, change: str, reason: str) -> None:
    damage(database, f"UPDATE revision SET {change}")
    with AnnotationStore.open(database) as store:
        for ask in (lambda: store.get(1), store.page, lambda: store.history(1)):
            assert refusal_of(ask) == f"{reason} (document 1, revision 1; {database})"
        problems = verify(store.database).problems
        assert f"{reason} (document 1, revision 1)" in problems
        # SQLite itself reports what breaks a rule of the table.
        assert all(problem.startswith("integrity_check:") for problem in problems[:-1])


def test_a_stale_save_of_a_document_without_its_moment_is_refused(database: Path) -> None:
    damage(database, "UPDATE document SET created_at = 'once' WHERE id = 2")
    with AnnotationStore.open(database) as store:
        message = refusal_of(
            lambda: store.save(2, base_revision=1, spans=[], status="accepted", annotator="a")
        )
        assert message == f"expected a date and a time, got 'once' (document 2; {database})"


def test_verify_goes_on_after_every_damaged_row(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(
        database,
        "UPDATE project SET labels = 'null', created_at = 'once' WHERE id = 2",
        "UPDATE project SET created_at = 'once' WHERE id = 1",
        "UPDATE document SET text = CAST(x'FF' AS TEXT) WHERE id = 2",
        "UPDATE document SET created_at = '' WHERE id = 3",
        "UPDATE revision SET created_at = 'x'",
    )
    assert main(["verify", "--database", str(database)]) == 2
    output, error = capsys.readouterr()
    assert output.splitlines() == [
        "2 projects, 3 documents, 1 revisions, 5 problems",
        "expected a date and a time, got 'once' (project 'default')",
        "expected a list of labels, got None (project 'other')",
        "expected text that UTF-8 can hold, got a lone surrogate (U+DCFF) at character 0"
        " (document 2)",
        "expected a date and a time, got '' (document 3)",
        "expected a date and a time, got 'x' (document 1, revision 1)",
    ]
    assert error.count("\n") == 1


def test_an_export_of_a_damaged_row_ends_in_one_line(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(database, "UPDATE document SET text = CAST(x'FF' AS TEXT) WHERE id = 1")
    target = tmp_path / "out.jsonl"
    flags = ["--database", database, "--output", target, "--format", "cluener", "--status", "all"]
    assert main(["export", *map(str, flags)]) == 2
    assert f"(document 1; {database})\n" in capsys.readouterr().err
    assert not target.exists()
