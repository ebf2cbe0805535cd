"""One migration of a database at a time, by a lock that only the database's owner can take."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import psycopg

from tenantry.provisioning.errors import BusyError
from tenantry.schemas.connecting import LOCK_SECONDS
from tenantry.schemas.holders import holders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tenantry.schemas.connecting import TenantDatabase

WAIT_SECONDS: Final = 60
"""How long a migration waits for another one of the same database."""
SCHEMA: Final = "tenantry_migrations"
"""A schema of the owner's, on which nobody else has a right."""
TABLE: Final = f"{SCHEMA}.lock"
"""Its only table. It never has a row."""
MODE: Final = "EXCLUSIVE"
"""At odds with itself, and not with reading: a dump of the database does not wait."""

# Where two make it at once, the second waits for the first one's commit and then violates an index on names.
_MAKE: Final = f"""
DO $$ BEGIN
    CREATE SCHEMA IF NOT EXISTS {SCHEMA};
    COMMENT ON SCHEMA {SCHEMA} IS 'Locked while tenantry migrates this database. It holds no data.';
    CREATE TABLE IF NOT EXISTS {TABLE} ();
EXCEPTION WHEN duplicate_schema OR duplicate_table OR unique_violation THEN NULL; END $$
"""


@contextmanager
def one_migration(database: TenantDatabase, connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Hold the lock in a transaction of `connection`, which is committed at the end, also after a failure.

    The server ends the lock with the session, so a process that dies leaves none. An advisory lock would not do: every
    role that may connect can take it.

    :param connection: the owner's, in autocommit mode
    :raises BusyError: another session has held the lock for `WAIT_SECONDS`
    """
    if connection.execute("SELECT to_regclass(%s)", [TABLE]).fetchone() == (None,):
        connection.execute(_MAKE)
    connection.execute("BEGIN")
    try:
        _lock(database, connection)
        yield
    finally:
        if not connection.closed:
            connection.commit()


def _lock(database: TenantDatabase, connection: psycopg.Connection[Any]) -> None:
    # The transaction is idle while the revisions run, and Neon ends such a one after five minutes.
    connection.execute(
        "SELECT set_config(name, '0', true) FROM pg_settings "
        "WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')"
    )
    try:
        with connection.transaction():
            connection.execute(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'")
            connection.execute(f"LOCK TABLE {TABLE} IN {MODE} MODE")
            connection.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
    except psycopg.errors.LockNotAvailable:
        who = holders(connection, SCHEMA) or "it has ended by now"
        raise BusyError(
            database.app,
            "schema",
            f"another migration of this database has been running for {WAIT_SECONDS} s; {who}",
            "wait for it, then tenantry up",
        ) from None
