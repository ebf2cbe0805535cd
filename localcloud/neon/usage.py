"""What computes use, by branch and hour: kept when they end, added up when somebody asks."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from localcloud.clock import parse, render
from localcloud.postgres import catalog
from localcloud.postgres.server import ClusterError
from localcloud.records import Usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localcloud.postgres.cluster import Cluster
    from localcloud.records import Endpoint
    from localcloud.state import State

_HOUR = timedelta(hours=1)
_SECONDS = 5.0


async def account(state: State, endpoint: Endpoint, cluster: Cluster) -> None:
    """Keep what a compute used until now, as it is about to end."""
    now = datetime.now(UTC)
    written = await _measure(state, endpoint.branch_id, cluster)
    with state.change() as change:
        for hour, seconds in _hours(endpoint, now):
            key = f"{endpoint.branch_id}/{hour}"
            record = state.usage.get(key) or Usage(endpoint.project_id, endpoint.branch_id, hour)
            record.active_seconds += seconds
            record.compute_unit_seconds += seconds * endpoint.autoscaling_limit_min_cu
            record.written_bytes, written = record.written_bytes + written, 0
            change.put(record)


def used(state: State, project_id: str) -> list[Usage]:
    """Return what the branches of a project used, also by computes that run now."""
    found = list(state.usage.of(project_id))
    now = datetime.now(UTC)
    for endpoint in state.endpoints.values():
        if endpoint.project_id == project_id and endpoint.current_state == "active":
            found += [
                Usage(
                    project_id,
                    endpoint.branch_id,
                    hour,
                    seconds,
                    seconds * endpoint.autoscaling_limit_min_cu,
                )
                for hour, seconds in _hours(endpoint, now)
            ]
    return found


async def _measure(state: State, branch_id: str, cluster: Cluster) -> int:
    """Note a branch's size, and return how many bytes were written since the last time."""
    import psycopg

    branch = state.branches.get(branch_id)
    if branch is None or not cluster.running:
        return 0
    try:
        async with asyncio.timeout(_SECONDS):
            size, position = await catalog.measure(cluster)
    except (ClusterError, psycopg.Error, TimeoutError):
        # A server that has died: the next one's end tells.
        return 0
    written = position - (position if branch.wal_position is None else branch.wal_position)
    branch.logical_size, branch.wal_position = size, position
    state.put(branch)
    return max(0, written)


def _hours(endpoint: Endpoint, now: datetime) -> Iterator[tuple[str, float]]:
    if endpoint.started_at is None:
        return
    moment = parse(endpoint.started_at)
    while moment < now:
        hour = moment.replace(minute=0, second=0, microsecond=0)
        end = min(hour + _HOUR, now)
        yield render(hour), (end - moment).total_seconds()
        moment = end
