from pathlib import Path

import pytest

from tenantry.presenting.status import AppStatus, app_statuses, ask_computes, next_step, ways_out
from tenantry.registry import App, load

REGISTRY = """\
version: 1
tenants:
  acme:
    name: Acme Inc.
    apps:
      web: {environment: production, region: aws-eu-central-1}
      new: {environment: production, region: aws-us-east-2}
"""
FACTS = {
    "project": "p-1",
    "region": "aws-eu-central-1",
    "host": "ep-1.example",
    "database": "tenant_acme__web",
}


def apps(tmp_path: Path) -> tuple[App, ...]:
    file = tmp_path / "tenants.yaml"
    file.write_text(REGISTRY)
    return load(file).apps


def test_the_registry_is_set_against_the_stack_and_the_cloud(tmp_path: Path) -> None:
    rows = app_statuses(
        apps(tmp_path),
        {"acme/web": FACTS, "acme/old": FACTS | {"project": "p-0"}},
        {"p-1": "idle", "p-0": "gone"},
    )
    assert [(row.app, row.status) for row in rows] == [
        ("acme/web", "idle"),
        ("acme/new", "not applied"),
        ("acme/old", "gone, not in the registry"),
    ]
    nothing: dict[str, object] = {"schema": "-", "services": {}, "keys": {}}
    assert rows[0].as_json() == {"app": "acme/web", **FACTS, **nothing, "status": "idle"}


def test_the_table_shows_the_schemas_revision_the_services_and_the_keys(tmp_path: Path) -> None:
    facts = FACTS | {
        "revision": "base_0001",
        "services": {"auth": "active", "storage": "disabled"},
        "apiKeys": {"default": [1, 2], "leaked": []},
    }
    row, bare = app_statuses(apps(tmp_path), {"acme/web": facts}, {"p-1": "idle"})
    assert row.as_text()[-4:] == [
        "base_0001",
        "auth, storage (disabled)",
        "default 1+2, leaked -",
        "idle",
    ]
    assert bare.as_text()[-4:] == ["-", "-", "-", "not applied"]
    assert row.as_json()["keys"] == {"default": [1, 2], "leaked": []}


def test_what_was_not_asked_is_only_called_applied(tmp_path: Path) -> None:
    rows = app_statuses(apps(tmp_path), {"acme/web": FACTS}, {})
    assert rows[0].status == "applied"
    assert rows[1] == AppStatus("acme/new", region="aws-us-east-2")


def test_an_app_whose_project_is_gone_gets_the_command_that_makes_it_anew(tmp_path: Path) -> None:
    applied = {"acme/web": FACTS}
    (line,) = ways_out(app_statuses(apps(tmp_path), applied, {"p-1": "gone"}))
    assert line.startswith("acme/web: its project p-1 was deleted outside of this stack")
    assert line.endswith("or make an empty one: tenantry up -- --refresh")
    assert ways_out(app_statuses(apps(tmp_path), applied, {"p-1": "idle"})) == []


def test_without_a_key_no_cloud_is_asked() -> None:
    assert ask_computes([("neon", "p-1")], {}) == {}


def test_without_a_registry_every_app_of_the_stack_is_shown_as_it_is() -> None:
    (row,) = app_statuses(None, {"acme/web": FACTS}, {"p-1": "idle"})
    assert (row.app, row.status) == ("acme/web", "idle")


@pytest.mark.parametrize(
    ("schemes", "applied", "step"),
    [
        ({}, (), "tenantry new TENANT/APP"),
        ({"acme/web": "postgresql"}, (), "tenantry up"),
        ({"acme/new": "morphik", "acme/web": "morphik"}, ("acme/web",), "tenantry url acme/web"),
        (
            {"acme/new": "morphik", "acme/web": "postgresql"},
            ("acme/new", "acme/web"),
            'psql "$(tenantry url acme/web)"',
        ),
    ],
)
def test_the_next_step_is_a_command_that_works_now(
    monkeypatch: pytest.MonkeyPatch, schemes: dict[str, str], applied: tuple[str, ...], step: str
) -> None:
    monkeypatch.setattr("sys.argv", ["/usr/bin/tenantry"])
    rows = [AppStatus(app, project="p-1" if app in applied else "-") for app in schemes]
    assert next_step(rows, schemes) == step
