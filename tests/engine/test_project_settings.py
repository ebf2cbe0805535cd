"""A project's settings: turned on in place, put back where changed by hand, and kept where nothing is said."""

import textwrap
from datetime import datetime, tzinfo
from typing import Any

import psycopg
import pytest

from tests.engine.workspace import Change, Workspace
from tests.localcloud_fixture import LocalCloud

APP = "acme/web"
REGISTRY = """\
version: 1
namespace: settings
tenants:
  acme:
    apps:
      web:
        environment: development
        region: aws-us-east-2
        deletion: delete
        database:
          history_retention: 1d
"""
GIB = 1024**3
NO_LIMIT = {
    "active_time_seconds": 0,
    "compute_time_seconds": 0,
    "written_data_bytes": 0,
    "data_transfer_bytes": 0,
    "logical_size_bytes": 0,
}
QUOTA = """\
quota:
  active_time: 100h
  compute_time: 25h
  written_data: 50GB
  data_transfer: 5GB
  logical_size: 1TB
"""
QUOTA_IN_NEON = {
    "active_time_seconds": 360_000,
    "compute_time_seconds": 90_000,
    "written_data_bytes": 50 * GIB,
    "data_transfer_bytes": 5 * GIB,
    "logical_size_bytes": 1024 * GIB,
}
WINDOW = """\
maintenance_window: {weekdays: [sunday, tuesday], start: 03:00, end: 05:30}
"""
WINDOW_IN_NEON = {"weekdays": [2, 7], "start_time": "03:00", "end_time": "05:30"}


def registry(*settings: str) -> str:
    return REGISTRY + textwrap.indent("".join(settings), " " * 10)


def update(*fields: str) -> set[Change]:
    return {Change("update", "neon:index/project:Project", APP, frozenset(fields))}


class Project:
    """The app's project, as Neon's API has it."""

    def __init__(self, cloud: LocalCloud, workspace: Workspace) -> None:
        self.cloud = cloud
        self.id = workspace.outputs()["apps"][APP]["project"]

    @property
    def settings(self) -> dict[str, Any]:
        with self.cloud.client() as client:
            found: dict[str, Any] = client.get(f"/projects/{self.id}").json()["project"]["settings"]
        return found

    def change_by_hand(self, settings: dict[str, Any]) -> None:
        with self.cloud.client() as client:
            body = {"project": {"settings": settings}}
            client.patch(f"/projects/{self.id}", json=body).raise_for_status()


@pytest.fixture(scope="module")
def workspace(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """One app that each test changes, and whose settings stay as the last one left them."""
    made = Workspace(tmp_path_factory.mktemp("settings") / "workspace", cloud.env())
    made.apply(registry())
    return made


@pytest.fixture
def project(cloud: LocalCloud, workspace: Workspace) -> Project:
    return Project(cloud, workspace)


BY_HAND = {
    "quota": {"logical_size_bytes": 1},
    "maintenance_window": {"weekdays": [1], "start_time": "05:00", "end_time": "06:00"},
    "block_public_connections": False,
}


@pytest.mark.parametrize(
    ("written", "fields", "has", "by_hand"),
    [
        (
            QUOTA + WINDOW + "block_public_connections: true\n",
            ("quota", "maintenanceWindow", "blockPublicConnections"),
            {
                "quota": QUOTA_IN_NEON,
                "maintenance_window": WINDOW_IN_NEON,
                "block_public_connections": True,
            },
            BY_HAND,
        ),
        # False is a value like any other, and not what is left out.
        (
            "block_public_connections: false\n",
            ("blockPublicConnections",),
            {"block_public_connections": False},
            {"block_public_connections": True},
        ),
    ],
    ids=["all", "false"],
)
def test_settings_are_applied_kept_and_put_back(
    workspace: Workspace,
    project: Project,
    written: str,
    fields: tuple[str, ...],
    has: dict[str, object],
    by_hand: dict[str, object],
) -> None:
    workspace.registry.write_text(registry(written))
    assert workspace.changes() == update(*fields)
    workspace.must("up", "--yes", "--skip-preview")
    assert project.settings == project.settings | has
    workspace.assert_converged()

    project.change_by_hand(by_hand)
    assert all(project.settings[name] != has[name] for name in has)
    shown = workspace.pulumi("refresh", "--preview-only", "--expect-no-changes", "--diff")
    assert shown.code != 0
    assert all(field in shown.out for field in fields)
    workspace.must("up", "--yes", "--skip-preview", "--refresh")
    assert project.settings == project.settings | has

    # Nothing is said of them any more, so they stay, and are no difference.
    workspace.registry.write_text(registry())
    assert workspace.changes() == set()
    workspace.must("up", "--yes", "--skip-preview", "--refresh")
    assert project.settings == project.settings | has
    workspace.assert_converged()


def test_a_limit_that_is_taken_out_is_lifted(workspace: Workspace, project: Project) -> None:
    workspace.apply(registry(QUOTA))
    workspace.registry.write_text(registry("quota: {logical_size: 2GB}\n"))
    assert workspace.changes() == update("quota")
    workspace.must("up", "--yes", "--skip-preview")
    assert project.settings["quota"] == NO_LIMIT | {"logical_size_bytes": 2 * GIB}
    workspace.apply(registry("quota: {}\n"))
    assert project.settings["quota"] == NO_LIMIT
    workspace.assert_converged()


def test_logical_replication_is_turned_on_in_place_and_stays(
    workspace: Workspace, project: Project
) -> None:
    on = registry("logical_replication: true\n")
    workspace.registry.write_text(on)
    assert workspace.changes() == update("enableLogicalReplication")
    workspace.must("up", "--yes", "--skip-preview")
    assert workspace.outputs()["apps"][APP]["project"] == project.id
    with psycopg.connect(workspace.url(APP)) as connection:
        assert connection.execute("SHOW wal_level").fetchone() == ("logical",)
    workspace.assert_converged()
    for off in (registry(), registry("logical_replication: false\n")):
        workspace.registry.write_text(off)
        refused = workspace.pulumi("preview")
        assert refused.code != 0
        assert "acme/web: logical replication is on, and Neon cannot turn it off" in refused.said
    workspace.apply(on)


def test_what_was_turned_on_by_hand_replaces_no_project(
    workspace: Workspace, cloud: LocalCloud
) -> None:
    text = REGISTRY.replace("web:", "api:")
    other = Workspace(workspace.folder.parent / "by-hand", cloud.env())
    other.apply(text)
    with cloud.client() as client:
        project = other.outputs()["apps"]["acme/api"]["project"]
        settings = {"enable_logical_replication": True, "block_public_connections": True}
        body = {"project": {"settings": settings}}
        client.patch(f"/projects/{project}", json=body).raise_for_status()
    other.must("up", "--yes", "--skip-preview", "--refresh")
    other.assert_converged()
    assert other.outputs()["apps"]["acme/api"]["project"] == project


def test_a_new_project_has_them_from_the_start(cloud: LocalCloud, workspace: Workspace) -> None:
    text = REGISTRY.replace("web:", "new:") + textwrap.indent(
        QUOTA + WINDOW + "block_public_connections: true\nlogical_replication: true\n", " " * 10
    )
    other = Workspace(workspace.folder.parent / "new", cloud.env())
    other.apply(text)
    with cloud.client() as client:
        project = other.outputs()["apps"]["acme/new"]["project"]
        found = client.get(f"/projects/{project}").json()["project"]["settings"]
    wanted = {
        "quota": QUOTA_IN_NEON,
        "maintenance_window": WINDOW_IN_NEON,
        "block_public_connections": True,
        "enable_logical_replication": True,
    }
    assert found == found | wanted
    other.assert_converged()


PROTECTION = "pulumi-python:dynamic/tenantry:Protection"
EXPIRY = "pulumi-python:dynamic/tenantry:Expiry"
BRANCH = "neon:index/branch:Branch"
ENDPOINT = "neon:index/endpoint:Endpoint"


def test_main_is_protected_put_back_and_released(cloud: LocalCloud, workspace: Workspace) -> None:
    text = REGISTRY.replace("web:", "kept:").replace("deletion: delete", "deletion: protect")
    text += " " * 10 + "branches: {staging: {}}\n"
    protecting = text + " " * 10 + "protected: true\n"
    other = Workspace(workspace.folder.parent / "kept", cloud.env())
    other.apply(text)
    other.registry.write_text(protecting)
    assert other.changes() == {Change("create", PROTECTION, "acme/kept", frozenset())}
    other.must("up", "--yes", "--skip-preview")
    other.assert_converged()
    project = f"/projects/{other.outputs()['apps']['acme/kept']['project']}"
    with cloud.client() as client:

        def main() -> dict[str, Any]:
            listed = client.get(f"{project}/branches").json()["branches"]
            (found,) = [each for each in listed if each["default"]]
            return dict(found)

        assert main()["protected"] is True
        assert client.delete(project).status_code == 422
        by_hand = {"branch": {"protected": False}}
        client.patch(f"{project}/branches/{main()['id']}", json=by_hand).raise_for_status()
        shown = other.pulumi("refresh", "--preview-only", "--expect-no-changes", "--diff")
        assert shown.code != 0
        assert "protected" in shown.out
        other.must("up", "--yes", "--skip-preview", "--refresh")
        assert main()["protected"] is True
        other.apply(text)
        assert main()["protected"] is False
    other.assert_converged()


def test_a_branch_is_given_a_last_day_and_is_forgotten_after_it(
    cloud: LocalCloud, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = REGISTRY.replace("web:", "brief:").replace("deletion: delete", "deletion: protect")
    brief = text + " " * 10 + "branches: {qa: {expires: 2099-01-01}, staging: {}}\n"
    other = Workspace(workspace.folder.parent / "brief", cloud.env())
    other.apply(brief.replace("expires: 2099-01-01", ""))
    other.registry.write_text(brief)
    assert Change("create", EXPIRY, "acme/brief/qa", frozenset()) in other.changes()
    other.must("up", "--yes", "--skip-preview")
    other.assert_converged()
    facts = other.outputs()["apps"]["acme/brief"]
    path = f"/projects/{facts['project']}/branches/{facts['branches']['qa']['id']}"
    with cloud.client() as client:
        expires = client.get(path).json()["branch"]["expires_at"]
        assert expires.startswith("2099-01-02T00:00:00")
        body = {"branch": {"expires_at": None}}
        client.patch(path, json=body).raise_for_status()
        other.must("up", "--yes", "--skip-preview", "--refresh")
        assert client.get(path).json()["branch"]["expires_at"] == expires

        # Its last day goes by, and Neon deletes it.
        client.delete(path).raise_for_status()

    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Later":
            return cls(2099, 1, 2, tzinfo=tz)

    monkeypatch.setattr("tenantry.registry.days.datetime", Later)
    forgotten = {(each.op, each.type, each.name) for each in other.changes()}
    assert forgotten >= {("delete", kind, "acme/brief/qa") for kind in (BRANCH, ENDPOINT, EXPIRY)}
    other.must("up", "--yes", "--skip-preview")
    assert list(other.outputs()["apps"]["acme/brief"]["branches"]) == ["staging"]
    other.assert_converged()
    other.registry.write_text(text + " " * 10 + "branches: {staging: {}}\n")
    assert other.changes() == set()
