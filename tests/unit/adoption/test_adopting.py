"""What the registry is to say for an app to take a project over, and why it may not."""

from pathlib import Path

import pytest

from tenantry.adoption.adopting import Proposal, propose
from tenantry.adoption.errors import AdoptionError
from tenantry.clouds.cloud import Client, Cloud
from tenantry.clouds.neon import NEON
from tenantry.registry.editing import EditError, RegistryFile
from tenantry.registry.loading import parse
from tests.unit.neon.existing import Neon
from tests.unit.recovery.project import LocalLooker, Project, held, neon_client

HEAD = "version: 1\nnamespace: t\ndefaults: {environment: staging, region: aws-us-east-2}\n"
TEXT = f"{HEAD}tenants:\n  acme: # the first\n    apps:\n      old: {{}}\n"


class ExistingLooker(LocalLooker):
    """Asks a Neon that has one project by hand."""

    existing: Neon

    def connect(self, cloud: Cloud) -> Client:
        return neon_client(self.existing) if cloud is NEON else super().connect(cloud)


def proposed(
    project: Project, neon: Neon, text: str = TEXT, app: str = "acme/web", id_: str = "p-1"
) -> Proposal:
    neon.project.setdefault("org_id", "org")
    file = project.folder / "tenants.yaml"
    file.write_text(text)
    looker = ExistingLooker(project.folder, project.environment)
    looker.existing = neon
    made = propose(looker, RegistryFile.read(file), app, id_)
    assert file.read_text() == text, "nothing is written"
    assert not [each for each in neon.asked if not each.startswith("GET ")]
    return made


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def added(made: Proposal) -> list[str]:
    before = made.edit.before.decode().splitlines()
    after = made.edit.after.decode().splitlines()
    assert [line for line in after if line in before] == before
    return [line.strip() for line in after if line not in before]


def test_a_new_app_gets_the_projects_own_settings(project: Project) -> None:
    neon = Neon(
        {
            "pg_version": 16,
            "settings": {
                "allowed_ips": {"ips": ["2001:db8::/32", "10.0.0.0/8"]},
                "enable_logical_replication": True,
                "quota": {"active_time_seconds": 3600, "logical_size_bytes": 1024**3},
            },
        },
        compute={"suspend_timeout_seconds": -1},
    )
    made = proposed(project, neon)
    lines = added(made)
    assert "region: aws-us-east-2" in lines
    assert lines[lines.index("database:") + 1 :][:6] == [
        'allowed_ips: [10.0.0.0/8, "2001:db8::/32"]',
        "compute: {min_cu: 1, max_cu: 4, suspend_after: never}",
        "history_retention: 7d",
        "logical_replication: true",
        "postgres_version: 16",
        "quota: {active_time: 1h, logical_size: 1GB}",
    ]
    app = parse(made.edit.after).app("acme/web")
    assert app.adopt
    assert (app.adopt.project, app.deletion) == ("p-1", "protect")
    (line,) = made.lines
    assert line == (
        "takes over project p-1, renamed from kitchen to t--acme--web: its databases (neondb), roles and data stay, "
        "and the app's own are made beside them"
    )


def test_a_project_as_the_defaults_say_needs_no_settings(project: Project) -> None:
    neon = Neon(
        {"history_retention_seconds": 21_600},
        compute={"autoscaling_limit_min_cu": 0.25, "autoscaling_limit_max_cu": 2},
    )
    assert "database:" not in added(proposed(project, neon))


def test_an_app_that_is_there_gets_the_key_alone_and_says_what_would_change(
    project: Project,
) -> None:
    web = "      web: {database: {history_retention: 1d, allowed_ips: [10.0.0.1]}, deletion: retain}\n"
    made = proposed(project, Neon(), TEXT + web)
    assert "adopt: {project: p-1}" in made.edit.after.decode()
    assert made.lines[1:] == (
        "of the project: database.allowed_ips: [] → [10.0.0.1]",
        "of the project: database.compute.max_cu: 4 → 2",
        "of the project: database.compute.min_cu: 1 → 0.25",
        "of the project: database.history_retention: 7d → 1d",
    )


def test_of_what_the_registry_says_nothing_nothing_changes(project: Project) -> None:
    neon = Neon(
        {"settings": {"block_public_connections": True, "quota": {"logical_size_bytes": 9}}}
    )
    told = proposed(project, neon, f"{TEXT}      web: {{}}\n").lines
    assert not [each for each in told if "block" in each or "quota" in each]


@pytest.mark.parametrize(
    ("app", "id_", "said"),
    [
        ("acme", "p-1", '"acme": write tenant/app'),
        ("acme/web", "../p-1", '--project: "../p-1" is not the id of a Neon project'),
        ("acme/web", "p-9", "acme/web: Neon has no project p-9 that this API key sees"),
    ],
)
def test_what_cannot_be_is_refused(project: Project, app: str, id_: str, said: str) -> None:
    with pytest.raises((AdoptionError, EditError)) as refused:
        proposed(project, Neon(), app=app, id_=id_)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_project_that_a_stack_holds_is_managed_already(project: Project) -> None:
    project.write_state(held("p-1"), stack="acme--old")
    with pytest.raises(AdoptionError, match="project p-1 is acme/web's in stack acme--old"):
        proposed(project, Neon(), app="acme/other")


def test_an_app_that_has_a_project_cannot_have_another(project: Project) -> None:
    component = {
        "urn": "urn:pulumi:dev::tenantry::tenantry:app:TenantApp::acme/web",
        "type": "tenantry:app:TenantApp",
    }
    project.write_state(component, held("p-2"))
    with pytest.raises(AdoptionError, match="acme/web has project p-2 in stack dev"):
        proposed(project, Neon())


def test_another_organization_is_refused(project: Project) -> None:
    with pytest.raises(
        AdoptionError, match="is in organization org-9, and acme/web is to be in org"
    ):
        proposed(project, Neon({"org_id": "org-9"}))
