from pathlib import Path

from tenantry.registry import App, load
from tenantry.status import AppStatus, app_statuses

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
    assert rows[0].as_json() == {"app": "acme/web", **FACTS, "status": "idle"}


def test_what_was_not_asked_is_only_called_applied(tmp_path: Path) -> None:
    rows = app_statuses(apps(tmp_path), {"acme/web": FACTS}, {})
    assert rows[0].status == "applied"
    assert rows[1] == AppStatus("acme/new", region="aws-us-east-2")
