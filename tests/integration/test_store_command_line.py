"""python -m annotation_store: what it prints, what it refuses, and what backup and verify see."""

import json
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from annotation_store.__main__ import main
from annotation_store.exchange import read_states
from annotation_store.store import AnnotationStore, NewDocument, StoreError
from annotation_store.upkeep import backup, verify
from ner_core.formats import split_lines
from ner_core.labels import CLUENER, MSRA
from ner_core.spans import Span

REPOSITORY = Path(__file__).parents[2]
CLUENER_FILE = REPOSITORY / "tests" / "data" / "cluener.json"
LINE = '{"text": "叶老桂博士", "label": {"name": {"叶老桂": [[0, 2]]}}}\n'


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "annotations.db"
    with AnnotationStore.open(path) as store:
        store.create_project("default", CLUENER)
        store.add(
            [
                NewDocument("叶老桂博士", (Span(0, 3, "name"),), status="accepted"),
                NewDocument("浙商银行", (Span(0, 2, "name"), Span(1, 4, "company"))),
                NewDocument("还没有人看过"),
            ]
        )
    return path


def run(*arguments: str | Path) -> int:
    return main([str(argument) for argument in arguments])


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The one line that a wrong call prints."""
    try:
        status = run(*arguments)
    except SystemExit as end:  # argparse
        status = int(end.code or 0)
    assert status == 2
    error = capsys.readouterr().err
    assert error.startswith("python -m annotation_store")
    assert error.count("\n") == 1
    return error.partition(": ")[2].strip()


def test_the_module_runs_as_a_program(tmp_path: Path) -> None:
    database, output = tmp_path / "annotations.db", tmp_path / "export.jsonl"
    program = [sys.executable, "-m", "annotation_store"]
    common = ["--database", f"sqlite:///{database}", "--format", "cluener"]
    subprocess.run(
        [*program, "import", *common, "--input", CLUENER_FILE], cwd=REPOSITORY, check=True
    )
    subprocess.run([*program, "export", *common, "--output", output], cwd=REPOSITORY, check=True)
    exported, original = (
        [json.loads(line) for line in split_lines(path.read_text(encoding="utf-8"))]
        for path in (output, CLUENER_FILE)
    )
    assert exported == original
    done = subprocess.run(
        [*program, "verify", "--database", tmp_path / "no.db"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "python -m annotation_store: expected an existing database, got no such file"
        f" ({tmp_path / 'no.db'})\n"
    )


def test_an_import_says_what_it_added_and_what_it_left_out(
    tmp_path: Path, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new.jsonl"
    path.write_text(LINE + '{"text": "新", "label": {}}\n', encoding="utf-8")
    assert run("import", "--database", database, "--input", path, "--format", "cluener") == 0
    assert capsys.readouterr().out.splitlines() == [
        "added 1 documents to project default",
        "left out 1 whose text the project held already",
    ]


def test_an_import_can_make_a_project_with_its_own_labels(
    tmp_path: Path, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "msra.txt"
    path.write_text("北\tI-LOC\n京\tI-LOC\n", encoding="utf-8")
    arguments = ["import", "--database", database, "--input", path, "--format", "conll"]
    assert run(*arguments, "--project", "msra", "--labels", "PER,LOC,ORG", "--status", "new") == 0
    assert "read 1 I- tags that continued nothing as B- tags" in capsys.readouterr().out
    with AnnotationStore.open(database) as store:
        assert store.projects()[1].labels == MSRA
        assert store.counts(project="msra")["new"] == 1


def test_labels_that_the_project_does_not_have_are_refused(
    tmp_path: Path, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("北\tB-LOC\n", encoding="utf-8")
    arguments = ["import", "--database", database, "--input", path, "--format", "conll"]
    message = refusal(capsys, *arguments, "--labels", "PER,LOC")
    assert message == (
        f"expected project 'default' with its labels {', '.join(CLUENER.labels)}, got PER, LOC"
    )
    path.write_text("北\tB-scene\n", encoding="utf-8")
    assert run(*arguments, "--labels", ",".join(CLUENER.labels)) == 0


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ("", "expected labels without blanks, got ''"),
        ("PER,,LOC", "expected labels without blanks, got ''"),
        ("PER, LOC", "expected labels without blanks, got ' LOC'"),
        ("PER,PER", "expected every label once, got PER more than once"),
    ],
)
def test_labels_that_cannot_be_labels_are_refused_by_flag(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], labels: str, reason: str
) -> None:
    database = tmp_path / "new.db"
    flags = ("--database", database, "--input", CLUENER_FILE, "--format", "cluener")
    message = refusal(capsys, "import", *flags, "--labels", labels)
    assert message.startswith(f"argument --labels: {reason}")
    assert not database.exists()


def test_input_that_is_refused_makes_no_database(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, other, database = tmp_path / "bad.jsonl", tmp_path / "other.jsonl", tmp_path / "new.db"
    bad.write_text(LINE + "nonsense\n", encoding="utf-8")
    other.write_text(LINE.replace('"name"', '"planet"'), encoding="utf-8")
    (tmp_path / "empty").mkdir()
    for name, reason in [
        (bad, f"{bad}:2: expected a JSON object"),
        (other, f"{other}:1: expected one of the labels address, "),
        (
            tmp_path / "no",
            f"argument --input: expected an existing file or folder, got '{tmp_path}/no'",
        ),
        (tmp_path / "empty", f"{tmp_path}/empty: expected files that end in .jsonl, "),
        ("", "argument --input: expected an existing file or folder, got ''"),
    ]:
        flags = ("--database", database, "--input", name, "--format", "cluener")
        assert refusal(capsys, "import", *flags).startswith(reason)
    assert sorted(tmp_path.iterdir()) == [bad, tmp_path / "empty", other]


def test_an_export_writes_one_status_or_all(
    tmp_path: Path, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "export"
    arguments = ["export", "--database", database, "--output", output, "--format", "conll"]
    assert run(*arguments) == 0
    assert capsys.readouterr().out == f"wrote 1 documents of project default to {output}\n"
    assert run(*arguments, "--status", "all") == 0
    assert capsys.readouterr().out.splitlines() == [
        f"wrote 1 documents of project default to {output}",
        "left out 2 documents, for which CoNLL / BIO has no place",
    ]


def test_a_chosen_column_predictions_and_good_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database, table, predicted = tmp_path / "new.db", tmp_path / "a.csv", tmp_path / "b.jsonl"
    table.write_text("题,句子\n1,甲\n2, \n3,乙\n", encoding="utf-16")
    predicted.write_text(LINE, encoding="utf-8")
    report = tmp_path / "errors.csv"
    common = ("import", "--database", database, "--report", report)
    arguments = (*common, "--input", table, "--column", "句子")
    assert refusal(capsys, *arguments).startswith(f"{table}:3: expected a text with a character")
    assert report.read_text(encoding="utf-8-sig").splitlines()[0] == "file,line,reason"
    assert run(*arguments, "--keep-good") == 0
    assert capsys.readouterr().out.splitlines() == [
        "added 2 documents to project default",
        "left out 1 that could not be read",
    ]
    assert run(*common, "--input", predicted, "--predicted") == 0
    assert capsys.readouterr().out.splitlines() == [
        "added 1 documents to project default",
        "1 are pre-annotated and wait for a person",
    ]
    with AnnotationStore.open(database) as store:
        assert [document.text for document in store.page().documents] == ["甲", "乙", "叶老桂博士"]
        assert list(store.examples()) == []
        assert store.get(3).suggestions == (Span(0, 3, "name"),)


def test_a_dataset_goes_out_as_a_folder_and_comes_in_again(
    tmp_path: Path, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, copy = tmp_path / "dataset", tmp_path / "copy.db"
    flags = ("--format", "hugging-face", "--status", "all")
    assert run("export", "--database", database, "--output", folder, *flags) == 0
    assert run("import", "--database", copy, "--input", folder) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "added 3 documents to project default"
    with AnnotationStore.open(database) as store, AnnotationStore.open(copy) as other:
        assert list(read_states(other)) == list(read_states(store))


def test_a_wrong_call_ends_in_one_line(
    tmp_path: Path, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, notes = tmp_path / "bad.jsonl", tmp_path / "notes.txt"
    bad.write_text(LINE + "nonsense\n", encoding="utf-8")
    notes.write_text("notes", encoding="utf-8")
    common = ("--database", database, "--format", "cluener")
    import_, export = ("import", *common), ("export", *common)
    for arguments, message in [
        ((), "the following arguments are required: COMMAND"),
        (("frobnicate",), "argument COMMAND: invalid choice: 'frobnicate'"),
        (("verify",), "the following arguments are required: --database"),
        ((*import_, "--input", bad), f"{bad}:2: expected a JSON object, got"),
        ((*import_, "--input", tmp_path / "no"), "argument --input: expected an existing file"),
        ((*export, "--output", database), "expected another file than the database, got"),
        ((*export, "--output", tmp_path / "no" / "x"), f"{tmp_path / 'no'}/"),
        ((*export, "--output", bad, "--project", "x"), "expected one of the projects 'default'"),
        ((*export, "--output", bad, "--status", "done"), "argument --status: invalid choice"),
        (("verify", "--database", notes), "expected an SQLite database, got a file that begins"),
        (("backup", "--database", database, "--output", database), "expected another file than"),
    ]:
        assert refusal(capsys, *arguments).startswith(message), arguments
    assert bad.read_text(encoding="utf-8") == LINE + "nonsense\n"
    with AnnotationStore.open(database) as store:
        assert store.page().num_total == 3


# Backup


def test_a_backup_is_a_whole_database_in_one_file(
    tmp_path: Path, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copies" / "today.db"
    copy.parent.mkdir()
    with AnnotationStore.open(database) as store:
        store.save(3, base_revision=0, spans=[], status="flagged", annotator="a")
        assert run("backup", "--database", database, "--output", copy) == 0
    assert capsys.readouterr().out == f"copied {database} to {copy}\n"
    assert [path.name for path in copy.parent.iterdir()] == ["today.db"]
    with AnnotationStore.open(copy) as store, AnnotationStore.open(database) as original:
        assert store.page() == original.page()
        assert store.history(2) == original.history(2)


def test_a_backup_that_is_made_while_others_save_is_consistent(
    tmp_path: Path, database: Path
) -> None:
    stop = threading.Event()
    with AnnotationStore.open(database) as store:

        def save_all_the_time() -> None:
            base = 0
            while not stop.is_set():
                store.save(3, base_revision=base, spans=[], status="new", annotator="a")
                base += 1

        writer = threading.Thread(target=save_all_the_time)
        writer.start()
        try:
            for number in range(5):
                backup(store.database, tmp_path / f"{number}.db")
        finally:
            stop.set()
            writer.join()
    sizes = []
    for number in range(5):
        with AnnotationStore.open(tmp_path / f"{number}.db") as copy:
            assert verify(copy.database).problems == ()
            sizes.append(len(copy.history(3)))
    assert sizes == sorted(sizes)


def test_a_backup_does_not_replace_a_file_that_is_no_database(
    tmp_path: Path, database: Path
) -> None:
    target = tmp_path / "notes.txt"
    target.write_text("precious", encoding="utf-8")
    with AnnotationStore.open(database) as store, pytest.raises(ValueError, match="a new file or"):
        backup(store.database, target)
    assert target.read_text(encoding="utf-8") == "precious"


def test_a_backup_that_fails_leaves_the_old_one(tmp_path: Path, database: Path) -> None:
    with AnnotationStore.open(database) as store:
        store.add(NewDocument(f"第{number}号" * 50) for number in range(200))
    content = bytearray(database.read_bytes())
    content[-4096:] = b"\xa5" * 4096
    database.write_bytes(content)
    target = tmp_path / "copy.db"
    target.write_bytes(b"SQLite format 3\x00, the old copy")
    with (
        AnnotationStore.open(database) as store,
        pytest.raises(ValueError, match="expected an intact"),
    ):
        backup(store.database, target)
    assert target.read_bytes() == b"SQLite format 3\x00, the old copy"
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.parametrize("name", ["missing/copy.db", "folder"])
def test_a_backup_that_cannot_be_written_names_the_file_asked_for(
    tmp_path: Path, database: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "folder").mkdir()
    message = refusal(capsys, "backup", "--database", database, "--output", tmp_path / name)
    assert message.startswith(f"{tmp_path / name}: ")
    assert ".tmp" not in message
    assert list(tmp_path.glob(".*")) == []


def test_a_backup_that_fills_the_disk_names_both_files(
    tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = sqlite3.connect

    def connect_to_small_disk(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        if path != database:
            connection.execute("PRAGMA max_page_count = 2")
        return connection

    target = tmp_path / "copy.db"
    with AnnotationStore.open(database) as store:
        monkeypatch.setattr("annotation_store.upkeep.sqlite3.connect", connect_to_small_disk)
        with pytest.raises(StoreError) as refusal:
            backup(store.database, target)
    assert str(refusal.value) == (
        "expected room on the disk, got none left: nothing of this was stored"
        f" (copying {database} to {target})"
    )
    assert not target.exists()


# Verify


def test_verify_counts_what_it_read(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", "--database", database) == 0
    assert capsys.readouterr().out == "1 projects, 3 documents, 2 revisions, 0 problems\n"


@pytest.mark.parametrize(
    ("statements", "problem"),
    [
        (
            ["DROP TRIGGER document_no_text_update", "UPDATE document SET text = 'x' WHERE id = 3"],
            "document 3: the text does not have the digest stored with it",
        ),
        (
            ["UPDATE document SET revision_number = 2, num_revisions = 2 WHERE id = 1"],
            "document 1: expected revisions 1 to 2, got 1 up to 1",
        ),
        (
            ["DROP TRIGGER revision_no_delete", "DELETE FROM revision WHERE document_id = 1"],
            "document 1: expected revisions 1 to 1, got 0 up to 0",
        ),
        (
            ["UPDATE document SET status = 'flagged' WHERE id = 1"],
            "document 1: expected status 'accepted' of its newest revision, got 'flagged'",
        ),
        (
            [
                "DROP TRIGGER revision_no_update",
                """UPDATE revision SET label = '{"name": {"叶老": [[0, 2]]}}' WHERE number = 1""",
            ],
            'expected "叶老" at [0, 2] (end inclusive), got "叶老桂"',
        ),
        (
            ["UPDATE project SET labels = '[\"company\"]'"],
            "expected one of the labels company, got 'name' (span 0:3) (document 1, revision 1)",
        ),
        (
            ["UPDATE document SET project_id = 9 WHERE id = 3"],
            "foreign_key_check: row 3 of document names no row of project",
        ),
        (
            [
                "PRAGMA writable_schema = ON",
                "DELETE FROM sqlite_master WHERE name = 'ix_document_project_id_status_position'",
            ],
            "integrity_check: *** in database main *** Page ",
        ),
    ],
)
def test_verify_finds_what_other_hands_changed(
    database: Path,
    capsys: pytest.CaptureFixture[str],
    statements: list[str],
    problem: str,
) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
    assert run("verify", "--database", database) == 2
    output, error = capsys.readouterr()
    assert any(line.startswith(problem) for line in output.splitlines()[1:]), output
    assert error.startswith("python -m annotation_store: expected an intact database, got ")
    assert error.count("\n") == 1
