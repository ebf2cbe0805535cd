import os
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.settings import AdoptedGraph, Settings
from tenantry.aura.errors import AuraSettingsError


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_TOKEN", "TENANT_ID"):
        monkeypatch.setenv(f"AURA_{name}", f"of the environment: {name}")


def configure(monkeypatch: pytest.MonkeyPatch, **values: Any) -> None:
    monkeypatch.setattr(pulumi.Config, "get", lambda _self, key: values.get(key))
    monkeypatch.setattr(pulumi.Config, "get_object", lambda _self, key: values.get(key))


def settings() -> Settings:
    return Settings(
        registry=Path("tenants.yaml"),
        apps="all",
        neon_api_key=None,
        neon_org_id=None,
        catalog=None,
        allow_destroy=frozenset(),
        environment=os.environ,
    )


def test_graphs_that_are_taken_over_are_read_without_showing_a_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graphs = {
        "acme/web": {"instance": "a1", "password": "pw"},
        "acme/web/ada": {"instance": "a2", "password": "pw", "username": "a2"},
    }
    configure(monkeypatch, adoptGraphs=graphs, auraTenantId="of the stack")
    found = settings().read_aura()
    assert found.project == "of the stack"
    assert found.adopted == {
        "acme/web": AdoptedGraph("a1", "neo4j", "pw"),
        "acme/web/ada": AdoptedGraph("a2", "a2", "pw"),
    }
    assert "pw" not in repr(found)


def test_an_id_of_digits_only_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, adoptGraphs={"acme/web": {"instance": 12345678, "password": "pw"}})
    assert settings().read_aura().adopted["acme/web"].instance == "12345678"


@pytest.mark.parametrize(
    "facts", [{"instance": "a1"}, {"password": "pw"}, {"instance": True, "password": "pw"}, "pw"]
)
def test_half_a_takeover_is_refused_without_showing_it(
    monkeypatch: pytest.MonkeyPatch, facts: object
) -> None:
    configure(monkeypatch, adoptGraphs={"acme/web": facts})
    with pytest.raises(pulumi.RunError, match="acme/web needs `instance` and `password`") as caught:
        settings().read_aura()
    assert "pw" not in str(caught.value)


def test_without_settings_the_missing_ones_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch)
    monkeypatch.delenv("AURA_TENANT_ID")
    with pytest.raises(AuraSettingsError, match="AURA_TENANT_ID not set"):
        settings().read_aura()
