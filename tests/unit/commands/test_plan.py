"""`tenantry plan` and `tenantry up --plan` over an engine that is a script."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tenantry.cli import app
from tenantry.planning.plan import Plan
from tests.unit.commands.engine import Engine, changed
from tests.unit.planning import support
from tests.unit.planning.support import END, application, said

RUN = CliRunner()
WEB = support.app()


def test_nothing_to_do_is_exit_code_0(engine: Engine) -> None:
    engine.answers(application(WEB, WEB))
    result = RUN.invoke(app, ["plan"])
    assert (result.exit_code, result.stdout) == (
        0,
        "No changes: 1 app is as the registry says.\n",
    )


def test_changes_are_exit_code_2_and_all_formats_tell_the_same(engine: Engine) -> None:
    engine.answers(changed())
    for option in ([], ["--json"], ["--markdown"]):
        result = RUN.invoke(app, ["plan", *option])
        assert result.exit_code == 2
        assert "tenants.acme.contact" in result.stdout
    printed = Plan.model_validate_json(RUN.invoke(app, ["plan", "--json"]).stdout)
    assert printed.rows[0].changes[0].text == "tenants.acme.contact: none → ops"


def test_refusals_are_exit_code_1_and_leave_no_file(engine: Engine) -> None:
    engine.answers([said("error", "tenants.yaml: acme/web is gone: put it back"), END], code=255)
    result = RUN.invoke(app, ["plan", "--out", "plan.json"])
    assert result.exit_code == 1
    assert "acme/web is gone: put it back" in result.stdout
    assert not Path("plan.json").exists()
    refusals = json.loads(RUN.invoke(app, ["plan", "--json"]).stdout)["refusals"]
    assert refusals[0]["app"] == "acme/web"


def test_an_engine_that_fails_is_one_line(engine: Engine) -> None:
    engine.answers(code=9)
    result = RUN.invoke(app, ["plan"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "pulumi preview: exit code 9\n"


def test_two_formats_at_once_are_refused(engine: Engine) -> None:
    for command in ("plan", "drift"):
        result = RUN.invoke(app, [command, "--json", "--markdown"])
        assert (result.exit_code, result.stderr) == (1, "--json and --markdown: choose one\n")
    assert engine.calls == []


def test_a_permission_holds_for_this_plan_alone_and_is_kept_in_it(engine: Engine) -> None:
    engine.answers(changed())
    RUN.invoke(app, ["plan"])
    RUN.invoke(app, ["plan", "--allow-destroy", "acme/web", "--out", "plan.json"])
    assert [call.environment["TENANTRY_ALLOW_DESTROY"] for call in engine.calls] == [
        "",
        "acme/web",
    ]
    assert json.loads(Path("plan.json").read_text())["allowed"] == ["acme/web"]


def test_a_permission_for_an_unknown_app_is_refused(engine: Engine) -> None:
    engine.answers(changed())
    result = RUN.invoke(app, ["plan", "--allow-destroy", "acme/wbe"])
    assert result.exit_code == 1
    assert (
        'neither the stack nor the registry has "acme/wbe" (did you mean "acme/web"?)'
        in result.stderr
    )


@pytest.mark.parametrize("command", ["plan", "drift", "up"])
def test_every_command_explains_itself_and_its_exit_code(command: str) -> None:
    said_by_help = RUN.invoke(app, [command, "--help"]).stdout
    assert f"tenantry {command}" in said_by_help
    assert "Exit code:" in said_by_help


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--allow-destroy", "a/b"], "--allow-destroy: the plan says what may be destroyed"),
        (["--", "--target", "x"], "--target: not with --plan"),
        (["--", "--refresh=true"], "--refresh=true: not with --plan"),
    ],
)
def test_nothing_widens_a_reviewed_plan(engine: Engine, arguments: list[str], message: str) -> None:
    engine.answers(changed())
    RUN.invoke(app, ["plan", "--out", "plan.json"])
    result = RUN.invoke(app, ["up", "--plan", "plan.json", *arguments])
    assert result.exit_code == 1
    assert result.stderr.startswith(message)
    assert len(engine.calls) == 1


def test_a_plan_that_is_not_there_is_one_line(engine: Engine) -> None:
    result = RUN.invoke(app, ["up", "--plan", "plan.json"])
    assert (result.exit_code, engine.calls) == (1, [])
    assert result.stderr == "plan.json: cannot be read: No such file or directory\n"
