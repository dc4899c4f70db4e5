"""The tables, with their rules as CHECK, UNIQUE and FOREIGN KEY constraints.

The steps in `migrations/` make them; a test compares the two. They also make triggers, which refuse
to change or delete a revision and to change a text.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)
from sqlalchemy import text as sql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from annotation_store.documents import SOURCES, STATUSES


class _Tolerant(TypeDecorator[Any]):
    """A column that hands over what it cannot read as it stands there.

    The functions of `rows` check what they get and name the document; an error from in here would
    end a whole fetch, without a word about the row.
    """

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """The type's own way to read a value, made tolerant."""
        read = super().result_processor(dialect, coltype)
        if read is None:
            return None

        def read_or_hand_over(value: Any) -> Any:
            try:
                return read(value)
            except (ValueError, TypeError, OverflowError, RecursionError):
                return value

        return read_or_hand_over


class Json(_Tolerant):
    """A JSON value."""

    impl = JSON
    cache_ok = True


class UtcDateTime(_Tolerant):
    """A moment, stored in UTC and read as aware: SQLite keeps no time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive moment, whose meaning would depend on the machine."""
        if value is None:
            return None
        assert value.tzinfo is not None, "expected an aware datetime"
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Name the zone again; PostgreSQL answers in the session's zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        return value.astimezone(UTC)


def _one_of(column: str, words: tuple[str, ...]) -> str:
    quoted = ", ".join(f"'{word}'" for word in words)
    return f"{column} IN ({quoted})"


class Base(DeclarativeBase):
    """All tables. Constraints have names, so that a later migration can name them too."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class ProjectRow(Base):
    """A project; `labels` is the list of its labels, in order.

    `settings` is the object of `annotation_store.projects.ProjectSettings`. `former_labels` maps
    each name that a label has had to its present name, or to null where the label was removed:
    revisions are never changed and keep the name of their day.
    """

    __tablename__ = "project"
    __table_args__ = (CheckConstraint("name <> ''", name="name_not_empty"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    labels: Mapped[list[str]] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    settings: Mapped[dict[str, Any]] = mapped_column(Json, server_default=sql("'{}'"))
    former_labels: Mapped[dict[str, str | None]] = mapped_column(Json, server_default=sql("'{}'"))


class DocumentRow(Base):
    """A text.

    `revision_number` and `status` are those of the revision that counts: the newest one, unless
    people label the text independently of each other (see `annotation_store.independence`). They
    change in the transaction that appends it: a listing would otherwise look up the revisions of
    every document to find those of one status. `num_revisions` is the number of the newest one.
    `num_versions` says how many people have labelled the text independently, and is 0 where it is
    decided which version counts.

    The queue sorts by `path_uncertainty` and `token_uncertainty`, from 0 to 1 and 0 while no model
    has read the text (see `ner_core.uncertainty`). They were measured by the model `predicted_by`,
    whose spans are in `PredictionRow`; `num_differences` counts the spans that only one of model
    and human has, and is null where one of the two has said nothing yet.
    """

    __tablename__ = "document"
    __table_args__ = (
        UniqueConstraint("project_id", "position"),
        # The digest stands for the text, which may be longer than an index entry can be.
        UniqueConstraint("project_id", "text_sha256"),
        Index(None, "project_id", "status", "position"),
        # With the position, by which the queue orders what is equally uncertain: all texts, until
        # a model has read them.
        Index(None, "project_id", "status", "path_uncertainty", "position"),
        Index(None, "project_id", "status", "token_uncertainty", "position"),
        Index(None, "project_id", "predicted_by"),
        Index(None, "project_id", "num_versions"),
        CheckConstraint("position >= 1", name="position_counts_from_one"),
        CheckConstraint("text <> ''", name="text_not_empty"),
        CheckConstraint("length(text_sha256) = 64", name="digest_is_sha256"),
        CheckConstraint("revision_number >= 0", name="revision_number_not_negative"),
        CheckConstraint("num_revisions >= revision_number", name="newest_is_not_before"),
        CheckConstraint("num_versions >= 0", name="num_versions_not_negative"),
        CheckConstraint(_one_of("status", STATUSES), name="status_is_known"),
        CheckConstraint("revision_number > 0 OR status = 'new'", name="unlabelled_is_new"),
        CheckConstraint(
            "path_uncertainty >= 0 AND path_uncertainty <= 1", name="path_uncertainty_is_share"
        ),
        CheckConstraint(
            "token_uncertainty >= 0 AND token_uncertainty <= 1", name="token_uncertainty_is_share"
        ),
        CheckConstraint("num_differences >= 0", name="num_differences_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    position: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    text_sha256: Mapped[str] = mapped_column(String(64))
    external_id: Mapped[str] = mapped_column(Text)
    revision_number: Mapped[int]
    status: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    path_uncertainty: Mapped[float] = mapped_column(Float, server_default=sql("0"))
    token_uncertainty: Mapped[float] = mapped_column(Float, server_default=sql("0"))
    predicted_by: Mapped[str | None] = mapped_column(Text)
    num_differences: Mapped[int | None]
    num_revisions: Mapped[int] = mapped_column(server_default=sql("0"))
    num_versions: Mapped[int] = mapped_column(server_default=sql("0"))


class RevisionRow(Base):
    """One version of a document's annotation; append-only.

    `label` is CLUENER's object with inclusive ends; `suggestions` is a list of
    {"start", "end", "label", "score"} with half-open offsets. `duration_s` is how long the
    annotator had the text in front of them, null when nobody took the time. `is_preannotated`
    marks an import whose spans a model or another tool made: they are its suggestions.
    `is_independent` marks one person's own version; see `annotation_store.independence`. `note` is
    what its author wants others to know, for example why they flagged the text.
    """

    __tablename__ = "revision"
    __table_args__ = (
        CheckConstraint("number >= 1", name="number_counts_from_one"),
        CheckConstraint("num_changes >= 0", name="num_changes_not_negative"),
        CheckConstraint("duration_s >= 0", name="duration_s_not_negative"),
        Index(None, "source", "annotator", "document_id"),
        CheckConstraint(_one_of("status", STATUSES), name="status_is_known"),
        CheckConstraint(_one_of("source", SOURCES), name="source_is_known"),
    )

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    label: Mapped[dict[str, Any]] = mapped_column(Json)
    suggestions: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    status: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(16))
    annotator: Mapped[str] = mapped_column(Text)
    num_changes: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    duration_s: Mapped[float | None] = mapped_column(Float)
    is_preannotated: Mapped[bool] = mapped_column(Boolean, server_default=false())
    is_independent: Mapped[bool] = mapped_column(Boolean, server_default=false())
    note: Mapped[str] = mapped_column(Text, server_default=sql("''"))


class PredictionRow(Base):
    """What the project's model finds in a text: replaced when another model reads it.

    `spans` is a list like a revision's `suggestions`.
    """

    __tablename__ = "prediction"

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), primary_key=True)
    model: Mapped[str] = mapped_column(Text)
    spans: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DocumentLabelRow(Base):
    """A label of an entity that a document shows, under the name that the label had that day.

    Of its newest revision's, confirmed or suggested; where no person has said anything yet, of the
    model's prediction. It repeats what stands in their JSON, which takes too long to look through.
    """

    __tablename__ = "document_label"
    __table_args__ = (Index(None, "label", "document_id"),)

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), primary_key=True)
    label: Mapped[str] = mapped_column(Text, primary_key=True)


class ProjectAnnotatorRow(Base):
    """Somebody who has saved or imported a revision in a project; models are left out."""

    __tablename__ = "project_annotator"

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), primary_key=True)
    annotator: Mapped[str] = mapped_column(Text, primary_key=True)


class StagedImportRow(Base):
    """An import that is under way; see `annotation_store.staging`.

    `labels` are those of its confirmed spans. `touched_at` is when it last moved.
    """

    __tablename__ = "staged_import"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    labels: Mapped[list[str]] = mapped_column(Json)
    is_complete: Mapped[bool] = mapped_column(Boolean)
    num_added: Mapped[int]
    touched_at: Mapped[datetime] = mapped_column(UtcDateTime)


class StagedDocumentRow(Base):
    """A text on its way into a project, with its first revision if it has one.

    The columns are those of `DocumentRow` and `RevisionRow`; `labels` become `DocumentLabelRow`s.
    """

    __tablename__ = "staged_document"
    __table_args__ = (UniqueConstraint("import_id", "text_sha256"),)

    import_id: Mapped[int] = mapped_column(ForeignKey("staged_import.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(Text)
    text_sha256: Mapped[str] = mapped_column(String(64))
    external_id: Mapped[str] = mapped_column(Text)
    revision_number: Mapped[int]
    status: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    label: Mapped[dict[str, Any]] = mapped_column(Json)
    suggestions: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    annotator: Mapped[str] = mapped_column(Text)
    num_changes: Mapped[int]
    is_preannotated: Mapped[bool] = mapped_column(Boolean)
    labels: Mapped[list[str]] = mapped_column(Json)
    note: Mapped[str] = mapped_column(Text, server_default=sql("''"))


class LeaseRow(Base):
    """Who works on a document, until when. `holder` is the token of one open page."""

    __tablename__ = "lease"
    __table_args__ = (
        Index(None, "holder"),
        CheckConstraint("holder <> ''", name="holder_not_empty"),
    )

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), primary_key=True)
    holder: Mapped[str] = mapped_column(String(64))
    annotator: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DismissalRow(Base):
    """A finding of the lint that somebody has looked at and found to be right as it is."""

    __tablename__ = "dismissal"

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), primary_key=True)
    finding: Mapped[str] = mapped_column(String(300), primary_key=True)
    annotator: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
