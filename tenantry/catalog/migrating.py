"""The catalog's own tables, brought to the revision that this version of Tenantry works with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from tenantry.catalog.connecting import engine, translated
from tenantry.catalog.location import NAME
from tenantry.catalog.revision import HISTORY, known, newest
from tenantry.catalog.tables import SCHEMA, WRITER, metadata
from tenantry.provisioning.errors import ConflictError, DeniedError
from tenantry.provisioning.histories import ONE_AT_A_TIME

if TYPE_CHECKING:
    from collections.abc import Sequence

LOCK: Final = 0x74_65_6E_61_6E_74_72_79
"""The advisory lock under which one process at a time migrates: "tenantry" in ASCII."""


def migrate(url: str) -> str:
    """Bring the catalog at `url` to the newest revision, in one transaction, and return that revision.

    A catalog that a newer Tenantry has brought further stays as it is: its tables only grow.

    :param url: a libpq URI of a role that owns the catalog; at the newest revision, the writer's role is enough
    :raises ProvisioningError: no connection, no right to make tables, a statement that failed, or a table that is gone
    """
    head = newest()
    with translated(url, NAME, "tables"), engine(url).begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        found = _revisions(connection)
        if head in found or found - known():
            if missing := _missing(connection):
                raise ConflictError(
                    NAME,
                    "tables",
                    f"{', '.join(missing)} in schema {SCHEMA} is gone, though revision {', '.join(sorted(found))} is applied; an empty "
                    "table would hide what was lost with it",
                    'restore it from a backup, or see docs/catalog.md, "A lost catalog"',
                )
            return ",".join(sorted(found))
        if not _may_migrate(connection):
            raise DeniedError(
                NAME,
                "tables",
                f"they are at {', '.join(sorted(found)) or 'no revision'}, this version needs {head}, and the URL's user "
                "may not make tables",
                "run tenantry up once with the URL of the catalog's owner",
            )
        _prepare(connection)
        _upgrade(connection)
        _grant(connection)
    return head


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


def _upgrade(connection: sa.Connection) -> None:
    # Imported here: reading needs no Alembic.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(HISTORY).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    with ONE_AT_A_TIME:
        command.upgrade(config, "head")


def _revisions(connection: sa.Connection) -> set[str]:
    table = f"{SCHEMA}.alembic_version"
    there = connection.execute(sa.text("SELECT to_regclass(:name)"), {"name": table}).scalar_one()
    if there is None:
        return set()
    return set(connection.execute(sa.text(f"SELECT version_num FROM {table}")).scalars())  # noqa: S608  # our own name


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
    connection.execute(sa.text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
    # Roles belong to the whole server: another catalog there may have made it, or another run may be making it.
    # Until that run commits, its role is no duplicate; then ours violates the unique index on names.
    connection.execute(
        sa.text(
            f"DO $$ BEGIN IF to_regrole('{WRITER}') IS NULL THEN CREATE ROLE {WRITER} NOLOGIN; END IF; "
            "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
    )
    # This user will take the role on to keep the rows. Making a role does not give that right (PostgreSQL 16,
    # createrole_self_grant).
    connection.execute(
        sa.text(
            f"DO $$ BEGIN IF NOT pg_has_role(current_user, '{WRITER}', 'SET') THEN "
            f"EXECUTE format('GRANT {WRITER} TO %I', current_user); END IF; END $$"
        )
    )


def _grant(connection: sa.Connection) -> None:
    # No DELETE: what is gone is marked, never removed. No right on the table of revisions but to read it.
    tables: Sequence[str] = [f"{SCHEMA}.{table.name}" for table in metadata.sorted_tables]
    for statement in (
        f"GRANT USAGE ON SCHEMA {SCHEMA} TO {WRITER}",
        f"GRANT SELECT ON {SCHEMA}.alembic_version TO {WRITER}",
        f"GRANT SELECT, INSERT, UPDATE ON {', '.join(tables)} TO {WRITER}",
    ):
        connection.execute(sa.text(statement))
