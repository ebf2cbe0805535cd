"""That a second provider of databases needs its facts, its client and its component, and no other room changed."""

from datetime import UTC, datetime
from pathlib import Path

import pulumi
import pytest

from components.place import provider
from components.tenant_app import TenantApp
from tenantry.clouds import table
from tenantry.presenting.status import ask_computes
from tenantry.recovery.judging import judge
from tenantry.recovery.strays import delete_stray
from tenantry.registry import RegistryError, load
from tenantry.registry.applied import AppliedApp
from tenantry.registry.checks import check
from tenantry.registry.declared import declared
from tenantry.registry.models import Adopt, App
from tenantry.registry.transition import TransitionError, check_transition
from tenantry.states.state import read_state
from tests.unit.clouds import elsewhere
from tests.unit.clouds.elsewhere import ELSEWHERE, TYPE
from tests.unit.components.recording import run
from tests.unit.recovery.project import Project

REGISTRY = """\
version: 1
namespace: t
tenants:
  acme:
    apps:
      web:
        environment: staging
        region: REGION
        database: {provider: elsewhere, EXTRA}
"""
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "CLOUDS", (*table.CLOUDS, ELSEWHERE))
    elsewhere.deleted.clear()


def app(folder: Path, *, region: str = "north", extra: str = "") -> App:
    file = folder / "tenants.yaml"
    file.write_text(REGISTRY.replace("REGION", region).replace("EXTRA", extra))
    return load(file).app("acme/web")


def applied(wanted: App) -> AppliedApp:
    outputs = {
        "app": wanted.id,
        "declared": declared(wanted),
        "deletion": "protect",
        "organization": "team",
        "region": "north",
        "postgresVersion": 17,
        "generation": 1,
        "branches": [],
    }
    return AppliedApp.of(outputs)


def test_the_registry_takes_its_regions_and_refuses_what_only_the_other_has(tmp_path: Path) -> None:
    assert app(tmp_path).database.provider == "elsewhere"
    with pytest.raises(RegistryError, match="aws-us-east-2 is not a region of Elsewhere: write"):
        app(tmp_path, region="aws-us-east-2")
    with pytest.raises(RegistryError, match="Elsewhere has nothing of this kind"):
        app(tmp_path, extra="history_retention: 7d")
    with pytest.raises(RegistryError, match="Elsewhere has no PostgreSQL 16: write one of 17"):
        app(tmp_path, extra="postgres_version: 16")
    taking = app(tmp_path).model_copy(update={"adopt": Adopt(project="p-1")})
    assert [each.message for each in check(taking)] == [
        "Elsewhere has no project to take over: remove it, or write another provider"
    ]


def test_the_app_is_declared_in_its_component(tmp_path: Path) -> None:
    wanted = app(tmp_path)

    def program() -> dict[str, pulumi.Output[str]]:
        cloud = pulumi.ProviderResource("elsewhere", "all", {})
        return TenantApp(wanted, cloud=cloud, org_id="team").urls()

    monitor = run(program)
    assert "@db.elsewhere.example/" in monitor.answers["direct"][0]
    assert "neon" not in {each.type.partition(":")[0] for each in monitor.registered}
    assert provider("elsewhere").account is elsewhere.account


def test_moving_to_another_provider_is_a_replacement_and_another_account_is_refused(
    tmp_path: Path,
) -> None:
    old = applied(app(tmp_path))
    assert old.provider == "elsewhere"
    file = tmp_path / "tenants.yaml"
    file.write_text(
        REGISTRY.replace("REGION", "aws-us-east-2").replace("provider: elsewhere, EXTRA", "")
    )
    moved = load(file).app("acme/web")
    accounts = {"elsewhere": "team"}
    with pytest.raises(TransitionError, match="provider from elsewhere to neon and region from"):
        check_transition([old], [moved], file, accounts=accounts)
    with pytest.raises(TransitionError, match="Set ELSEWHERE_TEAM or tenantry:elsewhereTeam back"):
        check_transition([old], [app(tmp_path)], file, accounts={"elsewhere": "other"})


def test_what_it_has_of_ours_is_looked_at_and_judged(tmp_path: Path) -> None:
    project = Project(tmp_path)
    app(tmp_path)
    held = {
        "urn": "urn:pulumi:dev::tenantry::tenantry:app:TenantApp$x::acme/web",
        "type": TYPE,
        "id": "e-1",
        "inputs": {"name": "t--acme--web", "region": "north"},
    }
    project.write_state(held)
    (web,) = read_state("dev", {"resources": [held]}).of(ELSEWHERE)
    assert (web.target, web.place) == ("acme/web", {"region": "north"})
    (finding,) = judge(project.looker().facts())
    assert finding.command == "tenantry project delete e-2 --name t--acme--old"
    delete_stray(project.looker(), "project", "e-2", "t--acme--old")
    assert elsewhere.deleted == ["e-2"]


def test_its_computes_are_asked_with_its_own_key() -> None:
    assert ask_computes([("elsewhere", "e-1")], {}) == {}
    assert ask_computes([("elsewhere", "e-1")], {"ELSEWHERE_TOKEN": "k"}) == {"e-1": "awake"}


def test_every_cloud_names_a_client_and_each_for_databases_a_component() -> None:
    for name in table.databases():
        found = provider(name)
        assert all(map(callable, (found.connect, found.account, found.declare)))
    neon, aura = table.CLOUDS[:2]
    assert neon.connect({}, {"NEON_API_KEY": "k"})
    variables = {"AURA_CLIENT_ID": "i", "AURA_CLIENT_SECRET": "s", "AURA_TENANT_ID": "t"}
    assert aura.connect({}, variables)
