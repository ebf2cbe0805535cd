"""Roles and databases inside a cluster, made the way Neon's compute makes them. Every step may be repeated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from localcloud.postgres.cluster import ClusterError
from localcloud.postgres.template import SUPERUSER

if TYPE_CHECKING:
    import psycopg

    from localcloud.postgres.cluster import Cluster

_ATTRIBUTES = (
    "INHERIT CREATEROLE CREATEDB BYPASSRLS REPLICATION"  # compute_tools, roles made through the API
)


@dataclass(frozen=True, slots=True)
class FoundDatabase:
    """A database that a cluster has."""

    name: str
    owner: str


async def create_role(cluster: Cluster, name: str, password: str | None) -> None:
    """Make a role as Neon's API does: a member of neon_superuser; without a password it cannot log in."""
    from psycopg import sql

    async with cluster.connect() as connection:
        row = await (
            await connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (name,))
        ).fetchone()
        if row is None:
            login = "NOLOGIN" if password is None else "LOGIN"
            await connection.execute(
                sql.SQL("CREATE ROLE {} {} IN ROLE neon_superuser").format(
                    sql.Identifier(name), sql.SQL(f"{login} {_ATTRIBUTES}")
                )
            )
        if password is not None:
            await _alter_password(connection, name, password)


async def set_password(cluster: Cluster, name: str, password: str) -> None:
    """Change a role's password."""
    async with cluster.connect() as connection:
        await _alter_password(connection, name, password)


async def _alter_password(
    connection: psycopg.AsyncConnection[tuple[Any, ...]], name: str, password: str
) -> None:
    from psycopg import sql

    # The server only ever sees the SCRAM verifier, so no log of its can hold the password.
    verifier = connection.pgconn.encrypt_password(
        password.encode(), name.encode(), b"scram-sha-256"
    ).decode()
    await connection.execute(
        sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(name), sql.Literal(verifier))
    )


async def read_verifier(cluster: Cluster, name: str) -> str | None:
    """Return what the server keeps of a role's password; None for a role without one. Raises ClusterError."""
    import psycopg

    try:
        async with cluster.connect() as connection:
            row = await (
                await connection.execute(
                    "SELECT rolpassword FROM pg_authid WHERE rolname = %s", (name,)
                )
            ).fetchone()
    except psycopg.Error as error:
        raise ClusterError(f"the server of {cluster.name} does not answer: {error}") from error
    return row[0] if row else None


async def drop_role(cluster: Cluster, name: str) -> None:
    """Drop a role; what it owns goes to the owner of the database that it is in."""
    from psycopg import sql

    role = sql.Identifier(name)
    async with cluster.connect() as connection:
        row = await (
            await connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (name,))
        ).fetchone()
        databases = await _list_databases(connection)
    if row is None:
        return
    for database in databases:
        async with cluster.connect(database.name) as connection:
            await connection.execute(
                sql.SQL("REASSIGN OWNED BY {} TO {}").format(role, sql.Identifier(database.owner))
            )
            await connection.execute(sql.SQL("DROP OWNED BY {}").format(role))
    async with cluster.connect() as connection:
        await connection.execute(sql.SQL("DROP ROLE {}").format(role))


async def create_database(cluster: Cluster, name: str, owner: str) -> None:
    """Make a database."""
    from psycopg import sql

    async with cluster.connect() as connection:
        row = await (
            await connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,))
        ).fetchone()
        database = sql.Identifier(name)
        if row is None:
            await connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(database, sql.Identifier(owner))
            )
        await connection.execute(
            sql.SQL("GRANT ALL PRIVILEGES ON DATABASE {} TO neon_superuser").format(database)
        )


async def alter_database(cluster: Cluster, name: str, new_name: str, owner: str) -> None:
    """Rename a database, ending its sessions, and set its owner."""
    from psycopg import sql

    async with cluster.connect() as connection:
        names = {database.name for database in await _list_databases(connection)}
        if new_name != name and name in names:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
            )
            await connection.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                    sql.Identifier(name), sql.Identifier(new_name)
                )
            )
        await connection.execute(
            sql.SQL("ALTER DATABASE {} OWNER TO {}").format(
                sql.Identifier(new_name), sql.Identifier(owner)
            )
        )


async def drop_database(cluster: Cluster, name: str) -> None:
    """Drop a database, ending its sessions."""
    from psycopg import sql

    async with cluster.connect() as connection:
        await connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )


async def list_all(cluster: Cluster) -> tuple[dict[str, bool], list[FoundDatabase]]:
    """Return the roles with whether they can log in, and the databases, the oldest first.

    Less those that PostgreSQL and Neon have in every cluster.
    """
    async with cluster.connect() as connection:
        return await _list_roles(connection), await _list_databases(connection)


async def _list_databases(
    connection: psycopg.AsyncConnection[tuple[Any, ...]],
) -> list[FoundDatabase]:
    cursor = await connection.execute(
        "SELECT datname, pg_get_userbyid(datdba) FROM pg_database "
        "WHERE NOT datistemplate AND datallowconn AND datname <> 'postgres' ORDER BY oid"
    )
    return [FoundDatabase(name, owner) for name, owner in await cursor.fetchall()]


async def _list_roles(connection: psycopg.AsyncConnection[tuple[Any, ...]]) -> dict[str, bool]:
    cursor = await connection.execute(
        "SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname !~ '^pg_' AND NOT rolname = ANY(%s) ORDER BY oid",
        ([SUPERUSER, "neon_superuser"],),
    )
    return dict(await cursor.fetchall())


async def measure(cluster: Cluster) -> tuple[int, int]:
    """Return how many bytes the databases have together, and how many were ever written into the WAL."""
    async with cluster.connect() as connection:
        cursor = await connection.execute(
            "SELECT sum(pg_database_size(oid))::bigint, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint "
            "FROM pg_database WHERE NOT datistemplate"
        )
        row = await cursor.fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)
