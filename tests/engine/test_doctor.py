"""After a crash: what `tenantry doctor` sees and settles, and how `tenantry up` goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.engine.workspace import Finished, Workspace, projects
from tests.localcloud_faults import Faults, faults_of
from tests.localcloud_fixture import LocalCloud

REGISTRY = """\
version: 1
namespace: NAMESPACE
defaults: {environment: staging, region: aws-us-east-2, deletion: delete}
tenants:
  acme:
    apps:
      web: {}
"""
API = "      api: {}\n"
GRAPH = "{graph: {type: professional-db, cloud: gcp, region: us-central1, memory: 2GB}}"
# Until the order is taken back; whoever waits for the answer then gets none.
HELD = {"kind": "hold", "then": "drop"}
TENANTRY = str(Path(sys.executable).parent / "tenantry")


@pytest.fixture
def faults(cloud: LocalCloud) -> Iterator[Faults]:
    with faults_of(cloud) as api:
        yield api


def tenantry(workspace: Workspace, *arguments: str) -> Finished:
    done = subprocess.run(
        [TENANTRY, *arguments],
        cwd=workspace.folder,
        env=workspace.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def findings(workspace: Workspace, *options: str) -> list[dict[str, Any]]:
    """What the doctor finds, and that its exit code says whether there is anything."""
    done = tenantry(workspace, "doctor", "--json", *options)
    assert done.code in {0, 3}, done.said
    found: list[dict[str, Any]] = json.loads(done.out)["findings"]
    assert done.code == (3 if any(not each["settled"] for each in found) else 0)
    return found


def kinds(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["kind"], each["subject"]) for each in found]


@contextmanager
def started(workspace: Workspace, faults: Faults, order: dict[str, Any]) -> Iterator[int]:
    """A run that has come to the order's fault; the pid of its engine."""
    before = faults.last()
    process = subprocess.Popen(
        ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"],
        cwd=workspace.folder,
        env=workspace.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        seen = faults.injected(before, wait=60)
        assert [each["order"] for each in seen] == [order["id"]], seen
        yield process.pid
    finally:
        process.kill()
        process.wait()


def killed_at(
    workspace: Workspace, faults: Faults, match: str, when: str, api: str = "neon"
) -> None:
    """Kill the engine while a request is held, and let nothing of it happen later."""
    order = faults.order(match, HELD | {"when": when}, api=api)
    with started(workspace, faults, order):
        pass
    faults.withdraw()


def write(workspace: Workspace, namespace: str, more: str = "") -> None:
    workspace.registry.write_text(REGISTRY.replace("NAMESPACE", namespace) + more)


def test_a_create_that_was_done_is_found_settled_and_taken_over(
    workspace: Workspace, cloud: LocalCloud, faults: Faults
) -> None:
    write(workspace, "made")
    killed_at(workspace, faults, "POST /projects", "after")
    found = findings(workspace)
    assert ("lock", "test") in kinds(found)
    (project,) = [each for each in found if each["subject"] == "acme/web (Project)"]
    assert "has this name, and the next run takes it over" in project["text"]
    assert {each["command"] for each in found} == {"tenantry doctor --fix"}

    assert all(each["settled"] for each in findings(workspace, "--fix"))
    assert kinds(findings(workspace)) == [("orphan", "acme/web")]

    done = tenantry(workspace, "up", "--yes", "--", "--skip-preview")
    assert done.code == 0, done.said
    assert projects(cloud, "made--") == ["made--acme--web"]
    assert findings(workspace) == []
    workspace.assert_converged()


def test_up_settles_by_itself_and_waits_for_what_may_still_land(
    workspace: Workspace, cloud: LocalCloud, faults: Faults
) -> None:
    write(workspace, "not-made")
    killed_at(workspace, faults, "POST /projects", "before")
    workspace.environment["TENANTRY_LANDING_SECONDS"] = "8"
    workspace.environment["NEON_INTENT_SECONDS"] = "8"
    done = tenantry(workspace, "up", "--yes", "--", "--skip-preview")
    assert done.code == 0, done.said
    assert "settled: lock [test]" in done.err
    assert projects(cloud, "not-made--") == ["not-made--acme--web"]
    assert findings(workspace) == []
    workspace.assert_converged()


def test_a_graph_whose_password_was_lost_stops_up_with_the_command_that_settles_it(
    workspace: Workspace, cloud: LocalCloud, faults: Faults
) -> None:
    workspace.registry.write_text(REGISTRY.replace("NAMESPACE", "unanswered").replace("{}", GRAPH))
    workspace.environment["AURA_LANDING_SECONDS"] = "5"
    killed_at(workspace, faults, "POST /instances", "after", api="aura")
    done = tenantry(workspace, "up", "--yes", "--", "--skip-preview")
    assert done.code == 1
    (line,) = done.err.splitlines()
    assert line.startswith("pending [test] acme/web (AuraInstance): cut off while creating")
    command = line.rpartition(": tenantry ")[2]
    deleted = tenantry(workspace, *command.split())
    assert deleted.code == 0, deleted.said

    workspace.environment["TENANTRY_LANDING_SECONDS"] = "0"
    done = tenantry(workspace, "up", "--yes", "--", "--skip-preview")
    assert done.code == 0, done.said
    with cloud.aura() as client:
        names = [each["name"] for each in client.get("/instances").json()["data"]]
    assert names.count("unanswered--acme--web") == 1
    assert findings(workspace) == []


def test_a_run_that_is_at_work_is_left_alone(
    workspace: Workspace, cloud: LocalCloud, faults: Faults
) -> None:
    write(workspace, "busy")
    order = faults.order("POST /projects", HELD | {"when": "after"})
    with started(workspace, faults, order) as pid:
        (found,) = findings(workspace, "--fix")
        assert f"(pid {pid})" in found["text"]
        assert (found["settled"], found["command"]) == (False, "")
        refused = tenantry(workspace, "up", "--yes")
        assert (refused.code, "a run is at work" in refused.err) == (1, True)
        (project,) = ids(cloud, "busy--")
        stopped = tenantry(workspace, "project", "delete", project, "--name", "busy--acme--web")
        assert (stopped.code, "wait until that run ends" in stopped.err) == (1, True)
    faults.withdraw()
    assert len(projects(cloud, "busy--")) == 1


def ids(cloud: LocalCloud, namespace: str) -> list[str]:
    with cloud.client() as client:
        answer = client.get("/projects", params={"search": namespace, "org_id": cloud.neon_org_id})
    return [each["id"] for each in answer.json()["projects"]]


def make(cloud: LocalCloud, name: str) -> str:
    body = {"project": {"name": name, "region_id": "aws-us-east-2", "org_id": cloud.neon_org_id}}
    with cloud.client() as client:
        made = client.post("/projects", json=body).raise_for_status()
    return str(made.json()["project"]["id"])


def test_orphans_duplicates_and_what_is_gone(workspace: Workspace, cloud: LocalCloud) -> None:
    write(workspace, "stray", API)
    workspace.must("up", "--yes", "--skip-preview")
    assert findings(workspace) == []
    orphan, twin = make(cloud, "stray--acme--old"), make(cloud, "stray--acme--web")
    (api,) = [
        each["id"]
        for each in workspace.resources()
        if each["urn"].endswith("neon:index/project:Project::acme/api")
    ]
    with cloud.client() as client:
        client.delete(f"/projects/{api}").raise_for_status()
    found = findings(workspace, "--fix")
    assert kinds(found) == [
        ("orphan", "stray--acme--old"),
        ("duplicate", "acme/web"),
        ("gone", "acme/api"),
    ]
    for each, id_ in zip(found, (orphan, twin), strict=False):
        words = each["command"].split()
        assert words[:4] == ["tenantry", "project", "delete", id_]
        assert tenantry(workspace, *words[1:]).code == 0
    again = found[2]["command"].split()
    assert again == ["tenantry", "up", "--", "--refresh"]
    done = tenantry(workspace, "up", "--yes", "--", "--refresh", "--skip-preview")
    assert done.code == 0, done.said
    assert findings(workspace) == []


def test_a_run_that_fails_says_what_is_there_and_keeps_its_exit_code(
    workspace: Workspace, faults: Faults
) -> None:
    write(workspace, "fails", API)
    faults.order(
        "POST /projects",
        {
            "kind": "status",
            "status": 400,
            "body": {"code": "", "message": "as ordered"},
            "when": "before",
        },
        skip=1,
    )
    done = tenantry(workspace, "up", "--yes", "--", "--skip-preview")
    assert done.code == 1
    said = done.err.splitlines()
    (state,) = [line for line in said if line.startswith("in the state: ")]
    assert "acme/web" in state
    assert "in the cloud, ours by name: 1 project, all of them in a state" in said
    assert said[-1] == "Next, once what is said above is put right: tenantry up"
    done = tenantry(workspace, "up", "--yes", "--", "--skip-preview")
    assert done.code == 0, done.said
    workspace.assert_converged()


def test_apps_go_together_when_they_are_named_for_this_run(
    workspace: Workspace, cloud: LocalCloud
) -> None:
    write(workspace, "named", API + "      stays: {}\n")
    workspace.must("up", "--yes", "--skip-preview")
    workspace.registry.write_text(
        REGISTRY.replace("NAMESPACE", "named").replace("      web: {}\n", "      stays: {}\n")
    )
    refused = tenantry(workspace, "up", "--yes", "--", "--skip-preview")
    assert refused.code == 1
    allow = ("--allow-destroy", "acme/api", "--allow-destroy", "acme/web")
    assert f"tenantry up {' '.join(allow)}, or" in " ".join(refused.said.split())
    assert len(projects(cloud, "named--")) == 3
    unknown = tenantry(workspace, "up", "--yes", *allow, "--allow-destroy", "acme/wbe")
    assert unknown.code == 1
    assert '"acme/wbe" (did you mean "acme/web"?)' in unknown.err
    workspace.environment["TENANTRY_ALLOW_DESTROY"] = "acme/web,acme/api"
    assert tenantry(workspace, "up", "--yes", "--", "--skip-preview").code == 1
    done = tenantry(workspace, "up", "--yes", *allow, "--", "--skip-preview")
    assert done.code == 0, done.said
    assert projects(cloud, "named--") == ["named--acme--stays"]


def test_states_and_locks_in_postgres_are_read_and_settled(
    new_workspace: Any, cloud: LocalCloud, faults: Faults
) -> None:
    workspace: Workspace = new_workspace()
    workspace.environment["PULUMI_BACKEND_URL"] = (
        cloud.catalog_url.replace("postgresql://", "postgres://") + "&table=doctor_states"
    )
    workspace.must("stack", "init", "test")
    write(workspace, "in-postgres")
    killed_at(workspace, faults, "POST /projects", "after")
    found = findings(workspace, "--fix")
    assert ("lock", "test") in kinds(found)
    assert all(each["settled"] for each in found)
    done = tenantry(workspace, "up", "--yes", "--", "--skip-preview")
    assert done.code == 0, done.said
    assert projects(cloud, "in-postgres--") == ["in-postgres--acme--web"]
    assert findings(workspace) == []


def test_an_interrupt_of_up_alone_ends_the_run_in_order_and_the_next_goes_on(
    workspace: Workspace, cloud: LocalCloud, faults: Faults
) -> None:
    write(workspace, "stopped")
    order = faults.order("POST /projects", HELD | {"when": "after", "then": "go"})
    before = faults.last()
    process = subprocess.Popen(
        [TENANTRY, "up", "--yes"],
        cwd=workspace.folder,
        env=workspace.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert faults.injected(before, wait=120)[0]["order"] == order["id"]
        os.kill(process.pid, signal.SIGINT)
        time.sleep(1)
        faults.withdraw()
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 1, out + err
    assert "What is in flight is finished, and nothing more begins." in err
    assert "Interrupted: " in out
    assert "left: acme/web: " in err
    assert err.endswith("Next, once what is said above is put right: tenantry up\n")
    done = tenantry(workspace, "up", "--yes", "--", "--skip-preview")
    assert done.code == 0, done.said
    assert projects(cloud, "stopped--") == ["stopped--acme--web"]
    workspace.assert_converged()
