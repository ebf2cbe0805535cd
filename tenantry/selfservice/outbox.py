"""Notifications that are to be sent: written with what they are about, and kept until every receiver has them.

Who sends takes a row for a while (`LEASE`). When it dies, the next one takes it after that. A receiver that was told
already may then get the message a second time, with the same id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from tenantry.registry.notices import Occasion
    from tenantry.selfservice.database import Connection

LEASE: Final = timedelta(minutes=5)
"""How long who sends has the row: longer than the slowest mail server takes."""
KEPT: Final = timedelta(days=30)
"""How long a row stays after its end."""
_COLUMNS: Final = "id, kind, app_id, text, operation, at, told, attempts, failure"


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A notification that somebody is to be told."""

    id: int
    kind: Occasion
    app_id: str
    text: str
    operation: UUID | None
    at: datetime
    told: tuple[str, ...]
    """The marks of the receivers that have it."""
    attempts: int
    failure: str | None
    """Why somebody was not told at the last attempt."""


async def put(
    connection: Connection,
    *,
    namespace: str,
    kind: Occasion,
    app_id: str,
    text: str,
    operation: UUID | None = None,
    once: str | None = None,
) -> bool:
    """Write a notification in the connection's own transaction; False where it was written before.

    :param text: without a secret
    :param once: names what is told of once only
    """
    found = await connection.execute(
        "INSERT INTO tenantry.notifications (namespace, kind, app_id, text, operation, once) "
        "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (once) DO NOTHING",
        (namespace, kind, app_id, text, operation, once),
    )
    return found.rowcount == 1


async def take(connection: Connection, namespace: str, limit: int = 20) -> list[Outgoing]:
    """Take notifications whose time has come, the oldest first; nobody else gets them before the lease is over."""
    found = await connection.execute(
        "UPDATE tenantry.notifications SET attempts = attempts + 1, next_attempt_at = now() + %s WHERE id IN ("  # noqa: S608
        "SELECT id FROM tenantry.notifications WHERE namespace = %s AND ended_at IS NULL AND next_attempt_at <= now() "
        f"ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING {_COLUMNS}",
        (LEASE, namespace, limit),
    )
    rows = [Outgoing(**row | {"told": tuple(row["told"])}) for row in await found.fetchall()]
    return sorted(rows, key=lambda each: each.id)


async def note(
    connection: Connection,
    row: int,
    told: Collection[str],
    failure: str | None,
    *,
    again: timedelta | None,
) -> None:
    """Write what became of an attempt.

    :param told: the marks of the receivers that have it now
    :param failure: why somebody was not told
    :param again: how long to wait before the next attempt; None: it is the end of it
    """
    await connection.execute(
        "UPDATE tenantry.notifications SET told = (SELECT coalesce(array_agg(DISTINCT each), '{}') "
        "FROM unnest(told || %s::text[]) AS each), failure = %s, next_attempt_at = now() + coalesce(%s, interval '0'), "
        "ended_at = CASE WHEN %s THEN now() END WHERE id = %s",
        (list(told), failure, again, again is None, row),
    )


async def throw_away(connection: Connection) -> None:
    """Take away what ended long ago."""
    await connection.execute(
        "DELETE FROM tenantry.notifications WHERE ended_at < now() - %s", (KEPT,)
    )
