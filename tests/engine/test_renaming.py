"""Apps and tenants get other names: nothing is made anew, and who is connected stays so."""

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import psycopg

from tenantry.catalog.verification import verify
from tests.engine.fleet_folder import FleetFolder
from tests.engine.workspace import Workspace, projects
from tests.localcloud_faults import faults_of
from tests.localcloud_fixture import LocalCloud

REGISTRY = """\
version: 1
namespace: NAMESPACE
defaults: {region: aws-us-east-2, environment: development, deletion: protect}
tenants:
  acme:
    apps:
      web:
        database: {schema: base, branches: {qa: {}}}
        services: [auth]
        api_keys: [{name: default}]
        graph: {type: professional-db, cloud: gcp, region: us-central1, memory: 2GB}
      lab: {}
"""
KILLED = """
import os, pathlib, signal, sys
from tenantry.fleet.fleet import Fleet
from tenantry.fleet.renaming import rename_stack
store = Fleet(pathlib.Path(".")).project.store
left = [int(sys.argv[3])]
def counted(action):
    def act(*given):
        action(*given)
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
    return act
store.write, store.remove = counted(store.write), counted(store.remove)
rename_stack(store, sys.argv[1], sys.argv[2])
"""
SECONDS = 300


class Run(Protocol):
    def __call__(self, *arguments: str, code: int = 0) -> str: ...


def running(folder: Path, environment: Mapping[str, str]) -> Run:
    """Give what runs `tenantry` in a folder, expects an exit code, and returns all that was printed."""

    def run(*arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [str(Path(sys.executable).parent / "tenantry"), *arguments],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == code, done.stdout
        return done.stdout

    return run


def without_ids(value: Any, before: str, after: str) -> Any:
    """Outputs of an app that was renamed, as they would be under its id of now."""
    return json.loads(json.dumps(value).replace(f'"{before}"', f'"{after}"'))


def assert_valid(cloud: LocalCloud, key: str, app: str) -> None:
    with psycopg.connect(cloud.catalog_url, autocommit=True) as catalog:
        verdict = verify(catalog, key, now=datetime.now(UTC))
    assert (verdict.state, verdict.app) == ("valid", app)


def rename_by_hand(workspace: Workspace, run: Run) -> None:
    """Change the key alone, which would lose the app, and do as the refusal says; the plan says what is done then."""
    text = workspace.registry.read_text()
    workspace.registry.write_text(text.replace("web:", "site:"))
    said = run("plan", code=1)
    assert "acme/web is gone" in said
    assert "Did you mean a rename? tenantry rename acme/web acme/site --write" in said
    run("rename", "acme/web", "acme/site", "--write")
    (row,) = json.loads(run("plan", "--json", code=2))["rows"]
    assert [each["field"] for each in row["changes"]] == ["id"]
    assert "renamed" in row["changes"][0]["effect"]
    assert (row["action"], row["destroys"], row["others"]) == ("update", [], [])
    assert [row["resources"][each] for each in ("create", "replace", "delete")] == [0, 0, 0]


def test_an_app_and_its_tenant_are_renamed_and_nothing_is_made_anew(
    cloud: LocalCloud, workspace: Workspace
) -> None:
    run = running(workspace.folder, workspace.environment)
    workspace.apply(REGISTRY.replace("NAMESPACE", "rename-one"))
    before = workspace.outputs()
    key = before["apiKeys"]["acme/web"]["default"]["1"]
    url = before["urls"]["acme/web"]["direct"]
    with faults_of(cloud) as faults, psycopg.connect(url) as client:
        client.execute("CREATE TEMPORARY TABLE mine AS SELECT 1 AS id")
        client.execute("INSERT INTO app.settings (key, value) VALUES ('kept', '1')")
        client.commit()
        faults.forget_requests()

        rename_by_hand(workspace, run)
        run("up", "--yes")
        assert faults.changed() == {
            "PATCH /projects/{project_id}": 1,
            "PATCH /instances/{instance_id}": 1,
        }
        workspace.assert_converged()
        assert workspace.outputs() == without_ids(before, "acme/web", "acme/site")
        assert projects(cloud, "rename-one") == ["rename-one--acme--lab", "rename-one--acme--site"]
        assert_valid(cloud, key, "acme/site")
        assert "database: tenant_acme__web\n" in run("show", "acme/site")

        # The names stay once the registry says no more of it, and the old id is free for another app.
        assert "renamed_from of acme/site was applied here" in run("plan")
        text = workspace.registry.read_text().replace("renamed_from: acme/web", "")
        workspace.apply(text.rstrip() + "\n      web: {}\n")
        faults.forget_requests()
        run("rename", "acme", "globex", "--write")
        rows = json.loads(run("plan", "--json", code=2))["rows"]
        assert [(row["action"], row["destroys"], row["others"]) for row in rows] == [
            ("update", [], [])
        ] * 3
        run("up", "--yes")
        assert faults.changed() == {
            "PATCH /projects/{project_id}": 3,
            "PATCH /instances/{instance_id}": 1,
        }
        workspace.assert_converged()
        after = workspace.outputs()
        # Three apps under other ids, and whoever is connected never noticed.
        assert after["apps"].keys() == {"globex/site", "globex/lab", "globex/web"}
        assert after["urls"]["globex/site"] == before["urls"]["acme/web"]
        assert after["urls"]["globex/lab"] == before["urls"]["acme/lab"]
        assert_valid(cloud, key, "globex/site")
        assert client.execute("SELECT id FROM mine").fetchone() == (1,)
        assert client.execute("SELECT value FROM app.settings").fetchall() == [(1,)]

    # A login that is made later is named as those that are there.
    text = workspace.registry.read_text()
    workspace.registry.write_text(
        text.replace("branches: {qa: {}}", "branches: {qa: {}}, credentials: {generation: 2}")
    )
    run("up", "--yes")
    assert "//tenant_acme__web__login_b:" in workspace.url("globex/site")


def test_the_stack_of_an_app_in_a_fleet_is_renamed_with_it_through_any_death(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    folder = FleetFolder(tmp_path / "project", cloud.env())
    folder.registry.write_text(REGISTRY.replace("NAMESPACE", "rename-fleet"))

    run = running(folder.folder, folder.environment)

    def outputs(stack: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            folder.pulumi("stack", "output", "--json", "--show-secrets", "--stack", stack)
        )
        return found

    run("fleet", "up", "--yes")
    before = outputs("acme--web")
    url = before["urls"]["acme/web"]["direct"]
    with faults_of(cloud) as faults, psycopg.connect(url) as client:
        client.execute("INSERT INTO app.settings (key, value) VALUES ('kept', '1')")
        client.commit()
        faults.forget_requests()
        names = ["web", "site", "shop", "store"]
        for step in (1, 2, 3):
            old, new = names[step - 1], names[step]
            run("rename", f"acme/{old}", f"acme/{new}", "--write")
            killed = subprocess.run(
                [sys.executable, "-c", KILLED, f"acme--{old}", f"acme--{new}", str(step)],
                cwd=folder.folder,
                env=folder.environment,
                check=False,
                capture_output=True,
                timeout=SECONDS,
            )
            assert killed.returncode == -signal.SIGKILL, killed.stderr
            said = run("fleet", "plan", code=2)
            assert f"id: acme/{old} → acme/{new}, renamed" in said
            assert "Apps: 1 to update, 1 unchanged." in said
            run("fleet", "up", "--yes")
            assert folder.fleet().project.store.stacks() == {f"acme--{new}", "acme--lab"}
            assert outputs(f"acme--{new}") == without_ids(before, "acme/web", f"acme/{new}")
            assert "No changes" in run("fleet", "plan")
            assert folder.fleet().up().results == ()
        assert faults.changed() == {
            "PATCH /projects/{project_id}": 3,
            "PATCH /instances/{instance_id}": 3,
        }
        # A plan that was reviewed is applied as it is.
        run("rename", "acme", "globex", "--write")
        run("fleet", "plan", "--out", "plan.json", code=2)
        run("fleet", "up", "--yes", "--plan", "plan.json")
        assert folder.fleet().project.store.stacks() == {"globex--store", "globex--lab"}
        assert "No changes" in run("fleet", "plan")
        assert client.execute("SELECT value FROM app.settings").fetchone() == (1,)
    after = outputs("globex--store")
    assert after == without_ids(before, "acme/web", "globex/store")
    assert_valid(cloud, after["apiKeys"]["globex/store"]["default"]["1"], "globex/store")
    folder.pulumi(
        "up", "--stack", "globex--store", "--yes", "--skip-preview", "--expect-no-changes"
    )


def test_a_renaming_that_failed_half_way_can_be_taken_back(
    cloud: LocalCloud, workspace: Workspace
) -> None:
    run = running(workspace.folder, workspace.environment)
    text = REGISTRY.replace("NAMESPACE", "rename-back").replace("protect}", "delete}")
    workspace.apply(text)
    before = workspace.outputs()
    run("rename", "acme/web", "acme/site", "--write")
    with faults_of(cloud) as faults:
        # The component has its new name by then, and what comes after the project was not reached.
        faults.order("PATCH /projects/*", {"kind": "status", "status": 400, "when": "before"})
        assert "400" in run("up", "--yes", code=1)
    names = {each["urn"].rpartition("::")[2] for each in workspace.resources()}
    assert {"acme/site", "acme/web/a"} <= names
    # Putting the file back says nothing of what the stack has by now.
    workspace.registry.write_text(text)
    assert "acme/web arrives, which is what it was called before" in run("plan", code=1)
    run("rename", "acme/site", "acme/web", "--write")
    run("up", "--yes")
    workspace.assert_converged()
    assert workspace.outputs() == before
    assert projects(cloud, "rename-back") == ["rename-back--acme--lab", "rename-back--acme--web"]
