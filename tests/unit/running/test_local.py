import json
import stat
import sys
from pathlib import Path

import pytest

from tenantry.engine.ensuring import STAMP
from tenantry.running.local import (
    LocalCloudError,
    begin,
    current_environment,
    environment,
    extensions,
    is_local,
)

FACTS = {
    "neon_api_url": "http://127.0.0.1:1/api/v2",
    "neon_api_key": "k",
    "neon_org_id": "org",
    "catalog_url": "postgresql://r:p@127.64.0.1:5432/tenantry?sslmode=require",
    "aura_base_url": "http://127.0.0.1:2/v1",
    "aura_token_url": "http://127.0.0.1:2/oauth/token",
    "aura_client_id": "id",
    "aura_client_secret": "s",
    "aura_tenant_id": "tenant",
    "issuer_url": "http://127.0.0.1:3",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder whose `localcloud` command answers with the facts, or fails where there are none."""
    commands = tmp_path / "bin"
    commands.mkdir()
    command = commands / "localcloud"
    command.write_text(f"#!/bin/sh\ntest -e {tmp_path}/facts || exit 3\ncat {tmp_path}/facts\n")
    command.chmod(0o755)
    (tmp_path / "Pulumi.yaml").touch()
    (tmp_path / "facts").write_text(json.dumps(FACTS))
    monkeypatch.setattr(sys, "executable", str(commands / "python"))
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    return tmp_path


def test_the_state_and_its_passphrase_stay_in_the_projects_folder(project: Path) -> None:
    variables = environment(project)
    assert variables["PULUMI_BACKEND_URL"] == f"file://{project}/.tenantry/state?metadata=skip"
    passphrase = Path(variables["PULUMI_CONFIG_PASSPHRASE_FILE"])
    assert passphrase.parent == project / ".tenantry"
    assert stat.S_IMODE(passphrase.stat().st_mode) == 0o600
    assert len(passphrase.read_text()) == 64
    for name in FACTS.keys() - {"catalog_url", "issuer_url"}:
        assert variables[name.upper()] == FACTS[name]
    assert variables["TENANTRY_ISSUER_URL"] == FACTS["issuer_url"]
    assert variables["TENANTRY_CATALOG_URL"] == FACTS["catalog_url"]
    assert variables["PATH"].split(":")[0] == str(project / "bin")


def test_the_passphrase_is_made_once(project: Path) -> None:
    first = Path(environment(project)["PULUMI_CONFIG_PASSPHRASE_FILE"]).read_text()
    assert Path(environment(project)["PULUMI_CONFIG_PASSPHRASE_FILE"]).read_text() == first
    files = {file.name for file in (project / ".tenantry").iterdir() if file.is_file()}
    assert files == {"passphrase", ".gitignore"}


def test_a_local_cloud_that_is_down_is_said_with_the_way_out(project: Path) -> None:
    (project / "facts").unlink()
    with pytest.raises(LocalCloudError, match="not running: tenantry up"):
        environment(project)


@pytest.mark.parametrize("missing", ["catalog_url", "issuer_url"])
def test_a_local_cloud_of_an_older_version_is_said_with_the_way_out(
    project: Path, tmp_path: Path, missing: str
) -> None:
    (tmp_path / "facts").write_text(json.dumps(FACTS | {missing: ""}))
    with pytest.raises(LocalCloudError, match="older version: localcloud stop, then tenantry up"):
        environment(project)


def test_a_shell_that_names_a_backend_is_left_alone(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment(project)
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://states")
    assert current_environment(project)["PULUMI_BACKEND_URL"] == "s3://states"
    assert "NEON_API_URL" not in current_environment(project) or (
        current_environment(project)["NEON_API_URL"] != FACTS["neon_api_url"]
    )


def test_a_passphrase_from_elsewhere_does_not_hide_the_local_runs_own(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment(project)
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "of another project")
    assert "PULUMI_CONFIG_PASSPHRASE" not in current_environment(project)


def test_without_a_local_run_the_shells_environment_is_used(project: Path) -> None:
    assert "PULUMI_BACKEND_URL" not in current_environment(project)


def test_a_folder_with_a_local_run_is_used_by_itself(project: Path) -> None:
    environment(project)
    assert current_environment(project)["PULUMI_BACKEND_URL"].endswith(
        "/.tenantry/state?metadata=skip"
    )


def test_another_folder_is_said_to_be_no_project(project: Path) -> None:
    (project / "Pulumi.yaml").unlink()
    with pytest.raises(LocalCloudError, match="run this in the project's folder"):
        environment(project)
    with pytest.raises(LocalCloudError, match="run this in the project's folder"):
        current_environment(project)


def test_a_local_cloud_tells_which_extensions_it_has(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / ".tenantry" / "localcloud").mkdir(parents=True)
    assert extensions(project) is None
    (project / "facts").write_text(json.dumps(FACTS | {"extensions": ["citext", "hstore"]}))
    assert extensions(project) == frozenset({"citext", "hstore"})
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://states")
    assert extensions(project) is None


def test_no_local_cloud_is_asked_where_none_runs(project: Path) -> None:
    command = project / "bin" / "localcloud"
    command.write_text(f"#!/bin/sh\ntouch {project}/asked\nexit 3\n")
    assert extensions(project) is None
    assert not (project / "asked").exists()
    (project / ".tenantry" / "localcloud").mkdir(parents=True)
    assert extensions(project) is None
    assert (project / "asked").exists()


LOCAL = "config: {'tenantry:cloud': local}\n"


def starts(project: Path) -> None:
    """Let `localcloud start` be what makes it run."""
    (project / "facts").rename(project / "facts.later")
    (project / "bin" / "localcloud").write_text(
        f'#!/bin/sh\necho "$1" >> {project}/asked\n'
        f"[ $1 = start ] && mv {project}/facts.later {project}/facts\n"
        f"test -e {project}/facts || exit 3\ncat {project}/facts\n"
    )


def engine(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Note where the engine is put."""
    put: list[Path] = []
    monkeypatch.setattr("tenantry.engine.ensure", lambda folder, **_: put.append(folder))
    return put


def test_a_run_of_a_local_project_has_what_it_needs_put_in_place(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "Pulumi.yaml").write_text(LOCAL)
    starts(project)
    put = engine(monkeypatch)
    with pytest.raises(LocalCloudError, match="not running: tenantry up"):
        current_environment(project)
    said: list[str] = []
    assert begin(project, said.append)["NEON_API_URL"] == FACTS["neon_api_url"]
    assert (put, len(said)) == ([project / "bin"], 1)
    begin(project, said.append)
    assert len(said) == 1
    assert (project / "asked").read_text().split() == [
        "status",
        "status",
        "start",
        "status",
        "status",
    ]
    # Whatever the repository ignores, nobody commits a passphrase.
    assert "*" in (project / ".tenantry" / ".gitignore").read_text().splitlines()


def test_a_local_cloud_that_does_not_start_says_why(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "Pulumi.yaml").write_text(LOCAL)
    engine(monkeypatch)
    (project / "bin" / "localcloud").write_text("#!/bin/sh\necho localcloud: no room >&2\nexit 1\n")
    with pytest.raises(LocalCloudError, match="localcloud: no room"):
        begin(project, print)


def test_nothing_is_begun_where_a_backend_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = engine(monkeypatch)
    (project / "Pulumi.yaml").write_text(f"backend: {{url: 's3://states'}}\n{LOCAL}")
    assert not is_local(project)
    assert begin(project, print)["PULUMI_BACKEND_URL"] == "s3://states"
    (project / "Pulumi.yaml").write_text(LOCAL)
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://others")
    assert not is_local(project)
    assert begin(project, print)["PULUMI_BACKEND_URL"] == "s3://others"
    assert put == []


def test_the_engine_beside_this_python_is_found_without_path(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")
    assert current_environment(project)["PATH"] == "/usr/bin"
    (project / "bin" / STAMP).touch()
    assert current_environment(project)["PATH"] == f"/usr/bin:{project}/bin"
