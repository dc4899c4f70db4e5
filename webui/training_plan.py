"""From accepted annotations to the trainer's command line: settings that suit their number."""

import json
import random
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from annotation_store.documents import digest_text
from annotation_store.projects import Project
from annotation_store.store import AnnotationStore, NewDocument
from ner_core.prediction import Predictor
from ner_core.spans import Example
from trainer.learning_curve import CURVE_FILE
from trainer.recipes import choose_recipe, read_encoder_config
from webui.training_job import Job
from webui.training_set import TrainingSet

# Sentences that a training reads in all its epochs, more or less: a few are read often, many
# seldom, and a run takes minutes on a processor.
_SENTENCES_READ: Final = 6000
_MOST_EPOCHS: Final = 20
_FEWEST_EPOCHS: Final = 3
# A model that goes on with its own head has little to learn and much to forget.
_CONTINUING_RATE: Final = 0.3
# Sentences of the original data for each correction, so that what it taught is not forgotten.
_ORIGINAL_PER_CORRECTION: Final = 2


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What somebody has decided about a training; None leaves it to the program.

    Attributes:
        epochs: Passes over the sentences at most.
        rate: Learning rates, as a share of those that the recipe has for this encoder.
        original_per_correction: Sentences of the original data mixed in for each correction.
        seed: Of everything random.
    """

    epochs: int | None = None
    rate: float | None = None
    original_per_correction: float | None = None
    seed: int = 42


@dataclass(frozen=True, slots=True)
class Plan:
    """A training before it is started.

    Attributes:
        base: The name of the model to start from.
        base_source: Its directory or Hub id.
        architecture: One of `trainer.config.ARCHITECTURES`.
        labels: In the order that the model will have.
        keeps_head: Whether the model has these labels already and goes on with its whole self.
        num_original: Sentences of the original data that are mixed in.
        num_sentences: Of one epoch.
        epochs: At most.
        rate: See `PlanOptions`.
        seed: Likewise.
    """

    base: str
    base_source: str
    architecture: str
    labels: tuple[str, ...]
    keeps_head: bool
    num_original: int
    num_sentences: int
    epochs: int
    rate: float
    seed: int

    @property
    def flags(self) -> list[str]:
        """The trainer's, but for the data and the output."""
        recipe = choose_recipe(read_encoder_config(self.base_source))
        flags = ["--encoder", self.base_source, "--architecture", self.architecture]
        if not any("," in label for label in self.labels):
            flags += ["--labels", ",".join(self.labels)]
        flags += ["--epochs", str(self.epochs), "--patience", str(max(2, self.epochs // 3))]
        for part in ("encoder", "head", "crf"):
            peak = getattr(recipe, f"{part}_learning_rate") * self.rate
            flags += [f"--{part}-learning-rate", f"{peak:g}"]
        # A minute: whoever cancels, or ends the app, loses no more than that.
        return [*flags, "--seed", str(self.seed), "--save-every-s", "60"]


def make_plan(
    training_set: TrainingSet,
    project: Project,
    predictor: Predictor,
    source: str,
    options: PlanOptions,
) -> Plan:
    """Settings that suit the data and the model."""
    own, known = project.labels.labels, predictor.labels.labels
    keeps_head = set(own) == set(known)
    per_correction = options.original_per_correction
    if per_correction is None:
        per_correction = _ORIGINAL_PER_CORRECTION
    num_corrections = len(training_set.train)
    num_original = min(len(training_set.original), round(num_corrections * per_correction))
    num_sentences = num_corrections + num_original
    suited = round(_SENTENCES_READ / max(1, num_sentences))
    return Plan(
        base=predictor.name,
        base_source=source,
        architecture=predictor.architecture,
        # In the model's own order: its head is kept only then.
        labels=known if keeps_head else own,
        keeps_head=keeps_head,
        num_original=num_original,
        num_sentences=num_sentences,
        epochs=options.epochs or min(_MOST_EPOCHS, max(_FEWEST_EPOCHS, suited)),
        rate=options.rate or (_CONTINUING_RATE if keeps_head else 1.0),
        seed=options.seed,
    )


def prepare_training(
    folder: Path, name: str, plan: Plan, training_set: TrainingSet, project: Project
) -> Job:
    """Write the data of a training and describe its job.

    The data are databases of one project: files of CLUENER JSON say nothing of labels that occur in
    none of their sentences, and the formats with a character in each line hold no blanks.
    """
    data = folder / f"{name}.data"
    data.mkdir(parents=True)
    chosen = random.Random(plan.seed).sample(training_set.original, plan.num_original)
    _write_database(data / "train.db", project, [*training_set.train, *chosen])
    _write_database(data / "dev.db", project, training_set.dev)
    return Job(
        name=name,
        kind="training",
        module="trainer.finetune",
        arguments=(
            *("--train", f"annotations={data / 'train.db'}"),
            *("--dev", f"annotations={data / 'dev.db'}"),
            *plan.flags,
            *("--output", str(folder / name)),
        ),
        project=project.name,
        about={
            **_describe(plan, training_set),
            "read_at": training_set.read_at.isoformat(),
        },
    )


def curve_name(project: Project) -> str:
    """The directory of a project's learning curve; a new one takes the place of the old one."""
    return f"curve-{digest_text(project.name)[:16]}"


def prepare_curve(folder: Path, plan: Plan, training_set: TrainingSet, project: Project) -> Job:
    """Write the data of a learning curve and describe its job; what an earlier one left goes."""
    name = curve_name(project)
    for path in (folder / name, *(folder / f"{name}.{part}" for part in ("run", "data"))):
        shutil.rmtree(path, ignore_errors=True)
    data = folder / f"{name}.data"
    data.mkdir(parents=True)
    _write_database(data / "train.db", project, training_set.train)
    _write_database(data / "dev.db", project, training_set.dev)
    cheap = replace(plan, epochs=max(_FEWEST_EPOCHS, plan.epochs // 2))
    encoder, source, *flags = cheap.flags
    return Job(
        name=name,
        kind="curve",
        module="trainer.learning_curve",
        arguments=(
            *("--train", f"annotations={data / 'train.db'}"),
            *("--dev", f"annotations={data / 'dev.db'}"),
            *(encoder, source, "--output", str(folder / name), "--", *flags),
        ),
        project=project.name,
        about=_describe(cheap, training_set),
    )


def read_curve(folder: Path, project: Project) -> dict[str, Any] | None:
    """A project's learning curve, as `trainer.learning_curve` wrote it; None before the first."""
    path = folder / curve_name(project) / CURVE_FILE
    try:
        curve: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return curve


def read_dev(folder: Path, job: Job) -> tuple[Example, ...]:
    """The sentences that a training was judged on.

    Raises:
        StoreError: They are gone.
    """
    path = folder / f"{job.name}.data" / "dev.db"
    with AnnotationStore.open(path, must_exist=True) as store:
        return tuple(store.examples())


def _describe(plan: Plan, training_set: TrainingSet) -> dict[str, Any]:
    return {
        **asdict(plan),
        "num_corrections": len(training_set.train),
        "num_dev": len(training_set.dev),
        "is_dev_held_out": training_set.is_dev_held_out,
    }


def _write_database(path: Path, project: Project, examples: Sequence[Example]) -> None:
    with AnnotationStore.open(path) as store:
        store.create_project("default", project.labels)
        store.add(
            NewDocument(text=it.text, spans=it.spans, external_id=it.id, status="accepted")
            for it in examples
        )
