"""The command line of app.py: what it refuses, and that every refusal is one line."""

import errno
import os
import shutil
from pathlib import Path

import pytest

import app
from annotation_store.store import AnnotationStore
from ner_core.labels import CLUENER, LabelSet
from webui import layout
from webui.accounts import read_accounts


@pytest.fixture
def refuse(capsys, tmp_path, monkeypatch):
    """Runs app.py with flags that it refuses; returns the one line that it prints."""
    monkeypatch.chdir(tmp_path)

    def run(*flags) -> str:
        try:
            status = app.main([str(flag) for flag in flags])
        except SystemExit as ended:
            status = ended.code
        captured = capsys.readouterr()
        assert status == 2
        assert captured.out == ""
        (line,) = captured.err.splitlines()
        assert line.startswith("app.py: ")
        return line

    return run


def test_a_wrong_flag_is_named(refuse):
    assert "--databse" in refuse("--databse", "x.db")


@pytest.mark.parametrize("port", ["0", "70000", "http", "-1"])
def test_a_port_outside_the_range_is_named(refuse, port):
    assert "expected a port from 1 to 65535" in refuse(f"--port={port}")


def test_a_missing_checkpoint_is_named(refuse, tmp_path):
    assert "no-such-model" in refuse("--checkpoint", tmp_path / "no-such-model")
    assert not (tmp_path / "annotations.db").exists()


def test_a_damaged_checkpoint_is_named(refuse, tiny_checkpoint):
    weights = tiny_checkpoint / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    assert str(tiny_checkpoint) in refuse("--checkpoint", tiny_checkpoint)


def test_a_file_that_is_no_database_is_named_and_left_alone(
    refuse, shared_tiny_checkpoint, tmp_path
):
    path = tmp_path / "notes.db"
    path.write_text("these are my notes, not a database", encoding="utf-8")
    line = refuse("--checkpoint", shared_tiny_checkpoint, "--database", path)
    assert "notes.db" in line
    assert path.read_text(encoding="utf-8") == "these are my notes, not a database"


def test_a_database_in_a_missing_folder_is_named(refuse, shared_tiny_checkpoint, tmp_path):
    path = tmp_path / "missing" / "a.db"
    assert "missing" in refuse("--checkpoint", shared_tiny_checkpoint, "--database", path)


def make_project(path: Path, *labels: str) -> Path:
    with AnnotationStore.open(path) as store:
        store.create_project("default", LabelSet(labels))
    return path


def test_a_model_without_a_label_of_the_project_is_refused(
    refuse, shared_tiny_checkpoint, tmp_path
):
    path = make_project(tmp_path / "msra.db", "PER", "LOC")
    line = refuse("--checkpoint", shared_tiny_checkpoint, "--database", path)
    assert line == (
        "app.py: expected a model with labels of project 'default' (PER, LOC), got tiny with"
        f" {', '.join(CLUENER.labels)}: choose another --database or --checkpoint"
    )


@pytest.fixture
def serve(monkeypatch, tmp_path, capsys):
    """Runs app.py up to the launch, which fails with an error; returns what it prints."""
    monkeypatch.chdir(tmp_path)

    def run(error: BaseException, *flags) -> tuple[int, list[str]]:
        class Blocks:
            def launch(self, **_options):
                raise error

        monkeypatch.setattr(layout, "build", lambda *_: Blocks())
        status = app.main([str(flag) for flag in flags])
        captured = capsys.readouterr()
        assert captured.out == ""
        return status, captured.err.splitlines()

    return run


@pytest.mark.parametrize(
    ("labels", "warning"),
    [
        (
            ("name", "PER"),
            "app.py: warning: project 'default' and model tiny have not all labels in common;"
            " only the project: PER; only the model: address, book, company, game, government,"
            " movie, organization, position, scene",
        ),
        (
            (*CLUENER.labels, "PER"),
            "app.py: warning: project 'default' and model tiny have not all labels in common;"
            " only the project: PER; only the model: none",
        ),
        (CLUENER.labels[::-1], None),
    ],
)
def test_a_model_with_some_labels_of_the_project_starts_with_a_warning(
    serve, shared_tiny_checkpoint, tmp_path, labels, warning
):
    path = make_project(tmp_path / "a.db", *labels)
    status, lines = serve(
        KeyboardInterrupt(), "--checkpoint", shared_tiny_checkpoint, "--database", path
    )
    assert (status, lines) == (130, [*filter(None, [warning]), "app.py: interrupted"])


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            OSError(errno.EADDRINUSE, "Address already in use"),
            "app.py: expected a free port, got 127.0.0.1:7860; choose another with --port",
        ),
        (
            OSError("Cannot find empty port in range: 7860-7860. You can specify ..."),
            "app.py: expected a free port, got 127.0.0.1:7860; choose another with --port",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device", "a.js"),
            "app.py: a.js: No space left on device",
        ),
        (OSError(errno.EMFILE, "Too many open files"), "app.py: [Errno 24] Too many open files"),
    ],
)
def test_only_a_taken_port_is_called_a_taken_port(serve, shared_tiny_checkpoint, error, line):
    assert serve(error, "--checkpoint", shared_tiny_checkpoint) == (2, [line])


def test_the_environment_names_checkpoint_and_database(refuse, monkeypatch, tmp_path):
    monkeypatch.setenv("NER_CHECKPOINT", str(tmp_path / "from-environment"))
    assert "from-environment" in refuse()


@pytest.fixture
def two_checkpoints(shared_tiny_checkpoint, tmp_path) -> list[Path]:
    return [shared_tiny_checkpoint, Path(shutil.copytree(shared_tiny_checkpoint, tmp_path / "b"))]


@pytest.fixture
def offered(monkeypatch, tmp_path):
    """Runs app.py up to its pages; returns the names of the models that they get."""

    def run(*flags) -> tuple[str, ...]:
        names: list[str] = []
        monkeypatch.chdir(tmp_path)

        class Blocks:
            def launch(self, **_options):
                raise KeyboardInterrupt

        def build(_store, models, _settings):
            names.extend(models.names)
            return Blocks()

        monkeypatch.setattr(layout, "build", build)
        assert app.main([str(flag) for flag in flags]) == 130
        return tuple(names)

    return run


def test_several_checkpoints_are_offered_in_the_order_of_their_flags(offered, two_checkpoints):
    tiny, other = two_checkpoints
    assert offered("--checkpoint", other, "--checkpoint", tiny) == ("b", "tiny")


def test_the_environment_may_name_several_checkpoints(offered, two_checkpoints, monkeypatch):
    # An empty name is what a trailing separator leaves behind.
    value = os.pathsep.join([*map(str, two_checkpoints), ""])
    monkeypatch.setenv("NER_CHECKPOINT", value)
    assert offered() == ("tiny", "b")


def test_a_flag_replaces_all_that_the_environment_names(offered, two_checkpoints, monkeypatch):
    tiny, other = two_checkpoints
    monkeypatch.setenv("NER_CHECKPOINT", str(tiny))
    assert offered("--checkpoint", other) == ("b",)


def test_without_a_name_every_model_in_the_folder_of_models_is_offered(
    offered, two_checkpoints, monkeypatch, tmp_path
):
    tiny, other = two_checkpoints
    monkeypatch.delenv("NER_CHECKPOINT", raising=False)
    monkeypatch.setattr(app, "_BUNDLED_MODELS", tmp_path / "models")
    shutil.copytree(other, tmp_path / "models" / "another")
    shutil.copytree(tiny, tmp_path / "models" / "cluener-small")
    assert offered() == ("cluener-small", "another")


def test_a_damaged_second_checkpoint_stops_the_app_before_anybody_visits_it(
    refuse, two_checkpoints, tmp_path
):
    tiny, other = two_checkpoints
    (other / "model.safetensors").write_bytes(b"")
    line = refuse("--checkpoint", tiny, "--checkpoint", other)
    assert str(other) in line
    assert not (tmp_path / "annotations.db").exists()


def test_two_checkpoints_of_one_name_are_refused_in_one_line(
    refuse, shared_tiny_checkpoint, tiny_checkpoint
):
    line = refuse("--checkpoint", shared_tiny_checkpoint, "--checkpoint", tiny_checkpoint)
    assert line == (
        "app.py: expected models of different names, got 'tiny' from"
        f" {shared_tiny_checkpoint} and from {tiny_checkpoint}: rename a directory"
    )


def test_a_flag_goes_before_the_environment(refuse, monkeypatch, tmp_path):
    monkeypatch.setenv("NER_CHECKPOINT", str(tmp_path / "from-environment"))
    assert "from-flag" in refuse("--checkpoint", tmp_path / "from-flag")


def test_a_space_listens_on_every_address(monkeypatch):
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert app._parse([]).host == "127.0.0.1"
    monkeypatch.setenv("SPACE_ID", "someone/space")
    assert (app._parse([]).host, app._parse([]).port) == ("0.0.0.0", 7860)


def test_accounts_are_read_from_a_file_as_they_stand(tmp_path):
    path = tmp_path / "accounts"
    path.write_text("王芳:p:a ss\r\n\nannotator-1:x\n", encoding="utf-8")
    assert read_accounts(path) == [("王芳", "p:a ss"), ("annotator-1", "x")]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("alice:a\nsecret-without-name\n", ':2: expected "name:password", got another line'),
        (":secret\n", ":1: expected"),
        ("alice:\n", ":1: expected"),
        ("alice:secret\nalice:other\n", ":2: expected every name once, got 'alice' again"),
        ("\n\n", "expected at least one line"),
    ],
)
def test_a_wrong_auth_file_is_refused_without_showing_a_password(
    refuse, tmp_path, content, expected
):
    path = tmp_path / "accounts"
    path.write_text(content, encoding="utf-8")
    line = refuse("--auth-file", path)
    assert f"{path}{'' if expected.startswith(':') else ': '}{expected}" in line
    assert "secret" not in line.replace(str(path), "")


def test_a_missing_auth_file_is_named(refuse, tmp_path):
    assert "nobody" in refuse("--auth-file", tmp_path / "nobody")


def test_the_bundled_models_are_found_from_any_folder(offered, monkeypatch, tmp_path):
    monkeypatch.delenv("NER_CHECKPOINT", raising=False)
    monkeypatch.chdir(tmp_path)
    assert offered()[0] == "cluener-small"
