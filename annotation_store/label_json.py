"""The JSON columns of revisions as tables inside a query, on SQLite and PostgreSQL."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    SQLColumnExpression,
    String,
    TableValuedAlias,
    case,
    column,
    func,
)
from sqlalchemy.exc import DBAPIError

from annotation_store.database import Database
from annotation_store.documents import StoreError

# What SQLite and PostgreSQL say of a text that is no JSON.
_BROKEN_JSON: Final = ("malformed JSON", "invalid input syntax for type json")


@contextmanager
def reading_json(database: Database) -> Iterator[Connection]:
    """A reading transaction in which JSON that is none is the database's fault, not a bug."""
    with database.reading() as connection:
        try:
            yield connection
        except DBAPIError as error:
            if any(words in str(error.orig) for words in _BROKEN_JSON):
                raise StoreError(
                    "expected JSON in every revision, got something else; `python -m"
                    f" annotation_store verify` says where ({database.name})"
                ) from error
            raise


def unfold_label(label: SQLColumnExpression[Any]) -> tuple[TableValuedAlias, TableValuedAlias]:
    """CLUENER's `label` object as tables: (label, its mentions) and (mention, its positions)."""
    by_label = func.json_each(label).table_valued(
        column("key", String), column("value", JSON), name="by_label"
    )
    by_mention = func.json_each(by_label.c.value).table_valued(
        column("key", String), column("value", JSON), name="by_mention"
    )
    return by_label, by_mention


def unfold_array(
    array: SQLColumnExpression[Any], database: Database, name: str
) -> TableValuedAlias:
    """The items of a JSON array as a table with the column `value`."""
    unfold = func.json_each if database.dialect == "sqlite" else func.json_array_elements
    return unfold(array).table_valued(column("value", JSON), name=name)


def present_name(
    label: ColumnElement[str], former_labels: Mapping[str, str | None]
) -> ColumnElement[str]:
    """A label under its present name, as `annotation_store.projects.use_present_name` says it."""
    renamed = {old: name for old, name in former_labels.items() if name is not None}
    return case(renamed, value=label, else_=label) if renamed else label
