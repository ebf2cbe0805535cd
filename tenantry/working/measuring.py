"""What apps used, read from Neon once an hour by one worker of all."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from tenantry.fleet.looking import FleetLooker
from tenantry.fleet.project import Project
from tenantry.neon.looking import connect
from tenantry.selfservice import outbox
from tenantry.selfservice.alone import alone
from tenantry.selfservice.database import connection, transaction
from tenantry.usage import samples
from tenantry.usage.budgets import over
from tenantry.usage.measures import Month
from tenantry.usage.measuring import measure
from tenantry.usage.reporting import usage
from tenantry.working.notices import Notices
from tenantry.working.tending import Chore

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import ThreadPoolExecutor

    from tenantry.registry.models import Registry
    from tenantry.selfservice.database import Pool
    from tenantry.usage.measures import Sample
    from tenantry.usage.samples import Last
    from tenantry.working.settings import WorkerSettings

_EVERY: Final = 3600.0
_EARLY: Final = 0.6
"""Within this part of the time between two readings another worker's counts: pauses are never quite the same."""


def usage_chores(
    settings: WorkerSettings,
    connections: Pool,
    threads: ThreadPoolExecutor,
    registry: Callable[[], Registry],
) -> list[Chore]:
    """Return the reading.

    :param threads: has a thread for it beside those of operations
    """

    def read(since: datetime, until: datetime) -> tuple[list[Sample], Registry]:
        project = Project.open(settings.folder, environment=settings.environment)
        looker = FleetLooker(project)
        with connect(looker.configuration, settings.environment) as client:
            # Also of apps that were asked for, which the file does not have.
            return measure(client, looker.registry, since, until), looker.registry

    async def read_alone() -> None:
        namespace = registry().namespace
        async with (
            connection(connections) as holder,
            alone(holder, f"reading of usage {namespace}") as got,
        ):
            if not got:
                return
            before = await samples.last(holder, namespace)
            if before and before.age < _EVERY * _EARLY:
                return
            now = datetime.now(UTC)
            found, known = await asyncio.get_running_loop().run_in_executor(
                threads, read, begins(before, now), now
            )
            async with transaction(connections) as one:
                await samples.note(one, namespace, found)
            if Notices(registry).wants("budget"):
                await tell_of_budgets(connections, known, Month.read(None, now))

    return [Chore("reading what was used", _EVERY, read_alone)]


async def tell_of_budgets(connections: Pool, registry: Registry, month: Month) -> None:
    """Write a notification for each budget that has come to 80 % or to 100 %, once a month for each of the two."""
    async with transaction(connections) as one:
        kept = await samples.of_month(one, registry.namespace, month)
        for each in over(usage(registry, kept, month), registry):
            await outbox.put(
                one,
                namespace=registry.namespace,
                kind="budget",
                app_id=each.of,
                text=each.text,
                once=f"budget {registry.namespace} {each.of} {month} {each.level}",
            )


def begins(before: Last | None, now: datetime) -> datetime:
    """Return from when on Neon is asked: since the last reading, and a day more, whose count may have grown since.

    Without a reading before, from the beginning of the month.
    """
    month = Month(now.replace(day=1, hour=0, minute=0, second=0, microsecond=0), now).start
    if before is None:
        return month
    first = min(before.day, now.date()) - timedelta(days=1)
    return datetime.combine(first, time(), UTC)
