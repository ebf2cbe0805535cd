"""API keys that end soon: a notification for each, once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tenantry.selfservice.database import Connection

BEFORE: Final = timedelta(days=14)
"""How long before its end a key is told of."""


SOON: Final = """
FROM tenantry.api_keys k JOIN tenantry.app_metadata a ON a.id = k.app
WHERE a.namespace = %(namespace)s AND a.deleted_at IS NULL AND k.revoked_at IS NULL AND k.expires_at > now()
AND k.expires_at <= now() + %(before)s AND NOT EXISTS (SELECT 1 FROM tenantry.api_keys later
  WHERE (later.app, later.name) = (k.app, k.name) AND later.generation > k.generation AND later.revoked_at IS NULL)"""
"""Keys that end soon. A generation that a later one has taken the place of is none of them, nor is a revoked key."""


async def tell_of_keys(connection: Connection, namespace: str) -> int:
    """Write a notification for each key that ends within 14 days, and return how many are new.

    A key is told of once: the row of it stays for longer than the key is good.
    """
    found = await connection.execute(
        "INSERT INTO tenantry.notifications (namespace, kind, app_id, text, once) "
        "SELECT a.namespace, 'key_expires', a.app_id, format('key %%s (generation %%s) ends at %%s: set its expires to a later "
        "day, or rotate it', k.name, k.generation, to_char(k.expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI \"UTC\"')), "
        f"'key_expires ' || k.id {SOON} ON CONFLICT (once) DO NOTHING",
        {"namespace": namespace, "before": BEFORE},
    )
    return found.rowcount
