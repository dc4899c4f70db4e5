"""The models that were trained here: what is known of each, and which one a project uses.

The trainer leaves a checkpoint in FOLDER/NAME. Two files are added to it:

    training.json     the job's `about`: from which model, on how many corrections, read when
    comparison.json   the model against the one it was trained from, on the same dev sentences
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from annotation_store.projects import Project
from ner_core.checkpoint import CONFIG_FILE, METRICS_FILE
from ner_core.comparison_report import ComparisonReport
from ner_core.evaluation import SpanCounts, count_spans
from ner_core.model_directory import CheckpointError
from ner_core.prediction import Predictor
from ner_core.significance import compare
from ner_core.spans import Example
from webui.model_choice import ModelChoice
from webui.training_job import Job
from webui.training_plan import read_dev

_TRAINING_FILE: Final = "training.json"
_COMPARISON_FILE: Final = "comparison.json"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A model that was trained here.

    Attributes:
        name: Of its directory, and on all pages.
        path: That directory.
        project: The project whose corrections it learned from.
        about: What was remembered with its job; see `webui.training_plan`.
        dev_f1: Strict micro F1 on the sentences it was judged on.
        comparison: With the model it was trained from, as `ComparisonReport.to_json`; None while
            nobody has compared them.
    """

    name: str
    path: Path
    project: str
    about: dict[str, Any]
    dev_f1: float
    comparison: dict[str, Any] | None

    @property
    def read_at(self) -> datetime:
        """When its data was read from the store."""
        return datetime.fromisoformat(self.about["read_at"])


def find_trained_models(folder: Path, project: str) -> list[TrainedModel]:
    """A project's trained models, the newest first."""
    found = [read_trained_model(path.parent) for path in folder.glob(f"*/{_TRAINING_FILE}")]
    own = [model for model in found if model is not None and model.project == project]
    return sorted(own, key=lambda model: model.read_at, reverse=True)


def read_trained_model(path: Path) -> TrainedModel | None:
    """The model of a directory; None if it is none yet, or its files are damaged."""
    if not (path / _TRAINING_FILE).exists():
        return None
    try:
        training = json.loads((path / _TRAINING_FILE).read_text(encoding="utf-8"))
        metrics = json.loads((path / METRICS_FILE).read_text(encoding="utf-8"))
        comparison = None
        if (path / _COMPARISON_FILE).exists():
            comparison = json.loads((path / _COMPARISON_FILE).read_text(encoding="utf-8"))
        model = TrainedModel(
            name=path.name,
            path=path,
            project=training["project"],
            about=training["about"],
            dev_f1=metrics["dev"]["micro"]["f1"],
            comparison=comparison,
        )
        assert model.read_at
    except (OSError, ValueError, KeyError, TypeError) as error:
        logger.warning("%s holds no trained model that can be read: %s", path, error)
        return None
    return model


def finish_training(folder: Path, job: Job, project: Project) -> TrainedModel | None:
    """Compare what a training has made with the model it began from, and keep the result.

    What is done already is not done again: an app that was killed in between goes on here.

    Raises:
        CheckpointError: One of the models cannot be loaded.
        StoreError: The sentences to compare on are gone.
    """
    path = folder / job.name
    if not (path / CONFIG_FILE).is_file():
        return None
    # First: the model can be used even if it cannot be compared.
    if not (path / _TRAINING_FILE).exists():
        _write(path / _TRAINING_FILE, {"project": job.project, "about": dict(job.about)})
    if not (path / _COMPARISON_FILE).exists():
        old, new = Predictor.load(job.about["base_source"]), Predictor.load(path)
        report = compare_models(old, new, read_dev(folder, job), project)
        _write(path / _COMPARISON_FILE, report.to_json())
    return read_trained_model(path)


def compare_models(
    old: Predictor, new: Predictor, examples: Sequence[Example], project: Project
) -> ComparisonReport:
    """Two models on the same sentences, in the labels of a project (paired bootstrap).

    Raises:
        ValueError: There is no sentence.
    """
    gold = [example.spans for example in examples]
    texts = [example.text for example in examples]

    def count(predictor: Predictor) -> list[SpanCounts]:
        predicted = [project.adopt(it.spans) for it in predictor.predict(texts)]
        return count_spans(gold, predicted, texts, project.labels)

    return ComparisonReport(old.name, new.name, compare(count(old), count(new)))


def restore_models(models: ModelChoice, folder: Path, projects: Sequence[Project]) -> list[str]:
    """Put the trained models that projects have chosen back to use, after the app was started.

    The first project's model ends up as the default. One that cannot be loaded is passed over.

    Returns:
        What to warn of, one line each.
    """
    problems = []
    for project in reversed(projects):
        name = project.settings.model
        if name is None:
            continue
        is_trained_here = Path(name).name == name and (folder / name / CONFIG_FILE).is_file()
        if models.find(name) is None and not is_trained_here:
            problems.append(
                f"project {project.name!r} uses model {name!r}, which is not on offer:"
                f" {models.default.name!r} takes its place"
            )
            continue
        try:
            models.use(folder / name)
        except CheckpointError as error:
            problems.append(str(error))
    return problems


def _write(path: Path, content: dict[str, Any]) -> None:
    temporary = path.with_name(f".{path.name}")
    temporary.write_text(json.dumps(content, ensure_ascii=False, indent=2), encoding="utf-8")
    temporary.replace(path)
