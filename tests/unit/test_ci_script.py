"""`ci/tenantry-ci`, as a CI service calls it, over an engine that is a script."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fake_pulumi import FakePulumi

SCRIPT = Path(__file__).parents[2] / "ci" / "tenantry-ci"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose environment is in place; `make` notes what it is asked for."""
    folder = tmp_path / "platform"
    commands = folder / ".venv" / "bin"
    commands.mkdir(parents=True)
    (folder / "ci").mkdir()
    shutil.copy(SCRIPT, folder / "ci")
    (folder / "Makefile").write_text(
        "engine .venv/.run:\n\t@echo make $@\n.PHONY: engine .venv/.run\n"
    )
    (folder / "Pulumi.yaml").write_text("name: tenantry\n")
    (folder / "__main__.py").touch()
    (folder / "tenants.yaml").write_text("version: 1\ntenants: {}\n")
    (commands / "tenantry").symlink_to(Path(sys.executable).parent / "tenantry")
    (commands / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (commands / "python").chmod(0o755)
    FakePulumi(commands)
    return folder


def call(checkout: Path, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": os.environ["PATH"], "HOME": str(checkout), **more}
    return subprocess.run(
        [checkout / "ci" / "tenantry-ci", *arguments],
        cwd=checkout.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_fork_needs_neither_the_engine_nor_a_secret(checkout: Path) -> None:
    (checkout / ".venv/bin/pulumi").unlink()
    done = call(checkout, "validate")
    assert (done.returncode, done.stdout) == (0, "tenants.yaml: 0 apps: valid\n"), done.stderr


def test_what_is_missing_is_made_first(checkout: Path) -> None:
    (checkout / ".venv/bin/pulumi").unlink()
    assert call(checkout, "drift").stdout.splitlines()[0] == "make engine"
    assert call(checkout, "setup").stdout.splitlines() == ["make engine"]
    (checkout / ".venv/bin/tenantry").unlink()
    assert call(checkout, "validate").stdout.splitlines()[0] == "make .venv/.run"


def test_without_a_command_the_commands_are_listed(checkout: Path) -> None:
    done = call(checkout)
    assert done.returncode == 1
    assert [line.split()[1] for line in done.stdout.splitlines()] == [
        "validate",
        "setup",
        "pr",
        "apply",
        "release",
        "drift",
        "github",
    ]


@pytest.mark.parametrize(("code", "ends"), [(0, 0), (2, 0), (1, 1)])
def test_changes_are_what_a_pull_request_is_for(checkout: Path, code: int, ends: int) -> None:
    (checkout / ".venv/bin/tenantry").unlink()
    (checkout / ".venv/bin/tenantry").write_text(f'#!/bin/sh\necho "$*"\nexit {code}\n')
    (checkout / ".venv/bin/tenantry").chmod(0o755)
    done = call(checkout, "pr", "--allow-destroy", "a/b")
    assert (done.returncode, done.stdout) == (ends, "ci pr --allow-destroy a/b\n")
    assert call(checkout, "apply").returncode == code


def test_an_empty_secret_is_none(checkout: Path) -> None:
    (checkout / ".venv/bin/tenantry").unlink()
    (checkout / ".venv/bin/tenantry").write_text("#!/bin/sh\nenv\n")
    (checkout / ".venv/bin/tenantry").chmod(0o755)
    out = call(
        checkout, "apply", NEON_API_KEY="", TENANTRY_CATALOG_URL="", NEON_ORG_ID="org"
    ).stdout
    assert "NEON_API_KEY" not in out
    assert "TENANTRY_CATALOG_URL" not in out
    assert "NEON_ORG_ID=org\n" in out


def test_the_signal_of_a_cancellation_reaches_the_run(checkout: Path, tmp_path: Path) -> None:
    commands = checkout / ".venv" / "bin"
    pulumi = FakePulumi(commands)
    pulumi.tells("preview")
    pulumi.answers("up", counts=30.0, enough=1)
    state = tmp_path / "state" / ".pulumi"
    state.mkdir(parents=True)
    (state / "meta.yaml").write_text("version: 1\n")
    step = tmp_path / "step.sh"
    # As the workflow has it; the runner sends the signal to this shell alone.
    step.write_text("exec ci/tenantry-ci apply\n")
    process = subprocess.Popen(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", step],
        cwd=checkout,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PULUMI_STACK": "prod",
            "PULUMI_BACKEND_URL": state.parent.as_uri(),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 30
    while not (commands / "ready").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 1
    assert (commands / "ended").read_text() == "1"
