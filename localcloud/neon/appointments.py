"""What has a time in the cloud: branches and snapshots expire, and snapshots are taken by a schedule."""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime, timedelta
from functools import partial
from math import inf
from typing import TYPE_CHECKING

from localcloud.clock import parse, render
from localcloud.neon.branches import remove_branch
from localcloud.neon.calendar import Appointment
from localcloud.neon.parameters import moment_of
from localcloud.neon.snapshots import remove_snapshot, take_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localcloud.neon.cloud import Cloud
    from localcloud.records import Branch, Json, Snapshot


def appointments(cloud: Cloud) -> Iterator[Appointment]:
    """Return what is to come."""
    state = cloud.state
    for branch in list(state.branches.values()):
        if branch.deleted_at or state.projects[branch.project_id].deleted_at:
            continue
        # A data folder of before kept the text as it came.
        expiry = moment_of(branch.expires_at or "")
        if expiry is not None:
            yield Appointment(render(expiry), partial(_expire, cloud, branch))
        if branch.schedule:
            due = min(next_time(item, _checked(branch)) for item in branch.schedule)
            yield Appointment(render(due), partial(_take, cloud, branch))
    for snapshot in list(state.snapshots.values()):
        if snapshot.expires_at and not state.projects[snapshot.project_id].deleted_at:
            yield Appointment(snapshot.expires_at, partial(_drop, cloud, snapshot))


def next_time(item: Json, after: datetime) -> datetime:
    """Return when a line of a schedule is next due. Hours and days left out are the first ones; weeks begin on Monday.

    A day that a month does not have is its last one.
    """
    frequency = item["frequency"]
    hour, day, month = item.get("hour", 0), item.get("day", 1), item.get("month", 1)
    if frequency == "hourly":
        return after.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    start = after.replace(hour=hour, minute=0, second=0, microsecond=0)
    if frequency == "daily":
        return start if start > after else start + timedelta(days=1)
    if frequency == "weekly":
        start += timedelta(days=min(day, 7) - start.isoweekday())
        return start if start > after else start + timedelta(days=7)
    if frequency == "yearly":
        found = (_on(start, year, month, day) for year in (start.year, start.year + 1))
    else:
        later = start.replace(day=1) + timedelta(days=31)
        found = (_on(start, each.year, each.month, day) for each in (start, later))
    return next(each for each in found if each > after)


def _on(start: datetime, year: int, month: int, day: int) -> datetime:
    return start.replace(year=year, month=month, day=min(day, monthrange(year, month)[1]))


def _checked(branch: Branch) -> datetime:
    return parse(branch.scheduled_until or branch.created_at)


async def _expire(cloud: Cloud, branch: Branch) -> None:
    await remove_branch(cloud, branch, by="ttl")


async def _take(cloud: Cloud, branch: Branch) -> None:
    """Take one snapshot for all lines that are due, kept as long as the longest of them says."""
    await cloud.sync(branch)
    now = cloud.clock.now()
    due = [item for item in branch.schedule if next_time(item, _checked(branch)) <= parse(now)]
    kept = [float(item.get("retention_seconds", inf)) for item in due]
    expires = None if inf in kept else render(parse(now) + timedelta(seconds=max(kept)))
    take_snapshot(cloud, branch, expires_at=expires, manual=False)
    branch.scheduled_until = now
    cloud.state.put(branch)


async def _drop(cloud: Cloud, snapshot: Snapshot) -> None:
    remove_snapshot(cloud, snapshot)
