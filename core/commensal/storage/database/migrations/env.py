"""Alembic runs this for each revision, inside the transaction that `migrate` has opened."""

from alembic import context

from commensal.storage.database.types import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=context.config.attributes["version_table"],
)
context.run_migrations()
