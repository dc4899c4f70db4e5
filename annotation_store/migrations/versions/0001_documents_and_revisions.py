"""Projects, documents and their append-only revisions.

A step never imports the models: it has to make the same tables for ever. A later step that copies
one of these tables (Alembic's batch mode, on SQLite) has to make its triggers again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATUS_IS_KNOWN = "status IN ('new', 'accepted', 'rejected', 'ignored', 'flagged')"
SOURCE_IS_KNOWN = "source IN ('model', 'human', 'import')"

# What must never change: (trigger, table, event, message).
RULES = (
    ("revision_no_update", "revision", "UPDATE", "a revision is never changed"),
    ("revision_no_delete", "revision", "DELETE", "a revision is never deleted"),
    (
        "document_no_text_update",
        "document",
        "UPDATE OF text, text_sha256",
        "a text is never changed",
    ),
)


def upgrade() -> None:
    op.create_table(
        "project",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_project"),
        sa.UniqueConstraint("name", name="uq_project_name"),
        sa.CheckConstraint("name <> ''", name=op.f("ck_project_name_not_empty")),
    )
    op.create_table(
        "document",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("project_id", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("text_sha256", sa.String(64), nullable=False),
        sa.Column("external_id", sa.Text, nullable=False),
        sa.Column("revision_number", sa.Integer, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_document"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name="fk_document_project_id_project"
        ),
        sa.UniqueConstraint("project_id", "position", name="uq_document_project_id_position"),
        sa.UniqueConstraint("project_id", "text_sha256", name="uq_document_project_id_text_sha256"),
        sa.CheckConstraint("position >= 1", name=op.f("ck_document_position_counts_from_one")),
        sa.CheckConstraint("text <> ''", name=op.f("ck_document_text_not_empty")),
        sa.CheckConstraint("length(text_sha256) = 64", name=op.f("ck_document_digest_is_sha256")),
        sa.CheckConstraint(
            "revision_number >= 0", name=op.f("ck_document_revision_number_not_negative")
        ),
        sa.CheckConstraint(STATUS_IS_KNOWN, name=op.f("ck_document_status_is_known")),
        sa.CheckConstraint(
            "revision_number > 0 OR status = 'new'", name=op.f("ck_document_unlabelled_is_new")
        ),
    )
    op.create_index(
        "ix_document_project_id_status_position", "document", ["project_id", "status", "position"]
    )
    op.create_table(
        "revision",
        sa.Column("document_id", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("label", sa.JSON, nullable=False),
        sa.Column("suggestions", sa.JSON, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("annotator", sa.Text, nullable=False),
        sa.Column("num_changes", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("document_id", "number", name="pk_revision"),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name="fk_revision_document_id_document"
        ),
        sa.CheckConstraint("number >= 1", name=op.f("ck_revision_number_counts_from_one")),
        sa.CheckConstraint("num_changes >= 0", name=op.f("ck_revision_num_changes_not_negative")),
        sa.CheckConstraint(STATUS_IS_KNOWN, name=op.f("ck_revision_status_is_known")),
        sa.CheckConstraint(SOURCE_IS_KNOWN, name=op.f("ck_revision_source_is_known")),
    )
    if op.get_context().dialect.name == "sqlite":
        for trigger, table, event, message in RULES:
            op.execute(
                f"CREATE TRIGGER {trigger} BEFORE {event} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{message}'); END"
            )
    else:
        op.execute(
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0]; END $$"
        )
        for trigger, table, event, message in RULES:
            op.execute(
                f"CREATE TRIGGER {trigger} BEFORE {event} ON {table}"
                f" FOR EACH ROW EXECUTE FUNCTION refuse_change('{message}')"
            )
