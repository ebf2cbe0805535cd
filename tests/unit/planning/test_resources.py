"""Every resource that the components declare is known by name, and the fields it follows exist."""

import json
from pathlib import Path
from typing import Any

import pulumi
import pulumi_neon as neon
import pytest

from components.settings import Aura
from components.tenant_app import TenantApp
from providers.catalog import Catalog
from tenantry.planning.resources import KINDS, kind_of
from tenantry.registry import load, tokens
from tenantry.registry.declared import declared
from tenantry.registry.schemas import plan_schemas
from tests.unit.components.recording import RecordingMonitor, run

REGISTRY = """\
version: 1
tenants:
  acme:
    apps:
      web:
        environment: production
        region: aws-us-east-2
        database:
          schema: neonhub
          branches: {staging: {expires: 2099-01-01}}
          block_public_connections: true
          logical_replication: true
          protected: true
          maintenance_window: {weekdays: [monday], start: 05:00, end: 06:00}
          quota: {logical_size: 1GB}
          credentials: {generation: 2}
        services: [auth]
        api_keys: [{name: ci}]
        graph: {type: professional-db, cloud: gcp, region: us-central1, memory: 1GB}
        graphs_per_user: {type: professional-db, cloud: gcp, region: us-central1, memory: 1GB, users: [ada]}
        adopt: {project: flat-bread-90066822}
"""


@pytest.fixture(scope="module")
def monitor(tmp_path_factory: pytest.TempPathFactory) -> RecordingMonitor:
    file = tmp_path_factory.mktemp("registry") / "tenants.yaml"
    file.write_text(REGISTRY)
    app = load(file).app("acme/web")

    def program() -> dict[str, pulumi.Output[Any]]:
        TenantApp(
            app,
            cloud=neon.Provider("neon"),
            plan=plan_schemas([app], file)[app.id],
            catalog=Catalog("catalog", "host:5432/db"),
            aura=Aura("project", {}),
            org_id="org",
        )
        return {}

    return run(program)


def test_every_type_has_a_word_and_no_word_is_left_over(monitor: RecordingMonitor) -> None:
    declared_types = {
        each.type
        for each in monitor.registered
        if not each.type.startswith(("tenantry:app:", tokens.PROVIDERS))
    }
    assert declared_types == KINDS.keys()


def test_every_property_that_follows_a_field_is_one_of_the_resource(
    monitor: RecordingMonitor,
) -> None:
    # Set by the program only where the registry asks for it, or by a refresh.
    sometimes = {"allowedIps", "*", "drift"}
    given: dict[str, set[str]] = {}
    for each in monitor.registered:
        given.setdefault(each.type, set()).update(each.inputs)
    for type_, kind in KINDS.items():
        assert kind.follows.keys() - sometimes <= given[type_], type_


def test_every_field_is_one_of_the_registry(tmp_path: Path) -> None:
    file = tmp_path / "tenants.yaml"
    file.write_text(REGISTRY)
    app = json.loads(declared(load(file).app("acme/web")))
    for kind in KINDS.values():
        for fields in kind.follows.values():
            for field in fields:
                found = app
                for part in field.split("."):
                    assert part in found, field
                    found = found[part]


def test_a_type_that_is_not_known_has_its_own_name() -> None:
    assert kind_of("cloud:index/thing:Thing").word == "Thing"
