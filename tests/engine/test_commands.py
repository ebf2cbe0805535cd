"""Each command's example, and the day of docs/operations.md, as printed, on a local run and on a fleet."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenantry.reference import commands, examples
from tests.engine.fleet_folder import FleetFolder
from tests.engine.printed import Shell, typed_on
from tests.engine.workspace import REPOSITORY, Finished, Workspace, projects
from tests.localcloud_fixture import LocalCloud, local_cloud

REGISTRY = """\
version: 1
namespace: NAMESPACE
defaults: {environment: development, region: aws-us-east-2}
tenants:
  acme: # the first
    apps:
      web:
        database: {schema: base}
        services: [auth]
        api_keys: [{name: default}]
GRAPH
      web-dev: {deletion: delete}
"""
GRAPH = "        graph: {type: free-db, cloud: gcp, region: us-central1, memory: 1GB}"
EVERY = {name: example for name, each in commands() for example in examples(each)}
IN_A_FLEET = "tenantry fleet "
WITH_GITHUB = "tenantry ci github "
"""Tried in `test_pull_request.py`, which has a GitHub for them."""
WITH_A_WHEEL = ("tenantry init", "tenantry upgrade")
"""Tried in `test_package.py`, which has one."""
WITH_A_SERVICE = (
    *("tenantry work", "tenantry serve", "tenantry registry "),
    "tenantry notifications",
)
"""Tried in `tests/service`, which has one."""
PRINTS_SECRETS = ("tenantry url ", "tenantry keys show ", 'eval "$(tenantry env')


@pytest.fixture(scope="module")
def own_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    folder = tmp_path_factory.mktemp("operator")
    with local_cloud(
        folder / ".tenantry" / "localcloud",
        "--aura-create-seconds",
        "0.2",
        "--aura-lag-seconds",
        "0",
    ) as running:
        yield running


@pytest.fixture(scope="module")
def shell(own_cloud: LocalCloud) -> Shell:
    """A checkout whose local cloud runs; nothing is applied."""
    folder = own_cloud.data.parents[1]
    for name in ("__main__.py", ".venv"):
        (folder / name).symlink_to(REPOSITORY / name)
    (folder / "Pulumi.yaml").write_text((REPOSITORY / "Pulumi.yaml").read_text())
    text = REGISTRY.replace("NAMESPACE", "tenantry").replace("GRAPH", GRAPH)
    (folder / "tenants.yaml").write_text(text)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return Shell(folder, {"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8"})


def example(shell: Shell, name: str, *codes: int) -> Finished:
    """Run a command's own example."""
    return shell.run(EVERY[name], *codes)


def test_each_example_works_and_so_does_the_day(shell: Shell, own_cloud: LocalCloud) -> None:
    shell.run(f"{EVERY['tenantry env']} && pulumi stack init dev && pulumi stack ls")
    made = example(shell, "tenantry up")
    # What is left is told once everything was measured here.
    assert re.search(r"created project acme/web \([0-9.]+ s\)", made.out)
    assert re.search(r"^Done: [0-9]+ created; ", made.out, re.MULTILINE)
    assert (shell.folder / ".tenantry" / "times.json").exists()

    file = shell.folder / "tenants.yaml"
    for line in (each.line for each in typed_on("operations.md")):
        shell.run(line, 2 if line.startswith("tenantry plan") else 0)
        if line.startswith("tenantry new"):
            # "First release it": here from the beginning.
            file.write_text(file.read_text().replace("deletion: protect", "deletion: delete"))
    assert projects(own_cloud, "tenantry--") == ["tenantry--acme--web", "tenantry--acme--web-dev"]
    last = shell.printed["tenantry destroy initech/api --yes"]
    assert "initech/api is still in tenants.yaml" in last

    text = file.read_text()
    assert "# the first" in text
    text = text[: text.index("  initech:")]
    file.write_text(text)
    for name in ("schema", "engine", "status", "doctor", "show", "usage"):
        example(shell, f"tenantry {name}")
    for name in (
        "keys list",
        "keys show",
        "keys verify",
        "graph query",
        "graph delete",
        "project delete",
    ):
        example(shell, f"tenantry {name}")

    # Whoever runs the program by hand sees what the commands made.
    by_hand = "pulumi preview --expect-no-changes --non-interactive"
    shell.run(f"{EVERY['tenantry env']} && {by_hand}")
    known = shell.json("tenantry show acme/web")
    assert isinstance(known, dict)
    assert known["state"]["generation"] == 2
    assert known["pending"] == []
    for line in ("status", "orphans", "doctor", "keys list"):
        shell.json(f"tenantry {line}")

    url = str(shell.run("tenantry url acme/web").out).strip()
    secrets = [
        re.split("[:@/]+", url)[2],
        str(shell.run("tenantry keys show acme/web default").out).strip(),
    ]
    assert all(len(each) > 20 for each in secrets)
    example(shell, "tenantry report")
    report = (shell.folder / "fleet.html").read_text("utf-8")
    assert "acme/web" in report
    assert not [each for each in secrets if each in report]
    for line, said in shell.printed.items():
        if not line.startswith(PRINTS_SECRETS):
            assert not [each for each in secrets if each in said], line

    for name in ("validate", "pr", "apply", "release", "drift"):
        example(shell, f"tenantry ci {name}")

    # Changes of the registry alone.
    for name in ("keys rotate", "keys revoke", "new", "release"):
        example(shell, f"tenantry {name}")
    # Of an app that has a project.
    refused = example(shell, "tenantry adopt", 1)
    assert "acme/web has project" in refused.err
    example(shell, "tenantry rename")
    file.write_text(text)
    example(shell, "tenantry destroy")
    assert projects(own_cloud, "tenantry--") == ["tenantry--acme--web"]
    elsewhere = (IN_A_FLEET, WITH_GITHUB, *WITH_A_WHEEL, *WITH_A_SERVICE)
    every = [each for name, each in EVERY.items() if not name.startswith(elsewhere)]
    missing = [each for each in every if not any(each in line for line in shell.printed)]
    assert not missing, "examples that are not tried: run them above"


def test_each_example_of_a_fleet_works(cloud: LocalCloud, tmp_path: Path) -> None:
    fleet = FleetFolder(tmp_path / "fleet", cloud.env())
    fleet.registry.write_text(REGISTRY.replace("NAMESPACE", "examples").replace("GRAPH\n", ""))
    shell = Shell(fleet.folder, fleet.environment)
    shell.run(
        "git init -q -b main && git add tenants.yaml && "
        "git -c user.name=a -c user.email=a@b.example commit -q -m registry"
    )
    order = ("up", "plan", "status", "drift", "destroy")
    for name in order:
        example(shell, f"{IN_A_FLEET}{name}")
        if name == "drift":
            # Held by stacks of their own, so no stack is the current one.
            assert shell.json("tenantry orphans") == {
                "looked_at": {"stacks": 2, "projects": 2, "graphs": 0},
                "orphans": [],
            }
            assert (
                "PULUMI_STACK=acme--web tenantry url acme/web"
                in shell.run("tenantry show acme/web").out
            )
    assert projects(cloud, "examples--") == ["examples--acme--web"]
    shell.run("pulumi stack init dev --no-select")
    example(shell, f"{IN_A_FLEET}split")
    example(shell, f"{IN_A_FLEET}join", 2)
    (tmp_path / "elsewhere").mkdir()
    shell.environment["TENANTRY_STATES_TO"] = (tmp_path / "elsewhere").as_uri()
    example(shell, f"{IN_A_FLEET}copy-states", 2)
    tried = {*order, "split", "join", "copy-states"}
    missing = {name for name in EVERY if name.startswith(IN_A_FLEET)} - {
        f"{IN_A_FLEET}{name}" for name in tried
    }
    assert not missing, "an example that is not tried: run it above"


def test_an_orphan_is_told_in_one_stack(cloud: LocalCloud, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "orphans", cloud.env())
    workspace.registry.write_text(REGISTRY.replace("NAMESPACE", "astray").replace("GRAPH\n", ""))
    with cloud.client() as client:
        body = {"name": "astray--acme--old", "org_id": cloud.neon_org_id}
        client.post("/projects", json={"project": body}).raise_for_status()
    done = Shell(workspace.folder, workspace.environment).run("tenantry orphans", 3)
    assert "orphan astray--acme--old: project" in done.out
    assert "tenantry project delete" in done.out
