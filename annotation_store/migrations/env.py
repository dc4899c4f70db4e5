"""Alembic's entry: runs the steps on the connection that `annotation_store.database` hands over.

There is no alembic.ini and nothing to run by hand: the store upgrades itself when it opens.
"""

from alembic import context

from annotation_store.database import VERSION_TABLE
from annotation_store.tables import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    # SQLite changes a table by copying it; the caller has switched foreign keys off for that.
    render_as_batch=True,
)
# No begin_transaction() here: the caller's transaction covers its own checks and all steps.
context.run_migrations()
