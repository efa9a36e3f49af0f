"""Run by Alembic for `command.upgrade`: the migrations, on the connection that `upgrade` opened."""

from alembic import context

from storage.migrations import VERSION_TABLE
from storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
