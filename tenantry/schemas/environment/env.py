"""The Alembic environment of the templates, and of a history that has none of its own.

Alembic runs this file. It takes the database's URL as `alembic -x db_url=…` gives it; that URL sets the search path.
"""

from functools import partial

from alembic import context
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

from tenantry.provisioning.connections import connect

url = make_url(context.get_x_argument(as_dictionary=True)["db_url"])
place = url.translate_connect_args(username="user", database="dbname")
# No variable of libpq changes where that goes, whatever process this is.
engine = create_engine(url, creator=partial(connect, **place, **url.query), poolclass=NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
