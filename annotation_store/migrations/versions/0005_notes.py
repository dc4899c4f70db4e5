"""A revision may say in a few words why it is what it is, for example why a text is flagged."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("revision", "staged_document"):
        op.add_column(
            table, sa.Column("note", sa.Text, nullable=False, server_default=sa.text("''"))
        )
