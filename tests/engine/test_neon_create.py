"""No second project: what an app comes to where Neon's answers are lost, its operations fail, or the run is killed."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.neon_front import Fault, Front, neon_front
from tests.engine.workspace import Workspace, projects
from tests.localcloud_fixture import LocalCloud, local_cloud

SECONDS = 150

REGISTRY = """\
version: 1
namespace: {namespace}
tenants:
  acme:
    name: Acme Inc.
    apps:
      web:
        environment: development
        region: aws-us-east-2
        database: {{}}
        deletion: delete
"""


@pytest.fixture
def front(cloud: LocalCloud) -> Iterator[Front]:
    with neon_front(cloud.neon_api_url) as running:
        yield running


@pytest.fixture
def behind(workspace: Workspace, front: Front) -> Workspace:
    """A workspace that reaches Neon through the front."""
    workspace.environment |= {
        "NEON_API_URL": front.url,
        "NEON_LOST_SECONDS": "1",
        "NEON_INTENT_SECONDS": "3",
        "NEON_RETRY_SECONDS": "20",
        "NEON_RETRY_ATTEMPTS": "3",
    }
    return workspace


def up(workspace: Workspace, namespace: str) -> Any:
    workspace.registry.write_text(REGISTRY.format(namespace=namespace))
    return workspace.pulumi("up", "--yes", "--skip-preview")


def begin(workspace: Workspace, namespace: str) -> "subprocess.Popen[bytes]":
    """Start `pulumi up` in a process group of its own."""
    workspace.registry.write_text(REGISTRY.format(namespace=namespace))
    with (workspace.folder / "output").open("wb") as output:
        return subprocess.Popen(
            ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--color=never"],
            cwd=workspace.folder,
            env=workspace.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def converged_to_one(workspace: Workspace, cloud: LocalCloud, front: Front, namespace: str) -> None:
    """One project, the one that the state has; nothing left to do; no intent left behind."""
    assert projects(cloud, f"{namespace}--") == [f"{namespace}--acme--web"]
    front.faults.clear()
    workspace.assert_converged()
    intents = workspace.folder / ".tenantry" / "neon"
    assert list(intents.iterdir()) == []
    (made,) = [
        each for each in workspace.resources() if each["type"] == "neon:index/project:Project"
    ]
    with cloud.client() as client:
        assert client.get(f"/projects/{made['id']}").status_code == 200


def plugins(workspace: Workspace) -> set[int]:
    """The processes of the Neon plugin that work in this folder."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes()
            folder = (process / "cwd").resolve()
        except OSError:
            continue
        if b"pulumi-resource-terraform-provider" in line and folder == workspace.folder.resolve():
            found.add(int(process.name))
    return found


def ended(workspace: Workspace) -> bool:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if not plugins(workspace):
            return True
        time.sleep(0.2)
    return False


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("dropped", Fault("POST /projects", drop=True)),
        # The matrix has these too.
        pytest.param("broken", Fault("POST /projects", status=500), marks=pytest.mark.faults),
        pytest.param(
            "unsent", Fault("POST /projects", drop=True, after=False), marks=pytest.mark.faults
        ),
    ],
)
def test_a_lost_answer_makes_one_project_in_one_run(
    behind: Workspace, cloud: LocalCloud, front: Front, name: str, fault: Fault
) -> None:
    front.order(fault)
    done = up(behind, f"lost-{name}")
    assert done.code == 0, done.said
    assert ("taken over" in done.said) is fault.after
    assert front.count("POST /projects") == (1 if fault.after else 2)
    converged_to_one(behind, cloud, front, f"lost-{name}")


@pytest.mark.faults
def test_an_operation_that_fails_is_said_and_the_next_run_goes_on_with_the_project(
    behind: Workspace, cloud: LocalCloud, front: Front
) -> None:
    def fail(document: dict[str, Any]) -> None:
        for operation in document["operations"]:
            if operation["action"] == "start_compute":
                operation |= {"status": "failed", "error": "no room in the region"}

    front.order(Fault("GET /projects/*/operations", change=fail, once=False))
    done = up(behind, "failing")
    assert done.code != 0
    (line,) = [line for line in done.out.splitlines() if "no room in the region" in line][:1]
    assert "(start_compute) of project" in line
    assert "tenantry up goes on with it" in line
    assert len(projects(cloud, "failing--")) == 1
    front.faults.clear()
    done = up(behind, "failing")
    assert done.code == 0, done.said
    assert "taken over" in done.said
    assert front.count("POST /projects") == 1
    converged_to_one(behind, cloud, front, "failing")


def test_an_operation_that_never_ends_meets_its_deadline(
    behind: Workspace, cloud: LocalCloud, front: Front
) -> None:
    def run_on(document: dict[str, Any]) -> None:
        for operation in document["operations"]:
            operation["status"] = "running"

    behind.environment["NEON_OPERATION_SECONDS"] = "2"
    front.order(Fault("GET /projects/*/operations", change=run_on, once=False))
    done = up(behind, "endless")
    assert done.code != 0
    assert "has not ended within 2s" in done.said
    front.faults.clear()
    done = up(behind, "endless")
    assert done.code == 0, done.said
    assert front.count("POST /projects") == 1
    converged_to_one(behind, cloud, front, "endless")


def test_a_password_that_cannot_be_read_after_the_create_costs_no_second_project(
    behind: Workspace, cloud: LocalCloud, front: Front
) -> None:
    front.order(Fault("POST /projects", drop=True))
    front.order(Fault("GET *reveal_password", status=500, once=False))
    done = up(behind, "unrevealed")
    assert done.code != 0
    assert "reveal_password: Neon answered 500" in done.said
    front.faults.clear()
    done = up(behind, "unrevealed")
    assert done.code == 0, done.said
    assert front.count("POST /projects") == 1
    converged_to_one(behind, cloud, front, "unrevealed")


@pytest.mark.faults
def test_an_engine_that_is_killed_in_the_create_leaves_one_project_and_no_process(
    behind: Workspace, cloud: LocalCloud, front: Front
) -> None:
    held = front.order(Fault("POST /projects", go=threading.Event()))
    engine = begin(behind, "killed")
    assert held.arrived.wait(SECONDS)
    engine.kill()
    engine.wait(SECONDS)
    assert held.go is not None
    held.go.set()
    assert ended(behind)
    behind.must("cancel", "--yes")
    done = up(behind, "killed")
    assert done.code == 0, done.said
    assert front.count("POST /projects") == 1
    assert "taken over" in done.said
    # The engine forgets an operation that was under way when it was killed only in a refresh.
    behind.must("refresh", "--yes", "--clear-pending-creates", "--skip-preview")
    converged_to_one(behind, cloud, front, "killed")


@pytest.mark.faults
def test_a_plugin_that_is_killed_before_its_request_lands_is_waited_for(
    behind: Workspace, cloud: LocalCloud, front: Front
) -> None:
    behind.environment["NEON_INTENT_SECONDS"] = "300"
    held = front.order(Fault("POST /projects", drop=True, after=False))
    held.go = threading.Event()
    engine = begin(behind, "landing")
    assert held.arrived.wait(SECONDS)
    for plugin in plugins(behind):
        os.kill(plugin, signal.SIGKILL)
    engine.wait(SECONDS)
    assert len(list((behind.folder / ".tenantry" / "neon").iterdir())) == 1

    def land() -> None:
        # The request that was on its way arrives once the next run has looked for the first time.
        end = time.monotonic() + SECONDS
        while front.count("GET /projects") < 3 and time.monotonic() < end:
            time.sleep(0.1)
        with cloud.client() as client:
            client.post(
                "/projects",
                json={
                    "project": {
                        "name": "landing--acme--web",
                        "org_id": cloud.neon_org_id,
                        "region_id": "aws-us-east-2",
                        "pg_version": 17,
                        "branch": {"name": "main", "role_name": "tenant_acme__web__owner"},
                    }
                },
            ).raise_for_status()

    landing = threading.Thread(target=land)
    landing.start()
    held.go.set()
    done = up(behind, "landing")
    landing.join(SECONDS)
    assert done.code == 0, done.said
    assert "taken over" in done.said
    assert front.count("POST /projects") == 1
    converged_to_one(behind, cloud, front, "landing")


@pytest.mark.faults
def test_a_cancelled_run_ends_at_once_and_the_next_one_goes_on(
    behind: Workspace, cloud: LocalCloud, front: Front
) -> None:
    def run_on(document: dict[str, Any]) -> None:
        for operation in document["operations"]:
            operation["status"] = "running"

    waiting = front.order(Fault("GET /projects/*/operations", change=run_on, once=False))
    engine = begin(behind, "cancelled")
    assert waiting.arrived.wait(SECONDS)
    began = time.monotonic()
    engine.send_signal(signal.SIGINT)
    assert engine.wait(SECONDS) != 0
    assert time.monotonic() - began < SECONDS / 2
    assert ended(behind)
    front.faults.clear()
    done = up(behind, "cancelled")
    assert done.code == 0, done.said
    assert front.count("POST /projects") == 1
    converged_to_one(behind, cloud, front, "cancelled")


def test_a_project_of_the_name_in_another_region_stops_the_run(
    behind: Workspace, cloud: LocalCloud, front: Front
) -> None:
    with cloud.client() as client:
        other = client.post(
            "/projects",
            json={
                "project": {
                    "name": "foreign--acme--web",
                    "org_id": cloud.neon_org_id,
                    "region_id": "aws-eu-central-1",
                }
            },
        ).raise_for_status()
    done = up(behind, "foreign")
    assert done.code != 0
    assert f'a project named "foreign--acme--web" ({other.json()["project"]["id"]}' in done.said
    assert "region aws-eu-central-1 and not aws-us-east-2" in done.said
    assert front.count("POST /projects") == 0


@pytest.mark.faults
def test_a_branch_and_its_compute_whose_answers_were_lost_are_taken_over(
    behind: Workspace, cloud: LocalCloud, front: Front
) -> None:
    registry = REGISTRY.format(namespace="branch-lost").replace(
        "database: {}", "database: {branches: {staging: {}}}"
    )
    front.order(Fault("POST /projects/*/branches", drop=True))
    front.order(Fault("POST /projects/*/endpoints", status=502))
    behind.apply(registry)
    assert front.count("POST /projects/*/branches") == 1
    assert front.count("POST /projects/*/endpoints") == 1
    converged_to_one(behind, cloud, front, "branch-lost")


def test_an_update_works_on_a_plan_without_maintenance_windows(tmp_path: Path) -> None:
    with local_cloud(tmp_path / "cloud", plan="free") as free:
        workspace = Workspace(tmp_path / "workspace", free.env())
        registry = REGISTRY.format(namespace="free").replace(
            "database: {}",
            "database: {history_retention: 1h, compute: {min_cu: 0.25, max_cu: 0.25}}",
        )
        workspace.apply(registry)
        workspace.apply(registry.replace("1h", "2h"))
        workspace.assert_converged()


def test_a_bad_setting_is_refused_before_anything_is_asked(behind: Workspace, front: Front) -> None:
    behind.environment["NEON_API_RPM"] = "many"
    done = up(behind, "bad-setting")
    assert done.code != 0
    assert 'NEON_API_RPM: "many" is not allowed: it must be a number from 1 to 6000' in done.said
    assert front.asked == []
