"""The rows of apps that were asked for, for commands, which are no asyncio programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tenantry.catalog.session import open_catalog
from tenantry.registry.asked import AskedRow
from tenantry.selfservice.errors import SelfServiceError

if TYPE_CHECKING:
    import psycopg

_LIVE: Final = """
SELECT id::text, tenant, name, plan, overrides, generation, deletion_requested_at IS NOT NULL
FROM tenantry.app_specs WHERE namespace = %s AND deleted_at IS NULL"""


def read_rows(url: str, namespace: str) -> list[AskedRow]:
    """Read the rows of all apps that live, in the order of their ids. A catalog without such a table has none.

    :param url: the catalog's
    :param namespace: the registry's
    :raises CatalogError: the catalog does not answer, or refuses
    """
    with open_catalog(url) as connection:
        if not has_rows(connection):
            return []
        found = connection.execute(f"{_LIVE} ORDER BY tenant, name", (namespace,))
        return [_row(each) for each in found.fetchall()]


def read_row(url: str, namespace: str, app_id: str) -> AskedRow | None:
    """Read the row of one app that lives; None where there is none. Parameters and errors as for `read_rows`."""
    with open_catalog(url) as connection:
        return _find(connection, namespace, app_id) if has_rows(connection) else None


def _find(
    connection: psycopg.Connection[tuple[Any, ...]], namespace: str, app_id: str, how: str = ""
) -> AskedRow | None:
    tenant, _, name = app_id.partition("/")
    found = connection.execute(
        f"{_LIVE} AND tenant = %s AND name = %s {how}", (namespace, tenant, name)
    ).fetchone()
    return _row(found) if found else None


def has_rows(connection: psycopg.Connection[tuple[Any, ...]]) -> bool:
    """Tell whether the catalog has the table: one that is older, or that no run has made yet, has not."""
    found = connection.execute("SELECT to_regclass('tenantry.app_specs') IS NOT NULL").fetchone()
    return bool(found and found[0])


def _row(columns: tuple[Any, ...]) -> AskedRow:
    spec, tenant, name, plan, overrides, generation, going = columns
    return AskedRow(spec, tenant, name, plan, overrides, generation, going)


def take_over(url: str, namespace: str, row: AskedRow, actor: str) -> str:
    """Write the row of an app that a file declares, as one that is as it was asked for; return its id.

    Where it is there already, nothing is changed.

    :param actor: who does it, for the audit; the row's owner too
    :raises SelfServiceError: there is a row that says something else, or whose app is to be deleted
    :raises CatalogError: the catalog does not answer, or refuses
    """
    with open_catalog(url) as connection, connection.transaction():
        if not has_rows(connection):
            raise SelfServiceError(
                "the catalog has no table of apps that were asked for",
                place="catalog",
                way_out="tenantry up makes it",
            )
        found = connection.execute(
            "INSERT INTO tenantry.app_specs (namespace, tenant, name, plan, overrides, owner, observed_generation) "
            "VALUES (%s, %s, %s, %s, %s, %s, 1) ON CONFLICT DO NOTHING RETURNING id::text",
            (namespace, row.tenant, row.name, row.plan, json.dumps(row.overrides), actor),
        ).fetchone()
        if found:
            _note(connection, actor, "apps.import", row.app_id)
            return str(found[0])
        there = _find(connection, namespace, row.app_id, "FOR UPDATE")
        if (
            there is None
            or there.deletion_requested
            or (there.plan, dict(there.overrides)) != (row.plan, dict(row.overrides))
        ):
            raise SelfServiceError(
                f"{row.app_id} has a row that says something else",
                place="catalog",
                way_out=f"look at it: tenantry registry export {row.app_id}",
            )
        return there.id


def give_up(url: str, namespace: str, row: AskedRow, actor: str) -> None:
    """End a row whose app the file declares; the app stays as it is. One that is gone already is no error.

    :param row: as it was read when it was compared with the file
    :raises SelfServiceError: the row says something else by now, or an operation of its app is waiting or under way
    :raises CatalogError: the catalog does not answer, or refuses
    """
    with open_catalog(url) as connection, connection.transaction():
        there = _find(connection, namespace, row.app_id, "FOR UPDATE")
        if there is None or there.id != row.id:
            return
        busy = connection.execute(
            "SELECT kind FROM tenantry.operations WHERE spec = %s AND ended_at IS NULL", (row.id,)
        ).fetchone()
        if busy or there.deletion_requested:
            what = f"an operation ({busy[0]})" if busy else "its deletion"
            raise SelfServiceError(
                f"{what} of {row.app_id} is waiting or under way",
                place="catalog",
                way_out="run this again when it has ended",
            )
        if there != row:
            raise SelfServiceError(
                f"{row.app_id} was changed meanwhile", place="catalog", way_out="run this again"
            )
        connection.execute(
            "UPDATE tenantry.app_specs SET deletion_requested_at = now(), deleted_at = now(), updated_at = now() WHERE id = %s",
            (row.id,),
        )
        _note(connection, actor, "apps.release", row.app_id)


def _note(
    connection: psycopg.Connection[tuple[Any, ...]], actor: str, action: str, app_id: str
) -> None:
    connection.execute(
        "INSERT INTO tenantry.audit (actor, action, object) VALUES (%s, %s, %s)",
        (actor, action, app_id),
    )
