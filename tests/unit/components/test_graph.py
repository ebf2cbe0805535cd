from pathlib import Path
from typing import Any

import pulumi
import pulumi_neon as neon
import pytest

from components.settings import AdoptedGraph, Aura
from components.tenant_app import TenantApp
from tenantry.registry import load
from tenantry.retries import RetryPolicy
from tests.unit.components.recording import SECRET, RecordingMonitor, Registered, run

REGISTRY = """\
version: 1
tenants:
  acme:
    apps:
      web:
        environment: production
        region: aws-eu-central-1
        deletion: DELETION
        retries: {services: {attempts: 5}}
        graph: {type: professional-db, cloud: gcp, region: us-central1, memory: 2GB, snapshot_before_delete: true}
        graphs_per_user: {type: professional-db, cloud: gcp, region: us-central1, memory: 4GB, paused: true, users: [alice]}
"""
INSTANCE = "pulumi-python:dynamic/tenantry:AuraInstance"
READY = "pulumi-python:dynamic/tenantry:AuraReady"


def declare(
    folder: Path, deletion: str = "protect", adopted: dict[str, AdoptedGraph] | None = None
) -> RecordingMonitor:
    file = folder / "tenants.yaml"
    file.write_text(REGISTRY.replace("DELETION", deletion))
    app = load(file).app("acme/web")

    def program() -> dict[str, pulumi.Output[Any]]:
        component = TenantApp(
            app, cloud=neon.Provider("neon"), aura=Aura("project", adopted or {}), org_id="org"
        )
        graph = component.graphs["acme/web/alice"]
        return {"password": graph.password, "uri": graph.connection()["uri"]}

    return run(program)


def of_type(monitor: RecordingMonitor, kind: str) -> dict[str, Registered]:
    return {r.name: r for r in monitor.registered if r.type == kind}


def test_each_graph_is_an_instance_and_a_wait_for_it(tmp_path: Path) -> None:
    monitor = declare(tmp_path)
    made = of_type(monitor, INSTANCE)
    inputs = dict(made["acme/web"].inputs)
    inputs.pop("__provider")
    assert inputs == {
        "target": "acme/web",
        "name": "tenantry--acme--web",
        "type": "professional-db",
        "cloud": "gcp",
        "region": "us-central1",
        "memory": "2GB",
        "version": "5",
        "tenantId": "project",
        "snapshotBeforeDelete": True,
    }
    assert made["acme/web/alice"].inputs["name"] == "tenantry--acme--web--alice"
    waits = of_type(monitor, READY)
    assert set(waits) == set(made) == {"acme/web", "acme/web/alice"}
    assert waits["acme/web/alice"].inputs["instanceId"] == "id-of-acme/web/alice"
    assert [waits[name].inputs["paused"] for name in sorted(waits)] == [False, True]
    assert waits["acme/web"].deleted_with == made["acme/web"].urn
    # How a graph went is noted in the catalog, as the app's other rows are.
    assert RetryPolicy.of(waits["acme/web"].inputs["retries"]).attempts == 5
    assert {r.parent_type for r in [*made.values(), *waits.values()]} == {"tenantry:app:Graph"}


@pytest.mark.parametrize("deletion", ["protect", "retain", "delete"])
def test_deletion_decides_on_protection_and_retention(tmp_path: Path, deletion: str) -> None:
    made = of_type(declare(tmp_path, deletion), INSTANCE).values()
    assert {r.protect for r in made} == {deletion == "protect"}
    assert {r.retain for r in made} == {deletion == "retain"}
    assert all(r.delete_before_replace for r in made)


def test_the_next_run_knows_what_it_cannot_change(tmp_path: Path) -> None:
    monitor = declare(tmp_path)
    (component,) = of_type(monitor, "tenantry:app:TenantApp").values()
    place = {
        "type": "professional-db",
        "cloud": "gcp",
        "region": "us-central1",
        "version": "5",
        "project": "project",
    }
    assert monitor.outputs[component.urn]["graphs"] == {"acme/web": place, "acme/web/alice": place}


def test_what_connects_is_secret(tmp_path: Path) -> None:
    monitor = declare(tmp_path)
    assert all(secret for _, secret in monitor.answers.values())


def test_a_takeover_is_told_to_its_graph_only_and_its_password_is_secret(tmp_path: Path) -> None:
    adopted = {"acme/web": AdoptedGraph("db1d1234", "neo4j", "pw")}
    made = of_type(declare(tmp_path, adopted=adopted), INSTANCE)
    assert made["acme/web"].inputs["adoptInstanceId"] == "db1d1234"
    assert made["acme/web"].inputs["adoptPassword"] == SECRET | {"value": "pw"}
    assert "adoptInstanceId" not in made["acme/web/alice"].inputs
