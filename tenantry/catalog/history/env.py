"""The Alembic environment of the catalog: it works on the connection that it is given, in that one's transaction."""

from alembic import context

from tenantry.catalog import service_tables  # noqa: F401  # its tables are in the metadata
from tenantry.catalog.tables import SCHEMA, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table_schema=SCHEMA,
    include_schemas=True,
)
with context.begin_transaction():
    context.run_migrations()
