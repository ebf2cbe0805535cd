"""A fleet whose apps are in the file and in rows, on the real engine and a real catalog."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psycopg
import pytest

from tenantry.fleet.errors import FleetError
from tests.engine.fleet_folder import FleetFolder
from tests.engine.workspace import projects

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.localcloud_fixture import LocalCloud

NAMESPACE = "rows"
TEXT = f"""version: 1
namespace: {NAMESPACE}
defaults: {{region: aws-us-east-2, environment: development}}
tenants:
  acme:
    apps:
      web: {{deletion: delete}}
self_service:
  plans: {{starter: {{database: {{connection_limit: 10}}}}}}
  tenants: {{acme: {{plans: [starter]}}}}
"""


@pytest.fixture
def folder(cloud: LocalCloud, tmp_path: Path) -> Iterator[FleetFolder]:
    made = FleetFolder(tmp_path / "project", cloud.env())
    made.registry.write_text(TEXT)
    yield made
    ask(made, "UPDATE tenantry.app_specs SET deleted_at = now(), deletion_requested_at = now()")
    made.registry.write_text(TEXT)
    made.command("destroy", "--yes", "--confirm", NAMESPACE, "--only", "acme/web")


def ask(folder: FleetFolder, statement: str) -> None:
    with psycopg.connect(folder.environment["TENANTRY_CATALOG_URL"]) as connection:
        connection.execute(statement.encode())


def up(folder: FleetFolder, *options: str, code: int = 0) -> dict[str, str]:
    """Run `tenantry fleet up` and return how each app ended."""
    done = folder.command("up", "--yes", "--json", *options)
    assert done.returncode == code, done.stdout + done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    results = [each["result"] for each in events if each["event"] == "finished"]
    return {each["app"]: each["outcome"] for each in results}


def test_file_and_rows_are_one_fleet_and_nothing_leaves_by_accident(
    folder: FleetFolder, cloud: LocalCloud
) -> None:
    assert up(folder) == {"acme/web": "applied"}, "the catalog had no tables before"
    ask(
        folder,
        "INSERT INTO tenantry.app_specs (namespace, tenant, name, plan, overrides, owner) VALUES "
        f"""('{NAMESPACE}', 'acme', 'asked', 'starter', '{{"api_keys": [{{"name": "own"}}]}}', 'tests'), """
        "('another', 'acme', 'other', 'starter', '{}', 'tests')",
    )
    plan = folder.command("plan", "--json")
    assert plan.returncode == 2, plan.stderr
    assert {row["app"] for row in json.loads(plan.stdout)["rows"]} == {"acme/asked"}
    assert up(folder) == {"acme/asked": "applied"}
    assert projects(cloud, f"{NAMESPACE}--") == [
        f"{NAMESPACE}--acme--{each}" for each in ("asked", "web")
    ]
    assert up(folder) == {}, "nothing changed"
    shown = folder.tenantry("show", "acme/asked", "--json")
    assert json.loads(shown.stdout)["registry"]["place"] == "catalog"

    for looks in (("orphans",), ("fleet", "drift"), ("keys", "list", "acme/asked")):
        looked = folder.tenantry(*looks)
        assert looked.returncode == 0, looked.stdout + looked.stderr
    assert "acme/asked  own " in looked.stdout

    # A changed plan reaches what was asked for.
    folder.registry.write_text(TEXT.replace("connection_limit: 10", "connection_limit: 12"))
    assert up(folder) == {"acme/asked": "applied"}

    # A plan that is taken away, a catalog that does not answer, and a row that is lost destroy nothing.
    folder.registry.write_text(TEXT.replace("starter", "other"))
    left = folder.command("up", "--yes")
    assert left.returncode == 0
    assert 'the plan "starter" is not in the registry' in left.stderr
    folder.registry.write_text(TEXT.replace("web", "site"))
    away = {"TENANTRY_CATALOG_URL": "postgresql://nobody@127.0.0.1:1/none"}
    folder.environment |= away | {"KEPT": folder.environment["TENANTRY_CATALOG_URL"]}
    outlook = folder.fleet().look()
    with pytest.raises(FleetError, match="may be in a row that cannot be read"):
        outlook.check()
    folder.environment["TENANTRY_CATALOG_URL"] = folder.environment.pop("KEPT")
    folder.registry.write_text(TEXT)
    ask(folder, "UPDATE tenantry.app_specs SET namespace = 'elsewhere' WHERE name = 'asked'")
    refused = folder.command("up", "--yes")
    assert refused.returncode == 1
    assert (
        "acme/asked would leave: asked for once, and no row of the catalog has it" in refused.stderr
    )
    assert len(projects(cloud, f"{NAMESPACE}--")) == 2

    # What was asked to go goes.
    ask(
        folder,
        f"UPDATE tenantry.app_specs SET namespace = '{NAMESPACE}', deletion_requested_at = now() WHERE name = 'asked'",
    )
    assert up(folder) == {"acme/asked": "removed"}
    assert projects(cloud, f"{NAMESPACE}--") == [f"{NAMESPACE}--acme--web"]

    # A row that ends after a run has read it is not made by that run.
    ask(
        folder,
        "INSERT INTO tenantry.app_specs (namespace, tenant, name, plan, owner) "
        f"VALUES ('{NAMESPACE}', 'acme', 'late', 'starter', 'tests')",
    )
    fleet = folder.fleet()
    outlook = fleet.look()
    assert [task.app for task in outlook.tasks] == ["acme/late"]
    ask(folder, "UPDATE tenantry.app_specs SET deletion_requested_at = now() WHERE name = 'late'")
    (result,) = fleet.up(outlook=outlook).results
    assert (result.app, result.outcome) == ("acme/late", "unchanged")
    assert projects(cloud, f"{NAMESPACE}--") == [f"{NAMESPACE}--acme--web"]


def test_an_app_is_handed_over_both_ways_and_nothing_of_it_is_touched(
    folder: FleetFolder, cloud: LocalCloud
) -> None:
    assert up(folder) == {"acme/web": "applied"}
    name, url = "acme/web", folder.tenantry("url", "acme/web").stdout
    taken = folder.tenantry("registry", "import", name, "--plan", "starter", "--write")
    assert taken.returncode == 1
    assert "database.connection_limit: 20 → 10" in taken.stderr
    text = TEXT.replace("starter: {database: {connection_limit: 10}}", "starter: {}")
    folder.registry.write_text(text)
    taken = folder.tenantry("registry", "import", name, "--write", "--json")
    assert taken.returncode == 0, taken.stderr
    assert "-      web: {deletion: delete}\n" in json.loads(taken.stdout)["diff"]

    both = folder.command("up", "--yes")
    assert both.returncode == 1
    assert "tenants.yaml:7: acme/web is in the catalog as well" in both.stderr
    folder.registry.write_text(
        text.replace("    apps:\n      web: {deletion: delete}\n", "    apps: {}\n")
    )
    assert up(folder) == {name: "unchanged"}, "only its mark"
    assert projects(cloud, f"{NAMESPACE}--") == [f"{NAMESPACE}--acme--web"]

    # And back.
    early = folder.tenantry("registry", "export", name, "--release")
    assert early.returncode == 1
    assert "write the block into the file first" in early.stderr
    block = folder.tenantry("registry", "export", name).stdout
    assert block == "tenants:\n  acme:\n    apps:\n      web:\n        deletion: delete\n"
    folder.registry.write_text(text)
    for _ in range(2):
        released = folder.tenantry("registry", "export", name, "--release")
        assert released.returncode == 0, released.stderr
    assert up(folder) == {name: "unchanged"}
    assert folder.tenantry("url", "acme/web").stdout == url
    folder.registry.write_text(
        text.replace("    apps:\n      web: {deletion: delete}\n", "    apps: {}\n")
    )
    assert up(folder, "--allow-destroy", name) == {name: "removed"}, (
        "its stack has no mark any more"
    )
