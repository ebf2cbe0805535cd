"""Requests that may be sent again: the key that a caller gave to one, and what came of it.

Neither the body nor the answer is kept, since they may hold secrets: only a digest of the body, and which app and
operation it led to. A repetition is answered from these as they are by then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tenantry.selfservice.errors import SelfServiceError

if TYPE_CHECKING:
    from uuid import UUID

    from tenantry.selfservice.database import Connection

HOURS: Final = 24
"""How long a key is good for."""
_SWEPT: Final = 50
"""How many keys that are over go with each new one."""


class UnderWayError(SelfServiceError):
    """The first request with this key is still in its transaction."""


class OtherRequestError(SelfServiceError):
    """The key was given to another request, or to one with another body."""


@dataclass(frozen=True, kw_only=True)
class Keyed:
    """A request with a key."""

    caller: str
    """Issuer and subject: two callers may use the same key."""
    key: str
    request: str
    """Method and path."""
    body_hash: str
    """SHA-256 in hex."""


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """What came of the first request."""

    spec: UUID | None
    operation: UUID | None


async def earlier(connection: Connection, asked: Keyed) -> Earlier | None:
    """Return what came of the first request with this key, and keep others from being the first meanwhile.

    The connection is in a transaction, in which `keep` follows where there was none.

    :raises UnderWayError: the first one has not ended its transaction
    :raises OtherRequestError: the first one was another
    """
    found = await connection.execute(
        "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 3)) AS alone",
        (f"{asked.caller} {asked.key}",),
    )
    row = await found.fetchone()
    if not row or not row["alone"]:
        raise UnderWayError("the first request with this Idempotency-Key is still under way")
    found = await connection.execute(
        "SELECT request, body_hash, spec, operation FROM tenantry.idempotency_keys "
        "WHERE caller = %s AND key = %s AND expires_at > now()",
        (asked.caller, asked.key),
    )
    row = await found.fetchone()
    if row is None:
        return None
    if (row["request"], row["body_hash"]) != (asked.request, asked.body_hash):
        raise OtherRequestError("this Idempotency-Key was sent with another request")
    return Earlier(spec=row["spec"], operation=row["operation"])


async def keep(
    connection: Connection, asked: Keyed, *, spec: UUID | None, operation: UUID | None
) -> None:
    """Keep what came of a request, in its own transaction; some keys that are over are deleted."""
    await connection.execute(
        "DELETE FROM tenantry.idempotency_keys WHERE (caller, key) IN (SELECT caller, key FROM tenantry.idempotency_keys "
        "WHERE expires_at <= now() LIMIT %s FOR UPDATE SKIP LOCKED) OR (caller = %s AND key = %s)",
        (_SWEPT, asked.caller, asked.key),
    )
    await connection.execute(
        "INSERT INTO tenantry.idempotency_keys (caller, key, request, body_hash, spec, operation, expires_at) "
        "VALUES (%s, %s, %s, %s, %s, %s, now() + make_interval(hours => %s))",
        (asked.caller, asked.key, asked.request, asked.body_hash, spec, operation, HOURS),
    )
