import json
import socket

import pytest
from typer.testing import CliRunner

from tenantry.cli import app
from tests.unit.commands.engine import LOCKED
from tests.unit.planning import support
from tests.unit.planning.support import PROJECT, Event, application, step
from tests.unit.recovery.project import Project

RUN = CliRunner()

COMMON = "--stack dev --client … --event-log … --config-file … --exec-kind auto.inline --color never --suppress-outputs --suppress-progress"


ENGINE = f"--non-interactive up --yes --skip-preview {COMMON} --exec-agent …"
PREVIEW = f"--non-interactive preview {COMMON}"


def holds_web(project: Project) -> None:
    """Let the stack hold an app, as a run writes it."""
    facts = {"project": "p-1", "region": "aws-us-east-2", "host": "ep-1", "database": "d"}
    component = support.outputs(support.app("acme/web"))
    project.write_state(
        {"urn": support.urn(support.APP, "acme/web"), "type": support.APP, "outputs": component},
        {
            "urn": support.urn("pulumi:pulumi:Stack", "tenantry-dev"),
            "type": "pulumi:pulumi:Stack",
            "outputs": {"apps": {"acme/web": facts}},
        },
    )


def says(project: Project, *events: list[Event]) -> None:
    """Let the preview say these."""
    project.pulumi.tells("preview", *events)


def runs(project: Project) -> list[str]:
    """The runs of the engine."""
    return [line for line in project.called() if not line.startswith("config ")]


def test_options_are_pulumis_and_only_this_runs_permission_counts(project: Project) -> None:
    given = ["--skip-preview", "--parallel", "2", "--suppress-outputs", "--color", "never"]
    assert RUN.invoke(app, ["up", "--yes", "--", *given]).exit_code == 0
    allow = ["--allow-destroy", "acme/old", "--allow-destroy", "acme/web"]
    says(project, application(support.app("acme/old"), None), application(None, support.app()))
    result = RUN.invoke(app, ["up", "--yes", *allow, "--", "--refresh", "--continue-on-error"])
    assert result.exit_code == 0
    assert runs(project) == [
        f"{ENGINE} --parallel 2",
        f"{PREVIEW} --refresh",
        f"{ENGINE} --refresh --continue-on-error",
    ]
    allowed = [
        call.environment["TENANTRY_ALLOW_DESTROY"]
        for call in project.pulumi.calls
        if "up" in call.arguments
    ]
    assert allowed == ["", "acme/old,acme/web"]


def test_nothing_begins_where_nobody_can_be_asked(project: Project) -> None:
    for arguments in (["up"], ["up", "--json"], ["destroy", "acme/old"], ["destroy", "--json"]):
        result = RUN.invoke(app, arguments)
        assert result.exit_code == 1
        assert len(result.stderr.splitlines()) == 1
    assert project.called() == []


def test_a_terminal_is_shown_the_plan_and_asked(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenantry.presenting.asking.somebody_is_there", lambda: True)
    says(project, application(None, support.app()))
    refused = RUN.invoke(app, ["up"], input="n\n")
    assert (refused.exit_code, runs(project)) == (1, [PREVIEW])
    assert "acme/web: create" in refused.stdout
    assert refused.stderr.endswith("nothing was changed\n")
    agreed = RUN.invoke(app, ["up"], input="y\n")
    assert (agreed.exit_code, runs(project)[2:]) == (0, [ENGINE])
    # Where there is nothing to do nobody is asked; the engine is, since outputs may be left to write.
    says(project, application(support.app(), support.app()))
    assert RUN.invoke(app, ["up"]).exit_code == 0


def test_what_is_refused_is_said_and_nothing_is_changed(project: Project) -> None:
    says(project, [support.said("error", "acme/web is gone: put it back"), support.END])
    result = RUN.invoke(app, ["up", "--yes"])
    assert (result.exit_code, runs(project)) == (1, [PREVIEW])
    assert "acme/web is gone: put it back" in result.stdout


def test_a_run_is_told_to_a_program_a_line_at_a_time(project: Project) -> None:
    new = step("create", PROJECT, "acme/web", new={"name": "x"})
    says(project, application(None, support.app(), new))
    project.pulumi.answers("up", events=new)
    result = RUN.invoke(app, ["up", "--yes", "--json"])
    assert result.exit_code == 0
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [each["event"] for each in told] == ["planned", "step", "step", "ended"]
    assert told[0]["plan"]["rows"][0]["app"] == "acme/web"
    assert (told[3]["counts"], told[3]["succeeded"], told[3]["left"]) == ({"create": 1}, True, [])
    assert json.loads((project.folder / ".tenantry" / "times.json").read_text())["version"] == 1


def test_what_a_failed_run_left_is_said(project: Project) -> None:
    new = step("create", PROJECT, "acme/web", new={})
    says(project, application(None, support.app(), new))
    project.pulumi.answers("up", code=1)
    result = RUN.invoke(app, ["up", "--yes"])
    assert result.exit_code == 1
    assert "Failed: nothing was done; " in result.stdout
    assert "left: acme/web: create project acme/web\n" in result.stderr


def test_a_run_ends_with_the_table_of_the_stacks_apps(project: Project) -> None:
    holds_web(project)
    changed = RUN.invoke(app, ["up", "--yes"])
    assert changed.exit_code == 0
    heads, row, empty, last = changed.stdout.splitlines()[-4:]
    assert heads.split()[:3] == ["app", "project", "region"]
    assert row.split() == ["acme/web", "p-1", "aws-us-east-2", "ep-1", "d", *"---", "applied"]
    assert empty == ""
    assert last.startswith('Next: psql "$(')
    assert last.endswith(' url acme/web)"')
    # A program reads what happened, and nothing else.
    told = RUN.invoke(app, ["up", "--yes", "--json"]).stdout.splitlines()
    assert json.loads(told[-1])["event"] == "ended"


def test_a_run_succeeded_also_where_neon_does_not_say_how_the_apps_stand(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    holds_web(project)
    monkeypatch.setenv("NEON_API_KEY", "secret-key")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("NEON_API_URL", f"http://127.0.0.1:{port}/api/v2")
    result = RUN.invoke(app, ["up", "--yes"])
    assert result.exit_code == 0
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"how the apps stand cannot be seen: http://127.0.0.1:{port}/api/v2/: ")
    assert line.endswith(": tenantry status shows it later")
    assert "p-1" not in result.stdout


def test_an_app_that_nobody_has_is_refused_before_the_run(project: Project) -> None:
    result = RUN.invoke(app, ["up", "--yes", "--allow-destroy", "acme/wbe"])
    assert result.exit_code == 1
    assert result.stderr == (
        '--allow-destroy: neither the stack nor the registry has "acme/wbe" (did you mean "acme/web"?)\n'
    )
    assert not any(" up " in line for line in project.called())


@pytest.mark.parametrize("option", [["--stack", "prod"], ["-s", "prod"], ["--stack=prod"]])
def test_another_stack_than_the_one_that_was_looked_at_is_refused(
    project: Project, option: list[str]
) -> None:
    result = RUN.invoke(app, ["up", "--", *option])
    assert (result.exit_code, "PULUMI_STACK" in result.stderr) == (1, True)
    assert project.called() == []


def test_a_failed_run_is_exit_code_1_and_says_what_goes_on(project: Project) -> None:
    project.pulumi.answers("up", err="error: the stack is locked\n", code=255)
    result = RUN.invoke(app, ["up", "--yes"])
    assert result.exit_code == 1
    assert "the stack is locked" in result.stderr.splitlines()
    assert result.stderr.splitlines()[-1].endswith("tenantry up")


def test_where_it_cannot_be_looked_after_a_failure_that_is_said(project: Project) -> None:
    broken = f"echo broken > {project.folder}/tenants.yaml"
    project.pulumi.answers("up", script=broken, code=7)
    result = RUN.invoke(app, ["up", "--yes"])
    assert result.exit_code == 1
    assert "what is there now could not be seen: tenants.yaml:1:1:" in result.stderr.replace(
        f"{project.folder}/", ""
    )
    assert result.stderr.endswith("Next: tenantry doctor\n")


def test_a_run_that_came_between_the_look_and_the_engine_is_named(project: Project) -> None:
    says(project, application(None, support.app()))
    project.pulumi.answers("up", err=LOCKED, code=255)
    for command in (["up", "--yes"], ["up", "--yes", "--json"]):
        result = RUN.invoke(app, command)
        assert result.exit_code == 1
        last = result.stderr.splitlines()[-1]
        assert last.startswith("lock [dev] dev: held by ann@build-7 (pid 7) for ")
        assert "pulumi cancel" not in result.output
        assert "Failed" not in result.output
        assert "nothing to change" not in result.output


def test_a_run_that_waits_looks_and_plans_again_once_the_other_has_ended(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end_of_the_other(_seconds: float) -> None:
        project.pulumi.answers("up")

    monkeypatch.setattr("tenantry.commands.converging.time.sleep", end_of_the_other)
    says(project, application(None, support.app()))
    project.pulumi.answers("up", err=LOCKED, code=255)
    result = RUN.invoke(app, ["up", "--yes", "--wait", "forever"])
    assert result.exit_code == 0
    assert "waiting: lock [dev] dev: held by ann@build-7 (pid 7) for " in result.stderr
    assert runs(project) == [PREVIEW, ENGINE, PREVIEW, ENGINE]
    assert "Done: " in result.stdout
    assert "Failed" not in result.output


def test_how_long_it_waits_must_be_a_duration(project: Project) -> None:
    refused = RUN.invoke(app, ["up", "--yes", "--wait", "soon"])
    assert (refused.exit_code, project.called()) == (1, [])
    assert refused.stderr.startswith(
        '--wait: "soon" is not a duration: write a whole number and a unit'
    )
    assert refused.stderr.endswith(", or forever\n")
