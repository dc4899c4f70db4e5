"""Several people label a text without seeing each other's work.

- A revision may be one person's own version, which does not count until it is decided.
- A document therefore says which revision is its newest beside which one counts, and how many
  versions wait for a decision.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "revision",
        sa.Column("is_independent", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    for column in ("num_revisions", "num_versions"):
        op.add_column(
            "document",
            sa.Column(column, sa.Integer, nullable=False, server_default=sa.text("0")),
        )
    op.execute("UPDATE document SET num_revisions = revision_number")
    with op.batch_alter_table("document") as document:
        document.create_check_constraint(
            op.f("ck_document_newest_is_not_before"), "num_revisions >= revision_number"
        )
        document.create_check_constraint(
            op.f("ck_document_num_versions_not_negative"), "num_versions >= 0"
        )
    op.create_index(
        "ix_document_project_id_num_versions", "document", ["project_id", "num_versions"]
    )
    if op.get_context().dialect.name == "sqlite":
        # SQLite drops it with the table that is copied.
        op.execute(
            "CREATE TRIGGER document_no_text_update BEFORE UPDATE OF text, text_sha256 ON document"
            " BEGIN SELECT RAISE(ABORT, 'a text is never changed'); END"
        )
