"""Moments of a branch's history, as requests name them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from localcloud.clock import parse, render
from localcloud.neon.errors import ApiError, bad_request
from localcloud.neon.parameters import is_lsn, lsn_of, moment_of, time_of
from localcloud.postgres.history import Moment, lsn_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localcloud.neon.cloud import Cloud
    from localcloud.records import Branch


async def moment_in_body(
    cloud: Cloud, branch: Branch, time: str | None, lsn: str | None
) -> Moment | None:
    """Return the moment that a body names, or None for now.

    Raises ApiError 400 where the branch has none such, 422 while it is being made.
    """
    moment = moment_of(time) if time else None
    if time and moment is None:
        raise bad_request("timestamp must be a time as in RFC 3339")
    if lsn and not is_lsn(lsn):
        raise bad_request("lsn must be a Log Sequence Number")
    return await _checked(cloud, branch, moment, lsn or None)


async def moment_in_query(
    cloud: Cloud, branch: Branch, query: Mapping[str, str], prefix: str = ""
) -> Moment | None:
    """Return the moment that ``timestamp`` or ``lsn`` name, or None for now. Raises as :func:`moment_in_body` does."""
    time, lsn = time_of(query, f"{prefix}timestamp"), lsn_of(query, f"{prefix}lsn")
    return await _checked(cloud, branch, time, lsn)


async def _checked(
    cloud: Cloud, branch: Branch, time: datetime | None, lsn: str | None
) -> Moment | None:
    if time is None and lsn is None:
        return None
    if time is not None and lsn is not None:
        raise bad_request("timestamp and lsn cannot be specified at the same time")
    if branch.current_state != "ready":
        raise ApiError(422, "branch not ready yet")
    moment = Moment(time=render(time)) if time else Moment(lsn=lsn)
    if time is not None:
        _check_time(cloud, branch, time)
    cluster = cloud.cluster(branch.id)
    if cluster.history.base_before(moment) is None:
        raise bad_request("the history of the branch does not reach back so far")
    if lsn is not None:
        async with cluster.held(), cluster.connect() as connection:
            row = await (await connection.execute("SELECT pg_current_wal_lsn()::text")).fetchone()
        if row is None or lsn_number(lsn) > lsn_number(row[0]):
            raise bad_request(f"lsn {lsn} is ahead of the branch")
    return moment


def _check_time(cloud: Cloud, branch: Branch, time: datetime) -> None:
    project = cloud.state.projects[branch.project_id]
    now = datetime.now(UTC)
    earliest = max(
        parse(branch.history_from or branch.created_at),
        now - timedelta(seconds=project.history_retention_seconds),
    )
    if time > now:
        raise bad_request("timestamp is in the future")
    if time < earliest:
        raise bad_request(
            f"timestamp is before the branch's history, which begins at {render(earliest)}"
        )
