"""`tenantry destroy` over an engine that is a script."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tenantry.cli import app
from tenantry.recovery.looking import Looker
from tests.unit.commands.engine import LOCKED
from tests.unit.planning import support
from tests.unit.planning.support import PROJECT, Event, application, step
from tests.unit.recovery.project import Project, neon_client

RUN = CliRunner()
COMMON = "--stack dev --client … --event-log … --config-file … --exec-kind auto.inline --color never --suppress-outputs --suppress-progress"
ENGINE = f"--non-interactive up --yes --skip-preview {COMMON} --exec-agent …"


class Stack(Project):
    """A stack that holds acme/web and acme/api, as they were applied with these deletions."""

    def holds(self, **deletions: str) -> None:
        resources = [
            {
                "urn": support.urn(support.APP, f"acme/{name}"),
                "type": support.APP,
                "outputs": support.outputs(support.app(f"acme/{name}", deletion=deletion))
                | {"organization": "org"},
            }
            for name, deletion in deletions.items()
        ]
        self.write_state(*resources)

    def previews(self, *events: list[Event]) -> None:
        self.pulumi.tells("preview", *events)

    def runs(self) -> list[str]:
        return [line for line in self.called() if not line.startswith("config ")]


def leaves(name: str) -> list[Event]:
    before = support.app(f"acme/{name}")
    gone = step("delete", PROJECT, f"acme/{name}", old={"name": "x"})
    return application(before, None, gone)


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    made = Stack(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    made.pulumi.answers("up")
    (tmp_path / "__main__.py").touch()
    monkeypatch.setattr(Looker, "connect", lambda *_: neon_client(made.neon))
    made.holds(web="delete", api="delete")
    return made


def test_what_is_named_goes_and_nothing_else(stack: Stack) -> None:
    stack.previews(leaves("web"))
    result = RUN.invoke(app, ["destroy", "acme/web", "--yes"])
    assert result.exit_code == 0, result.output
    assert stack.runs()[1:] == [ENGINE]
    (run,) = [call.environment for call in stack.pulumi.calls if "up" in call.arguments]
    assert (run["TENANTRY_DESTROY"], run["TENANTRY_ALLOW_DESTROY"]) == ("acme/web", "acme/web")
    assert "project acme/web and all data in it" in result.stdout
    assert result.stderr == (
        "acme/web is still in tenants.yaml: take it out there, or the next tenantry up makes it anew, empty\n"
    )


def test_a_run_that_came_between_the_look_and_the_engine_is_named_or_waited_for(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.previews(leaves("web"))
    stack.pulumi.answers("up", err=LOCKED, code=255)
    refused = RUN.invoke(app, ["destroy", "acme/web", "--yes"])
    assert refused.exit_code == 1
    assert "lock [dev] dev: held by ann@build-7 (pid 7) for " in refused.stderr
    monkeypatch.setattr(
        "tenantry.commands.converging.time.sleep", lambda _: stack.pulumi.answers("up")
    )
    done = RUN.invoke(app, ["destroy", "acme/web", "--yes", "--wait", "forever"])
    assert done.exit_code == 0, done.output
    assert "waiting: lock [dev] dev: held by ann@build-7 (pid 7) for " in done.stderr


def test_how_long_it_waits_must_be_a_duration(stack: Stack) -> None:
    refused = RUN.invoke(app, ["destroy", "acme/web", "--yes", "--wait", "soon"])
    assert (refused.exit_code, stack.called()) == (1, [])
    assert refused.stderr.startswith('--wait: "soon" is not a duration')


def test_whatever_else_would_be_changed_stops_it(stack: Stack) -> None:
    other = support.app("acme/api")
    changed = application(other, support.app("acme/api", contact="ops"))
    changed += step("update", PROJECT, "acme/api", old={"name": "x"}, new={"name": "y"})
    stack.previews(leaves("web"), changed)
    result = RUN.invoke(app, ["destroy", "acme/web", "--yes"])
    assert (result.exit_code, len(stack.runs())) == (1, 1)
    assert result.stderr.startswith("acme/api would be changed too")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["acme/wbe", "--yes"], 'dev holds no app "acme/wbe" (did you mean "acme/web"?)'),
        (["acme/api", "--yes"], "acme/api was applied last with 'deletion: protect'"),
        (["--yes"], "which apps: name each"),
        (["acme/web"], "nobody is there to be asked: tenantry destroy acme/web --yes"),
    ],
)
def test_refusals_before_anything_runs(stack: Stack, arguments: list[str], why: str) -> None:
    stack.holds(web="delete", api="protect")
    result = RUN.invoke(app, ["destroy", *arguments])
    assert (result.exit_code, result.stderr.startswith(why)) == (1, True)
    assert stack.runs() == []


@pytest.mark.parametrize(
    ("named", "typed", "code"),
    [
        (["acme/web"], "acme/web", 0),
        (["acme/web"], "acme/api", 1),
        ([], "dev", 0),
        ([], "yes", 1),
    ],
)
def test_a_terminal_is_asked_for_the_name(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, named: list[str], typed: str, code: int
) -> None:
    monkeypatch.setattr("tenantry.presenting.asking.somebody_is_there", lambda: True)
    stack.previews(leaves("web"), *([] if named else [leaves("api")]))
    result = RUN.invoke(app, ["destroy", *named], input=f"{typed}\n")
    assert (result.exit_code, len(stack.runs())) == (code, 1 if code else 2), result.output


def test_a_program_reads_what_goes_a_line_at_a_time(stack: Stack) -> None:
    stack.previews(leaves("web"))
    result = RUN.invoke(app, ["destroy", "acme/web", "--yes", "--json"])
    told: list[dict[str, Any]] = [json.loads(line) for line in result.stdout.splitlines()]
    assert [each["event"] for each in told] == ["planned", "ended"]
    assert told[0]["plan"]["rows"][0]["action"] == "delete"
