"""The engine's process: what it is told, its events, and what becomes of signals."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tenantry.running.actor import actor_of
from tenantry.running.engine import Engine, Ran
from tenantry.running.errors import EngineError
from tests.fake_pulumi import FakePulumi
from tests.unit.planning.support import END, PROJECT, said, step

PARENT = """
import os, pathlib, sys
from tenantry.running.engine import Engine
from tenantry.running.signals import stopping

engine = Engine(pathlib.Path.cwd(), os.environ)
with stopping(engine.stop, ["the first", "the second"]):
    ran = engine.run("up", "acme--web", lambda: None)
print(ran.interrupted)
sys.exit(ran.code)
"""
UP = ["--non-interactive", "up", "--yes", "--skip-preview", "--stack", "acme--web"]


@pytest.fixture
def pulumi(tmp_path: Path) -> FakePulumi:
    made = FakePulumi(tmp_path / "bin")
    made.answers("up")
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    (made / "Pulumi.yaml").write_text("name: t\nruntime: python\n")
    return made


@pytest.fixture
def engine(folder: Path, pulumi: FakePulumi) -> Engine:
    environment = {**pulumi.environment, "PULUMI_STACK": "dev"}
    return Engine(folder, environment, shared_settings=folder / "Pulumi.fleet.yaml", parallel=7)


def run(made: Engine, **more: Any) -> Ran:
    return made.run("up", "acme--web", lambda: None, **more)


def parent(folder: Path, pulumi: FakePulumi) -> subprocess.Popen[str]:
    """A process that runs the engine, as a command does."""
    return subprocess.Popen(
        [sys.executable, "-c", PARENT],
        env={**os.environ, "PATH": pulumi.path, "PYTHONPATH": str(Path.cwd())},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def appears(file: Path) -> None:
    end = time.monotonic() + 20
    while not file.exists():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_one_process_for_an_update_with_all_that_it_needs(
    folder: Path, pulumi: FakePulumi, engine: Engine
) -> None:
    pids: list[int] = []
    assert run(engine, message="why", options=["--refresh"], started=pids.append).code == 0
    (call,) = pulumi.calls
    assert call.arguments[:6] == UP
    assert call.option("--exec-agent") == actor_of(os.environ)
    assert call.option("--event-log") == f"tcp://{call.option('--client')}"
    assert call.arguments[-5:] == ["--parallel", "7", "--message", "why", "--refresh"]
    assert (call.folder, call.pid) == (str(folder), pids[0])
    assert "PULUMI_STACK" not in call.environment
    port = call.option("--client").rpartition(":")[2]
    assert call.environment["PULUMI_DEBUG_PROVIDERS"] == f"pulumi-python:{port}"


def test_events_are_told_as_they_come_and_come_to_a_result(
    pulumi: FakePulumi, engine: Engine
) -> None:
    events = step("create", PROJECT, "acme/web", new={})
    told: list[Any] = []
    pulumi.tells(
        "up", events, [said("warning", "old"), said("error", "<{%fg 1%}>bad"), END], code=7
    )
    ran = run(engine, tell=lambda event, happened: told.append((event, happened)))
    assert [event for event, _ in told][1 : len(events) + 1] == events
    assert [happened.state for _, happened in told[1 : len(events) + 1]] == ["begun", "done"]
    assert (ran.code, ran.errors, ran.watch.warnings) == (7, ["bad"], ["old"])
    assert (ran.watch.counts, ran.watch.ended, ran.interrupted) == ({"create": 1}, True, False)


def test_the_engines_own_count_leaves_out_what_is_no_change(
    pulumi: FakePulumi, engine: Engine
) -> None:
    counts = {"same": 4, "create": 2, "read": 1}
    pulumi.answers("up", events=[{"summaryEvent": {"resourceChanges": counts}}])
    assert run(engine).watch.changes == {"create": 2}


def test_a_run_does_not_change_the_stacks_file(folder: Path, pulumi: FakePulumi) -> None:
    own = folder / "Pulumi.prod.yaml"
    own.write_text("config: {t:x: y}\n")
    kept = (
        f'while [ "$1" != --config-file ]; do shift; done; cp "$2" {folder}/seen; echo salt > "$2"'
    )
    pulumi.answers("up", script=kept)
    Engine(folder, pulumi.environment).run("up", "organization/t/prod", lambda: None)
    assert (folder / "seen").read_text() == own.read_text() == "config: {t:x: y}\n"


def test_a_new_stack_is_made_where_nothing_is_left_of_it(
    folder: Path, pulumi: FakePulumi, engine: Engine
) -> None:
    (folder / "Pulumi.fleet.yaml").write_text("secretsprovider: awskms://alias/t\nconfig: {}\n")
    pulumi.answers("stack init")
    assert engine.create("acme--web").code == 0
    (call,) = pulumi.calls
    assert call.arguments[1:4] == ["stack", "init", "acme--web"]
    assert call.arguments[-2:] == ["--secrets-provider", "awskms://alias/t"]
    assert call.folder != str(folder)
    assert not Path(call.folder).exists()
    assert sorted(path.name for path in folder.iterdir()) == ["Pulumi.fleet.yaml", "Pulumi.yaml"]


def test_a_stack_that_somebody_made_meanwhile_is_taken(pulumi: FakePulumi, engine: Engine) -> None:
    pulumi.answers("stack init", err="error: stack 'acme--web' already exists\n", code=255)
    assert engine.create("acme--web").code == 0


def test_a_stack_that_cannot_be_made_is_said(pulumi: FakePulumi, engine: Engine) -> None:
    pulumi.answers("stack init", err="error: passphrase must be set\n", code=1)
    ran = engine.create("acme--web")
    assert (ran.code, ran.errors) == (1, ["passphrase must be set"])


@pytest.mark.parametrize(
    ("printed", "errors"),
    [
        ("warning: old\nerror: no place named 'x' found", ["no place named 'x' found"]),
        (
            "error: no stack named 'x' found",
            ["stack x is not there: PULUMI_STACK=x tenantry up --create makes it"],
        ),
        ("error: the stack is locked\n  by ann", ["the stack is locked\n  by ann"]),
        ("panic: broken", ["panic: broken"]),
        ("", ["the engine ended without a word"]),
    ],
)
def test_what_the_command_says_before_it_has_events_is_the_reason(
    pulumi: FakePulumi, engine: Engine, printed: str, errors: list[str]
) -> None:
    pulumi.answers("up", err=printed, code=255)
    ran = run(engine)
    assert (ran.code, ran.errors) == (255, errors)


def test_without_a_command_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="there is no pulumi: tenantry engine"):
        Engine(tmp_path, {"PATH": str(tmp_path)})


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("times", [1, 2])
def test_each_signal_is_handed_on_once_as_an_interrupt(
    folder: Path, pulumi: FakePulumi, sent: signal.Signals, times: int
) -> None:
    pulumi.answers("up", counts=1.0)
    process = parent(folder, pulumi)
    appears(pulumi.folder / "ready")
    for _ in range(times):
        process.send_signal(sent)
        time.sleep(0.2)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (10 + times, "True\n"), err
    assert (err.count("the first"), err.count("the second")) == (1, times - 1)


def test_an_engine_outlives_whoever_started_it(folder: Path, pulumi: FakePulumi) -> None:
    pulumi.answers(
        "up", events=[{"n": 1}, {"n": 2}], pause=0.3, script='touch "$HERE/begun"', counts=0.2
    )
    process = parent(folder, pulumi)
    end = time.monotonic() + 20
    while not pulumi.calls:
        assert time.monotonic() < end
        time.sleep(0.02)
    process.kill()
    process.communicate(timeout=20)
    appears(pulumi.folder / "ended")


def test_an_engine_whose_listener_fails_is_ended_in_order(
    pulumi: FakePulumi, engine: Engine
) -> None:
    pulumi.answers("up", events=[{"n": 1}], counts=20.0, enough=1)

    def fail(event: Any, _happened: object) -> None:
        appears(pulumi.folder / "ready")
        raise BrokenPipeError(str(event))

    with pytest.raises(BrokenPipeError):
        run(engine, tell=fail)
    assert (pulumi.folder / "ended").exists()
