"""Operations of all apps, for who looks at the queue: what is under way, what waits, what ended and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from tenantry.selfservice.operations import COLUMNS, Operation

if TYPE_CHECKING:
    from datetime import datetime

    from tenantry.selfservice.database import Connection

Which = Literal["open", "failed", "ended"]
"""`failed`: the last operation of an app whose reason nobody has settled. `ended`: any that ended."""

_OPEN: Final = (
    "o.status IN ('queued', 'running') ORDER BY o.status DESC, o.priority DESC, o.created_at"
)
_FAILED: Final = """o.status IN ('failed', 'cancelled') AND NOT EXISTS (
  SELECT 1 FROM tenantry.operations later
  WHERE later.namespace = o.namespace AND later.app_id = o.app_id
    AND coalesce(later.subject, '') = coalesce(o.subject, '') AND (later.created_at, later.id) > (o.created_at, o.id))
ORDER BY o.ended_at DESC"""
_ENDED: Final = "o.ended_at IS NOT NULL ORDER BY o.ended_at DESC"
_CONDITIONS: Final[dict[Which, str]] = {"open": _OPEN, "failed": _FAILED, "ended": _ENDED}


@dataclass(frozen=True, kw_only=True)
class Run(Operation):
    """An operation with who is at work on it, and what happened last."""

    worker: str | None
    last_text: str | None
    last_at: datetime | None


async def runs(
    connection: Connection,
    namespace: str,
    which: Which,
    *,
    tenant: str | None = None,
    limit: int = 50,
) -> list[Run]:
    """Return operations: open ones as they are worked on, others the newest first.

    :param tenant: whose; None for everybody's
    """
    columns = ", ".join(f"o.{each.strip()}" for each in COLUMNS.split(","))
    found = await connection.execute(
        f"SELECT {columns}, o.worker, e.text AS last_text, e.at AS last_at "  # noqa: S608  # our own names
        "FROM tenantry.operations o LEFT JOIN LATERAL (SELECT text, at FROM tenantry.operation_events "
        "WHERE operation = o.id ORDER BY id DESC LIMIT 1) e ON true "
        "WHERE o.namespace = %(namespace)s AND (%(tenant)s::text IS NULL OR starts_with(o.app_id, %(tenant)s || '/')) "
        f"AND {_CONDITIONS[which]} LIMIT %(limit)s",
        {"namespace": namespace, "tenant": tenant, "limit": limit},
    )
    return [Run(**row) for row in await found.fetchall()]


@dataclass(frozen=True, kw_only=True)
class Depth:
    """How much there is to do."""

    queued: int
    running: int
    oldest: datetime | None
    """Since when the first one waits that may begin now."""


async def depth(connection: Connection, namespace: str, tenant: str | None = None) -> Depth:
    """Count what is open; parameters as for `runs`."""
    found = await connection.execute(
        "SELECT count(*) FILTER (WHERE status = 'queued') AS queued, count(*) FILTER (WHERE status = 'running') AS running, "
        "min(created_at) FILTER (WHERE status = 'queued' AND coalesce(next_attempt_at, now()) <= now()) AS oldest "
        "FROM tenantry.operations WHERE namespace = %(namespace)s AND status IN ('queued', 'running') "
        "AND (%(tenant)s::text IS NULL OR starts_with(app_id, %(tenant)s || '/'))",
        {"namespace": namespace, "tenant": tenant},
    )
    row: dict[str, Any] = await found.fetchone() or {}
    return Depth(**row)
