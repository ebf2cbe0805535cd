"""Graphs on the local cloud: made, changed, let go, and put right after what can break between us and Aura."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.engine.workspace import Finished, Workspace, projects
from tests.localcloud_faults import Faults, faults_of
from tests.localcloud_fixture import LocalCloud

REGISTRY = """\
version: 1
namespace: NAMESPACE
tenants:
  acme:
    apps:
      web:
        environment: production
        region: aws-us-east-2
        deletion: DELETION
        graph: {type: professional-db, cloud: gcp, region: us-central1, memory: 2GB}
"""
USERS = "        graphs_per_user: {type: professional-db, cloud: gcp, region: us-central1, memory: 1GB, users: [a, b@x.example]}\n"
INSTANCE = "pulumi-python:dynamic/tenantry:AuraInstance"
CREATE = "POST /instances"


@pytest.fixture
def faults(cloud: LocalCloud) -> Iterator[Faults]:
    with faults_of(cloud) as api:
        yield api


def registry(namespace: str, deletion: str = "delete") -> str:
    return REGISTRY.replace("NAMESPACE", namespace).replace("DELETION", deletion)


def tenantry(workspace: Workspace, *arguments: str) -> Finished:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "tenantry"), *arguments],
        cwd=workspace.folder,
        env=workspace.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def instances(cloud: LocalCloud, namespace: str) -> dict[str, str]:
    """The ids of Aura's instances of this namespace, by their names; a name that is there twice is an error."""
    with cloud.aura() as client:
        listed = client.get("/instances").raise_for_status().json()["data"]
    found = [(each["name"], each["id"]) for each in listed if each["name"].startswith(namespace)]
    assert len(dict(found)) == len(found), found
    return dict(found)


def noted(cloud: LocalCloud, namespace: str) -> dict[str, str]:
    """How far each graph of this namespace is, by its user, as the catalog has it."""
    with psycopg.connect(cloud.catalog_url) as connection:
        found = connection.execute(
            "SELECT u.user_id, u.status FROM tenantry.user_databases u JOIN tenantry.app_metadata a ON a.id = u.app "
            "WHERE a.namespace = %s AND u.deleted_at IS NULL",
            [namespace],
        )
        return dict(found.fetchall())


def settle(workspace: Workspace, said: str) -> None:
    """Run the one command that an error named."""
    command = re.search(r"tenantry (graph delete \S+ --name \S+), then tenantry up", said)
    assert command is not None, said
    done = tenantry(workspace, *command[1].split())
    assert done.code == 0, done.said


def test_an_app_and_its_users_have_graphs_that_answer(
    workspace: Workspace, cloud: LocalCloud, faults: Faults
) -> None:
    workspace.apply(registry("graphs") + USERS)
    targets = ["acme/web", "acme/web/a", "acme/web/b@x.example"]
    shown = workspace.must("stack", "output", "graphs", "--json").out
    assert shown.count('"[secret]"') == 4 * len(targets)
    for target in targets[1:]:
        done = tenantry(
            workspace, "graph", "query", target, "RETURN $x AS x", "--parameters", '{"x": 7}'
        )
        assert done.out.split() == ["x", "7"], done.said
    assert len(instances(cloud, "graphs--")) == 3
    assert noted(cloud, "graphs") == {"": "ready", "a": "ready", "b@x.example": "ready"}

    faults.forget_requests()
    workspace.must("up", "--yes", "--skip-preview", "--expect-no-changes")
    assert faults.requests("aura")["total"] == 0

    workspace.registry.write_text((registry("graphs") + USERS).replace("2GB", "4GB"))
    assert {(c.op, c.type, c.name) for c in workspace.changes()} == {
        ("update", INSTANCE, "acme/web"),
        ("update", INSTANCE.replace("AuraInstance", "AuraReady"), "acme/web"),
    }
    before = instances(cloud, "graphs--")
    graphs = workspace.outputs()["graphs"]
    workspace.must("up", "--yes", "--skip-preview")
    assert instances(cloud, "graphs--") == before
    assert workspace.outputs()["graphs"] == graphs
    workspace.assert_converged()

    workspace.registry.write_text(
        (registry("graphs") + USERS).replace("2GB", "4GB").replace("[a, b@", "[b@")
    )
    said = workspace.must("up", "--yes", "--skip-preview").said
    assert "graph acme/web/a: leaves: the instance is destroyed with its data" in said
    end = time.monotonic() + 20
    while "graphs--acme--web--a" in instances(cloud, "graphs--") and time.monotonic() < end:
        time.sleep(0.2)
    assert len(instances(cloud, "graphs--")) == 2
    assert noted(cloud, "graphs") == {"": "ready", "b@x.example": "ready"}


def test_production_is_not_replaced_and_a_graph_is_not_lost_by_accident(
    workspace: Workspace, cloud: LocalCloud
) -> None:
    kept = registry("kept", "protect")
    workspace.apply(kept)
    before = instances(cloud, "kept--")
    for edit, said in (
        (
            kept.replace("us-central1", "europe-west1"),
            "region from us-central1 to europe-west1, which Aura cannot change",
        ),
        ("\n".join(kept.splitlines()[:-1]), "graph acme/web: is gone"),
    ):
        workspace.registry.write_text(edit)
        done = workspace.pulumi("preview")
        assert done.code != 0
        assert said in done.said
        assert "Traceback" not in done.said
    assert instances(cloud, "kept--") == before

    workspace.apply(kept.replace("protect", "delete"))
    moved = kept.replace("protect", "delete").replace("us-central1", "europe-west1")
    workspace.registry.write_text(moved)
    assert ("replace", INSTANCE) in {(c.op, c.type) for c in workspace.changes()}
    workspace.must("up", "--yes", "--skip-preview")
    after = instances(cloud, "kept--")
    assert after.keys() == before.keys()
    assert after != before


def test_a_create_whose_answer_was_lost_is_settled_by_one_command(
    workspace: Workspace, cloud: LocalCloud, faults: Faults
) -> None:
    workspace.registry.write_text(registry("lost"))
    workspace.environment["AURA_LANDING_SECONDS"] = "5"
    answer = {"kind": "status", "body": {"error": "as ordered"}}
    faults.order(CREATE, answer | {"status": 429, "headers": {"Retry-After": "1"}}, api="aura")
    lost = faults.order(CREATE, {"kind": "drop", "when": "after"}, api="aura")
    faults.order("GET /instances", answer | {"status": 403}, api="aura")
    done = workspace.pulumi("up", "--yes", "--skip-preview")
    assert done.code != 0
    assert "the answer with its password was lost" in done.said
    assert (faults.standing(lost)["seen"], faults.standing(lost)["left"]) == (2, 0)
    again = workspace.pulumi("preview")
    assert again.code != 0
    assert "that this stack does not know" in again.said
    settle(workspace, again.said)
    workspace.must("up", "--yes", "--skip-preview")
    assert len(instances(cloud, "lost--")) == 1
    assert tenantry(workspace, "graph", "query", "acme/web", "RETURN 1 AS ok").code == 0


def test_a_wait_past_its_deadline_and_a_killed_engine_lose_nothing(
    workspace: Workspace, cloud: LocalCloud, faults: Faults
) -> None:
    workspace.registry.write_text(registry("late"))
    workspace.environment["AURA_READY_SECONDS"] = "1"
    # Not found yet, as right after a create. However long the rest of the app takes, the wait lasts to its deadline.
    body = {"errors": [{"message": "Not found", "reason": "db-not-found"}]}
    unseen = {"kind": "status", "status": 404, "body": body, "when": "before"}
    order = faults.order("GET /instances/*", unseen, api="aura", count=None)
    done = workspace.pulumi("up", "--yes", "--skip-preview")
    faults.withdraw(order)
    assert done.code != 0
    assert "it is kept, and tenantry up goes on waiting" in done.said
    assert "Traceback" not in done.said
    assert noted(cloud, "late") == {"": "failed"}
    (instance_id,) = instances(cloud, "late--").values()
    workspace.environment["AURA_READY_SECONDS"] = "60"
    look = faults.order(
        f"GET /instances/{instance_id}", {"kind": "hold", "when": "after"}, api="aura"
    )
    before = faults.last()
    faults.forget_requests()
    engine = subprocess.Popen(
        ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"],
        cwd=workspace.folder,
        env=workspace.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    looked = faults.injected(before, wait=60)
    engine.send_signal(signal.SIGKILL)
    engine.wait(10)
    orphan(workspace.folder)
    assert [entry["order"] for entry in looked] == [look["id"]]
    faults.withdraw()
    workspace.must("cancel", "--yes")
    workspace.must("up", "--yes", "--skip-preview")
    assert instances(cloud, "late--") == {"late--acme--web": instance_id}
    assert faults.asked("aura", CREATE) == 0
    assert noted(cloud, "late") == {"": "ready"}


def orphan(folder: Path) -> None:
    """End the providers that a killed engine left workspace in this folder."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            here = (process / "cwd").readlink() == folder
        except OSError:
            continue
        if here and b"pulumi.dynamic" in command:
            os.kill(int(process.name), signal.SIGKILL)


@pytest.mark.parametrize(
    ("change", "edit", "said"),
    [
        ({"AURA_CLIENT_SECRET": "wrong-and-secret"}, {}, "401 the credentials are refused"),
        ({"AURA_CLIENT_ID": ""}, {}, "AURA_CLIENT_ID not set"),
        ({}, {"2GB": "3GB"}, "write one of 1GB, 2GB, 4GB"),
        (
            {},
            {
                "professional-db": "free-db",
                "2GB}": "1GB}\n" + USERS.replace("professional", "free").rstrip(),
            },
            "3 graphs of type free-db",
        ),
    ],
)
def test_what_cannot_work_is_one_line_before_anything_is_made(
    workspace: Workspace, cloud: LocalCloud, change: dict[str, str], edit: dict[str, str], said: str
) -> None:
    text = registry("unmade")
    for old, new in edit.items():
        text = text.replace(old, new)
    workspace.registry.write_text(text)
    workspace.environment |= change
    done = workspace.pulumi("up", "--yes")
    assert done.code != 0
    assert said in done.said
    assert "Traceback" not in done.said
    assert "wrong-and-secret" not in done.said
    assert projects(cloud, "unmade--") == []
    assert instances(cloud, "unmade--") == {}


def test_an_instance_that_is_there_is_taken_over(workspace: Workspace, cloud: LocalCloud) -> None:
    body = {
        "name": "by-hand",
        "type": "professional-db",
        "cloud_provider": "gcp",
        "region": "us-central1",
        "memory": "2GB",
        "version": "5",
        "tenant_id": cloud.aura_tenant_id,
    }
    with cloud.aura() as client:
        made = client.post("/instances", json=body).raise_for_status().json()["data"]
    path = 'tenantry:adoptGraphs["acme/web"]'
    workspace.must("config", "set", "--path", f"{path}.instance", made["id"])
    # By standard input, as the password may begin with a hyphen, and is nobody's business in a list of processes.
    subprocess.run(
        ["pulumi", "config", "set", "--path", f"{path}.password", "--secret", "--non-interactive"],
        cwd=workspace.folder,
        env=workspace.environment,
        input=made["password"],
        text=True,
        check=True,
    )
    workspace.apply(registry("taken"))
    assert instances(cloud, "taken--") == {"taken--acme--web": made["id"]}
    workspace.must("config", "rm", "tenantry:adoptGraphs")
    workspace.assert_converged()
    assert tenantry(workspace, "graph", "query", "acme/web", "RETURN 1 AS ok").code == 0


def test_ctrl_c_ends_the_wait_for_a_graph_and_the_next_run_goes_on(
    workspace: Workspace, cloud: LocalCloud, faults: Faults
) -> None:
    workspace.registry.write_text(registry("graph-halted"))
    before = faults.last()
    # Nobody sees it ready while this stands.
    order = faults.order(
        "GET /instances/*", {"kind": "status", "status": 503}, api="aura", count=None
    )
    process = subprocess.Popen(
        [str(Path(sys.executable).parent / "tenantry"), "up", "--yes"],
        cwd=workspace.folder,
        env={**workspace.environment, "AURA_POLL_SECONDS": "600"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert any(faults.injected(before, wait=1) for _ in range(120)), "nobody waits for the graph"
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1, said
    assert "ended because the run was stopped: tenantry up goes on" in said
    assert "Traceback" not in said
    made = instances(cloud, "graph-halted--")
    assert [each["id"] for each in workspace.resources() if each["type"] == INSTANCE] == [
        *made.values()
    ]
    faults.withdraw(order)
    workspace.must("up", "--yes", "--skip-preview")
    assert instances(cloud, "graph-halted--") == made
    workspace.assert_converged()
