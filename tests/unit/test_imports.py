"""The import rules of architecture.md; the layers themselves are listed in pyproject.toml."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("ner_core", "annotation_store", "trainer", "webui", "benchmarks")


def test_imports_go_one_way():
    # In a process of its own: import-linter switches off the loggers of the one it runs in.
    program = "import sys; from importlinter.cli import lint_imports as lint; sys.exit(lint())"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_entry_point_leaves_database_and_pages_to_their_packages():
    """import-linter looks at packages only, and app.py is a module."""
    tree = ast.parse((ROOT / "app.py").read_text("utf-8"))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.split(".")[0])
    assert "webui" in imported
    assert not imported & {"sqlalchemy", "alembic", "gradio", "torch"}


def modules_loaded_by(module):
    """Names of all modules that a fresh interpreter has loaded after importing the module."""
    program = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module",
    [
        *("spans", "labels", "formats", "conll", "evaluation", "error_analysis"),
        *("seen_mentions", "error_excerpts", "agreement", "findings"),
    ],
)
def test_data_loads_without_torch_and_numpy(module):
    loaded = modules_loaded_by(f"ner_core.{module}")
    assert not loaded & {"torch", "numpy", "transformers", "gradio", "sqlalchemy"}


@pytest.mark.parametrize(
    "module",
    [
        *("ner_core.predict", "ner_core.evaluate", "ner_core.lint"),
        *("trainer.finetune", "trainer.pretrain"),
    ],
)
def test_a_wrong_flag_is_answered_without_waiting_for_torch(module):
    program = (
        f"import sys, {module} as command\n"
        "try: command.main(['--no-such-flag'])\n"
        "except SystemExit as end: print(end.code, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["2", "False"]
    assert "(see --help)" in done.stderr


def test_every_package_file_holds_a_docstring_and_nothing_else():
    package_files = [path for name in PACKAGES for path in (ROOT / name).rglob("__init__.py")]
    assert {path.parent.name for path in package_files} >= set(PACKAGES)
    for path in package_files:
        body = ast.parse(path.read_text("utf-8")).body
        assert len(body) == 1 and ast.get_docstring(ast.Module(body, [])), path
