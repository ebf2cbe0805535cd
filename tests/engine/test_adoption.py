"""A Neon project that was made by hand comes under the registry, with its data, and leaves it again."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from tests.engine.fleet_folder import FleetFolder
from tests.engine.workspace import SECONDS, Finished, Workspace, projects
from tests.localcloud_faults import faults_of

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from tests.localcloud_fixture import LocalCloud

REGISTRY = """\
version: 1
namespace: NAMESPACE
defaults: {environment: development, region: aws-us-east-2}
tenants:
  acme: # the first
    apps:
      other: {deletion: delete}
"""


@dataclass(frozen=True)
class ByHand:
    """A project that a person made in Neon, with a table that has rows."""

    id: str
    name: str
    branch: str
    endpoint: str
    role: str
    url: str

    def rows(self) -> list[tuple[Any, ...]]:
        """Read the table with the password of before."""
        with psycopg.connect(self.url) as connection:
            return connection.execute("SELECT name FROM dishes ORDER BY name").fetchall()


def settled(client: httpx.Client, project: str) -> None:
    """Wait until nothing is under way in a project."""
    while any(
        each["status"] not in {"finished", "failed"}
        for each in client.get(f"/projects/{project}/operations").json()["operations"]
    ):
        time.sleep(0.1)


def make_by_hand(cloud: LocalCloud, name: str, **settings: object) -> ByHand:
    with cloud.client() as client:
        made = client.post(
            "/projects",
            json={
                "project": {
                    "name": name,
                    "org_id": cloud.neon_org_id,
                    "region_id": "aws-us-east-2",
                    "branch": {"name": "production"},
                    **settings,
                }
            },
        )
        found = made.raise_for_status().json()
        settled(client, found["project"]["id"])
    by_hand = ByHand(
        id=found["project"]["id"],
        name=name,
        branch=found["branch"]["id"],
        endpoint=found["endpoints"][0]["id"],
        role=found["roles"][0]["name"],
        url=found["connection_uris"][0]["connection_uri"],
    )
    with psycopg.connect(by_hand.url) as connection:
        connection.execute("CREATE TABLE dishes (name text PRIMARY KEY)")
        connection.execute("INSERT INTO dishes VALUES ('ramen'), ('soba')")
    return by_hand


def tenantry(workspace: Workspace | FleetFolder, *arguments: str) -> Finished:
    done = subprocess.run(
        ["tenantry", *arguments],
        cwd=workspace.folder,
        env=workspace.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def must(workspace: Workspace | FleetFolder, *arguments: str, code: int = 0) -> Finished:
    done = tenantry(workspace, *arguments)
    assert done.code == code, done.said
    return done


def live(cloud: LocalCloud, by_hand: ByHand) -> dict[str, Any]:
    """What Neon has of a project: its name, its branches, computes, roles and databases."""
    place = f"/projects/{by_hand.id}"
    inside = f"{place}/branches/{by_hand.branch}"
    with cloud.client() as client:

        def names(path: str, kind: str, field: str = "name") -> list[str]:
            return sorted(each[field] for each in client.get(path).json()[kind])

        return {
            "name": client.get(place).json()["project"]["name"],
            "branches": names(f"{place}/branches", "branches"),
            "endpoints": names(f"{place}/endpoints", "endpoints", "id"),
            "roles": names(f"{inside}/roles", "roles"),
            "databases": names(f"{inside}/databases", "databases"),
        }


def written_over(workspace: Workspace, old: str, new: str) -> None:
    text = workspace.registry.read_text()
    assert old in text, text
    workspace.registry.write_text(text.replace(old, new))


def letting_in(url: str) -> bool:
    """Connect as the app does."""
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT true").fetchone() == (True,)


def test_a_project_by_hand_is_adopted_with_its_data(
    workspace: Workspace, cloud: LocalCloud
) -> None:
    by_hand = make_by_hand(
        cloud,
        "kitchen",
        history_retention_seconds=7200,
        pg_version=16,
        settings={"allowed_ips": {"ips": ["127.0.0.0/8"], "protected_branches_only": False}},
    )
    before = live(cloud, by_hand)
    workspace.registry.write_text(REGISTRY.replace("NAMESPACE", "adopt"))

    adopting = ("adopt", "acme/web", "--project", by_hand.id)
    told = must(workspace, *adopting)
    assert f"adopt: {{project: {by_hand.id}}}" in told.out
    assert "renamed from kitchen to adopt--acme--web" in told.err
    assert "of the project:" not in told.err, "a new app takes the project's own settings"
    assert workspace.registry.read_text() == REGISTRY.replace("NAMESPACE", "adopt")
    must(workspace, *adopting, "--write")
    assert "# the first" in workspace.registry.read_text()
    # Two of its settings are to change, and the tables of a template to come beside what is there.
    written_over(workspace, "min_cu: 0.25, max_cu: 0.25", "min_cu: 0.25, max_cu: 1")
    written_over(workspace, "history_retention: 2h", "history_retention: 3h")
    written_over(workspace, "postgres_version: 16", "postgres_version: 16\n          schema: base")
    assert "allowed_ips: [127.0.0.0/8]" in workspace.registry.read_text()

    planned = must(workspace, "plan", code=2).out
    assert f"takes over project {by_hand.id}, renamed from kitchen to adopt--acme--web" in planned
    assert "its databases (neondb), roles and data stay" in planned
    assert "of the project: database.compute.max_cu: 0.25 → 1" in planned
    assert "of the project: database.history_retention: 2h → 3h" in planned
    assert live(cloud, by_hand) == before, "a plan changes nothing"

    must(workspace, "up", "--yes")
    assert workspace.outputs()["apps"]["acme/web"]["project"] == by_hand.id
    after = live(cloud, by_hand)
    assert after["name"] == "adopt--acme--web"
    assert (after["branches"], after["endpoints"]) == (["production"], [by_hand.endpoint])
    assert set(before["roles"]) < set(after["roles"])
    assert after["databases"] == ["neondb", "tenant_acme__web"]
    assert projects(cloud, "adopt--acme--web") == ["adopt--acme--web"]
    assert by_hand.rows() == [("ramen",), ("soba",)]
    workspace.assert_converged()
    assert "No changes" in must(workspace, "plan").out
    assert letting_in(workspace.url("acme/web"))

    # The key may be taken out: the project stays the app's.
    key = next(line for line in workspace.registry.read_text().splitlines() if "adopt: {" in line)
    written_over(workspace, f"{key}\n", "")
    planned = must(workspace, "plan", code=2).out
    assert "which changes nothing: the project is the app's already" in planned
    must(workspace, "up", "--yes")
    workspace.assert_converged()
    assert live(cloud, by_hand) == after


def test_an_app_is_released_with_its_data_and_comes_back(
    workspace: Workspace, cloud: LocalCloud
) -> None:
    by_hand = make_by_hand(cloud, "larder")
    workspace.registry.write_text(REGISTRY.replace("NAMESPACE", "release"))
    adopting = ("adopt", "acme/web", "--project", by_hand.id, "--write")
    must(workspace, *adopting)
    must(workspace, "up", "--yes")
    before = live(cloud, by_hand)
    url = workspace.url("acme/web")

    def step() -> object:
        return json.loads(must(workspace, "release", "acme/web", "--json").out)["step"]

    first = must(workspace, "release", "acme/web", "--write")
    assert f"remains: project {by_hand.id}" in first.err
    assert f"which organization {cloud.neon_org_id} goes on paying for" in first.err
    assert step() == "apply"
    must(workspace, "up", "--yes")
    must(workspace, "release", "acme/web", "--write")
    assert "web:" not in workspace.registry.read_text()
    assert step() == "give up"
    must(workspace, "up", "--yes")
    assert not [each for each in workspace.resources() if "acme/web" in each["urn"]]
    assert "No changes" in must(workspace, "plan").out
    assert live(cloud, by_hand) == before
    assert by_hand.rows() == [("ramen",), ("soba",)]
    assert letting_in(url)

    # Its name is still the app's, so the app may have it again.
    assert "renamed" not in must(workspace, *adopting).err
    must(workspace, "up", "--yes")
    assert live(cloud, by_hand) == before
    assert by_hand.rows() == [("ramen",), ("soba",)]
    workspace.assert_converged()


def test_each_refusal_is_one_line_and_changes_nothing(
    workspace: Workspace, cloud: LocalCloud
) -> None:
    by_hand = make_by_hand(cloud, "pantry", pg_version=16)
    before = live(cloud, by_hand)
    registry = REGISTRY.replace("NAMESPACE", "refused")
    workspace.registry.write_text(registry)
    must(workspace, "up", "--yes")
    held = workspace.outputs()["apps"]["acme/other"]["project"]

    def by_command(app: str, project: str, text: str = registry) -> str:
        workspace.registry.write_text(text)
        refused = must(workspace, "adopt", app, "--project", project, code=1).err
        assert refused.count("\n") == 1, refused
        return refused

    def by_plan(project: str, fields: str) -> str:
        web = f"      web: {{adopt: {{project: {project}}}, {fields}}}\n"
        workspace.registry.write_text(f"{registry}{web}")
        refused = must(workspace, "plan", code=1)
        (line,) = [each for each in refused.out.splitlines() if "adopt.project" in each]
        assert line.startswith("acme/web: adopt.project: "), line
        return line

    elsewhere = "region: aws-eu-central-1, database: {postgres_version: 16}"
    newer = "database: {postgres_version: 17}"
    for fields, reason in (
        (elsewhere, "is in region aws-us-east-2, and acme/web is to be in aws-eu-central-1"),
        (newer, "has PostgreSQL 16, and acme/web is to have 17"),
    ):
        web = f"{registry}      web: {{{fields}}}\n"
        assert reason in by_command("acme/web", by_hand.id, web)
        assert reason in by_plan(by_hand.id, fields)
    nowhere = "no-such-12345678"
    assert f"Neon has no project {nowhere}" in by_command("acme/web", nowhere)
    assert f"Neon has no project {nowhere}" in by_plan(nowhere, newer)
    managed = by_command("acme/web", held)
    assert f"project {held} is acme/other's in stack test: it is managed already" in managed
    assert "as the one of acme/other is" in by_plan(held, newer)
    assert "acme/other has project" in by_command("acme/other", by_hand.id)
    assert '"../x" is not the id of a Neon project' in by_command("acme/web", "../x")
    workspace.environment["NEON_ORG_ID"] = "org-another-12345678"
    assert "and acme/web is to be in org-another" in by_command("acme/web", by_hand.id)
    assert live(cloud, by_hand) == before


def test_a_run_that_dies_on_the_way_is_gone_on_with(
    workspace: Workspace, cloud: LocalCloud
) -> None:
    by_hand = make_by_hand(cloud, "attic")
    workspace.registry.write_text(REGISTRY.replace("NAMESPACE", "attics"))
    must(workspace, "adopt", "acme/web", "--project", by_hand.id, "--write")
    with faults_of(cloud) as faults:
        # The change of name arrives, and nobody hears of it.
        faults.order(f"PATCH /projects/{by_hand.id}", {"kind": "drop", "when": "after"}, count=None)
        assert tenantry(workspace, "up", "--yes").code != 0
    assert live(cloud, by_hand)["name"] == "attics--acme--web"
    must(workspace, "up", "--yes")
    assert by_hand.rows() == [("ramen",), ("soba",)]
    assert projects(cloud, "attics--acme--web") == ["attics--acme--web"]
    workspace.assert_converged()


def test_a_fleet_adopts_and_releases_too(cloud: LocalCloud, tmp_path: Path) -> None:
    by_hand = make_by_hand(cloud, "cellar")
    fleet = FleetFolder(tmp_path / "fleet", cloud.env())
    fleet.registry.write_text(REGISTRY.replace("NAMESPACE", "cellars"))
    must(fleet, "fleet", "up", "--yes")
    adopted = must(fleet, "adopt", "acme/web", "--project", by_hand.id, "--write")
    assert "Next: tenantry fleet plan" in adopted.err
    planned = must(fleet, "fleet", "plan", code=2)
    assert f"adopt.project: {by_hand.id}, which is taken over with its data" in planned.out
    must(fleet, "fleet", "up", "--yes")
    assert live(cloud, by_hand)["name"] == "cellars--acme--web"
    assert by_hand.rows() == [("ramen",), ("soba",)]
    assert "No changes" in must(fleet, "fleet", "plan").out
    must(fleet, "release", "acme/web", "--write")
    must(fleet, "fleet", "up", "--yes")
    released = must(fleet, "release", "acme/web", "--write")
    assert "Next: tenantry fleet up" in released.err
    must(fleet, "fleet", "up", "--yes")
    assert by_hand.rows() == [("ramen",), ("soba",)]
    assert projects(cloud, "cellars--") == ["cellars--acme--other", "cellars--acme--web"]
