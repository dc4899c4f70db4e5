"""Changes of a project: its name, labels, their looks and guidelines, model, annotators per text.

Each function is one transaction, which other changes of the project and saves of its documents wait
for; it changes what it is asked to change and leaves the rest as somebody else may have just made
it. No function touches an annotation: see "Former names" in `annotation_store.projects`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select, true, update

from annotation_store.database import Database
from annotation_store.document_filter import has_label, suggests_label
from annotation_store.label_json import reading_json, unfold_label
from annotation_store.project_rows import find_project, read_projects
from annotation_store.projects import (
    MAX_NAME_CHARACTERS,
    LabelSettings,
    Project,
    ProjectSettings,
    check_length,
    check_project_name,
)
from annotation_store.saving import settle
from annotation_store.staging import count_staged
from annotation_store.tables import DocumentRow, PredictionRow, ProjectRow, RevisionRow
from ner_core.labels import LabelSet


class LabelInUse(ValueError):
    """A label that annotations have cannot be removed.

    Attributes:
        num_documents: How many documents have an entity of it, those of an import that is just
            entering the project included.
    """

    def __init__(self, label: str, num_documents: int) -> None:
        self.num_documents = num_documents
        super().__init__(
            f"expected a label without entities, got {label}, which {num_documents} documents have"
        )


def rename_project(database: Database, project: str, name: str) -> None:
    """Give a project another name.

    Raises:
        ValueError: There is no such project, or the name is blank, too long or taken.
    """
    check_project_name(name)
    with database.writing() as connection:
        project_id, _project = find_project(connection, project, for_update=True)
        if name != project and name in read_projects(connection):
            raise ValueError(f"expected a name that no project has, got {name!r}")
        _change(connection, project_id, {"name": name})


def set_model(database: Database, project: str, model: str | None) -> None:
    """Choose the model that suggests; None for the one that fits the labels best.

    Raises:
        ValueError: There is no such project.
    """
    with database.writing() as connection:
        project_id, found = find_project(connection, project, for_update=True)
        _set(connection, project_id, replace(found.settings, model=model))


def set_annotators_per_text(
    database: Database, project: str, annotators: int, *, percent: int
) -> None:
    """Say how many people label a text independently; see `annotation_store.independence`.

    Texts that wait for more versions than are wanted now are decided on at once, where those that
    there are say the same. What was decided before stays so.

    Args:
        database: Where the project is.
        project: Its name.
        annotators: How many people.
        percent: For which share of the texts.

    Raises:
        ValueError: There is no such project, or a number is out of its range.
    """
    with database.writing() as connection:
        project_id, found = find_project(connection, project, for_update=True)
        settings = replace(
            found.settings, annotators_per_text=annotators, independent_percent=percent
        )
        _set(connection, project_id, settings)
        undecided = connection.scalars(
            select(DocumentRow.id)
            .where(DocumentRow.project_id == project_id, DocumentRow.num_versions > 0)
            .order_by(DocumentRow.id)
        ).all()
        for document_id in undecided:
            settle(connection, document_id)


def set_guideline(database: Database, project: str, label: str | None, text: str) -> None:
    """Write down what a label means; for None, what holds for all labels.

    Raises:
        ValueError: There is no such project or label, or the text is too long.
    """
    if label is not None:
        change_label(database, project, label, guideline=text)
        return
    with database.writing() as connection:
        project_id, found = find_project(connection, project, for_update=True)
        _set(connection, project_id, replace(found.settings, guideline=text))


def change_label(
    database: Database,
    project: str,
    label: str,
    *,
    color: str | None = None,
    chinese: str | None = None,
    english: str | None = None,
    guideline: str | None = None,
) -> None:
    """Change how a label looks, what it is called or what it means; None leaves it as it is.

    Raises:
        ValueError: There is no such project or label, or a value is wrong (see `LabelSettings`).
    """
    wanted = {"color": color, "chinese": chinese, "english": english, "guideline": guideline}
    changes = {name: value for name, value in wanted.items() if value is not None}
    with database.writing() as connection:
        project_id, found = find_project(connection, project, for_update=True)
        found.check_label(label)
        settings = replace(found.settings.of(label), **changes)
        _set(connection, project_id, found.settings.with_label(label, settings))


def add_label(
    database: Database, project: str, label: str, settings: LabelSettings | None = None
) -> None:
    """Add a label behind the others. A model has to read the texts again to find its entities.

    Raises:
        ValueError: There is no such project, the label cannot be one or is there already, or it is
            the former name of another label.
    """
    check_label(label)
    with database.writing() as connection:
        project_id, found = find_project(connection, project, for_update=True)
        present = found.former_labels.get(label)
        if present is not None:
            raise ValueError(f"expected a new label, got {label!r}, the former name of {present!r}")
        former = {old: new for old, new in found.former_labels.items() if old != label}
        labels = LabelSet((*found.labels.labels, label))
        new_settings = found.settings.with_label(label, settings or LabelSettings())
        _change_labels(connection, project_id, labels, new_settings, former)
        _forget_predictions(connection, project_id)


def rename_label(database: Database, project: str, label: str, name: str) -> None:
    """Call a label by another name, in every annotation there is and was.

    Raises:
        ValueError: There is no such project or label, the name cannot be a label's, or another
            label has it or has had it.
    """
    check_label(name)
    with database.writing() as connection:
        project_id, found = find_project(connection, project, for_update=True)
        found.check_label(label)
        if name == label:
            return
        if name in found.former_labels and found.former_labels[name] != label:
            raise ValueError(f"expected a name that no other label has had, got {name!r}")
        labels = LabelSet(tuple(name if old == label else old for old in found.labels.labels))
        former = {
            old: name if present == label else present
            for old, present in found.former_labels.items()
            if old != name
        }
        by_label = {
            name if old == label else old: settings
            for old, settings in found.settings.labels.items()
        }
        settings = replace(found.settings, labels=by_label)
        _change_labels(connection, project_id, labels, settings, {**former, label: name})
        if _was_predicted(database, connection, project_id, name):
            _forget_predictions(connection, project_id)


def order_labels(database: Database, project: str, labels: Sequence[str]) -> None:
    """Put the labels in another order, which is that of the palette and its keys.

    Raises:
        ValueError: There is no such project, or these are not its labels.
    """
    with database.writing() as connection:
        project_id, found = find_project(connection, project, for_update=True)
        if sorted(labels) != sorted(found.labels.labels):
            raise ValueError(
                f"expected the labels {', '.join(found.labels.labels)} in another order,"
                f" got {', '.join(labels)}"
            )
        _change(connection, project_id, {"labels": list(labels)})


def remove_label(database: Database, project: str, label: str) -> None:
    """Remove a label that no document has an entity of. Suggestions of it are shown no longer.

    Raises:
        LabelInUse: Some document has one.
        ValueError: There is no such project or label, or it is the last one.
    """
    with database.writing() as connection:
        project_id, found = find_project(connection, project, for_update=True)
        found.check_label(label)
        num_documents = count_documents(connection, project_id, found, label)
        num_documents += count_staged(connection, project_id, found.names_of(label))
        if num_documents:
            raise LabelInUse(label, num_documents)
        if len(found.labels.labels) == 1:
            raise ValueError(f"expected another label beside {label!r}, got none")
        labels = LabelSet(tuple(other for other in found.labels.labels if other != label))
        by_label = {old: kept for old, kept in found.settings.labels.items() if old != label}
        former = {
            old: None if present == label else present
            for old, present in found.former_labels.items()
        }
        if _was_used(database, connection, project_id, found.names_of(label)):
            former[label] = None
        settings = replace(found.settings, labels=by_label)
        _change_labels(connection, project_id, labels, settings, former)
        _forget_predictions(connection, project_id)


def count_documents(connection: Connection, project_id: int, project: Project, label: str) -> int:
    """The number of documents that have an entity of a label now.

    Independent versions that wait for a decision are looked at, too: one of them may count soon.
    """
    counts = RevisionRow.number == DocumentRow.revision_number
    may_count = and_(RevisionRow.is_independent.is_(True), DocumentRow.num_versions > 0)
    query = (
        select(func.count(DocumentRow.id.distinct()))
        .select_from(DocumentRow)
        .join(RevisionRow, and_(RevisionRow.document_id == DocumentRow.id, or_(counts, may_count)))
        .where(
            DocumentRow.project_id == project_id,
            has_label(RevisionRow.label, project.names_of(label)),
        )
    )
    return connection.scalar(query) or 0


def count_label_documents(database: Database, *, project: str) -> dict[str, int]:
    """The number of documents that have an entity of each label now; unused labels are missing.

    Raises:
        ValueError: There is no such project.
    """
    by_label, _by_mention = unfold_label(RevisionRow.label)
    counts: Counter[str] = Counter()
    with reading_json(database) as connection:
        project_id, found = find_project(connection, project)
        rows = connection.execute(
            select(by_label.c.key.label("label"), func.count().label("num_documents"))
            .select_from(DocumentRow)
            .join(
                RevisionRow,
                (RevisionRow.document_id == DocumentRow.id)
                & (RevisionRow.number == DocumentRow.revision_number),
            )
            .join(by_label, true())
            .where(DocumentRow.project_id == project_id)
            .group_by(by_label.c.key)
        )
        for row in rows:
            counts[found.former_labels.get(row.label) or row.label] += row.num_documents
    return dict(counts)


def check_label(label: str) -> None:
    """Refuse what cannot be a label.

    Raises:
        ValueError: It has blanks, is too long, or cannot be stored.
    """
    check_length(label, MAX_NAME_CHARACTERS, "a label")
    LabelSet((label,))


def _was_used(
    database: Database, connection: Connection, project_id: int, names: Sequence[str]
) -> bool:
    """Whether any revision, old or new, has the label, confirmed or suggested."""
    found: ColumnElement[bool] = exists().where(
        RevisionRow.document_id == DocumentRow.id,
        DocumentRow.project_id == project_id,
        or_(
            has_label(RevisionRow.label, names),
            suggests_label(database, RevisionRow.suggestions, names),
        ),
    )
    return bool(connection.scalar(select(found)))


def _was_predicted(database: Database, connection: Connection, project_id: int, label: str) -> bool:
    """Whether a model has found entities of a label, under this very name."""
    found: ColumnElement[bool] = exists().where(
        PredictionRow.document_id == DocumentRow.id,
        DocumentRow.project_id == project_id,
        suggests_label(database, PredictionRow.spans, (label,)),
    )
    return bool(connection.scalar(select(found)))


def _change_labels(
    connection: Connection,
    project_id: int,
    labels: LabelSet,
    settings: ProjectSettings,
    former_labels: Mapping[str, str | None],
) -> None:
    values = {
        "labels": list(labels.labels),
        "settings": settings.to_json(),
        "former_labels": dict(former_labels),
    }
    _change(connection, project_id, values)


def _set(connection: Connection, project_id: int, settings: ProjectSettings) -> None:
    _change(connection, project_id, {"settings": settings.to_json()})


def _change(connection: Connection, project_id: int, values: Mapping[str, Any]) -> None:
    connection.execute(update(ProjectRow).where(ProjectRow.id == project_id).values(values))


def _forget_predictions(connection: Connection, project_id: int) -> None:
    """They were made for other labels."""
    connection.execute(
        update(DocumentRow)
        .where(DocumentRow.project_id == project_id, DocumentRow.predicted_by.is_not(None))
        .values(predicted_by=None)
    )
