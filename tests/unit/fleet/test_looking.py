"""A look over a fleet: with which settings, at which states."""

from pathlib import Path

import httpx
import pytest

from tenantry.clouds.cloud import Client, Cloud
from tenantry.clouds.neon import NEON
from tenantry.fleet.looking import FleetLooker, looker_for
from tests.fake_pulumi import FakePulumi
from tests.unit.fleet.support import Backend
from tests.unit.recovery.project import Neon, held, neon_client
from tests.unit.recovery.project import listed as in_the_list


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    made = Backend(tmp_path)
    made.registry({"web": ""})
    made.applied("web")
    return made


def settings(backend: Backend, text: str) -> FleetLooker:
    (backend.folder / "Pulumi.fleet.yaml").write_text(f"config:\n{text}")
    return FleetLooker(backend.fleet().project)


def test_secrets_among_the_shared_settings_are_decrypted_by_the_engine(backend: Backend) -> None:
    pulumi = FakePulumi(backend.folder / "bin")
    pulumi.answers("config", out='{"neon:apiKey": {"value": "napi-1", "secret": true}}')
    backend.environment["PATH"] = pulumi.path
    looker = settings(backend, "  neon:apiKey: {secure: v1:x}\n")
    assert looker.configuration["neon:apiKey"] == "napi-1"
    assert [call.environment["PULUMI_STACK"] for call in pulumi.calls] == ["fleet"]


def test_without_secrets_nobody_is_asked_and_defaults_of_the_project_count(
    backend: Backend,
) -> None:
    backend.environment["PATH"] = "/nowhere"
    file = backend.folder / "Pulumi.yaml"
    file.write_text(
        file.read_text() + "config:\n  tenantry:neonOrgId: org-9\n  tenantry:auraTenantId: a\n"
    )
    looker = settings(backend, "  tenantry:auraTenantId: b\n  tenantry:retries: 3\n")
    assert looker.configuration == {
        "tenantry:neonOrgId": "org-9",
        "tenantry:auraTenantId": "b",
        "tenantry:retries": "3",
    }
    assert looker.account(NEON) == "org-9"


def test_no_stack_is_the_current_one(backend: Backend) -> None:
    backend.environment["PATH"] = "/nowhere"
    looker = looker_for(backend.folder, backend.environment)
    assert isinstance(looker, FleetLooker)
    assert [state.stack for state in looker.states()] == ["acme--web"]
    assert looker.facts_of_pending(looker.states()[0], []).stack == "acme--web"


def test_what_a_run_makes_while_it_is_looked_is_in_a_state_too(backend: Backend) -> None:
    neon = Neon([in_the_list("p-1", "ns--acme--web")])

    def asked(request: httpx.Request) -> httpx.Response:
        backend.state("acme--web", [held("p-1", "ns--acme--web")])
        return neon(request)

    class Local(FleetLooker):
        def connect(self, cloud: Cloud) -> Client:  # noqa: ARG002 one for all
            return neon_client(asked)

    facts = Local(backend.fleet().project).facts()
    assert [each.id for state in facts.states for each in state.of(NEON)] == ["p-1"]
