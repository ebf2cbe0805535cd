"""The catalog's own tables, brought to the revision that this version of Tenantry works with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import sqlalchemy as sa
from psycopg.errors import LockNotAvailable
from sqlalchemy.exc import OperationalError

from tenantry.catalog.connecting import engine, translated
from tenantry.catalog.location import NAME
from tenantry.catalog.revision import HISTORY, known, newest
from tenantry.catalog.service_tables import SEEN, SERVICE, SHARED, TABLES, TEMPORARY
from tenantry.catalog.tables import SCHEMA, WRITER, metadata
from tenantry.provisioning.errors import BusyError, ConflictError, DeniedError
from tenantry.provisioning.histories import separate_threads
from tenantry.schemas.holders import holders

if TYPE_CHECKING:
    from collections.abc import Iterable

    import psycopg

VERSIONS: Final = f"{SCHEMA}.alembic_version"
"""The table of revisions. Its owner locks it to migrate; the writers' role may only read it."""
_MAKE: Final = (
    f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}",
    # As Alembic makes it.
    f"CREATE TABLE IF NOT EXISTS {VERSIONS} (version_num varchar(32) NOT NULL CONSTRAINT alembic_version_pkc PRIMARY KEY)",
)


def migrate(url: str) -> str:
    """Bring the catalog at `url` to the newest revision, in one transaction, and return that revision.

    A catalog that a newer Tenantry has brought further stays as it is: its tables only grow.

    :param url: a libpq URI of a role that owns the catalog; at the newest revision, the writer's role is enough
    :raises ProvisioningError: no connection, no right to make tables, a statement that failed, or a table that is gone
    """
    with translated(url, NAME, "tables"), engine(url).begin() as connection:
        if found := _applied(connection):
            return found
        if not _may_migrate(connection):
            at = ", ".join(sorted(_revisions(connection))) or "no revision"
            raise DeniedError(
                NAME,
                "tables",
                f"they are at {at}, this version needs {newest()}, and the URL's user may not make tables",
                "run tenantry up once with the URL of the catalog's owner",
            )
        _lock(connection)
        # Another run may have migrated while this one waited.
        if found := _applied(connection):
            return found
        _prepare(connection)
        _upgrade(connection)
        _grant(connection)
    return newest()


def revision_of(url: str) -> str | None:
    """Return the revision of the catalog at `url`, with the tables that it lacks; None where there is no catalog.

    A catalog that a newer Tenantry has brought further counts as being at this version's newest revision.

    :raises ProvisioningError: no connection
    """
    with translated(url, NAME, "tables"), engine(url).begin() as connection:
        found = _revisions(connection)
        missing = _missing(connection)
    if not found:
        return None
    if found - known():
        found = {newest()}
    return ",".join(sorted(found)) + (f" without {', '.join(missing)}" if missing else "")


def _applied(connection: sa.Connection) -> str | None:
    """Return the revision that is applied; None where there is more to apply."""
    found = _revisions(connection)
    if newest() not in found and not found - known():
        return None
    applied = sorted(found)
    if missing := _missing(connection):
        raise ConflictError(
            NAME,
            "tables",
            f"{', '.join(missing)} in schema {SCHEMA} is gone, though revision {', '.join(applied)} is applied; an empty "
            "table would hide what was lost with it",
            'restore it from a backup, or see docs/catalog.md, "A lost catalog"',
        )
    return ",".join(applied)


def _lock(connection: sa.Connection) -> None:
    """Let one run at a time migrate, until the transaction's end.

    The lock is one that only the owner can take: every role that may connect could hold an advisory lock. Where the
    tables are made for the first time, the second run waits on the schema's name, and then finds what the first made.
    """
    try:
        with connection.begin_nested():
            for make in _MAKE:
                connection.execute(
                    sa.text(
                        f"DO $$ BEGIN {make}; EXCEPTION WHEN duplicate_schema OR duplicate_table OR unique_violation "
                        "THEN NULL; END $$"
                    )
                )
            connection.execute(sa.text(f"LOCK TABLE {VERSIONS} IN SHARE ROW EXCLUSIVE MODE"))
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable):
            raise
        driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
        who = holders(driver, SCHEMA) or "it is making them for the first time, or has ended by now"
        raise BusyError(
            NAME,
            "tables",
            f"another run is bringing them to a revision; {who}",
            "wait for it, then tenantry up",
        ) from None


def _upgrade(connection: sa.Connection) -> None:
    # Imported here: reading needs no Alembic.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(HISTORY).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    separate_threads()
    command.upgrade(config, "head")


def _revisions(connection: sa.Connection) -> set[str]:
    there = connection.execute(
        sa.text("SELECT to_regclass(:name)"), {"name": VERSIONS}
    ).scalar_one()
    if there is None:
        return set()
    return set(connection.execute(sa.text(f"SELECT version_num FROM {VERSIONS}")).scalars())  # noqa: S608  # our own name


def _missing(connection: sa.Connection) -> list[str]:
    return [
        table.name
        for table in metadata.sorted_tables
        if connection.execute(
            sa.text("SELECT to_regclass(:name)"), {"name": f"{SCHEMA}.{table.name}"}
        ).scalar_one()
        is None
    ]


def _may_migrate(connection: sa.Connection) -> bool:
    owns = (
        "SELECT coalesce((SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = :schema),"
        " has_database_privilege(current_database(), 'CREATE'))"
    )
    return bool(connection.execute(sa.text(owns), {"schema": SCHEMA}).scalar_one())


def _prepare(connection: sa.Connection) -> None:
    _make_role(connection, WRITER)
    # Whoever only runs the registry may lack the right to make a second role; the service says so when it starts.
    _make_role(connection, SERVICE, unless="insufficient_privilege")


def _make_role(connection: sa.Connection, role: str, *, unless: str = "undefined_object") -> None:
    # Roles belong to the whole server: another catalog there may have made it, or another run may be making it.
    # Until that run commits, its role is no duplicate; then ours violates the unique index on names.
    connection.execute(
        sa.text(
            f"DO $$ BEGIN IF to_regrole('{role}') IS NULL THEN CREATE ROLE {role} NOLOGIN; END IF; "
            f"EXCEPTION WHEN duplicate_object OR unique_violation OR {unless} THEN NULL; END $$"
        )
    )
    # This user will take the role on to keep the rows. Making a role does not give that right (PostgreSQL 16,
    # createrole_self_grant).
    connection.execute(
        sa.text(
            f"DO $$ BEGIN IF NOT pg_has_role(current_user, '{role}', 'SET') THEN "
            f"EXECUTE format('GRANT {role} TO %I', current_user); END IF; "
            f"EXCEPTION WHEN {unless} THEN NULL; END $$"
        )
    )


def _grant(connection: sa.Connection) -> None:
    # What is gone is marked, never removed: DELETE is for what has a time to live alone. Nobody has a right on the
    # table of revisions but to read it.
    every = metadata.sorted_tables
    _give(connection, WRITER, SELECT=[*(each for each in every if each not in TABLES), *SEEN])
    changed = [*(each for each in every if each not in TABLES), *SHARED]
    _give(connection, WRITER, INSERT=changed, UPDATE=changed)
    there = connection.execute(
        sa.text("SELECT to_regrole(:role) IS NOT NULL"), {"role": SERVICE}
    ).scalar_one()
    if there:
        _give(connection, SERVICE, SELECT=every, INSERT=every, UPDATE=every, DELETE=TEMPORARY)


def _give(connection: sa.Connection, role: str, **rights: Iterable[sa.Table]) -> None:
    connection.execute(sa.text(f"GRANT USAGE ON SCHEMA {SCHEMA} TO {role}"))
    connection.execute(sa.text(f"GRANT SELECT ON {VERSIONS} TO {role}"))
    for right, tables in rights.items():
        names = ", ".join(table.fullname for table in tables)
        connection.execute(sa.text(f"GRANT {right} ON {names} TO {role}"))
