"""`tenantry plan` before each kind of change, what `tenantry up --plan` then does, and what it refuses."""

import json
import subprocess
import textwrap
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.engine.workspace import SECONDS, Finished, Workspace, projects
from tests.localcloud_fixture import LocalCloud

WEB = """\
web:
  environment: development
  region: aws-us-east-2
  database:
    schema: base
    extensions: [citext, pg_trgm]
    allowed_ips: [203.0.113.0/24, 127.0.0.0/8]
    compute: {max_cu: 1}
  services: [auth, realtime]
  api_keys:
    - {name: default, scopes: [read, write]}
  deletion: delete
"""
API = """\
api:
  environment: development
  region: aws-us-east-2
  deletion: delete
"""

CHANGED = (
    WEB.replace("max_cu: 1", "max_cu: 2")
    .replace("[auth, realtime]", "[auth, {name: realtime, enabled: false}]")
    .replace("compute:", "statement_timeout: 45s\n    compute:")
)
ROTATED = CHANGED.replace("compute:", "credentials: {generation: 2}\n    compute:").replace(
    "name: default,", "name: default, generation: 2,"
)


def registry(*apps: str, tenant: str = "Acme Inc.") -> str:
    head = f"version: 1\nnamespace: plans\ntenants:\n  acme:\n    name: {tenant}\n    apps:\n"
    return head + textwrap.indent("".join(apps), " " * 6)


class Operator(Workspace):
    """Somebody who works with `tenantry` in a workspace."""

    def tenantry(self, *arguments: str) -> Finished:
        done = subprocess.run(
            ["tenantry", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def plan(self, text: str, *options: str) -> dict[str, Any]:
        """Write the registry and plan; the plan is kept, too."""
        self.registry.write_text(text)
        done = self.tenantry("plan", "--json", "--out", "plan.json", *options)
        made: dict[str, Any] = json.loads(done.out)
        expected = 1 if made["refusals"] else 2 if made["rows"] else 0
        assert done.code == expected, done.said
        if not made["refusals"]:
            assert json.loads((self.folder / "plan.json").read_text()) == made
        return made

    def apply_plan(self) -> None:
        """Apply the plan that was kept. That nothing is left to do, the next plan tells: it has no other rows."""
        done = self.tenantry("up", "--plan", "plan.json")
        assert done.code == 0, done.said


@pytest.fixture(scope="module")
def operator(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """Two apps that the tests of this file change one after another."""
    operator = Operator(tmp_path_factory.mktemp("plans") / "workspace", cloud.env())
    yield operator
    operator.must("destroy", "--yes", "--skip-preview")


def texts(row: dict[str, Any]) -> list[str]:
    return [f"{each['field']}: {each['old']} → {each['new']}" for each in row["changes"]]


def test_new_apps(operator: Operator) -> None:
    made = operator.plan(registry(WEB, API))
    assert made["summary"] == {"create": 2, "update": 0, "replace": 0, "delete": 0, "unchanged": 0}
    assert [(row["app"], row["action"]) for row in made["rows"]] == [
        (None, "update"),
        ("acme/api", "create"),
        ("acme/web", "create"),
    ]
    assert "database.extensions: None → [citext, pg_trgm]" in texts(made["rows"][2])
    operator.apply_plan()


def test_another_order_comments_and_spelling_are_no_change(operator: Operator) -> None:
    shuffled = (
        WEB.replace("[citext, pg_trgm]", "[pg_trgm, citext] # two")
        .replace("[203.0.113.0/24, 127.0.0.0/8]", "[127.0.0.0/8, 203.0.113.0/24]")
        .replace("[auth, realtime]", "[realtime, auth]")
        .replace("[read, write]", "[write, read]")
        .replace("aws-us-east-2", "us-east-2")
    )
    before = operator.plan(registry(WEB, API))
    assert operator.plan(registry(API, shuffled)) == before
    assert before["rows"] == []
    assert before["summary"]["unchanged"] == 2
    # Applying a plan of nothing does nothing, and its digests have not moved.
    done = operator.tenantry("up", "--plan", "plan.json")
    assert (done.code, done.err) == (0, "plan.json: nothing to do\n")


def test_fields_change_in_the_registrys_words(operator: Operator) -> None:
    made = operator.plan(registry(CHANGED, API, tenant="Acme GmbH"))
    api, web = made["rows"]
    assert texts(api) == ["tenants.acme.name: Acme Inc. → Acme GmbH"]
    assert texts(web) == [
        "database.compute.max_cu: 1 → 2",
        "database.statement_timeout: 30s → 45s",
        "services.realtime.enabled: true → false",
        "tenants.acme.name: Acme Inc. → Acme GmbH",
    ]
    assert (web["others"], web["destroys"]) == ([], [])
    assert web["resources"] | {"unchanged": 0} == {
        "create": 0,
        "update": 3,
        "replace": 0,
        "delete": 0,
        "unchanged": 0,
    }
    said = operator.tenantry("plan").out
    assert "  database.compute.max_cu: 1 → 2\n" in said
    markdown = operator.tenantry("plan", "--markdown").out
    assert "\ndatabase.compute.max_cu: 1 → 2\n" in markdown
    operator.apply_plan()


def test_rotations(operator: Operator) -> None:
    (web,) = operator.plan(registry(ROTATED, API, tenant="Acme GmbH"))["rows"]
    assert texts(web) == [
        "api_keys.default.generation: 1 → 2",
        "database.credentials.generation: 1 → 2",
    ]
    assert (web["destroys"], web["others"]) == ([], [])
    operator.apply_plan()


def test_a_plan_is_refused_once_something_moved(operator: Operator) -> None:
    text = registry(ROTATED.replace("max_cu: 2", "max_cu: 4"), API, tenant="Acme GmbH")
    operator.plan(text)

    operator.registry.write_text(text.replace("max_cu: 4", "max_cu: 8"))
    done = operator.tenantry("up", "--plan", "plan.json")
    assert done.code == 1
    assert "plan.json: registry: acme/web is declared otherwise than it was reviewed\n" in done.err
    assert "state:" not in done.err

    operator.registry.write_text(text)
    project = operator.folder / "Pulumi.yaml"
    project.write_text(project.read_text() + "# Another version of the program.\n")
    done = operator.tenantry("up", "--plan", "plan.json")
    assert done.code == 1
    assert done.err.startswith("plan.json: program: ")

    # Made again, and something else is applied by somebody else's run in between.
    operator.plan(text)
    operator.registry.write_text(text.replace("max_cu: 4", "max_cu: 3"))
    operator.must("up", "--yes", "--skip-preview")
    operator.registry.write_text(text)
    done = operator.tenantry("up", "--plan", "plan.json")
    assert done.code == 1
    assert "plan.json: state: acme/web" in done.err

    # What is applied already needs no refusal: a job in CI may be started again.
    operator.plan(text)
    operator.apply_plan()
    done = operator.tenantry("up", "--plan", "plan.json")
    assert (done.code, done.err) == (0, "plan.json: nothing to do\n")


def test_neither_a_run_without_changes_nor_a_refresh_moves_the_state(operator: Operator) -> None:
    text = operator.registry.read_text()
    before = operator.plan(text)["stacks"][0]["digests"]["state"]
    operator.must("up", "--yes", "--skip-preview")
    operator.must("refresh", "--yes", "--skip-preview")
    assert operator.plan(text)["stacks"][0]["digests"]["state"] == before


def test_drift_is_shown_and_put_back(operator: Operator, cloud: LocalCloud) -> None:
    quiet = operator.tenantry("drift")
    assert quiet.code == 0, quiet.said
    project = operator.outputs()["apps"]["acme/web"]["project"]
    with cloud.client() as client:
        client.patch(
            f"/projects/{project}", json={"project": {"history_retention_seconds": 43200}}
        ).raise_for_status()
    with psycopg.connect(operator.url("acme/web"), autocommit=True) as connection:
        connection.execute("ALTER ROLE current_user SET statement_timeout TO '1h'")
    done = operator.tenantry("drift")
    assert done.code == 3
    assert done.out.splitlines()[:2] == [
        "project acme/web: historyRetentionSeconds: 21600 → 43200",
        "role acme/web/b: statementTimeout: 45000 → 3600000",
    ]
    text = operator.registry.read_text()
    (web,) = operator.plan(text, "--refresh")["rows"]
    assert web["changes"] == []
    assert [(each["kind"], each["properties"][0]["name"]) for each in web["others"]] == [
        ("project", "historyRetentionSeconds"),
        ("role", "statementTimeout"),
    ]
    operator.must("up", "--yes", "--skip-preview", "--refresh")
    assert operator.tenantry("drift").code == 0


def test_a_replacement_says_what_is_lost(operator: Operator, cloud: LocalCloud) -> None:
    before = operator.outputs()["apps"]["acme/api"]["project"]
    text = operator.registry.read_text()
    moved = textwrap.indent(API, " " * 6).replace("aws-us-east-2", "aws-us-west-2")
    made = operator.plan(text.replace(textwrap.indent(API, " " * 6), moved))
    (api,) = made["rows"]
    assert (api["action"], api["app"]) == ("replace", "acme/api")
    assert api["destroys"] == ["project acme/api and all data in it"]
    assert api["changes"][0]["effect"] == "which replaces the project: all data in it is lost"
    assert api["others"] == []
    operator.apply_plan()
    assert operator.outputs()["apps"]["acme/api"]["project"] != before
    assert projects(cloud, "plans--") == ["plans--acme--api", "plans--acme--web"]


def test_a_refusal_is_told_as_what_it_is(operator: Operator) -> None:
    text = operator.registry.read_text()
    protected = text.replace("deletion: delete", "deletion: protect")
    made = operator.plan(protected)
    assert {row["app"]: texts(row) for row in made["rows"]} == {
        "acme/api": ["deletion: delete → protect"],
        "acme/web": ["deletion: delete → protect"],
    }
    operator.apply_plan()

    (operator.folder / "plan.json").unlink()
    made = operator.plan("version: 1\nnamespace: plans\ntenants: {}\n")
    assert {each["app"] for each in made["refusals"]} == {"acme/api", "acme/web"}
    assert all("put it back" in each["text"] for each in made["refusals"])
    assert not (operator.folder / "plan.json").exists()

    done = operator.tenantry("plan")
    assert done.code == 1
    assert "Refused for 2 reasons" in done.out
    operator.plan(text)
    operator.apply_plan()


def test_an_invalid_registry_is_refused_with_every_place(operator: Operator) -> None:
    text = operator.registry.read_text()
    made = operator.plan(text.replace("deletion: delete", "deletion: wrong"))
    assert [each["app"] for each in made["refusals"]] == ["acme/web", "acme/api"]
    assert all(each["text"].startswith("tenants.yaml:") for each in made["refusals"])
    operator.registry.write_text(text)


def test_apps_that_leave_come_first_and_together_by_name_only(
    operator: Operator, cloud: LocalCloud
) -> None:
    new = API.replace("api:", "new:")
    text = registry(new, tenant="Acme GmbH")
    refused = operator.plan(text)["refusals"]
    assert "2 apps would leave" in refused[0]["text"]

    allowed = ("--allow-destroy", "acme/web", "--allow-destroy", "acme/api")
    made = operator.plan(text, *allowed)
    assert [(row["action"], row["app"]) for row in made["rows"]] == [
        ("delete", "acme/api"),
        ("delete", "acme/web"),
        ("create", "acme/new"),
    ]
    assert made["rows"][1]["destroys"] == [
        "API key acme/web/default/1",
        "API key acme/web/default/2",
        "project acme/web and all data in it",
    ]
    operator.apply_plan()
    assert projects(cloud, "plans--") == ["plans--acme--new"]


def test_no_secret_is_in_a_plan(operator: Operator) -> None:
    text = operator.registry.read_text()
    operator.plan(
        text.replace(
            "deletion: delete", "database: {credentials: {generation: 2}}\n        deletion: delete"
        )
    )
    operator.apply_plan()
    operator.plan(
        text.replace(
            "deletion: delete", "database: {credentials: {generation: 3}}\n        deletion: delete"
        )
    )
    kept = (operator.folder / "plan.json").read_text()
    urls = operator.outputs()["urls"]["acme/new"]
    for url in urls.values():
        password = url.split("//")[1].split(":")[1].split("@")[0]
        assert password not in kept
    assert "credentials.generation" in kept
