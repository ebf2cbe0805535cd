"""Whether an API key is good: the question that a service asks at each request.

Cost: one SELECT by the unique index on `key_hash`, and at most once a minute for each key an UPDATE of one row. The
key itself is never sent to the database, only its SHA-256.

The asking role needs USAGE on schema `tenantry`, SELECT on `tenantry.api_keys` and `tenantry.app_metadata`, and
UPDATE (last_used) on `tenantry.api_keys`.

The connection is in autocommit mode, at READ COMMITTED (PostgreSQL's default). Within a transaction of the caller, the
change of `last_used` would lock the key's row until that transaction ends. At a stricter isolation, two requests with
the same key could fail with a serialization error.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, LiteralString, TypeAlias

from tenantry.catalog.keys import digest, parse

if TYPE_CHECKING:
    from datetime import datetime

    import psycopg

State: TypeAlias = Literal["valid", "expired", "revoked", "unknown"]

_FIND: Final[LiteralString] = """\
SELECT k.id, k.key_hash, k.name, k.generation, k.scopes, k.expires_at, k.revoked_at, a.namespace, a.app_id, a.deleted_at,
       k.last_used IS NULL OR k.last_used < %(now)s - interval '1 minute'
FROM tenantry.api_keys k JOIN tenantry.app_metadata a ON a.id = k.app
WHERE k.key_hash = %(digest)s AND k.prefix = %(prefix)s"""

# Where another request is changing the row, this one skips it: nobody waits for a timestamp.
_USE: Final[LiteralString] = """\
UPDATE tenantry.api_keys SET last_used = %(now)s WHERE id = (
  SELECT id FROM tenantry.api_keys
  WHERE id = %(id)s AND revoked_at IS NULL AND (last_used IS NULL OR last_used < %(now)s - interval '1 minute')
  FOR NO KEY UPDATE SKIP LOCKED)"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of a key. For an unknown key there is nothing but the state."""

    state: State
    namespace: str | None = None
    """The registry that the app belongs to: a catalog may serve several."""
    app: str | None = None
    """`tenant/app`."""
    name: str | None = None
    generation: int | None = None
    scopes: tuple[str, ...] = ()
    expires_at: datetime | None = None
    """None for a key that never expires."""

    @property
    def valid(self) -> bool:
        """Whether the key may be used now, within its scopes."""
        return self.state == "valid"


def verify(connection: psycopg.Connection[Any], key: str, *, now: datetime) -> Verdict:
    """Judge a key, and note when a valid one was used, at most once a minute.

    A key that is both revoked and expired counts as revoked, and so does every key of an app that is gone. A text that
    does not have a key's form is unknown, and the database is not asked.

    :param connection: to the catalog, in autocommit mode
    :param key: as the client sent it
    :param now: the time, with its zone
    :raises ValueError: `now` has no zone
    :raises psycopg.Error: the catalog does not answer; the message does not hold the key
    """
    question = _question(key, now)
    if question is None:
        return Verdict("unknown")
    # Imported here: the caller's connection has loaded it already.
    from psycopg.rows import tuple_row

    with connection.cursor(row_factory=tuple_row) as cursor:
        verdict, use = _judge(cursor.execute(_FIND, question).fetchone(), question)
        if use:
            cursor.execute(_USE, use)
    return verdict


async def verify_async(
    connection: psycopg.AsyncConnection[Any], key: str, *, now: datetime
) -> Verdict:
    """Do what `verify` does, for an asyncio program.

    A transaction of its own, which ends right after this, does as well as autocommit mode.
    """
    question = _question(key, now)
    if question is None:
        return Verdict("unknown")
    from psycopg.rows import tuple_row

    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(_FIND, question)
        verdict, use = _judge(await cursor.fetchone(), question)
        if use:
            await cursor.execute(_USE, use)
    return verdict


def _question(key: str, now: datetime) -> dict[str, Any] | None:
    """Return the parameters of `_FIND`; None for what has not a key's form."""
    if now.tzinfo is None:
        raise ValueError("now has no time zone: a key's end is a moment, not a reading of a clock")
    parts = parse(key)
    if parts is None:
        return None
    return {"digest": digest(key), "prefix": parts.prefix, "now": now}


def _judge(
    row: tuple[Any, ...] | None, question: dict[str, Any]
) -> tuple[Verdict, dict[str, Any] | None]:
    """Return what the row says, and the parameters of `_USE` where the use is to be noted."""
    # The index has found the digest already. Comparing once more, in constant time, does not rely on how the database
    # compares.
    if row is None or not hmac.compare_digest(row[1], question["digest"]):
        return Verdict("unknown"), None
    identity, _, name, generation, scopes, expires_at, revoked_at, namespace, app, gone, due = row
    now = question["now"]
    state: State = "valid"
    if revoked_at is not None or gone is not None:
        state = "revoked"
    elif expires_at is not None and expires_at <= now:
        state = "expired"
    verdict = Verdict(state, namespace, app, name, generation, tuple(scopes), expires_at)
    return verdict, {"id": identity, "now": now} if verdict.valid and due else None
