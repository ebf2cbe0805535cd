from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tenantry.clouds.cloud import Client, Cloud
from tenantry.fleet.listing import listed
from tenantry.fleet.looking import FleetLooker
from tenantry.fleet.selection import Shard
from tenantry.planning.drift import Difference, Drift
from tenantry.registry import SelectionError, load
from tests.unit.fleet.support import Backend
from tests.unit.recovery.project import Neon, neon_client
from tests.unit.recovery.project import listed as in_the_list

SETTINGS = {
    "history_retention_seconds": 21600,
    "default_endpoint_settings": {
        "autoscaling_limit_min_cu": 0.25,
        "autoscaling_limit_max_cu": 2,
        "suspend_timeout_seconds": 300,
    },
    "settings": {"allowed_ips": {"ips": ["10.0.0.0/8", "192.0.2.1"]}},
}


def in_the_state(app: str, **inputs: Any) -> dict[str, Any]:
    return {
        "urn": f"urn:pulumi:x::t::tenantry:app:TenantApp$neon:index/project:Project::acme/{app}",
        "type": "neon:index/project:Project",
        "id": f"p-{app}",
        "inputs": {
            "name": f"ns--acme--{app}",
            "regionId": "aws-us-east-2",
            "pgVersion": 17,
            "orgId": "org",
            "historyRetentionSeconds": 21600,
            "defaultEndpointSettings": {
                "autoscalingLimitMinCu": 0.25,
                "autoscalingLimitMaxCu": 2.0,
                "suspendTimeoutSeconds": 300,
            },
            "allowedIps": ["192.0.2.1", "10.0.0.0/8"],
            **inputs,
        },
    }


@dataclass
class Scene:
    backend: Backend
    neon: Neon

    def drift(self, apps: set[str] | None = None) -> Drift:
        project = self.backend.fleet().project
        neon = self.neon

        class Local(FleetLooker):
            def connect(self, cloud: Cloud) -> Client:  # noqa: ARG002 one for all
                return neon_client(neon)

        looker = Local(project, load(self.backend.folder / "tenants.yaml"))
        return listed(looker, apps)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    backend = Backend(tmp_path)
    backend.environment |= {"NEON_ORG_ID": "org"}
    names = [f"a{number}" for number in range(5)]
    backend.registry(dict.fromkeys(names, ""))
    for name in names:
        backend.state(f"acme--{name}", [in_the_state(name)])
    neon = Neon([in_the_list(f"p-{name}", f"ns--acme--{name}") | SETTINGS for name in names])
    return Scene(backend, neon)


def test_a_fleet_that_is_as_its_states_have_it_takes_one_request(scene: Scene) -> None:
    drift = scene.drift()
    assert (drift.compared, drift.lines, drift.exit_code) == (5, (), 0)
    assert scene.neon.asked == ["GET /projects"]


def test_what_the_lists_say_otherwise_is_told(scene: Scene) -> None:
    gone, renamed, resized, opened, limited = scene.neon.projects
    scene.neon.projects.remove(gone)
    renamed["name"] = "mine"
    resized["default_endpoint_settings"] = {
        **resized["default_endpoint_settings"],
        "autoscaling_limit_max_cu": 8,
    }
    resized["history_retention_seconds"] = 0
    opened["settings"] = {"allowed_ips": {"ips": []}}
    limited["settings"] = {
        **limited["settings"],
        "block_public_connections": False,
        "enable_logical_replication": True,
        "maintenance_window": {"weekdays": [1, 7], "start_time": "03:00", "end_time": "06:00"},
        "quota": {"logical_size_bytes": 2**40 + 1, "written_data_bytes": 5},
    }
    scene.backend.state(
        "acme--a4",
        [
            in_the_state(
                "a4",
                blockPublicConnections="yes",
                maintenanceWindow={
                    "__defaults": [],
                    "weekdays": [7.0, 1.0],
                    "startTime": "03:00",
                    "endTime": "04:00",
                },
                quota={"activeTimeSeconds": 0, "logicalSizeBytes": 2**40},
            )
        ],
    )
    drift = scene.drift()
    assert drift.lines == (
        "project acme/a0 is gone",
        "project acme/a1: name: ns--acme--a1 → mine",
        "project acme/a2: historyRetentionSeconds: 21600 → 0; defaultEndpointSettings.autoscalingLimitMaxCu: 2 → 8",
        "project acme/a3: allowedIps: 10.0.0.0/8, 192.0.2.1 → none",
        "project acme/a4: blockPublicConnections: yes → no; maintenanceWindow.endTime: 04:00 → 06:00; quota.logicalSizeBytes: 1099511627776 → 1099511627777",
    )
    assert drift.exit_code == 3
    # What the list lacks is asked for by its id.
    assert len(scene.neon.asked) == 3
    assert scene.drift({"acme/a0"}).lines == ("project acme/a0 is gone",)


def test_what_is_nobodys_is_told_with_what_settles_it(scene: Scene) -> None:
    scene.neon.projects += [
        in_the_list("p-9", "ns--acme--old"),
        in_the_list("p-8", "ns--acme--a0"),
        in_the_list("p-7", "other--acme--a0"),
    ]
    drift = scene.drift()
    assert [(each.kind, each.name) for each in drift.strays] == [
        ("duplicate", "acme/a0"),
        ("orphan", "ns--acme--old"),
    ]
    assert drift.strays[1].command == "tenantry project delete p-9 --name ns--acme--old"
    assert drift.headline == (
        "No drift: 5 resources are as the state has them. 2 in the clouds that no state holds."
    )
    assert drift.exit_code == 3
    assert [each.name for each in scene.drift({"acme/a0"}).strays] == ["acme/a0"]


def test_what_a_run_makes_meanwhile_is_no_orphan(scene: Scene) -> None:
    def asked(request: httpx.Request) -> httpx.Response:
        scene.backend.state("acme--new", [in_the_state("new")])
        return scene.neon(request)

    scene.neon.projects.append(in_the_list("p-new", "ns--acme--new"))
    project = scene.backend.fleet().project

    class Local(FleetLooker):
        def connect(self, cloud: Cloud) -> Client:  # noqa: ARG002 one for all
            return neon_client(asked)

    drift = listed(Local(project, load(scene.backend.folder / "tenants.yaml")))
    assert drift.strays == ()


def test_a_deeper_look_says_what_both_tell() -> None:
    def difference(kind: str, *, gone: bool) -> Difference:
        return Difference(stack="s", app="acme/a", kind=kind, name="acme/a", gone=gone)

    lists = Drift(compared=5, differences=(difference("project", gone=False),))
    deep = Drift(
        compared=30, differences=(difference("project", gone=True), difference("role", gone=True))
    )
    both = lists.and_deeper(deep)
    assert [each.text for each in both.differences] == [
        "project acme/a is gone",
        "role acme/a is gone",
    ]
    assert both.compared == 35


@pytest.mark.parametrize("count", [1, 2, 5, 7, 12, 24, 25, 48, 49, 168])
def test_every_share_has_its_turn_hourly_and_at_the_same_hour_of_each_day(count: int) -> None:
    begin = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)

    def turns(step: timedelta, times: int) -> set[int]:
        return {
            Shard.of_the_hour(f"1/{count}", begin + step * number).number for number in range(times)
        }

    every = set(range(1, count + 1))
    assert turns(timedelta(days=1), count) == every
    assert turns(timedelta(hours=1), max(2 * count, 24) + 48) == every


def test_a_share_is_one_of_how_many() -> None:
    with pytest.raises(SelectionError, match="one of how many, such as 1/24"):
        Shard.of_the_hour("2/24", datetime.now(UTC))
