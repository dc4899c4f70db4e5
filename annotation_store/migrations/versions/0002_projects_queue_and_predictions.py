"""Settings of projects, predictions and the order of the queue, leases, durations, reviews.

- A project keeps its settings and the former names of its labels.
- A document keeps what the queue sorts and filters by; `prediction` holds the spans behind that.
- `lease` says who works on a document, so that nobody else gets it.
- A revision may be a review's, says how long it took, and whether it is a pre-annotation: labels
  of a model or another tool that were imported and that nobody has confirmed.
- `dismissal` keeps which findings of the lint somebody has looked at and found to be right.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SOURCE_IS_KNOWN = "source IN ('model', 'human', 'import', 'review')"

# The triggers of 0001, which SQLite drops with the tables that are copied.
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
    for column in ("settings", "former_labels"):
        op.add_column(
            "project", sa.Column(column, sa.JSON, nullable=False, server_default=sa.text("'{}'"))
        )

    with op.batch_alter_table("document") as document:
        for column in ("path_uncertainty", "token_uncertainty"):
            document.add_column(
                sa.Column(column, sa.Float, nullable=False, server_default=sa.text("0"))
            )
            document.create_check_constraint(
                op.f(f"ck_document_{column}_is_share"), f"{column} >= 0 AND {column} <= 1"
            )
        document.add_column(sa.Column("predicted_by", sa.Text, nullable=True))
        document.add_column(sa.Column("num_differences", sa.Integer, nullable=True))
        document.create_check_constraint(
            op.f("ck_document_num_differences_not_negative"), "num_differences >= 0"
        )
    for column in ("path_uncertainty", "token_uncertainty"):
        op.create_index(
            f"ix_document_project_id_status_{column}", "document", ["project_id", "status", column]
        )

    with op.batch_alter_table("revision") as table:
        table.add_column(sa.Column("duration_s", sa.Float, nullable=True))
        table.add_column(
            sa.Column("is_preannotated", sa.Boolean, nullable=False, server_default=sa.false())
        )
        table.drop_constraint(op.f("ck_revision_source_is_known"), type_="check")
        table.create_check_constraint(op.f("ck_revision_source_is_known"), SOURCE_IS_KNOWN)
        table.create_check_constraint(
            op.f("ck_revision_duration_s_not_negative"), "duration_s >= 0"
        )
    op.create_index(
        "ix_revision_source_annotator_document_id",
        "revision",
        ["source", "annotator", "document_id"],
    )

    op.create_table(
        "prediction",
        sa.Column("document_id", sa.Integer, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("spans", sa.JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("document_id", name="pk_prediction"),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name="fk_prediction_document_id_document"
        ),
    )
    op.create_table(
        "lease",
        sa.Column("document_id", sa.Integer, nullable=False),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("annotator", sa.Text, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("document_id", name="pk_lease"),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name="fk_lease_document_id_document"
        ),
        sa.CheckConstraint("holder <> ''", name=op.f("ck_lease_holder_not_empty")),
    )
    op.create_index("ix_lease_holder", "lease", ["holder"])
    op.create_table(
        "dismissal",
        sa.Column("document_id", sa.Integer, nullable=False),
        sa.Column("finding", sa.String(300), nullable=False),
        sa.Column("annotator", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("document_id", "finding", name="pk_dismissal"),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name="fk_dismissal_document_id_document"
        ),
    )

    if op.get_context().dialect.name == "sqlite":
        for trigger, name, event, message in RULES:
            op.execute(
                f"CREATE TRIGGER {trigger} BEFORE {event} ON {name}"
                f" BEGIN SELECT RAISE(ABORT, '{message}'); END"
            )
