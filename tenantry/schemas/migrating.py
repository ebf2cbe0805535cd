"""A schema brought to its revision, and read again: what the resource does, without Pulumi.

Alembic is imported only when there is something to migrate.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql

from tenantry.provisioning.errors import ConflictError, MissingError
from tenantry.provisioning.postgres import kind_of, reason_of
from tenantry.schemas.connecting import TenantDatabase, connect
from tenantry.schemas.locking import one_migration
from tenantry.schemas.structure import differences, read_structure, rights_to_restore

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Connection = psycopg.Connection[tuple[Any, ...]]

VERSION_VIEW: Final = "schema_migrations"


@dataclass(frozen=True)
class Wanted:
    """The history, and how much of it: what `planning.SchemaPlan` says, as the resource's inputs carry it."""

    template: str | None
    path: str | None
    revisions: tuple[str, ...]
    allow_downgrade: bool = False


@dataclass(frozen=True)
class Schema:
    """What is in the database."""

    heads: tuple[str, ...]
    """The rows of the version table: one, unless a history of several branches was stopped between them."""
    objects: Mapping[str, str]
    """A digest of each object's definition, by its name."""
    version_table: str = "alembic_version"
    """As `env.py` names it; with its schema and a dot where that is not the app's."""


def migrate(database: TenantDatabase, wanted: Wanted, recorded: Schema | None = None) -> Schema:
    """Bring the schema to the wanted revisions, and say what is there.

    Runs as the owner, one migration of the database at a time, with one transaction for each revision. The structure
    that a migration leaves is what later runs expect.

    :param recorded: what the last migration left; None where no earlier one is known
    :raises ProvisioningError: no connection, another migration under way, a revision that failed, a way down that is
        not allowed, or a structure that was changed by hand while there is no revision left to apply
    """
    with _session(database) as connection, one_migration(database, connection):
        table = recorded.version_table if recorded else Schema.version_table
        # Rolled back: the read lock would block a revision that alters the table.
        with connection.transaction(force_rollback=True):
            heads = _heads(database, connection, table)
        if heads == wanted.revisions[-1:]:
            found = read_structure(connection, database.schema, database.group)
            if recorded and rights_to_restore(recorded.objects, found):
                _restore_rights(database, connection, recorded, found)
                found = read_structure(connection, database.schema, database.group)
            # With other heads than the recorded ones somebody else has migrated: what was changed by hand is unknown.
            changed = (
                differences(recorded.objects, found) if recorded and heads == recorded.heads else []
            )
            if changed:
                raise ConflictError(
                    database.app,
                    "schema",
                    f"schema {database.schema} was changed outside of its migrations: {', '.join(changed)}; this is left "
                    f"alone, since {heads[0]} is applied and what was in a table would not come back with it",
                    "undo the change by hand (a branch of an earlier moment has the old state), or write a revision that "
                    "makes the schema what it is to be; then tenantry up",
                )
            return Schema(heads, found, table)
        table = _run(database, wanted, connection, table)
        return Schema(
            _heads(database, connection, table),
            read_structure(connection, database.schema, database.group),
            table,
        )


def read_schema(database: TenantDatabase, version_table: str) -> Schema | None:
    """Say what is in the schema; None where the database or the schema is gone.

    :raises ProvisioningError: no connection
    """
    try:
        with _session(database) as connection:
            return Schema(
                _heads(database, connection, version_table),
                read_structure(connection, database.schema, database.group),
                version_table,
            )
    except MissingError:
        return None


def drift(recorded: Schema, live: Schema) -> list[str]:
    """Say in words how a live schema differs from the recorded one."""
    if live.heads != recorded.heads:
        at, was = (", ".join(each.heads) or "no revision" for each in (live, recorded))
        return [f"the revision is {at}, and was {was}"]
    return differences(recorded.objects, live.objects)


@contextmanager
def _session(database: TenantDatabase) -> Iterator[Connection]:
    with connect(database) as connection:
        try:
            found = connection.execute("SELECT to_regnamespace(%s)", [f'"{database.schema}"'])
            if found.fetchone() == (None,):
                raise MissingError(
                    database.app,
                    "schema",
                    f"there is no schema {database.schema} in {database.name}",
                    "tenantry up -- --refresh makes it anew",
                )
            yield connection
        except psycopg.Error as error:
            reason = database.without_password(reason_of(error))
            raise kind_of(error)(
                database.app, "schema", reason, "tenantry up goes on from there"
            ) from None


def _run(database: TenantDatabase, wanted: Wanted, connection: Connection, table: str) -> str:
    # Imported here: only a migration that runs pays for Alembic and SQLAlchemy.
    from tenantry.schemas.history import history_of
    from tenantry.schemas.running import run_history

    history, layout = history_of(wanted.template, wanted.path)
    try:
        run = run_history(
            database,
            history,
            layout,
            revisions=wanted.revisions,
            allow_downgrade=wanted.allow_downgrade,
            lock=connection,
        )
    finally:
        _protect_version(database, connection, table)
    schema, name = run.version_table
    found = name if schema in {None, database.schema} else f"{schema}.{name}"
    if found != table:
        _protect_version(database, connection, found)
    return found


def _restore_rights(
    database: TenantDatabase, connection: Connection, recorded: Schema, found: Mapping[str, str]
) -> None:
    """Give the group back the rights that a migration left it with. Rights hold no data, so nothing is lost by it."""
    group = sql.Identifier(database.group)
    with connection.transaction():
        for thing, lacking, surplus in rights_to_restore(recorded.objects, found):
            # The thing's name and the rights' are PostgreSQL's own, quoted where they need it.
            for verb, rights, word in (("GRANT", lacking, "TO"), ("REVOKE", surplus, "FROM")):
                if rights:
                    words = f"{verb} {', '.join(sorted(rights))} ON {thing} {word} "
                    connection.execute(sql.SQL(words) + group)


def _protect_version(database: TenantDatabase, connection: Connection, table: str) -> None:
    """Let the app's logins only read the record of revisions: the default privileges gave them more."""
    if "." in table:
        return  # a schema of the operator's own, on which the logins have no rights
    for name in (table, VERSION_VIEW):
        if _has(connection, database.schema, name):
            connection.execute(
                sql.SQL("REVOKE INSERT, UPDATE, DELETE ON {} FROM {}").format(
                    sql.Identifier(database.schema, name), sql.Identifier(database.group)
                )
            )


def _heads(database: TenantDatabase, connection: Connection, table: str) -> tuple[str, ...]:
    schema, _, name = table.rpartition(".")
    schema = schema or database.schema
    if not _has(connection, schema, name):
        return ()
    query = sql.SQL("SELECT version_num FROM {} ORDER BY version_num")
    return tuple(row[0] for row in connection.execute(query.format(sql.Identifier(schema, name))))


def _has(connection: Connection, schema: str, name: str) -> bool:
    # Not by to_regclass: within a transaction it may remember that the table was not there, though it was made since.
    query = "SELECT 1 FROM pg_class WHERE relname = %s AND relnamespace = to_regnamespace(%s)"
    return connection.execute(query, [name, f'"{schema}"']).fetchone() is not None
