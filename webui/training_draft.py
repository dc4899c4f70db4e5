"""A training as it would be if somebody started it now, and whether that can be done."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from annotation_store.projects import Project
from annotation_store.store import AnnotationStore
from ner_core.prediction import Predictor
from webui.messages import Refusal
from webui.model_choice import ModelChoice
from webui.texts import TEXTS, Language
from webui.trained_models import find_trained_models
from webui.training_job import TrainingJobs
from webui.training_plan import Plan, PlanOptions, make_plan
from webui.training_set import ReferenceFiles, TrainingSet, collect_training_set

MIN_TRAIN: Final = 5
"""Fewer sentences than this teach a model nothing but themselves."""

LIMITS: Final = {
    "epochs": (1, 200),
    "rate": (0.001, 10.0),
    "mix": (0.0, 1000.0),
    "seed": (0, 2**32 - 1),
}
"""Of the advanced fields: name of the field, lowest, highest value."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a training would be.

    Attributes:
        project: Whose annotations it would learn from.
        predictor: The model that it would go on from.
        data: What it would learn from and be judged on.
        plan: Its settings; None when there is no checkpoint to go on from.
        read_at: When the data of that model was read; None if it was not trained on this project.
    """

    project: Project
    predictor: Predictor
    data: TrainingSet
    plan: Plan | None
    read_at: datetime | None


class Drafts:
    """Makes drafts of what the store and the models hold at the moment.

    Args:
        store: Where the annotations are.
        models: What is on offer.
        jobs: Their folder has the models that were trained here.
    """

    def __init__(self, store: AnnotationStore, models: ModelChoice, jobs: TrainingJobs) -> None:
        self._store = store
        self._models = models
        self._jobs = jobs

    def make(self, project: Project, options: PlanOptions, *, is_from_root: bool = False) -> Draft:
        """A training from the model in use, or from the one that all of the project's came from."""
        predictor = self._models.for_project(project) or self._models.default
        source = self._models.source_of(predictor.name)
        trained = {it.name: it for it in find_trained_models(self._jobs.folder, project.name)}
        read_at = trained[predictor.name].read_at if predictor.name in trained else None
        if is_from_root:
            # A model that has learned from the corrections already would make a flat curve.
            name = predictor.name
            while name in trained:
                about = trained[name].about
                name, source = about["base"], about["base_source"]
            if name != predictor.name and source is not None:
                predictor = self._models.find(name) or Predictor.load(source)
        files = ReferenceFiles(self._jobs.folder, project)
        data = collect_training_set(self._store, project, files, since=read_at)
        plan = make_plan(data, project, predictor, source, options) if source else None
        return Draft(project, predictor, data, plan, read_at)

    def check(self, draft: Draft, language: Language) -> Plan:
        """The plan of a draft, if it can be carried out now.

        Raises:
            Refusal: It cannot; the message says what is missing.
        """
        lack = find_lack(draft, language)
        if lack is not None:
            raise Refusal(lack)
        if self._jobs.status().state == "running":
            raise Refusal(TEXTS[language]["train.busy"])
        assert draft.plan is not None
        return draft.plan


def find_lack(draft: Draft, language: Language) -> str | None:
    """What a training would need and does not have, in the visitor's language; None if nothing."""
    texts = TEXTS[language]
    count = len(draft.data.train)
    if draft.plan is None:
        return texts["train.no_base"].format(model=draft.predictor.name)
    if count < MIN_TRAIN:
        return texts["train.too_few"].format(limit=MIN_TRAIN, count=count)
    return None if draft.data.dev else texts["train.no_dev"]


def read_options(
    epochs: object, rate: object, mix: object, seed: object, language: Language
) -> PlanOptions:
    """The advanced fields, each as the field's text or as a number; an empty one decides nothing.

    Raises:
        Refusal: One of them is no number, or not within `LIMITS`.
    """
    values = {"epochs": epochs, "rate": rate, "mix": mix, "seed": seed}
    numbers = {name: _check_number(name, value, language) for name, value in values.items()}
    return PlanOptions(
        epochs=None if numbers["epochs"] is None else int(numbers["epochs"]),
        rate=numbers["rate"],
        original_per_correction=numbers["mix"],
        seed=42 if numbers["seed"] is None else int(numbers["seed"]),
    )


def _check_number(name: str, value: object, language: Language) -> float | None:
    """The number in a field, as the field's text or as a number; None for an empty field."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    low, high = LIMITS[name]
    try:
        number = float(value) if isinstance(value, str | int | float) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if isinstance(value, bool) or not low <= number <= high:  # never true of nan
        texts = TEXTS[language]
        label = texts[f"train.{name}"]
        raise Refusal(
            texts["train.bad_number"].format(name=label, low=f"{low:g}", high=f"{high:g}")
        )
    return number
