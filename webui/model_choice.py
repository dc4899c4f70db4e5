"""The models that the app offers, by name.

Pages ask here at each request and keep no model: what is on offer changes while the app runs, when
a model that was trained on its corrections is put to use. A request that has found its model goes
on with it, whatever is on offer meanwhile.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from annotation_store.projects import Project
from ner_core.checkpoint import CONFIG_FILE
from ner_core.labels import LabelSet
from ner_core.prediction import Predictor


@dataclass(frozen=True, slots=True)
class _Offer:
    """What is on offer at one moment; replaced as a whole, so that no reader sees half a change.

    Attributes:
        predictors: By name, in the order in which visitors see them.
        sources: Where those that came from a directory or the Hub were loaded from, by name.
        generation: How often the offer has changed.
    """

    predictors: Mapping[str, Predictor]
    sources: Mapping[str, str] = field(default_factory=dict)
    generation: int = 0


class ModelChoice:
    """Models in the order in which visitors see them; the first is the default. Thread-safe.

    Args:
        predictors: At least one; no two of one name.
        sources: Directory or Hub id of each, by name; those that have none cannot be trained on.
    """

    def __init__(
        self, predictors: Sequence[Predictor], sources: Mapping[str, str] | None = None
    ) -> None:
        by_name = {predictor.name: predictor for predictor in predictors}
        assert 0 < len(by_name) == len(predictors), [p.name for p in predictors]
        self._offer = _Offer(by_name, dict(sources or {}))
        self._changing = threading.Lock()

    @classmethod
    def load(cls, checkpoints: Sequence[str | Path]) -> "ModelChoice":
        """Load checkpoint directories or Hub ids; the first becomes the default.

        All at once: a damaged one is found out when the app starts and not by a visitor.

        Raises:
            CheckpointError: One of them cannot be used.
            ValueError: Two of them have one name, by which nobody could tell them apart.
        """
        predictors: list[Predictor] = []
        sources: dict[str, str] = {}
        for checkpoint in checkpoints:
            predictor = Predictor.load(checkpoint)
            if predictor.name in sources:
                raise ValueError(
                    f"expected models of different names, got {predictor.name!r} from"
                    f" {sources[predictor.name]} and from {checkpoint}: rename a directory"
                )
            sources[predictor.name] = str(checkpoint)
            predictors.append(predictor)
        return cls(predictors, sources)

    def use(self, checkpoint: str | Path) -> Predictor:
        """Make a checkpoint the default; the others stay on offer behind it.

        One that is on offer under the same name is not loaded again: a checkpoint that was written
        never changes.

        Raises:
            CheckpointError: It cannot be used; the offer stays as it was.
        """
        known = self.find(Path(checkpoint).name)
        # Loaded before the lock is taken: nobody waits for it.
        predictor = known or Predictor.load(checkpoint)
        with self._changing:
            offer = self._offer
            others = {n: p for n, p in offer.predictors.items() if n != predictor.name}
            sources = {predictor.name: str(checkpoint), **offer.sources}
            self._offer = _Offer(
                {predictor.name: predictor, **others}, sources, offer.generation + 1
            )
        return predictor

    def __iter__(self) -> Iterator[Predictor]:
        return iter(self._offer.predictors.values())

    def __len__(self) -> int:
        return len(self._offer.predictors)

    @property
    def default(self) -> Predictor:
        """The model of whoever names none."""
        return next(iter(self))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all models, in order."""
        return tuple(self._offer.predictors)

    @property
    def generation(self) -> int:
        """How often the offer has changed since the app started."""
        return self._offer.generation

    def find(self, name: object) -> Predictor | None:
        """The model of this name; None when there is none, whatever a request holds as a name."""
        return self._offer.predictors.get(name) if isinstance(name, str) else None

    def source_of(self, name: str) -> str | None:
        """The directory or Hub id that a model was loaded from; None where there is none."""
        return self._offer.sources.get(name)

    def for_project(self, project: Project) -> Predictor | None:
        """The model that suggests in a project: the one it has chosen, or the one that fits best.

        A chosen one that is not on offer, or knows no label of the project, is passed over; None if
        no model knows any.
        """
        known = project.known_names
        chosen = self.find(project.settings.model)
        if chosen and not set(known.labels).isdisjoint(chosen.labels.labels):
            return chosen
        return self.best_for(known)

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
