"""A look for drift and for what nobody holds, now and then, by one worker of all."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from tenantry.fleet.listing import list_drift
from tenantry.fleet.project import Project
from tenantry.fleet.selection import Selection
from tenantry.selfservice import drift_looks, outbox
from tenantry.selfservice.alone import alone
from tenantry.selfservice.database import connection, transaction
from tenantry.working.notices import Notices
from tenantry.working.tending import Chore

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import ThreadPoolExecutor

    from tenantry.planning.drift import Drift
    from tenantry.registry.models import Registry
    from tenantry.selfservice.database import Pool
    from tenantry.working.settings import WorkerSettings

_log = logging.getLogger("tenantry.working")

_EARLY: Final = 0.6
"""Within this part of the time between two looks another worker's look counts: pauses are never quite the same."""


def look_chores(
    settings: WorkerSettings,
    connections: Pool,
    threads: ThreadPoolExecutor,
    registry: Callable[[], Registry],
) -> list[Chore]:
    """Return the look; nothing where the settings want none.

    :param threads: has a thread for it beside those of operations
    """
    if not settings.look_seconds:
        return []

    def look() -> Drift:
        project = Project.open(settings.folder, environment=settings.environment)
        return list_drift(project, Selection())

    async def look_alone() -> None:
        namespace = registry().namespace
        async with (
            connection(connections) as holder,
            alone(holder, f"look for drift {namespace}") as got,
        ):
            if not got:
                return
            before = await drift_looks.last(holder, namespace)
            if before and before.age < settings.look_seconds * _EARLY:
                return
            found = await asyncio.get_running_loop().run_in_executor(threads, look)
            await _note(connections, namespace, found, before, Notices(registry))

    return [Chore("looking for drift", settings.look_seconds, look_alone)]


async def _note(
    connections: Pool,
    namespace: str,
    found: Drift,
    before: drift_looks.Look | None,
    notices: Notices,
) -> None:
    """Write what was found, and tell of what was not there at the last look."""
    drifted: dict[str, list[str]] = {}
    for each in found.differences:
        drifted.setdefault(each.app or each.stack, []).append(each.text)
    strays: dict[str, list[str]] = {}
    for stray in found.strays:
        strays.setdefault(stray.kind, []).append(stray.text)
    known = before.drifted if before else {}
    async with transaction(connections) as one:
        await drift_looks.note(
            one, namespace, compared=found.compared, drifted=drifted, strays=strays
        )
        if notices.wants("drift"):
            for app, lines in drifted.items():
                if known.get(app) != tuple(lines):
                    text = "\n".join(lines)
                    await outbox.put(one, namespace=namespace, kind="drift", app_id=app, text=text)
    if found.exit_code:
        _log.warning("%s", found.headline)
