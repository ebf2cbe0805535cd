"""What projects have used, by Neon's own count: nothing here wakes a compute.

Source: https://neon.com/docs/introduction/usage-calculations, as of 2026-05-28. Storage is counted in byte-hours and
branches in branch-hours, whatever the metrics' names say; a month that is billed has 744 hours, whatever its length.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from tenantry.neon.client import NeonError, NeonForbiddenError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tenantry.clouds.cloud import Live
    from tenantry.neon.client import NeonApi

METRICS: Final = (
    "compute_unit_seconds",
    "root_branch_bytes_month",
    "child_branch_bytes_month",
    "instant_restore_bytes_month",
    "snapshot_storage_bytes_month",
    "extra_branches_month",
    "public_network_transfer_bytes",
    "private_network_transfer_bytes",
)
"""All that Neon bills."""
_PAGE: Final = 100
"""Neon API v2: projects of a request, at most."""
_DAILY: Final = timedelta(days=59)
"""Days are told for 60; what begins earlier is told by months."""
_READERS: Final = 4


@dataclass(frozen=True)
class Measured:
    """What a project used in a day, in a month, or since its period began."""

    project: str
    day: date
    """Where the time begins, in UTC."""
    values: Mapping[str, int] = field(default_factory=dict)
    """By metric, one of METRICS or `written_data_bytes`."""


def consumption(
    api: NeonApi, projects: Iterable[Live], start: datetime, end: datetime
) -> list[Measured]:
    """Return what projects used from `start` to `end`, by days; what began over 59 days ago by months.

    A request for each 100 projects. On the Free plan there is no history. There each project's own counters of the
    current period are read, a request each; such an organization has 100 projects at most.

    :raises NeonError: Neon refuses, or does not answer
    """
    known = sorted(projects, key=lambda each: each.account)
    found: list[Measured] = []
    for account, group in groupby(known, key=lambda each: each.account):
        ids = [each.id for each in group]
        try:
            for first in range(0, len(ids), _PAGE):
                found += _history(api, account, ids[first : first + _PAGE], start, end)
        except NeonForbiddenError:
            # Also where the key has no right at all: then the projects cannot be read either, and that is told.
            with ThreadPoolExecutor(_READERS) as readers:
                found += [each for each in readers.map(partial(_counters, api), ids) if each]
    return found


def _history(
    api: NeonApi, account: str, projects: Sequence[str], start: datetime, end: datetime
) -> Iterator[Measured]:
    asked = {
        "org_id": account,
        "project_ids": ",".join(projects),
        "from": _text(start),
        "to": _text(end),
        "granularity": "daily" if datetime.now(UTC) - start < _DAILY else "monthly",
        "metrics": ",".join(METRICS),
        "limit": str(_PAGE),
    }
    seen: set[str] = set()
    cursor: str | None = ""
    while cursor is not None:
        page = api.ask(
            "GET",
            "/consumption_history/v2/projects",
            asked | ({"cursor": cursor} if cursor else {}),
        )
        if page is None:
            raise NeonError(f"there is no organization {account} for this key: set NEON_ORG_ID")
        fresh = [each for each in page["projects"] if each["project_id"] not in seen]
        seen |= {each["project_id"] for each in fresh}
        for each in fresh:
            yield from _frames(each)
        following = page.get("pagination", {}).get("cursor")
        cursor = following if fresh and following else None


def _frames(project: Mapping[str, Any]) -> Iterator[Measured]:
    for period in project["periods"]:
        for frame in period["consumption"]:
            yield Measured(
                project["project_id"],
                datetime.fromisoformat(frame["timeframe_start"]).astimezone(UTC).date(),
                {each["metric_name"]: int(each["value"]) for each in frame["metrics"]},
            )


def _counters(api: NeonApi, project: str) -> Measured | None:
    """Read a project's own counters; None of one that is gone meanwhile."""
    answer = api.ask("GET", f"/projects/{project}")
    if answer is None:
        return None
    found = answer["project"]
    return Measured(
        project,
        datetime.fromisoformat(found["consumption_period_start"]).astimezone(UTC).date(),
        {
            "compute_unit_seconds": found["compute_time_seconds"],
            # Root and child branches and history in one.
            "root_branch_bytes_month": found["data_storage_bytes_hour"],
            "public_network_transfer_bytes": found["data_transfer_bytes"],
            "written_data_bytes": found["written_data_bytes"],
        },
    )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
