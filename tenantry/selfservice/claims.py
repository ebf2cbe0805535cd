"""Who is at work on an operation, and until when that counts.

A worker that was held up and comes back finds that its claim is over: what it writes has no effect. So each result is
written under its claim, and a worker ends its engines before its lease is over (`Lease`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tenantry.selfservice.operations import COLUMNS, ErrorKind, Operation, lock_key, tell

if TYPE_CHECKING:
    from datetime import timedelta
    from uuid import UUID

    from tenantry.selfservice.database import Connection


@dataclass(frozen=True)
class Lease:
    """How long a claim counts, in seconds, and what a worker does in that time. Workers may have different ones."""

    seconds: float = 60.0
    """After so long without a renewal, others may take the operation over."""

    @property
    def every(self) -> float:
        """How often it is renewed."""
        return self.seconds / 6

    @property
    def answer(self) -> float:
        """How long the catalog has to answer a renewal."""
        return self.seconds / 6

    @property
    def within(self) -> float:
        """After so long without a renewal a worker ends its engines."""
        return self.seconds / 2

    @property
    def engine(self) -> float:
        """How long an engine works on after a renewal.

        The lease begins while the renewal is asked for, and the engine hears of it within `answer`: so it ends before.
        """
        return self.seconds * 3 / 4

    @property
    def stuck(self) -> float:
        """After so long without a renewal a worker's process ends itself, whatever its loop waits for."""
        return self.seconds * 2


@dataclass(frozen=True)
class Engine:
    """An engine that worked on an operation before, for a worker that was lost."""

    host: str
    pid: int
    since: datetime
    """When its worker had claimed the operation: no lock of its can be older."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The right to work on an operation."""

    id: UUID
    operation: Operation
    engines: tuple[Engine, ...]
    """Those of lost workers before this one. What they left locked may be freed."""


@dataclass(frozen=True)
class Worker:
    """Who claims."""

    name: str
    """Unique among all workers."""
    host: str
    """As the engine's locks name it."""
    pid: int
    lease: Lease = Lease()


async def claim(connection: Connection, operation: UUID, worker: Worker) -> Claim | None:
    """Take an operation; None where it has ended, or where somebody is at work on it or on its stack.

    The connection is in a transaction.
    """
    found = await connection.execute(
        "SELECT namespace, app_id, subject FROM tenantry.operations WHERE id = %s", (operation,)
    )
    of = await found.fetchone()
    if of is None:
        return None
    key = lock_key(of["namespace"], of["app_id"], of["subject"])
    # One at a time for a stack: two operations of one app must not both find the other one waiting.
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", (key,))
    found = await connection.execute(
        f"""
        WITH held AS (
          SELECT id AS of, claim, worker, coalesce(lease_until < now(), true) AS is_over, past_engines ||
            CASE WHEN claim IS NULL OR engine_pid IS NULL THEN '[]'::jsonb
            ELSE jsonb_build_array(jsonb_build_object('host', host, 'pid', engine_pid, 'since', claimed_at)) END AS engines
          FROM tenantry.operations WHERE id = %s FOR UPDATE)
        UPDATE tenantry.operations o SET status = 'running', claim = gen_random_uuid(), worker = %s, host = %s, pid = %s,
          engine_pid = NULL, past_engines = held.engines, claimed_at = now(),
          lease_until = now() + make_interval(secs => %s), started_at = coalesce(started_at, now()), next_attempt_at = NULL,
          attempts = attempts + CASE WHEN held.claim IS NULL THEN 1 ELSE 0 END,
          interruptions = interruptions + CASE WHEN held.claim IS NULL THEN 0 ELSE 1 END
        FROM held WHERE o.id = held.of AND o.status IN ('queued', 'running') AND held.is_over AND NOT EXISTS (
          SELECT 1 FROM tenantry.operations other WHERE other.id <> o.id AND other.status = 'running'
          AND (other.namespace, other.app_id, coalesce(other.subject, '')) = (o.namespace, o.app_id, coalesce(o.subject, '')))
        RETURNING {", ".join(f"o.{each.strip()}" for each in COLUMNS.split(","))}, o.claim, o.past_engines,
          CASE WHEN held.claim IS NOT NULL THEN held.worker END AS lost""",  # noqa: S608
        (operation, worker.name, worker.host, worker.pid, worker.lease.seconds),
    )
    row = await found.fetchone()
    if row is None:
        return None
    own, lost = row.pop("claim"), row.pop("lost")
    engines = tuple(
        Engine(each["host"], each["pid"], datetime.fromisoformat(each["since"]))
        for each in row.pop("past_engines")
    )
    await tell(
        connection,
        operation,
        "interrupted" if lost else "started",
        f"worker {worker.name} goes on for {lost}, which was lost"
        if lost
        else f"by worker {worker.name}",
    )
    return Claim(id=own, operation=Operation(**row), engines=engines)


async def step_aside(connection: Connection, operation: UUID, after: timedelta) -> None:
    """Let an operation wait that could not be claimed: somebody is at work on it, or on its app."""
    await connection.execute(
        "UPDATE tenantry.operations SET job = NULL, "
        "next_attempt_at = CASE status WHEN 'queued' THEN now() + %s ELSE next_attempt_at END "
        "WHERE id = %s AND status IN ('queued', 'running')",
        (after, operation),
    )


async def renew(connection: Connection, claims: list[UUID], lease: Lease) -> dict[UUID, bool]:
    """Prolong claims; return those that still count, and whether the operation is asked to end.

    A claim whose lease is over is lost, also where nobody has taken it: another worker may be about to.
    """
    found = await connection.execute(
        "UPDATE tenantry.operations SET lease_until = now() + make_interval(secs => %s) "
        "WHERE claim = ANY(%s) AND lease_until > now() RETURNING claim, cancel_requested_at IS NOT NULL AS asked_to_end",
        (lease.seconds, claims),
    )
    return {row["claim"]: row["asked_to_end"] for row in await found.fetchall()}


async def note_engine(connection: Connection, own: UUID, pid: int) -> bool:
    """Note the engine's process before it takes a lock; return whether the claim still counts."""
    found = await connection.execute(
        "UPDATE tenantry.operations SET engine_pid = %s WHERE claim = %s AND lease_until > now()",
        (pid, own),
    )
    return found.rowcount == 1


async def note_freed(connection: Connection, own: UUID) -> None:
    """Note that nothing is left of the engines before this claim."""
    await connection.execute(
        "UPDATE tenantry.operations SET past_engines = '[]' WHERE claim = %s", (own,)
    )


async def still_counts(connection: Connection, own: UUID) -> bool:
    """Say whether a claim counts, and keep it from being taken over until the transaction ends."""
    found = await connection.execute(
        "SELECT 1 FROM tenantry.operations WHERE claim = %s AND lease_until > now() FOR UPDATE",
        (own,),
    )
    return await found.fetchone() is not None


async def succeed(connection: Connection, own: Claim, *, changed: bool) -> bool:
    """Write that an operation succeeded; False where the claim is over, and nothing was written."""
    return await _end(connection, own, "succeeded", "done", changed=changed)


async def fail(connection: Connection, own: Claim, kind: ErrorKind, text: str) -> bool:
    """Write why an operation failed for good; False where the claim is over."""
    return await _end(connection, own, "failed", text, kind=kind)


async def end_cancelled(connection: Connection, own: Claim) -> bool:
    """Write that an operation ended as it was asked to; False where the claim is over."""
    return await _end(connection, own, "cancelled", "it was asked to end")


async def put_back(
    connection: Connection,
    own: Claim,
    *,
    after: timedelta,
    kind: ErrorKind,
    text: str,
    counts: bool = True,
) -> bool:
    """Let an operation wait for another attempt; False where the claim is over.

    :param after: how long it waits
    :param counts: whether this attempt counts as one
    """
    import psycopg

    try:
        async with connection.transaction():
            found = await connection.execute(
                "UPDATE tenantry.operations SET status = 'queued', claim = NULL, lease_until = NULL, job = NULL, priority = 0, "
                "next_attempt_at = now() + %s, error_kind = %s, error_text = %s, attempts = attempts - %s "
                "WHERE claim = %s AND lease_until > now()",
                (after, kind, text, 0 if counts else 1, own.id),
            )
    except psycopg.errors.UniqueViolation:
        # The same was asked for again meanwhile; that one waits already.
        return await _end(connection, own, "cancelled", f"a later one goes on: {text}", kind=kind)
    if found.rowcount == 0:
        return False
    await tell(connection, own.operation.id, "retry", text)
    return True


async def _end(
    connection: Connection,
    own: Claim,
    status: str,
    text: str,
    *,
    kind: ErrorKind | None = None,
    changed: bool | None = None,
) -> bool:
    found = await connection.execute(
        "UPDATE tenantry.operations SET status = %s, claim = NULL, lease_until = NULL, job = NULL, ended_at = now(), "
        "next_attempt_at = NULL, changed = %s, error_kind = %s, error_text = %s WHERE claim = %s AND lease_until > now()",
        (status, changed, kind, text if kind else None, own.id),
    )
    if found.rowcount == 0:
        return False
    await tell(connection, own.operation.id, status, text)
    return True
