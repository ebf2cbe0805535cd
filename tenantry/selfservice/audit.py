"""Who did what, and from where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from tenantry.selfservice.database import Connection


@dataclass(frozen=True, kw_only=True)
class Note:
    """One line of the audit."""

    at: datetime
    actor: str
    action: str
    object: str
    origin: str | None


async def note(
    connection: Connection,
    *,
    actor: str,
    action: str,
    object: str,  # noqa: A002  # the audit's own word
    origin: str | None = None,
    request_id: str | None = None,
    outcome: str | None = None,
) -> None:
    """Write one line of the audit; it is never changed.

    :param actor: who: a token's issuer and subject, or a user at a host
    :param action: what: `apps.create`, `operations.retry`
    :param object: to what: an app's id, an operation
    :param origin: the address of who asked
    """
    await connection.execute(
        "INSERT INTO tenantry.audit (actor, action, object, origin, request_id, outcome) VALUES (%s, %s, %s, %s, %s, %s)",
        (actor, action, object, origin, request_id, outcome),
    )


async def note_once(
    connection: Connection,
    *,
    actor: str,
    action: str,
    object: str,  # noqa: A002  # as above
    origin: str | None = None,
    request_id: str | None = None,
) -> bool:
    """Write a line of the audit for what may be done once; False where it was done before, and nothing is written.

    The connection is in a transaction.
    """
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 2))", (f"{action} {object}",)
    )
    found = await connection.execute(
        "SELECT 1 FROM tenantry.audit WHERE object = %s AND action = %s LIMIT 1", (object, action)
    )
    if await found.fetchone():
        return False
    await note(
        connection,
        actor=actor,
        action=action,
        object=object,
        origin=origin,
        request_id=request_id,
    )
    return True


async def about(
    connection: Connection, objects: Iterable[str | None], limit: int = 50
) -> list[Note]:
    """Return what was written about any of some objects, the newest first."""
    found = await connection.execute(
        "SELECT at, actor, action, object, origin FROM tenantry.audit WHERE object = ANY(%s) ORDER BY id DESC LIMIT %s",
        ([each for each in objects if each], limit),
    )
    return [Note(**row) for row in await found.fetchall()]
