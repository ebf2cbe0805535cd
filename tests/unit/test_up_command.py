from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from tenantry.cli import app
from tenantry.neon import NeonApi
from tenantry.recovery.looking import Looker
from tests.unit.recovery.project import Project, creating, held, listed

RUN = CliRunner()
APP = {
    "urn": "urn:pulumi:dev::tenantry::tenantry:app:TenantApp::acme/old",
    "type": "tenantry:app:TenantApp",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project in the current folder, whose `pulumi up` notes how it was called and ends as `up.sh` says."""
    made = Project(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TENANTRY_ALLOW_DESTROY", "acme/left-over")
    command = tmp_path / "pulumi"
    command.write_text(
        command.read_text().replace(
            'case "$1 $2" in',
            f'[ $1 = up ] && {{ echo "allowed: $TENANTRY_ALLOW_DESTROY" >> {tmp_path}/pulumi.log; . {tmp_path}/up.sh; }}\n'
            'case "$1 $2" in',
        )
    )
    (tmp_path / "up.sh").write_text("exit 0\n")
    monkeypatch.setattr(
        Looker, "neon", lambda _: NeonApi(api_key="k", transport=httpx.MockTransport(made.neon))
    )
    made.write_state(APP)
    return made


def test_options_are_pulumis_and_only_this_runs_permission_counts(project: Project) -> None:
    assert (
        RUN.invoke(app, ["up", "--yes", "--", "--skip-preview", "--parallel", "2"]).exit_code == 0
    )
    allow = ["--allow-destroy", "acme/old", "--allow-destroy", "acme/web"]
    assert RUN.invoke(app, ["up", *allow]).exit_code == 0
    assert [line for line in project.called() if not line.startswith("config ")] == [
        "up --yes --skip-preview --parallel 2",
        "allowed: ",
        "up",
        "allowed: acme/old,acme/web",
    ]


def test_an_app_that_nobody_has_is_refused_before_the_run(project: Project) -> None:
    result = RUN.invoke(app, ["up", "--allow-destroy", "acme/wbe"])
    assert result.exit_code == 1
    assert result.stderr == (
        '--allow-destroy: neither the stack nor the registry has "acme/wbe" (did you mean "acme/web"?)\n'
    )
    assert not any(line.startswith("up") for line in project.called())


@pytest.mark.parametrize("option", [["--stack", "prod"], ["-s", "prod"], ["--stack=prod"]])
def test_another_stack_than_the_one_that_was_looked_at_is_refused(
    project: Project, option: list[str]
) -> None:
    result = RUN.invoke(app, ["up", "--", *option])
    assert (result.exit_code, "PULUMI_STACK" in result.stderr) == (1, True)
    assert project.called() == []


def test_a_failed_run_keeps_its_exit_code_and_says_what_goes_on(project: Project) -> None:
    (project.folder / "up.sh").write_text("exit 7\n")
    result = RUN.invoke(app, ["up", "--yes"])
    assert result.exit_code == 7
    assert result.stderr.splitlines()[-1].endswith("tenantry up")


def test_where_it_cannot_be_looked_after_a_failure_that_is_said(project: Project) -> None:
    (project.folder / "up.sh").write_text(f"echo broken > {project.folder}/tenants.yaml; exit 7\n")
    result = RUN.invoke(app, ["up", "--yes"])
    assert result.exit_code == 7
    assert "what is there now could not be seen: tenants.yaml:1:1:" in result.stderr.replace(
        f"{project.folder}/", ""
    )
    assert result.stderr.endswith("Next: tenantry doctor\n")


def test_doctor_tells_by_its_exit_code_whether_anything_disagrees(project: Project) -> None:
    project.write_state(pending=[creating(held())])
    project.neon.projects = [listed()]
    seen = RUN.invoke(app, ["doctor"])
    assert (seen.exit_code, seen.stderr) == (
        3,
        "1 stack, 0 locks, 1 project, 0 graphs: 1 to settle\n",
    )
    assert seen.stdout.endswith("the next run takes it over: tenantry doctor --fix\n")
    fixed = RUN.invoke(app, ["doctor", "--fix"])
    assert fixed.exit_code == 0
    assert fixed.stdout.startswith("settled: pending [dev] acme/web (Project)")
    (project.folder / "tenants.yaml").write_text("")
    assert RUN.invoke(app, ["doctor"]).exit_code == 1


def test_a_project_is_deleted_by_id_and_name(project: Project) -> None:
    project.neon.projects = [listed("p-1"), listed("p-2")]
    wrong = RUN.invoke(app, ["project", "delete", "p-1", "--name", "x"])
    assert (wrong.exit_code, 'not "x": nothing was deleted' in wrong.stderr) == (1, True)
    result = RUN.invoke(app, ["project", "delete", "p-1", "--name", "t--acme--web"])
    assert (result.exit_code, result.stdout) == (0, "p-1: gone\n")
    assert [each["id"] for each in project.neon.projects] == ["p-2"]
