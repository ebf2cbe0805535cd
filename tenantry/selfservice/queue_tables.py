"""The queue's own tables: Procrastinate's, in a schema of their own in the catalog's database.

They are made by whoever starts the service, not with the catalog's own tables: a run of the registry needs no queue.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from tenantry.catalog.service_tables import SERVICE
from tenantry.selfservice.errors import SelfServiceError

if TYPE_CHECKING:
    import psycopg

SCHEMA: Final = "tenantry_jobs"
_APPLIED: Final = f"{SCHEMA}.applied"
_GRANTS: Final = (
    f"GRANT USAGE ON SCHEMA {SCHEMA} TO {SERVICE}",
    f"GRANT ALL ON ALL TABLES IN SCHEMA {SCHEMA} TO {SERVICE}",
    f"GRANT ALL ON ALL SEQUENCES IN SCHEMA {SCHEMA} TO {SERVICE}",
    f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {SCHEMA} TO {SERVICE}",
)


def migrate(url: str) -> None:
    """Bring the queue's tables to what the installed Procrastinate needs, in one transaction.

    Where there are none, its schema is made as a whole; later versions bring scripts for what changed, which are
    applied in the order of their names.

    :param url: a libpq URI of a role that owns the catalog; where nothing is to be done, the service's role is enough
    :raises SelfServiceError: the role may not make them
    """
    import psycopg

    with psycopg.connect(url, connect_timeout=10, options="-clock_timeout=10s") as connection:
        known = _known()
        if (applied := _applied(connection)) is not None and not known.keys() - applied:
            return
        try:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}".encode())
            # Two services that start at once: the second one waits here, and finds everything done.
            connection.execute(
                f"CREATE TABLE IF NOT EXISTS {_APPLIED} (name text PRIMARY KEY, at timestamptz DEFAULT now())".encode()
            )
            connection.execute(f"LOCK TABLE {_APPLIED} IN EXCLUSIVE MODE".encode())
            connection.execute(f"SET LOCAL search_path = {SCHEMA}".encode())
            _apply(connection, known)
            for each in _GRANTS:
                connection.execute(each.encode())
        except psycopg.errors.InsufficientPrivilege as error:
            raise SelfServiceError(
                f"the queue's tables cannot be made: {error.diag.message_primary}",
                place="catalog",
                way_out="start tenantry serve or tenantry work once with the URL of the catalog's owner",
            ) from None


def _apply(connection: psycopg.Connection[Any], known: dict[str, str]) -> None:
    applied = _applied(connection) or set()
    if not applied:
        whole = resources.files("procrastinate.sql") / "schema.sql"
        connection.execute(whole.read_text("utf-8").encode())
    else:
        for name in sorted(known.keys() - applied):
            connection.execute(known[name].encode())
    for name in sorted(known.keys() - applied):
        connection.execute(f"INSERT INTO {_APPLIED} (name) VALUES (%s)".encode(), (name,))  # noqa: S608  # ours


def _known() -> dict[str, str]:
    scripts = resources.files("procrastinate.sql") / "migrations"
    return {
        each.name: each.read_text("utf-8")
        for each in scripts.iterdir()
        if each.name.endswith(".sql")
    }


def _applied(connection: psycopg.Connection[Any]) -> set[str] | None:
    found = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (_APPLIED,)).fetchone()
    if not found or not found[0]:
        return None
    rows = connection.execute(f"SELECT name FROM {_APPLIED}".encode()).fetchall()  # noqa: S608  # ours
    return {str(row[0]) for row in rows}
