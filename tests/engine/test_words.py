"""What the real engine says where something is wrong, and what a user reads: the texts of `tenantry.running.words`."""

from __future__ import annotations

import getpass
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tenantry.running.engine import Engine
from tenantry.running.errors import StackError
from tenantry.running.stack import export_state, import_state
from tenantry.states.locks import named_locks
from tests.engine.workspace import Finished, Workspace
from tests.localcloud_faults import faults_of
from tests.localcloud_fixture import LocalCloud

REGISTRY = """\
version: 1
namespace: words
tenants:
  acme:
    apps:
      web: {environment: staging, region: aws-us-east-2, deletion: delete}
"""
TENANTRY = str(Path(sys.executable).parent / "tenantry")
COMMANDS = (["plan"], ["status"], ["drift"], ["up", "--yes"])


def started(
    workspace: Workspace, *arguments: str, **variables: str | None
) -> subprocess.Popen[str]:
    environment = {**workspace.environment, **variables}
    return subprocess.Popen(
        [TENANTRY, *arguments],
        cwd=workspace.folder,
        env={name: value for name, value in environment.items() if value is not None},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> Finished:
    out, err = process.communicate(timeout=240)
    return Finished(process.returncode, out, err)


def refused(workspace: Workspace, command: list[str], **variables: str | None) -> str:
    """What a command says that fails: one line, in nobody's words but ours."""
    done = ended(started(workspace, *command, **variables))
    assert (done.code, done.out) == (1, ""), done.said
    for raw in ("pulumi cancel", "error: ", "checkpoint", "please use", "pulumi stack", "Failed"):
        assert raw not in done.said
    line = done.err.splitlines()[-1]
    assert "Planning" not in line
    return line


@pytest.fixture
def ready(workspace: Workspace) -> Workspace:
    workspace.registry.write_text(REGISTRY)
    return workspace


def test_a_stack_that_is_not_there_and_none_that_is_selected(ready: Workspace) -> None:
    for command in COMMANDS:
        assert refused(ready, command, PULUMI_STACK="prod") == (
            "stack prod is not there: the project has test: PULUMI_STACK=prod tenantry up --create makes it"
        )
    # The one that is selected is noted in the engine's home.
    fresh = str(ready.folder / "fresh")
    assert refused(ready, ["plan"], PULUMI_STACK=None, PULUMI_HOME=fresh) == (
        "no stack is selected: set PULUMI_STACK to one of them: the project has test"
    )


def test_a_passphrase_that_is_wrong_or_missing(ready: Workspace) -> None:
    backend = ready.environment["PULUMI_BACKEND_URL"].partition("?")[0]
    for command in (["plan"], ["up", "--yes"]):
        # The engine remembers the key of a passphrase in no file: each run needs it.
        assert refused(ready, command, PULUMI_CONFIG_PASSPHRASE="other") == (
            f"stack test: PULUMI_CONFIG_PASSPHRASE is not the passphrase of its secrets in the backend {backend}: "
            "give the one that the stack was made with"
        )
        assert refused(ready, command, PULUMI_CONFIG_PASSPHRASE=None).startswith(
            "stack test: the passphrase of its secrets is not set: set PULUMI_CONFIG_PASSPHRASE, or"
        )
        file = str(ready.folder / "none")
        nowhere = {"PULUMI_CONFIG_PASSPHRASE": None, "PULUMI_CONFIG_PASSPHRASE_FILE": file}
        assert refused(ready, command, **nowhere) == (
            f"stack test: PULUMI_CONFIG_PASSPHRASE_FILE: {file} cannot be read: no such file or directory"
        )


@pytest.mark.parametrize(
    ("url", "place", "reason"),
    [
        ("file:///nowhere/at/all", "file:///nowhere/at/all", "no such file or directory"),
        (
            "postgres://u:geheim@127.0.0.1:1/x?sslmode=disable",
            "postgres://127.0.0.1:1/x",
            "connection refused",
        ),
        (
            "s3://b?endpoint=http://127.0.0.1:1&region=r&s3ForcePathStyle=true",
            "s3://b",
            "connection refused",
        ),
        ("http://127.0.0.1:1", "http://127.0.0.1:1", "connection refused"),
    ],
)
def test_a_backend_that_is_not_reached(ready: Workspace, url: str, place: str, reason: str) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_MAX_ATTEMPTS": "1"}
    variables = {"PULUMI_BACKEND_URL": url, "PULUMI_ACCESS_TOKEN": "geheim", **keys}
    line = refused(ready, ["plan"], **variables)
    assert line.startswith(f"the backend {place} cannot be reached: ")
    assert line.endswith(f"{reason}: is PULUMI_BACKEND_URL right, and is it up?")
    assert "geheim" not in line


def test_no_backend_at_all(ready: Workspace) -> None:
    line = refused(ready, ["plan"], PULUMI_BACKEND_URL=None)
    assert line.startswith("no backend is named: set PULUMI_BACKEND_URL")


def test_a_state_that_was_cut_off_is_named_everywhere_and_put_back(
    ready: Workspace, cloud: LocalCloud
) -> None:
    del cloud
    ready.must("up", "--yes", "--skip-preview")
    state = ready.state / ".pulumi/stacks/tenantry/test.json"
    whole = json.loads(state.read_text())
    for length in (20_000, 300, 0):
        state.write_bytes(state.read_bytes()[:length])
        for command in (*COMMANDS, ["doctor"], ["show", "acme/web"]):
            line = refused(ready, command)
            assert "the state of stack test was cut off: tenantry doctor --fix puts" in line
        fixed = ended(started(ready, "doctor", "--fix"))
        assert fixed.code == 0, fixed.said
        assert fixed.out.startswith(
            "settled: cut off [test] test: its last whole copy is back, of "
        )
        assert json.loads(state.read_text()) == whole
    ready.assert_converged()


def lock(workspace: Workspace, **facts: Any) -> Path:
    folder = workspace.state / ".pulumi/locks/organization/tenantry/test"
    folder.mkdir(parents=True, exist_ok=True)
    content = {"username": "ann", "timestamp": "2026-11-22T10:00:00Z", **facts}
    (folder / "1.json").write_text(json.dumps(content))
    return folder


def test_what_holds_a_stack_is_told_by_the_engine_too(ready: Workspace) -> None:
    """The look of `tenantry up` comes first; a run that comes behind it meets the lock in its engine."""
    exported = export_state(ready.environment, "test", ready.folder)
    lock(ready, hostname="build-7", pid=1)
    with pytest.raises(StackError) as error:
        import_state(ready.environment, "test", exported, ready.folder)
    assert str(error.value).startswith(
        "lock [test] test: held by ann@build-7 (pid 1) since 2026-11-22T10:00:00Z: wait until"
    )
    ran = Engine(ready.folder, ready.environment).run("up", "test", lambda: None)
    assert (ran.held, ran.errors) == (True, [str(error.value)])
    (named,) = named_locks(ran.said)
    assert (named.key, named.holder) == (
        ".pulumi/locks/organization/tenantry/test/1.json",
        "ann@build-7 (pid 1)",
    )


def test_of_two_runs_at_once_one_says_whose_the_other_is_or_waits_for_it(
    ready: Workspace, cloud: LocalCloud
) -> None:
    ready.registry.write_text(REGISTRY.replace("words", "pair"))
    runs = []
    with faults_of(cloud) as faults:
        faults.order("POST /projects", {"kind": "hold", "when": "after", "then": "go"})
        before = faults.last()
        try:
            runs.append(started(ready, "up", "--yes"))
            faults.injected(before, wait=60)
            told = refused(ready, ["up", "--yes"])
            who = f"{getpass.getuser()}@{socket.gethostname()}"
            assert told.startswith(f"lock [test] test: held by {who} (pid ")
            assert told.endswith(
                "a run is at work: wait until it ends, as tenantry up --wait 10m does"
            )
            for command in (["up"], ["destroy", "acme/web"]):
                waited = refused(ready, [*command, "--yes", "--wait", "1"])
                assert waited.startswith("lock [test] test: held by")
            runs.append(started(ready, "up", "--yes", "--wait", "forever"))
            runs.append(started(ready, "ci", "apply", "--wait", "forever"))
            planned = ended(started(ready, "plan"))
            assert planned.code == 2, planned.said
            faults.withdraw()
            done = [ended(each) for each in runs]
        finally:
            for each in runs:
                each.kill()
    assert [each.code for each in done] == [0, 0, 0], [each.said for each in done]
    for later in done[1:]:
        assert "waiting: test: held by " in later.err
        assert "Done: nothing to change" in later.out
    ready.assert_converged()
