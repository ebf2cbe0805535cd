"""What workers do beside operations: wake what is due, give back what dead workers had, throw away what is over."""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tenantry.errors import TenantryError
from tenantry.selfservice import operations
from tenantry.selfservice.database import transaction
from tenantry.selfservice.jobs import wake

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tenantry.selfservice.database import Pool
    from tenantry.selfservice.queue import Queue

_log = logging.getLogger("tenantry.working")

_JITTER: Final = 0.3
"""The part by which a pause differs, so that workers do not all look at once."""


@dataclass
class Chore:
    """Something that is done now and then."""

    name: str
    every: float
    """Seconds."""
    do: Callable[[], Awaitable[None]]


async def tend(chores: Sequence[Chore]) -> None:
    """Do the chores until this is cancelled, each by itself: one that takes long keeps no other one waiting."""
    async with asyncio.TaskGroup() as group:
        for chore in chores:
            group.create_task(_keep(chore), name=chore.name)


async def _keep(chore: Chore) -> None:
    """Do one chore now and then. One that fails is done again at its next time."""
    while True:
        try:
            await chore.do()
        except TenantryError as error:
            _log.warning("%s: %s", chore.name, error)
        except Exception:  # noqa: BLE001  # it may well go the next time, and the others go on
            _log.exception("%s failed in an unforeseen way", chore.name)
        await asyncio.sleep(chore.every * (1 + random.uniform(-_JITTER, _JITTER)))  # noqa: S311  # no secret


def usual_chores(connections: Pool, queue: Queue) -> list[Chore]:
    """Return what every worker does; it is no harm where several do it at once."""

    async def wake_due() -> None:
        async with transaction(connections) as connection:
            for each in await operations.due(connection):
                await wake(queue, connection, each.id, key=each.key, priority=each.priority)

    async def find_lost_jobs() -> None:
        async with transaction(connections) as connection:
            jobs = await operations.jobs_of_open(connection)
            there = await queue.open(connection, jobs)
            for job in jobs.keys() - there:
                await operations.forget_job(connection, job)

    async def reap() -> None:
        if count := await queue.reap():
            _log.warning("jobs of lost workers that go on elsewhere: %d", count)

    async def throw_away() -> None:
        async with transaction(connections) as connection:
            await connection.execute(
                "DELETE FROM tenantry.idempotency_keys WHERE expires_at < now()"
            )

    return [
        Chore("waking what is due", 5, wake_due),
        Chore("looking for lost jobs", 30, find_lost_jobs),
        Chore("looking for lost workers", 15, reap),
        Chore("throwing away old keys", 600, throw_away),
    ]
