"""API keys that end soon: a notification for each, once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tenantry.selfservice.database import Connection

BEFORE: Final = timedelta(days=14)
"""How long before its end a key is told of."""


async def tell_of_keys(connection: Connection, namespace: str) -> int:
    """Write a notification for each key that ends within 14 days, and return how many are new.

    A generation that a later one has taken the place of is not told of, nor is a key that was revoked. A key is told of
    once: the row of it stays for longer than the key is good.
    """
    found = await connection.execute(
        "INSERT INTO tenantry.notifications (namespace, kind, app_id, text, once) "
        "SELECT a.namespace, 'key_expires', a.app_id, format('key %%s (generation %%s) ends at %%s: set its expires to a later "
        "day, or rotate it', k.name, k.generation, to_char(k.expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI \"UTC\"')), "
        "'key_expires ' || k.id "
        "FROM tenantry.api_keys k JOIN tenantry.app_metadata a ON a.id = k.app "
        "WHERE a.namespace = %s AND a.deleted_at IS NULL AND k.revoked_at IS NULL "
        "AND k.expires_at > now() AND k.expires_at <= now() + %s AND NOT EXISTS ("
        "SELECT 1 FROM tenantry.api_keys later WHERE (later.app, later.name) = (k.app, k.name) "
        "AND later.generation > k.generation AND later.revoked_at IS NULL) "
        "ON CONFLICT (once) DO NOTHING",
        (namespace, BEFORE),
    )
    return found.rowcount
