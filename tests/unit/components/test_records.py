from pathlib import Path
from typing import Any

import pulumi
import pulumi_neon as neon
import pytest

from components.tenant_app import TenantApp
from providers.catalog import Catalog
from tenantry.catalog.revision import newest
from tenantry.registry import App, load
from tenantry.retries import RetryPolicy
from tests.unit.components.recording import RecordingMonitor, Registered, run

REGISTRY = """\
version: 1
tenants:
  acme:
    name: Acme Inc.
    apps:
      web:
        environment: production
        region: aws-eu-central-1
        database:
          branches: {staging: {}}
          credentials: {generation: 2}
        services: [auth, {name: storage, enabled: false}]
        api_keys:
          - {name: default, generation: 3, expires: 2027-06-30, scopes: [read]}
          - {name: ci}
          - {name: leaked, generation: 2, revoked: [2]}
          - {name: shut, revoked: [1]}
        retries:
          services: {attempts: 4}
          keys: {first_delay: 1s, jitter: 0}
        deletion: DELETION
"""
LABEL = "db.example:5432/tenantry"
DYNAMIC = "pulumi-python:dynamic/tenantry:"


def app(tmp_path: Path, *, deletion: str = "delete") -> App:
    file = tmp_path / "tenants.yaml"
    file.write_text(REGISTRY.replace("DELETION", deletion))
    return load(file).app("acme/web")


def declare(wanted: App, *, label: str | None = LABEL) -> RecordingMonitor:
    def program() -> dict[str, pulumi.Output[Any]]:
        catalog = Catalog("catalog", label) if label else None
        component = TenantApp(wanted, cloud=neon.Provider("neon"), catalog=catalog, org_id="org")
        return {
            f"{name} {generation}": key
            for name, generations in component.api_keys().items()
            for generation, key in generations.items()
        } | {"names": pulumi.Output.from_input(list(component.api_keys()))}

    return run(program)


def named(monitor: RecordingMonitor, kind: str) -> dict[str, Registered]:
    return {r.name: r for r in monitor.registered if r.type == DYNAMIC + kind}


def inputs(resource: Registered) -> dict[str, Any]:
    return {name: value for name, value in resource.inputs.items() if name != "__provider"}


def test_the_tables_are_declared_once_at_this_versions_revision(tmp_path: Path) -> None:
    (tables,) = named(declare(app(tmp_path)), "Catalog").values()
    assert inputs(tables) == {
        "catalog": LABEL,
        "revision": newest(),
        "app": "catalog",
        "retries": RetryPolicy(attempts=2, first_delay=3000, jitter=0.1).text(),
    }


def test_the_app_is_recorded_with_all_its_parts(tmp_path: Path) -> None:
    (record,) = named(declare(app(tmp_path)), "AppRecord").values()
    assert record.parent_type == "tenantry:app:TenantApp"
    parts = record.inputs["resources"]
    assert set(parts) == {
        "branch main",
        "branch staging",
        "database tenant_acme__web",
        "project tenantry--acme--web",
        "role tenant_acme__web__login_a",
        "role tenant_acme__web__login_b",
        "role tenant_acme__web__owner",
        "role tenant_acme__web__rw",
        "schema app",
    }
    assert parts["branch main"] == "br-main"
    assert parts["branch staging"] == "id-of-acme/web/staging"
    assert parts["project tenantry--acme--web"] == "id-of-acme/web"
    rest = {name: value for name, value in inputs(record).items() if name != "resources"}
    assert rest == {
        "namespace": "tenantry",
        "app": "acme/web",
        "catalog": LABEL,
        "tenant": "acme",
        "name": "web",
        "environment": "production",
        "region": "aws-eu-central-1",
        "project": "id-of-acme/web",
        "host": "ep-main.example",
        "status": "active",
        "retries": RetryPolicy(attempts=4, first_delay=3000, jitter=0.1).text(),
    }


def test_a_service_is_active_or_disabled(tmp_path: Path) -> None:
    (services,) = named(declare(app(tmp_path)), "Services").values()
    assert services.inputs["services"] == {"auth": "active", "storage": "disabled"}
    assert RetryPolicy.of(services.inputs["retries"]).attempts == 4


def test_a_key_has_its_current_generation_and_the_one_before_less_the_revoked(
    tmp_path: Path,
) -> None:
    monitor = declare(app(tmp_path))
    keys = named(monitor, "ApiKey")
    # Resources register in no order that is promised.
    assert set(keys) == {
        "acme/web/default/2",
        "acme/web/default/3",
        "acme/web/ci/1",
        "acme/web/leaked/1",
    }
    assert all(r.inputs["generation"] == int(name.rsplit("/", 1)[1]) for name, r in keys.items())
    # A key of which nothing is left is still named.
    assert monitor.answers["names"][0] == ["default", "ci", "leaked", "shut"]


def test_a_key_is_declared_with_what_the_registry_says(tmp_path: Path) -> None:
    keys = named(declare(app(tmp_path)), "ApiKey")
    assert inputs(keys["acme/web/default/3"]) == {
        "namespace": "tenantry",
        "app": "acme/web",
        "catalog": LABEL,
        "name": "default",
        "prefix": "acme--default",
        "generation": 3,
        "scopes": ["read"],
        "expiresAt": "2027-07-01T00:00:00+00:00",
        "record": "recorded",
        "retries": RetryPolicy(attempts=2, first_delay=1000, jitter=0.0).text(),
    }
    ci = keys["acme/web/ci/1"].inputs
    assert ci["scopes"] == ["read", "write"]
    assert "expiresAt" not in ci


def test_every_key_is_a_secret(tmp_path: Path) -> None:
    answers = declare(app(tmp_path)).answers
    keys = {name: secret for name, (_, secret) in answers.items() if name != "names"}
    assert keys == dict.fromkeys(["default 2", "default 3", "ci 1", "leaked 1"], True)


def test_without_a_catalog_there_are_keys_alone(tmp_path: Path) -> None:
    monitor = declare(app(tmp_path), label=None)
    for kind in ("Catalog", "AppRecord", "Services"):
        assert named(monitor, kind) == {}
    keys = named(monitor, "ApiKey")
    assert len(keys) == 4
    assert {r.inputs["catalog"] for r in keys.values()} == {""}


@pytest.mark.parametrize("deletion", ["protect", "retain", "delete"])
def test_only_the_row_of_a_retained_app_stays_and_no_key_outlives_its_entry(
    tmp_path: Path, deletion: str
) -> None:
    monitor = declare(app(tmp_path, deletion=deletion))
    rows = [
        r for kind in ("AppRecord", "Services", "ApiKey") for r in named(monitor, kind).values()
    ]
    assert len(rows) == 6
    retained = {r.type for r in rows if r.retain}
    assert retained == ({f"{DYNAMIC}AppRecord"} if deletion == "retain" else set())
    assert not any(r.protect for r in rows)
    # Marking a row takes a call, which an app that goes with its project would not make.
    assert {r.deleted_with for r in rows} == {""}
    (tables,) = named(monitor, "Catalog").values()
    assert not tables.retain


@pytest.mark.parametrize("label", [LABEL, None])
def test_the_next_run_knows_the_generations_and_whether_there_is_a_catalog(
    tmp_path: Path, label: str | None
) -> None:
    monitor = declare(app(tmp_path), label=label)
    (component,) = [r for r in monitor.registered if r.type == "tenantry:app:TenantApp"]
    outputs = monitor.outputs[component.urn]
    assert outputs["apiKeys"] == {"default": 3, "ci": 1, "leaked": 2, "shut": 1}
    assert outputs["catalog"] is (label is not None)


def test_no_row_is_written_before_what_it_tells_of(tmp_path: Path) -> None:
    monitor = declare(app(tmp_path))
    (tables,) = named(monitor, "Catalog").values()
    (record,) = named(monitor, "AppRecord").values()
    (grant, *_) = (r for r in monitor.registered if r.type == "postgresql:index/grant:Grant")
    assert {tables.urn, grant.urn} <= set(record.dependencies)
    rows = [r for kind in ("Services", "ApiKey") for r in named(monitor, kind).values()]
    assert len(rows) == 5
    assert all(record.urn in r.dependencies for r in rows)
