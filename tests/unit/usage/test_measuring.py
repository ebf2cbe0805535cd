"""What is asked of Neon: pages of a hundred, and counters where there is no history."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tenantry.neon.client import NeonApi, NeonForbiddenError
from tenantry.neon.looking import NeonClient
from tenantry.registry import Registry, parse
from tenantry.usage.measures import Sample, Use
from tenantry.usage.measuring import measure

if TYPE_CHECKING:
    from collections.abc import Collection

START = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2)


def registry(apps: int) -> Registry:
    named = ", ".join(f"a{n}: {{}}" for n in range(apps))
    return parse(
        f"""version: 1
defaults: {{environment: development, region: aws-us-east-2}}
tenants: {{acme: {{apps: {{{named}}}}}}}
""".encode()
    )


class Cloud:
    """Neon with some projects, of which each used its number of CU-seconds."""

    def __init__(self, apps: int, *, refuses: Collection[str] = ()) -> None:
        self.asked: list[str] = []
        self.refuses = refuses
        self.projects = [project(n) for n in range(apps)]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v2")
        self.asked.append(path)
        if path in self.refuses:
            return httpx.Response(403, json={"message": "not on this plan"})
        query = request.url.params
        if path == "/consumption_history/v2/projects":
            wanted = query["project_ids"].split(",")
            assert len(wanted) <= int(query["limit"]) <= 100
            assert (query["org_id"], query["granularity"]) == ("org-1", "daily")
            return httpx.Response(200, json={"projects": [used(each) for each in wanted]})
        if path == "/projects":
            return httpx.Response(
                200, json={"projects": self.projects if "cursor" not in query else []}
            )
        return httpx.Response(
            200,
            json={
                "project": {
                    "compute_time_seconds": 7,
                    "data_storage_bytes_hour": 8,
                    "data_transfer_bytes": 9,
                    "written_data_bytes": 10,
                    "consumption_period_start": "2026-11-01T00:00:00Z",
                }
            },
        )

    def measure(self, apps: int) -> list[Sample]:
        api = NeonApi(api_key="k", transport=httpx.MockTransport(self))
        with NeonClient(api, "org-1") as client:
            return measure(client, registry(apps), START, START + timedelta(days=1))


def project(n: int, name: str = "") -> dict[str, Any]:
    return {
        "id": f"p-{n}",
        "name": name or f"tenantry--acme--a{n}",
        "org_id": "org-1",
        "created_at": "2026-11-01T00:00:00Z",
        "region_id": "aws-us-east-2",
        "pg_version": 17,
    }


def used(id_: str) -> dict[str, Any]:
    metrics = [{"metric_name": "compute_unit_seconds", "value": int(id_.removeprefix("p-"))}]
    frame = {"timeframe_start": f"{START:%Y-%m-%dT%H:%M:%SZ}", "metrics": metrics}
    return {"project_id": id_, "periods": [{"consumption": [frame]}]}


def test_a_hundred_projects_are_one_request_and_each_is_its_apps() -> None:
    cloud = Cloud(250)
    found = cloud.measure(250)
    assert cloud.asked.count("/consumption_history/v2/projects") == 3
    assert not [each for each in cloud.asked if each.startswith("/projects/")]
    assert {each.app: each.use.compute for each in found} == {f"acme/a{n}": n for n in range(250)}
    assert {each.day for each in found} == {START.date()}


def test_a_project_of_nobodys_name_is_not_asked_for() -> None:
    cloud = Cloud(2)
    cloud.projects.append(project(9, "tenantry--acme--other"))
    assert {each.app for each in cloud.measure(2)} == {"acme/a0", "acme/a1"}


def test_the_free_plan_is_told_by_the_projects_own_counters() -> None:
    cloud = Cloud(2, refuses={"/consumption_history/v2/projects"})
    assert cloud.measure(1) == [
        Sample(
            app="acme/a0",
            project="p-0",
            day=date(2026, 11, 1),
            use=Use(compute=7, root_storage=8, transfer=9, written=10),
        )
    ]


def test_a_key_without_rights_is_an_error_and_no_empty_usage() -> None:
    cloud = Cloud(1, refuses={"/consumption_history/v2/projects", "/projects/p-0"})
    with pytest.raises(NeonForbiddenError, match="is NEON_API_KEY right"):
        cloud.measure(1)
