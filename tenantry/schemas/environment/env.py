"""The Alembic environment of the templates, and of a history that has none of its own.

Alembic runs this file. It takes the database's URL as `alembic -x db_url=…` gives it; that URL sets the search path.
"""

from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

engine = create_engine(context.get_x_argument(as_dictionary=True)["db_url"], poolclass=NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
