"""The sweep of users of whom no message told, as something that every worker does now and then."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tenantry.selfservice.sweeping import EVERY_SECONDS, USERS_URL, sweep_once
from tenantry.working.tending import Chore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tenantry.registry.models import Registry
    from tenantry.selfservice.database import Pool
    from tenantry.selfservice.queue import Queue

_log = logging.getLogger("tenantry.working")


def sign_up_chores(
    connections: Pool,
    queue: Queue,
    environment: Mapping[str, str],
    registry: Callable[[], Registry],
) -> list[Chore]:
    """Return the sweep; nothing where no database of users is named (`TENANTRY_USERS_URL`)."""
    if not environment.get(USERS_URL):
        return []

    async def sweep() -> None:
        known = registry()
        app_id = known.self_service.sign_ups if known.self_service else None
        if app_id is None:
            return
        kind = known.app(app_id).graphs_per_user
        swept = await sweep_once(
            connections,
            queue,
            namespace=known.namespace,
            app_id=app_id,
            listed=kind.users if kind else (),
            environment=environment,
        )
        if swept and swept.missed:
            _log.warning(
                "sign-ups of which no message told: %d, the first one %.0f s ago",
                swept.missed,
                swept.lag_seconds,
            )

    return [Chore("looking for sign-ups of which no message told", EVERY_SECONDS, sweep)]
