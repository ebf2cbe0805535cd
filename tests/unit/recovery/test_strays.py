from pathlib import Path

import httpx
import pytest

from tenantry.aura.client import AuraClient
from tenantry.aura.looking import AuraLooker as AuraConnection
from tenantry.aura.settings import read_settings
from tenantry.clouds.aura import AURA, INSTANCE
from tenantry.clouds.cloud import Client, Cloud
from tenantry.recovery.errors import RecoveryError
from tenantry.recovery.strays import delete_stray
from tests.unit.aura.support import DELETE, GET, GONE, TENANT, Api, data, instance
from tests.unit.recovery.project import NAME, LocalLooker, Project, creating, held, listed


def test_a_project_that_no_state_holds_is_deleted_by_id_and_name(project: Project) -> None:
    project.write_state()
    project.neon.projects = [listed(), listed("p-2")]
    delete_stray(project.looker(), "project", "p-2", NAME)
    assert [each["id"] for each in project.neon.projects] == ["p-1"]
    delete_stray(project.looker(), "project", "p-2", NAME)


def test_what_any_stack_holds_or_is_called_otherwise_is_not(project: Project) -> None:
    project.write_state()
    project.write_state(held(), stack="prod")
    project.neon.projects = [listed(), listed("p-2", "other")]
    with pytest.raises(RecoveryError, match="p-1 is acme/web of stack prod"):
        delete_stray(project.looker(), "project", "p-1", NAME)
    with pytest.raises(RecoveryError, match='p-2 is called "other", and not "t--acme--web"'):
        delete_stray(project.looker(), "project", "p-2", NAME)
    assert len(project.neon.projects) == 2


def test_what_a_live_run_may_be_making_is_not(project: Project) -> None:
    project.write_state(pending=[creating(held())], stack="prod")
    project.write_lock("prod", hostname="build-7")
    project.neon.projects = [listed()]
    with pytest.raises(RecoveryError, match=r"stack prod is held by ann@build-7 .* wait until"):
        delete_stray(project.looker(), "project", "p-1", NAME)


def test_what_the_registry_protects_goes_only_when_that_is_said(tmp_path: Path) -> None:
    project = Project(tmp_path, deletion="protect")
    project.write_state()
    project.neon.projects = [listed()]
    with pytest.raises(RecoveryError, match=r"acme/web with 'deletion: protect'.*--protected$"):
        delete_stray(project.looker(), "project", "p-1", NAME)
    assert len(project.neon.projects) == 1
    delete_stray(project.looker(), "project", "p-1", NAME, protected=True)
    assert project.neon.projects == []


class AuraLooker(LocalLooker):
    """Asks the given Aura too."""

    api: Api

    def connect(self, cloud: Cloud) -> Client:
        if cloud is not AURA:
            return super().connect(cloud)
        variables = {
            "AURA_CLIENT_ID": "id",
            "AURA_CLIENT_SECRET": "s",
            "AURA_TENANT_ID": TENANT,
            "AURA_BASE_URL": "https://api.example/v1",
            "AURA_STATE_FOLDER": str(self._folder / "aura"),
        }
        settings = read_settings(None, variables)
        return AuraConnection(AuraClient(settings, transport=httpx.MockTransport(self.api)))


def looker(project: Project, api: Api) -> AuraLooker:
    made = AuraLooker(project.folder, project.environment)
    made.api = api
    return made


def test_an_instance_that_no_state_holds_is_deleted_by_id_and_name(project: Project) -> None:
    project.write_state()
    api = Api().on(GET, data(instance()), GONE).on(DELETE, httpx.Response(202, json={}))
    delete_stray(looker(project, api), "graph", "db1d1234", "tenantry--acme--web")
    assert len(api.sent(DELETE)) == 1


def test_an_instance_that_a_state_holds_or_is_called_otherwise_is_not(project: Project) -> None:
    graph = {
        "urn": "urn:pulumi:dev::tenantry::x::acme/web",
        "type": INSTANCE,
        "id": "held1234",
    }
    project.write_state(graph)
    api = Api().on(GET, data(instance()))
    with pytest.raises(RecoveryError, match="held1234 is acme/web of stack dev"):
        delete_stray(looker(project, api), "graph", "held1234", "x")
    with pytest.raises(RecoveryError, match='is called "tenantry--acme--web", and not "x"'):
        delete_stray(looker(project, api), "graph", "db1d1234", "x")
    assert not api.sent(DELETE)
