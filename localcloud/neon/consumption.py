"""How much was used, by hours, days and months, in the units of https://neon.com/docs/introduction/usage-calculations."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from localcloud.clock import parse, render
from localcloud.neon import usage
from localcloud.neon.caller import caller_of
from localcloud.neon.errors import ApiError, bad_request
from localcloud.neon.pagination import page
from localcloud.neon.parameters import (
    choice_of,
    flag_of,
    identifier_of,
    identifiers_of,
    limit_of,
    list_of,
    required_of,
    time_of,
)
from localcloud.neon.routing import Routes, answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.datastructures import QueryParams
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.neon.cloud import Cloud
    from localcloud.records import Branch, Json, Project, Usage

# How far back each granularity goes.
_REACH = {
    "hourly": timedelta(hours=168),
    "daily": timedelta(days=60),
    "monthly": timedelta(days=366),
}
_HOUR = timedelta(hours=1)
_OF_BRANCHES = (
    "compute_unit_seconds",
    "root_branch_bytes_month",
    "child_branch_bytes_month",
    "instant_restore_bytes_month",
    "public_network_transfer_bytes",
    "private_network_transfer_bytes",
)
_OF_PROJECTS = (*_OF_BRANCHES, "extra_branches_month", "snapshot_storage_bytes_month")


@dataclass(frozen=True, slots=True)
class Frame:
    """A stretch of time."""

    start: datetime
    end: datetime

    def holds(self, record: Usage) -> bool:
        """Whether an hour is in it."""
        return self.start <= parse(record.hour) < self.end

    def hours(self, since: str) -> float:
        """Return for how many hours something has been there in it until now."""
        begin, end = max(self.start, parse(since)), min(self.end, datetime.now(UTC))
        return max(0.0, (end - begin) / _HOUR)


def counters(cloud: Cloud, project: Project) -> Json:
    """Return what a project counts of this month by itself, on every plan."""
    start = _floor(datetime.now(UTC), "monthly")
    month = Frame(start, _next(start, "monthly"))
    records = [each for each in usage.used(cloud.state, project.id) if month.holds(each)]
    return {
        "active_time_seconds": round(sum(each.active_seconds for each in records)),
        "compute_time_seconds": round(sum(each.compute_unit_seconds for each in records)),
        "written_data_bytes": sum(each.written_bytes for each in records),
        "data_storage_bytes_hour": round(
            sum(
                each.logical_size * month.hours(each.created_at)
                for each in cloud.branches(project.id)
            )
        ),
        "consumption_period_start": render(month.start),
        "consumption_period_end": render(month.end),
    }


async def by_project(cloud: Cloud, request: Request) -> Response:
    """Time and bytes of projects, in the measures of before usage-based plans."""
    frames = _frames(request.query_params)
    projects, pagination = _projects(cloud, request)
    flag_of(request.query_params, "include_v1_metrics")

    def shown(project: Project, frame: Frame) -> Json:
        records = [each for each in usage.used(cloud.state, project.id) if frame.holds(each)]
        return {
            "timeframe_start": render(frame.start),
            "timeframe_end": render(frame.end),
            "active_time_seconds": round(sum(each.active_seconds for each in records)),
            "compute_time_seconds": round(sum(each.compute_unit_seconds for each in records)),
            "written_data_bytes": sum(each.written_bytes for each in records),
            "synthetic_storage_size_bytes": sum(
                branch.logical_size
                for branch in cloud.branches(project.id)
                if parse(branch.created_at) < frame.end
            ),
        }

    found = [
        {
            "project_id": project.id,
            "periods": _periods(cloud, project, frames, partial(shown, project)),
        }
        for project in projects
    ]
    return answer({"projects": found} | pagination)


async def by_project_v2(cloud: Cloud, request: Request) -> Response:
    """Metrics of projects."""
    metrics = _metrics(request.query_params, _OF_PROJECTS)
    identifier_of({"org_id": required_of(request.query_params, "org_id")}, "org_id")
    frames = _frames(request.query_params)
    projects, pagination = _projects(cloud, request)
    found = [
        {
            "project_id": project.id,
            "periods": _periods(
                cloud,
                project,
                frames,
                partial(_measured, cloud, project, cloud.state.branches.of(project.id), metrics),
            ),
        }
        for project in projects
    ]
    return answer({"projects": found} | pagination)


async def by_branch_v2(cloud: Cloud, request: Request) -> Response:
    """Metrics of the branches of projects."""
    query = request.query_params
    metrics = _metrics(query, _OF_BRANCHES)
    required_of(query, "project_ids")
    required_of(query, "org_id")
    frames = _frames(query)
    limit = limit_of(query, default=100, maximum=1000)
    wanted = set(identifiers_of(query, "branch_ids"))
    branches = [
        branch
        for project in _seen(cloud, request)
        for branch in cloud.state.branches.of(project.id)
        if not wanted or branch.id in wanted
    ]
    chosen, cursor = page(
        branches, lambda each: (each.project_id, each.id), query.get("cursor"), limit
    )
    found = [
        {
            "project_id": branch.project_id,
            "branch_id": branch.id,
            "periods": _periods(
                cloud,
                cloud.state.projects[branch.project_id],
                frames,
                partial(
                    _measured, cloud, cloud.state.projects[branch.project_id], [branch], metrics
                ),
            ),
        }
        for branch in chosen
    ]
    return answer({"branches": found} | ({"pagination": {"cursor": cursor}} if cursor else {}))


def _measured(
    cloud: Cloud, project: Project, branches: list[Branch], metrics: list[str], frame: Frame
) -> Json:
    ids = {branch.id for branch in branches}
    records = [
        each
        for each in usage.used(cloud.state, project.id)
        if each.branch_id in ids and frame.holds(each)
    ]

    def stored(*, child: bool) -> float:
        # Byte-hours, whatever the metric's name says.
        return sum(
            each.logical_size * frame.hours(each.created_at)
            for each in branches
            if not each.deleted_at and bool(each.parent_id) is child
        )

    values = {
        "compute_unit_seconds": sum(each.compute_unit_seconds for each in records),
        "root_branch_bytes_month": stored(child=False),
        "child_branch_bytes_month": stored(child=True),
        # Branch-hours of all child branches: who bills takes off what the plan includes.
        "extra_branches_month": sum(
            frame.hours(each.created_at)
            for each in branches
            if each.parent_id and not each.deleted_at
        ),
        "snapshot_storage_bytes_month": sum(
            (each.full_size or 0) * frame.hours(each.created_at)
            for each in cloud.state.snapshots.of(project.id)
        ),
    }
    return {
        "timeframe_start": render(frame.start),
        "timeframe_end": render(frame.end),
        "metrics": [{"metric_name": name, "value": round(values.get(name, 0))} for name in metrics],
    }


def _metrics(query: QueryParams, known: tuple[str, ...]) -> list[str]:
    required_of(query, "metrics")
    metrics = list_of(query, "metrics")
    for name in metrics:
        if name not in known:
            raise bad_request(
                'parameter "metrics" in query has an error: must be of ' + ", ".join(known)
            )
    return metrics


def _frames(query: QueryParams) -> list[Frame]:
    granularity = choice_of(query, "granularity", tuple(_REACH))
    for name in ("from", "to"):
        required_of(query, name)
    start, end = time_of(query, "from"), time_of(query, "to")
    assert start is not None  # noqa: S101 (required above)
    assert end is not None  # noqa: S101
    if start >= end:
        raise bad_request('parameter "from" in query has an error: must be before "to"')
    now = datetime.now(UTC)
    if start < now - _REACH[granularity]:
        raise ApiError(406, f"the range goes back further than {granularity} metrics do")
    frames = []
    moment = _floor(start, granularity)
    while moment < min(end, now):
        following = _next(moment, granularity)
        frames.append(Frame(moment, following))
        moment = following
    return frames


def _floor(moment: datetime, granularity: str) -> datetime:
    hour = moment.replace(minute=0, second=0, microsecond=0)
    if granularity == "hourly":
        return hour
    return hour.replace(hour=0) if granularity == "daily" else hour.replace(hour=0, day=1)


def _next(moment: datetime, granularity: str) -> datetime:
    if granularity == "hourly":
        return moment + timedelta(hours=1)
    if granularity == "daily":
        return moment + timedelta(days=1)
    return (moment + timedelta(days=31)).replace(day=1)


def _periods(
    cloud: Cloud, project: Project, frames: list[Frame], shown: Callable[[Frame], Json]
) -> list[Json]:
    """Return the months of billing with their frames, from the project's beginning on."""
    periods: dict[datetime, list[Json]] = {}
    for frame in frames:
        if frame.end > parse(project.created_at):
            periods.setdefault(_floor(frame.start, "monthly"), []).append(shown(frame))
    return list(_billed(cloud, project, periods))


def _billed(cloud: Cloud, project: Project, periods: dict[datetime, list[Json]]) -> Iterator[Json]:
    for start, consumption in periods.items():
        end = _next(start, "monthly")
        period: Json = {
            "period_id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{project.id} {render(start)}")),
            "period_plan": cloud.plan.subscription_type,
            "period_start": render(start),
            "consumption": consumption,
        }
        yield period | ({"period_end": render(end)} if end <= datetime.now(UTC) else {})


def _seen(cloud: Cloud, request: Request) -> list[Project]:
    if not cloud.plan.spending_limit:
        raise ApiError(403, "consumption history is not available for this account")
    caller = caller_of(request)
    org_id = caller.organization(cloud, identifier_of(request.query_params, "org_id"))
    wanted = set(identifiers_of(request.query_params, "project_ids"))
    return [
        project
        for project in cloud.state.projects.values()
        if project.org_id == org_id
        and not project.deleted_at
        and caller.sees(project)
        and (not wanted or project.id in wanted)
    ]


def _projects(cloud: Cloud, request: Request) -> tuple[list[Project], Json]:
    query = request.query_params
    limit = limit_of(query, default=10, maximum=100)
    chosen, cursor = page(
        _seen(cloud, request),
        lambda each: (each.created_at, each.id),
        query.get("cursor"),
        limit,
        descending=True,
    )
    return chosen, ({"pagination": {"cursor": cursor}} if cursor else {})


ROUTES: Routes = [
    ("GET", "/consumption_history/projects", by_project),
    ("GET", "/consumption_history/v2/projects", by_project_v2),
    ("GET", "/consumption_history/v2/branches", by_branch_v2),
]
