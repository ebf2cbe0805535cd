"""What is done for an app that was asked for: asked once, and written as it goes on.

An operation is the unit of the queue. The row is the truth and the job only its wake-up: a queue that was lost is made
anew from the rows (`due`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from tenantry.selfservice.database import CHANNEL

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from tenantry.selfservice.database import Connection

Kind = Literal["create", "update", "delete", "rotate", "keys", "graph", "ungraph"]
Status = Literal["queued", "running", "succeeded", "failed", "cancelled"]
ErrorKind = Literal["busy", "passing", "lasting", "stopped", "lost"]

URGENT: Final = 10
"""A person waits for it. A retry has 0, and what nobody waits for -10."""
AGAIN: Final = 0
PERIODIC: Final = -10


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation. Whose claim it is stands in `claims`."""

    id: UUID
    spec: UUID | None
    """The app that was asked for; None where it is declared in the file."""
    namespace: str
    app_id: str
    """`tenant/app`."""
    kind: Kind
    subject: str | None
    """The user whose graph it is about."""
    generation: int | None
    """What the app is brought to; None where that is not counted."""
    may_destroy: bool
    """Whether its run may destroy what the change replaces or takes away: its caller has said so."""
    status: Status
    priority: int
    actor: str
    request_id: str | None
    attempts: int
    interruptions: int
    next_attempt_at: datetime | None
    changed: bool | None
    error_kind: ErrorKind | None
    error_text: str | None
    cancel_requested_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def key(self) -> str:
        """What only one operation at a time may work on: the app's stack, or that of a user's graph."""
        return lock_key(self.namespace, self.app_id, self.subject)

    @property
    def open(self) -> bool:
        """Whether it is waiting or under way."""
        return self.status in {"queued", "running"}


@dataclass(frozen=True, kw_only=True)
class Happening:
    """One thing that happened to an operation."""

    id: int
    operation: UUID
    at: datetime
    kind: str
    """`queued`, `started`, `progress`, `retry`, `interrupted`, `succeeded`, `failed`, `cancelled`."""
    text: str


COLUMNS: Final = (
    "id, spec, namespace, app_id, kind, subject, generation, may_destroy, status, priority, actor, request_id, attempts, interruptions, "
    "next_attempt_at, changed, error_kind, error_text, cancel_requested_at, created_at, started_at, ended_at"
)


def lock_key(namespace: str, app_id: str, subject: str | None = None) -> str:
    """Return what only one operation at a time may work on."""
    return f"{namespace}:{app_id}/{subject}" if subject else f"{namespace}:{app_id}"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """An operation as it is asked for."""

    namespace: str
    app_id: str
    kind: Kind
    actor: str
    """Who asks: a token's issuer and subject, or what the service does by itself."""
    spec: UUID | None = None
    subject: str | None = None
    generation: int | None = None
    may_destroy: bool = False
    priority: int = URGENT
    request_id: str | None = None


async def ask(connection: Connection, wanted: Wanted) -> Operation:
    """Add an operation, or return the one of this kind that waits already, which then is about this generation.

    No job is put into the queue: that is for the caller, in the same transaction (`jobs.wake`).
    """
    values = asdict(wanted)
    found = await connection.execute(
        f"INSERT INTO tenantry.operations ({', '.join(values)}, status) "  # noqa: S608  # the class's own fields
        f"VALUES ({', '.join(f'%({name})s' for name in values)}, 'queued') "
        "ON CONFLICT (namespace, app_id, kind, (coalesce(subject, ''))) WHERE status = 'queued' "
        "DO UPDATE SET generation = excluded.generation, priority = greatest(operations.priority, excluded.priority), "
        "may_destroy = operations.may_destroy OR excluded.may_destroy "
        f"RETURNING {COLUMNS}, (xmax = 0) AS added",
        values,
    )
    row: dict[str, Any] = await found.fetchone() or {}
    added = row.pop("added")
    asked = Operation(**row)
    if added:
        await tell(connection, asked.id, "queued", f"{asked.kind} of {asked.app_id} was asked for")
    return asked


async def get(connection: Connection, operation: UUID) -> Operation | None:
    """Return an operation by its id."""
    found = await connection.execute(
        f"SELECT {COLUMNS} FROM tenantry.operations WHERE id = %s",  # noqa: S608
        (operation,),
    )
    row = await found.fetchone()
    return Operation(**row) if row else None


async def of_app(
    connection: Connection, namespace: str, app_id: str, limit: int = 20
) -> list[Operation]:
    """Return an app's operations, the newest first."""
    found = await connection.execute(
        f"SELECT {COLUMNS} FROM tenantry.operations WHERE namespace = %s AND app_id = %s "  # noqa: S608
        "ORDER BY created_at DESC, id DESC LIMIT %s",
        (namespace, app_id, limit),
    )
    return [Operation(**row) for row in await found.fetchall()]


async def cancel(connection: Connection, operation: UUID) -> Operation | None:
    """End an operation that waits, or ask the one that is under way to end; None where it has ended.

    One that is under way ends after its current steps. What it has made stays in the app's stack, and the next
    operation goes on from there.
    """
    found = await connection.execute(
        "UPDATE tenantry.operations SET cancel_requested_at = coalesce(cancel_requested_at, now()), "  # noqa: S608
        "status = CASE status WHEN 'queued' THEN 'cancelled' ELSE status END, "
        "ended_at = CASE status WHEN 'queued' THEN now() END "
        f"WHERE id = %s AND status IN ('queued', 'running') RETURNING {COLUMNS}",
        (operation,),
    )
    row = await found.fetchone()
    if row is None:
        return None
    cancelled = Operation(**row)
    if cancelled.status == "cancelled":
        await tell(connection, operation, "cancelled", "it was cancelled before it began")
    return cancelled


async def hurry(connection: Connection, operation: UUID) -> Operation | None:
    """Let an operation that waits for its next attempt be tried now; None where it waits for nothing.

    No job is put into the queue: that is for the caller, in the same transaction (`jobs.wake`).
    """
    found = await connection.execute(
        "UPDATE tenantry.operations SET next_attempt_at = now(), priority = %s "  # noqa: S608
        f"WHERE id = %s AND status = 'queued' AND next_attempt_at IS NOT NULL RETURNING {COLUMNS}",
        (URGENT, operation),
    )
    row = await found.fetchone()
    return Operation(**row) if row else None


async def drop_waiting(connection: Connection, namespace: str, app_id: str) -> None:
    """Cancel what waits for an app: it is to be deleted."""
    found = await connection.execute(
        "UPDATE tenantry.operations SET status = 'cancelled', cancel_requested_at = now(), ended_at = now() "
        "WHERE namespace = %s AND app_id = %s AND subject IS NULL AND status = 'queued' AND kind <> 'delete' RETURNING id",
        (namespace, app_id),
    )
    for row in await found.fetchall():
        await tell(connection, row["id"], "cancelled", "the app is to be deleted")


async def tell(connection: Connection, operation: UUID, kind: str, text: str) -> None:
    """Write down what happened, and wake who waits for it. The text has no secret."""
    await connection.execute(
        "INSERT INTO tenantry.operation_events (operation, kind, text) VALUES (%s, %s, %s)",
        (operation, kind, text),
    )
    await connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, str(operation)))


async def happenings(
    connection: Connection, operation: UUID, after: int = 0, limit: int = 500
) -> list[Happening]:
    """Return what happened to an operation, the oldest first.

    :param after: the id of the last one that is known
    """
    found = await connection.execute(
        "SELECT id, operation, at, kind, text FROM tenantry.operation_events WHERE operation = %s AND id > %s "
        "ORDER BY id LIMIT %s",
        (operation, after, limit),
    )
    return [Happening(**row) for row in await found.fetchall()]


async def due(connection: Connection, limit: int = 50) -> list[Operation]:
    """Return operations that should have a job and have none, locked until the transaction ends.

    A retry whose time has come; one that another operation was in the way of; one whose job was lost with the queue;
    and one whose worker died with its job.
    """
    found = await connection.execute(
        f"SELECT {COLUMNS} FROM tenantry.operations WHERE job IS NULL AND (status = 'queued' "  # noqa: S608
        "AND coalesce(next_attempt_at, now()) <= now() OR status = 'running' AND lease_until < now()) "
        "ORDER BY priority DESC, created_at LIMIT %s FOR UPDATE SKIP LOCKED",
        (limit,),
    )
    return [Operation(**row) for row in await found.fetchall()]


async def oldest_due(connection: Connection, namespace: str) -> float:
    """Return for how many seconds the oldest operation that is due waits for a worker; 0 where none does."""
    found = await connection.execute(
        "SELECT coalesce(max(extract(epoch FROM now() - greatest(created_at, next_attempt_at))), 0)::float8 AS seconds "
        "FROM tenantry.operations WHERE namespace = %s AND status = 'queued' AND coalesce(next_attempt_at, now()) <= now()",
        (namespace,),
    )
    seconds: float = (await found.fetchone() or {})["seconds"]
    return seconds


async def note_job(connection: Connection, operation: UUID, job: int | None) -> None:
    """Note which job of the queue wakes an operation; None where it has none any more."""
    await connection.execute(
        "UPDATE tenantry.operations SET job = %s WHERE id = %s", (job, operation)
    )


async def jobs_of_open(connection: Connection) -> dict[int, UUID]:
    """Return the open operations that have a job, by that job."""
    found = await connection.execute(
        "SELECT job, id FROM tenantry.operations WHERE status IN ('queued', 'running') AND job IS NOT NULL"
    )
    return {row["job"]: row["id"] for row in await found.fetchall()}


async def forget_job(connection: Connection, job: int) -> None:
    """Note that a job is not in the queue any more: its operation gets another one when it is due."""
    await connection.execute(
        "UPDATE tenantry.operations SET job = NULL WHERE job = %s AND status IN ('queued', 'running')",
        (job,),
    )
