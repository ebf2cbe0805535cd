"""Where an app is on its way out of the registry, and what remains of it."""

from pathlib import Path
from typing import Any

import pytest

from tenantry.adoption.errors import AdoptionError
from tenantry.adoption.releasing import Release, release
from tenantry.registry.editing import RegistryFile
from tests.unit.planning.support import APP, outputs
from tests.unit.planning.support import app as an_app
from tests.unit.recovery.project import Project, held

TEXT = """\
version: 1
namespace: t
tenants:
  acme:
    apps:
      # ours
      web: {environment: staging, region: aws-us-east-2, deletion: DELETION}
      old: {environment: staging, region: aws-us-east-2}
"""
GONE = """\
version: 1
namespace: t
tenants:
  acme:
    apps:
      old: {environment: staging, region: aws-us-east-2}
"""


def component(name: str, deletion: str, **more: Any) -> dict[str, Any]:
    told = outputs(an_app(name, deletion=deletion)) | {"organization": "org-1"} | more
    return {"urn": f"urn:pulumi:dev::tenantry::{APP}::{name}", "type": APP, "outputs": told}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def released(project: Project, text: str, app: str = "acme/web") -> Release:
    file = project.folder / "tenants.yaml"
    file.write_text(text)
    return release(project.looker(), RegistryFile.read(file), app)


def test_first_the_registry_says_retain(project: Project) -> None:
    project.write_state(component("acme/web", "protect"), held("p-1"))
    found = released(project, TEXT.replace("DELETION", "protect"))
    assert found.step == "retain"
    assert found.edit.after.decode() == TEXT.replace("DELETION", "retain")
    assert found.following == "tenantry up, then tenantry release acme/web --write"


def test_then_that_is_to_be_applied(project: Project) -> None:
    project.write_state(component("acme/web", "protect"), held("p-1"))
    found = released(project, TEXT.replace("DELETION", "retain"))
    assert (found.step, found.edit.diff()) == ("apply", "")


def test_then_its_block_leaves(project: Project) -> None:
    project.write_state(
        component("acme/web", "retain"), component("acme/old", "protect"), held("p-1")
    )
    found = released(project, TEXT.replace("DELETION", "retain"))
    assert found.step == "remove"
    assert found.edit.after.decode() == GONE
    assert found.following == "tenantry up"


def test_the_last_app_of_a_stack_is_named(project: Project) -> None:
    project.write_state(component("acme/web", "retain"), held("p-1"))
    for text in (TEXT.replace("DELETION", "retain"), GONE):
        assert released(project, text).following == "tenantry up --allow-destroy acme/web"


def test_then_a_run_gives_it_up(project: Project) -> None:
    project.write_state(component("acme/web", "retain"), held("p-1"))
    found = released(project, GONE)
    assert (found.step, found.edit.diff()) == ("give up", "")


def test_in_a_fleet_the_commands_are_its_own(project: Project) -> None:
    project.write_state(component("acme/web", "retain"), held("p-1"), stack="acme--web")
    looker = project.looker()
    looker.stack = ""
    file = project.folder / "tenants.yaml"
    file.write_text(TEXT.replace("DELETION", "protect"))
    found = release(looker, RegistryFile.read(file), "acme/web")
    assert found.following == "tenantry fleet up, then tenantry release acme/web --write"


def test_what_remains_and_what_ends_is_said(project: Project) -> None:
    graph = {"type": "free-db"}
    facts = {"apiKeys": {"default": 1}, "catalog": True, "graphs": {"acme/web": graph}}
    project.write_state(component("acme/web", "protect", **facts), held("p-1"))
    remaining, logins, graphs, keys, catalog = released(
        project, TEXT.replace("DELETION", "protect")
    ).lines
    assert remaining.startswith("remains: project p-1 with its databases, roles and data")
    assert "organization org-1 goes on paying" in remaining
    assert "tenantry url acme/web" in logins
    assert "the graphs acme/web in Aura" in graphs
    assert keys == "ends: the API keys default are revoked"
    assert "catalog" in catalog


def test_an_app_that_was_never_applied_leaves_at_once(project: Project) -> None:
    project.write_state(component("acme/old", "protect"))
    found = released(project, TEXT.replace("DELETION", "protect"))
    assert (found.step, found.following) == ("remove", "")
    assert found.lines == ("acme/web was never applied: nothing remains",)


def test_who_left_while_protected_and_who_never_was_are_refused(project: Project) -> None:
    project.write_state(component("acme/web", "protect"), held("p-1"))
    with pytest.raises(AdoptionError, match="put its block back, then tenantry release acme/web"):
        released(project, GONE)
    with pytest.raises(AdoptionError, match=r"neither .* nor a stack has an app"):
        released(project, GONE, "acme/wed")
