"""Rows of projects into plain values, and the queries that fetch them."""

import reprlib
from typing import Any

from sqlalchemy import Connection, Row, select

from annotation_store.projects import Project, read_former_labels, read_settings
from annotation_store.stored_values import check_stored_text, naming
from annotation_store.tables import ProjectRow
from ner_core.labels import LabelSet

# What `to_project` reads.
PROJECT_COLUMNS = (
    ProjectRow.name,
    ProjectRow.labels,
    ProjectRow.settings,
    ProjectRow.former_labels,
)


def read_projects(connection: Connection) -> dict[str, Project]:
    """All projects by name, the oldest first.

    Raises:
        DamagedRow: One of them cannot be read.
    """
    rows = connection.execute(select(*PROJECT_COLUMNS).order_by(ProjectRow.id))
    return {row.name: to_project(row) for row in rows}


def find_project(
    connection: Connection, name: str, *, for_update: bool = False, for_share: bool = False
) -> tuple[int, Project]:
    """A project and its id.

    Args:
        connection: In a transaction.
        name: The project's name.
        for_update: Make other transactions that want to add documents to it, or to change it, wait.
            PostgreSQL needs this; SQLite has one writer at a time.
        for_share: Make those wait that want to change it, and nobody else.

    Raises:
        ValueError: There is none of this name.
        DamagedRow: It cannot be read.
    """
    query = select(ProjectRow.id, *PROJECT_COLUMNS).where(ProjectRow.name == name)
    if for_update or for_share:
        query = query.with_for_update(read=not for_update)
    row = connection.execute(query).first()
    if row is None:
        names = ", ".join(map(repr, read_projects(connection))) or "(none yet)"
        raise ValueError(f"expected one of the projects {names}, got {name!r}")
    return row.id, to_project(row)


def to_project(row: Row[Any]) -> Project:
    """A row with the PROJECT_COLUMNS as a project.

    Raises:
        DamagedRow: The project cannot be read.
    """
    with naming(f"project {row.name!r}"):
        check_stored_text(row.name, "the project's name")
        if not isinstance(row.labels, list) or any(type(label) is not str for label in row.labels):
            raise ValueError(f"expected a list of labels, got {reprlib.repr(row.labels)}")
        return Project(
            row.name,
            LabelSet(tuple(row.labels)),
            read_settings(row.settings),
            read_former_labels(row.former_labels),
        )
