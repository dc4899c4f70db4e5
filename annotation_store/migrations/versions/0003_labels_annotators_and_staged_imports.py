"""What the queue filters by and counts, at hand; a place where imports wait until they are whole.

- `document_label` repeats the labels that stand in the JSON of revisions and predictions, and
  `project_annotator` who has worked on a project: to find them took a look at every revision.
- The indexes of the queue hold the position, too, and one counts what a model has read.
- `staged_import` and `staged_document` take a file in by short transactions.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Another program may have written JSON that is none, or is something else: `verify` names it, and
# it does not keep the database from opening. The dialects unfold JSON in different ways.
SQLITE = {
    "confirmed": "json_each(CASE WHEN json_valid({0}) THEN {0} ELSE '{{}}' END) AS confirmed",
    "item": "json_each(CASE WHEN json_valid({0}) THEN {0} ELSE '[]' END) AS item",
    "label": "CASE item.type WHEN 'object' THEN json_extract(item.value, '$.label') END",
}
POSTGRESQL = {
    "confirmed": "json_each({0}) AS confirmed",
    "item": "json_array_elements({0}) AS item",
    "label": "item.value ->> 'label'",
}
CONFIRMED = """
    INSERT INTO document_label (document_id, label)
    SELECT DISTINCT document.id, confirmed.key
    FROM document
    JOIN revision
      ON revision.document_id = document.id AND revision.number = document.revision_number
    CROSS JOIN {confirmed}
    WHERE confirmed.key IS NOT NULL
"""
SUGGESTED = """
    INSERT INTO document_label (document_id, label)
    SELECT DISTINCT document.id, {label}
    FROM document
    JOIN revision
      ON revision.document_id = document.id AND revision.number = document.revision_number
    CROSS JOIN {item}
    WHERE {label} IS NOT NULL
    ON CONFLICT DO NOTHING
"""
PREDICTED = """
    INSERT INTO document_label (document_id, label)
    SELECT DISTINCT document.id, {label}
    FROM document
    JOIN prediction ON prediction.document_id = document.id
    LEFT JOIN revision
      ON revision.document_id = document.id AND revision.number = document.revision_number
    CROSS JOIN {item}
    WHERE {label} IS NOT NULL AND (revision.source IS NULL OR revision.source = 'model')
    ON CONFLICT DO NOTHING
"""
ANNOTATORS = """
    INSERT INTO project_annotator (project_id, annotator)
    SELECT DISTINCT document.project_id, revision.annotator
    FROM revision
    JOIN document ON document.id = revision.document_id
    WHERE revision.source <> 'model' AND NOT revision.is_preannotated AND revision.annotator <> ''
"""


def upgrade() -> None:
    for column in ("path_uncertainty", "token_uncertainty"):
        op.drop_index(f"ix_document_project_id_status_{column}", "document")
        op.create_index(
            f"ix_document_project_id_status_{column}_position",
            "document",
            ["project_id", "status", column, "position"],
        )
    op.create_index(
        "ix_document_project_id_predicted_by", "document", ["project_id", "predicted_by"]
    )

    op.create_table(
        "document_label",
        sa.Column("document_id", sa.Integer, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("document_id", "label", name="pk_document_label"),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name="fk_document_label_document_id_document"
        ),
    )
    op.create_index(
        "ix_document_label_label_document_id", "document_label", ["label", "document_id"]
    )
    op.create_table(
        "project_annotator",
        sa.Column("project_id", sa.Integer, nullable=False),
        sa.Column("annotator", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("project_id", "annotator", name="pk_project_annotator"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name="fk_project_annotator_project_id_project"
        ),
    )
    is_sqlite = op.get_context().dialect.name == "sqlite"
    unfold = SQLITE if is_sqlite else POSTGRESQL
    for statement, array in (
        (CONFIRMED, "revision.label"),
        (SUGGESTED, "revision.suggestions"),
        (PREDICTED, "prediction.spans"),
        (ANNOTATORS, ""),
    ):
        op.execute(statement.format(**{name: how.format(array) for name, how in unfold.items()}))

    op.create_table(
        "staged_import",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("project_id", sa.Integer, nullable=False),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.Column("is_complete", sa.Boolean, nullable=False),
        sa.Column("num_added", sa.Integer, nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_staged_import"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name="fk_staged_import_project_id_project"
        ),
    )
    op.create_table(
        "staged_document",
        sa.Column("import_id", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("text_sha256", sa.String(64), nullable=False),
        sa.Column("external_id", sa.Text, nullable=False),
        sa.Column("revision_number", sa.Integer, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("label", sa.JSON, nullable=False),
        sa.Column("suggestions", sa.JSON, nullable=False),
        sa.Column("annotator", sa.Text, nullable=False),
        sa.Column("num_changes", sa.Integer, nullable=False),
        sa.Column("is_preannotated", sa.Boolean, nullable=False),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("import_id", "number", name="pk_staged_document"),
        sa.UniqueConstraint(
            "import_id", "text_sha256", name="uq_staged_document_import_id_text_sha256"
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["staged_import.id"], name="fk_staged_document_import_id_staged_import"
        ),
    )
