"""Which models the app offers, which one is the default, and which one fits a project."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from annotation_store.projects import Project, ProjectSettings
from ner_core.labels import CLUENER, MSRA, LabelSet
from ner_core.model_directory import CheckpointError
from webui.model_choice import ModelChoice, compare_labels, find_checkpoints


def model(name: str, *labels: str) -> Any:
    """Stands in for a `Predictor`."""
    return SimpleNamespace(name=name, labels=LabelSet(labels))


CLUENER_MODEL = model("cluener", *CLUENER.labels)
MSRA_MODEL = model("msra", *MSRA.labels)


def test_the_first_model_is_the_default_and_all_keep_their_order():
    models = ModelChoice([MSRA_MODEL, CLUENER_MODEL])
    assert models.default is MSRA_MODEL
    assert models.names == ("msra", "cluener")
    assert [*models] == [MSRA_MODEL, CLUENER_MODEL]
    assert len(models) == 2


@pytest.mark.parametrize("name", ["", "MSRA", None, 0, ["msra"], {}])
def test_what_names_no_model_finds_none(name):
    models = ModelChoice([CLUENER_MODEL, MSRA_MODEL])
    assert models.find("msra") is MSRA_MODEL
    assert models.find(name) is None


@pytest.mark.parametrize(
    ("labels", "best"),
    [
        (CLUENER.labels, "cluener"),
        (MSRA.labels, "msra"),
        (("ORG",), "msra"),
        (("name", "PER", "LOC"), "msra"),  # two of its labels against one
        (("name", "PER"), "cluener"),  # one each: the first
        (("gene",), None),
    ],
)
def test_the_model_that_knows_most_labels_of_a_project_fits_it_best(labels, best):
    found = ModelChoice([CLUENER_MODEL, MSRA_MODEL]).best_for(LabelSet(labels))
    assert (found.name if found else None) == best


def test_the_default_model_fits_best_among_those_of_the_same_labels():
    mine = model("mine", *MSRA.labels)
    assert ModelChoice([mine, CLUENER_MODEL, MSRA_MODEL]).best_for(MSRA) is mine


@pytest.mark.parametrize(
    ("chosen", "suggesting"),
    [(None, "cluener"), ("mine", "mine"), ("gone", "cluener"), ("msra", "cluener")],
)
def test_a_project_gets_the_model_it_has_chosen_if_that_can_help(chosen, suggesting):
    models = ModelChoice([CLUENER_MODEL, model("mine", "name", "river"), MSRA_MODEL])
    project = Project("p", LabelSet(("name", "company")), ProjectSettings(model=chosen))
    found = models.for_project(project)
    assert found is not None
    assert found.name == suggesting


def test_a_model_helps_a_project_whose_labels_it_knows_by_former_names():
    models = ModelChoice([MSRA_MODEL, CLUENER_MODEL])
    project = Project("p", LabelSet(("firm",)), former_labels={"company": "firm", "PER": None})
    assert models.for_project(project) is CLUENER_MODEL


def test_a_model_put_to_use_comes_first_and_the_old_one_stays_on_offer(
    shared_tiny_checkpoint: Path,
) -> None:
    models = ModelChoice([CLUENER_MODEL, MSRA_MODEL], {"cluener": "models/cluener"})
    before = models.default
    used = models.use(shared_tiny_checkpoint)
    assert models.default is used
    assert models.names == ("tiny", "cluener", "msra")
    assert models.find("cluener") is before
    assert models.best_for(CLUENER) is used
    assert models.generation == 1
    assert models.source_of("tiny") == str(shared_tiny_checkpoint)
    assert models.source_of("cluener") == "models/cluener"
    assert models.source_of("msra") is None


def test_going_back_to_a_model_that_is_on_offer_loads_nothing(shared_tiny_checkpoint: Path) -> None:
    models = ModelChoice([CLUENER_MODEL])
    models.use(shared_tiny_checkpoint)
    assert models.use("anywhere/cluener") is CLUENER_MODEL
    assert models.names == ("cluener", "tiny")
    assert models.generation == 2


def test_a_checkpoint_that_cannot_be_used_changes_nothing(tmp_path: Path) -> None:
    models = ModelChoice([CLUENER_MODEL])
    with pytest.raises(CheckpointError):
        models.use(tmp_path / "nowhere")
    assert models.names == ("cluener",)
    assert models.generation == 0


def test_models_put_to_use_at_once_are_all_on_offer(
    shared_tiny_checkpoint: Path, tmp_path: Path
) -> None:
    models = ModelChoice([CLUENER_MODEL])
    checkpoints = [
        Path(shutil.copytree(shared_tiny_checkpoint, tmp_path / f"m{n}")) for n in range(6)
    ]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(models.use, checkpoints))
    assert set(models.names) == {"cluener", *(f"m{n}" for n in range(6))}
    assert models.generation == 6
    assert models.default is not CLUENER_MODEL


def test_checkpoints_are_loaded_in_their_order(shared_tiny_checkpoint, tmp_path):
    other = shutil.copytree(shared_tiny_checkpoint, tmp_path / "other")
    models = ModelChoice.load([other, str(shared_tiny_checkpoint)])
    assert models.names == ("other", "tiny")


def test_two_checkpoints_of_one_name_are_refused_with_both_places(shared_tiny_checkpoint, tmp_path):
    twin = shutil.copytree(shared_tiny_checkpoint, tmp_path / "runs" / "tiny")
    with pytest.raises(ValueError, match="different names, got 'tiny' from") as caught:
        ModelChoice.load([shared_tiny_checkpoint, twin])
    assert str(shared_tiny_checkpoint) in str(caught.value)
    assert str(twin) in str(caught.value)


def test_a_damaged_checkpoint_is_found_out_at_once_wherever_it_stands(
    shared_tiny_checkpoint, tmp_path
):
    broken = shutil.copytree(shared_tiny_checkpoint, tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match="broken"):
        ModelChoice.load([shared_tiny_checkpoint, broken])


def test_the_checkpoints_of_a_folder_are_found_the_wanted_one_first(tmp_path):
    for name in ("b", "a", "main", ".main.1f3a", "notes"):
        (tmp_path / name).mkdir()
        if name != "notes":
            (tmp_path / name / "config.json").write_text("{}", encoding="utf-8")
    (tmp_path / "README.md").write_text("", encoding="utf-8")
    found = find_checkpoints(tmp_path, first="main")
    assert [path.name for path in found] == ["main", "a", "b"]
    assert [path.name for path in find_checkpoints(tmp_path, first="z")] == ["a", "b", "main"]


def test_a_folder_without_checkpoints_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"expected a checkpoint in .*, found none.*--checkpoint"):
        find_checkpoints(tmp_path / "models", first="main")


def test_labels_are_compared_with_those_of_the_model_that_fits_best():
    models = ModelChoice([CLUENER_MODEL, MSRA_MODEL])
    assert compare_labels(Project("default", LabelSet(("ORG", "LOC", "PER"))), models) is None
    assert compare_labels(Project("default", LabelSet(("PER", "LOC", "TIME"))), models) == (
        "project 'default' and model msra have not all labels in common; only the project: TIME;"
        " only the model: ORG"
    )


def test_a_project_that_no_model_fits_is_refused_with_the_labels_of_all():
    models = ModelChoice([model("one", "a", "b"), model("two", "c")])
    with pytest.raises(ValueError) as caught:
        compare_labels(Project("genes", LabelSet(("gene",))), models)
    assert str(caught.value) == (
        "expected a model with labels of project 'genes' (gene), got one with a, b and two with c:"
        " choose another --database or --checkpoint"
    )
