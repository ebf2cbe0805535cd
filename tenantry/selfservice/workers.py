"""Which workers there are, and when each was heard of last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from tenantry.selfservice.claims import Worker
    from tenantry.selfservice.database import Connection

FORGOTTEN: Final = "1 day"
"""After so long without a word a worker's row is taken away."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A worker, and when it was heard of."""

    name: str
    host: str
    pid: int
    slots: int
    version: str
    started_at: datetime
    heartbeat_at: datetime
    stopped_at: datetime | None


async def register(connection: Connection, worker: Worker, *, slots: int, version: str) -> None:
    """Add a worker, and forget those that were not heard of for a day."""
    await connection.execute(
        "INSERT INTO tenantry.workers (name, host, pid, slots, version) VALUES (%s, %s, %s, %s, %s) "
        "ON CONFLICT (name) DO UPDATE SET host = excluded.host, pid = excluded.pid, slots = excluded.slots, "
        "version = excluded.version, started_at = now(), heartbeat_at = now(), stopped_at = NULL",
        (worker.name, worker.host, worker.pid, slots, version),
    )
    await connection.execute(
        f"DELETE FROM tenantry.workers WHERE heartbeat_at < now() - interval '{FORGOTTEN}'"  # noqa: S608  # ours
    )


async def beat(connection: Connection, name: str) -> None:
    """Note that a worker lives."""
    await connection.execute(
        "UPDATE tenantry.workers SET heartbeat_at = now() WHERE name = %s", (name,)
    )


async def stopped(connection: Connection, name: str) -> None:
    """Note that a worker ended in order."""
    await connection.execute(
        "UPDATE tenantry.workers SET stopped_at = now() WHERE name = %s", (name,)
    )


async def seen(connection: Connection) -> list[Seen]:
    """Return the workers that have not ended in order, the one that was heard of last first."""
    found = await connection.execute(
        "SELECT name, host, pid, slots, version, started_at, heartbeat_at, stopped_at FROM tenantry.workers "
        "WHERE stopped_at IS NULL ORDER BY heartbeat_at DESC"
    )
    return [Seen(**row) for row in await found.fetchall()]
