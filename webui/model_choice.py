"""The models that the app offers, by name.

Pages ask here at each request and keep no model: what is on offer may change while the app runs.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from annotation_store.projects import Project
from ner_core.checkpoint import CONFIG_FILE
from ner_core.labels import LabelSet
from ner_core.prediction import Predictor


class ModelChoice:
    """Models in the order in which visitors see them; the first is the default.

    Args:
        predictors: At least one; no two of one name.
    """

    def __init__(self, predictors: Sequence[Predictor]) -> None:
        self._predictors = {predictor.name: predictor for predictor in predictors}
        assert 0 < len(self._predictors) == len(predictors), [p.name for p in predictors]

    @classmethod
    def load(cls, checkpoints: Sequence[str | Path]) -> "ModelChoice":
        """Load checkpoint directories or Hub ids; the first becomes the default.

        All at once: a damaged one is found out when the app starts and not by a visitor.

        Raises:
            CheckpointError: One of them cannot be used.
            ValueError: Two of them have one name, by which nobody could tell them apart.
        """
        predictors: list[Predictor] = []
        sources: dict[str, str | Path] = {}
        for checkpoint in checkpoints:
            predictor = Predictor.load(checkpoint)
            if predictor.name in sources:
                raise ValueError(
                    f"expected models of different names, got {predictor.name!r} from"
                    f" {sources[predictor.name]} and from {checkpoint}: rename a directory"
                )
            sources[predictor.name] = checkpoint
            predictors.append(predictor)
        return cls(predictors)

    def __iter__(self) -> Iterator[Predictor]:
        return iter(self._predictors.values())

    def __len__(self) -> int:
        return len(self._predictors)

    @property
    def default(self) -> Predictor:
        """The model of whoever names none."""
        return next(iter(self))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all models, in order."""
        return tuple(self._predictors)

    def find(self, name: object) -> Predictor | None:
        """The model of this name; None when there is none, whatever a request holds as a name."""
        return self._predictors.get(name) if isinstance(name, str) else None

    def best_for(self, labels: LabelSet) -> Predictor | None:
        """The model that knows most of the labels, of several the first; None if none knows any."""
        known = set(labels.labels)
        best = max(self, key=lambda predictor: len(known.intersection(predictor.labels.labels)))
        return None if known.isdisjoint(best.labels.labels) else best


def find_checkpoints(folder: Path, *, first: str) -> list[Path]:
    """The checkpoint directories in a folder by name, but the one called `first` before the others.

    Raises:
        ValueError: There is none.
    """
    # A checkpoint that is being written stands in a directory whose name begins with a dot.
    found = [path.parent for path in folder.glob(f"[!.]*/{CONFIG_FILE}")]
    if not found:
        raise ValueError(f"expected a checkpoint in {folder}, found none: name one by --checkpoint")
    return sorted(found, key=lambda path: (path.name != first, path.name))


def compare_labels(project: Project, models: ModelChoice) -> str | None:
    """What to warn of when no model has just the labels of a project; None when one has.

    Raises:
        ValueError: No model has any of them: none could suggest anything.
    """
    best = models.best_for(project.labels)
    if best is None:
        offered = " and ".join(f"{model.name} with {_list(model.labels)}" for model in models)
        raise ValueError(
            f"expected a model with labels of project {project.name!r} ({_list(project.labels)}),"
            f" got {offered}: choose another --database or --checkpoint"
        )
    known, predicted = set(project.labels.labels), set(best.labels.labels)
    if known == predicted:
        return None
    return (
        f"project {project.name!r} and model {best.name} have not all labels"
        f" in common; only the project: {', '.join(sorted(known - predicted)) or 'none'};"
        f" only the model: {', '.join(sorted(predicted - known)) or 'none'}"
    )


def _list(labels: LabelSet) -> str:
    return ", ".join(labels.labels)
