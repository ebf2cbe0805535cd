"""Who did what, and from where."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenantry.selfservice.database import Connection


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
