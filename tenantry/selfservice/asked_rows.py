"""The rows of apps that were asked for, for commands, which are no asyncio programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tenantry.catalog.session import open_catalog
from tenantry.registry.asked import AskedRow

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


def read_row(
    connection: psycopg.Connection[tuple[Any, ...]], namespace: str, app_id: str
) -> AskedRow | None:
    """Read the row of one app that lives, and keep it from others until the transaction ends; None where none is."""
    tenant, _, name = app_id.partition("/")
    found = connection.execute(
        f"{_LIVE} AND tenant = %s AND name = %s FOR UPDATE", (namespace, tenant, name)
    ).fetchone()
    return _row(found) if found else None


def has_rows(connection: psycopg.Connection[tuple[Any, ...]]) -> bool:
    """Tell whether the catalog has the table: one that is older, or that no run has made yet, has not."""
    found = connection.execute("SELECT to_regclass('tenantry.app_specs') IS NOT NULL").fetchone()
    return bool(found and found[0])


def _row(columns: tuple[Any, ...]) -> AskedRow:
    spec, tenant, name, plan, overrides, generation, going = columns
    return AskedRow(spec, tenant, name, plan, overrides, generation, going)
