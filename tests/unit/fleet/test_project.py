from pathlib import Path

import pytest

from tenantry.fleet.errors import FleetError
from tenantry.fleet.project import Project
from tenantry.running.local import LocalCloudError

PROJECT = """\
name: t
runtime: python
config:
  tenantry:registry: {type: string, default: apps.yaml}
  tenantry:neonOrgId: org-of-the-project
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    return tmp_path


def opened(folder: Path, **environment: str) -> Project:
    return Project.open(folder, environment=environment)


def test_the_fleets_settings_come_before_the_projects_and_these_before_the_environment(
    folder: Path,
) -> None:
    project = opened(folder, NEON_ORG_ID="org-of-the-shell", AURA_TENANT_ID="aura-of-the-shell")
    assert (project.name, project.registry) == ("t", Path("apps.yaml"))
    assert project.accounts["neon"] == "org-of-the-project"
    assert project.accounts["aura"] == "aura-of-the-shell"
    (folder / "Pulumi.fleet.yaml").write_text("config: {tenantry:neonOrgId: org-of-the-fleet}\n")
    assert opened(folder).accounts["neon"] == "org-of-the-fleet"


def test_apps_may_be_allowed_to_go_by_setting_and_environment(folder: Path) -> None:
    (folder / "Pulumi.fleet.yaml").write_text(
        "config: {tenantry:allowDestroy: 'acme/web, acme/lab'}\n"
    )
    project = opened(folder, TENANTRY_ALLOW_DESTROY="acme/old")
    assert project.allowed == {"acme/web", "acme/lab", "acme/old"}


def test_a_catalog_is_one_by_environment_or_by_a_secret_of_the_fleet(folder: Path) -> None:
    assert not opened(folder).has_catalog
    assert opened(folder, TENANTRY_CATALOG_URL="postgresql://db/t").has_catalog
    (folder / "Pulumi.fleet.yaml").write_text(
        "encryptionsalt: v1:x\nconfig: {tenantry:catalogUrl: {secure: 'v1:abc'}}\n"
    )
    assert opened(folder).has_catalog


def test_a_file_that_is_no_yaml_is_said(folder: Path) -> None:
    (folder / "Pulumi.fleet.yaml").write_text("config: [\n")
    with pytest.raises(FleetError, match=r"Pulumi.fleet.yaml: it cannot be read"):
        _ = opened(folder).accounts["neon"]


def test_a_folder_without_a_project_is_said(tmp_path: Path) -> None:
    with pytest.raises(LocalCloudError, match=r"no Pulumi\.yaml here"):
        Project.open(tmp_path)
