import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tenantry import __version__
from tenantry.cli import app
from tenantry.repository.pinning import pin_wheel
from tests.unit.planning import support
from tests.unit.planning.support import application
from tests.unit.recovery.project import Project
from tests.unit.repository.conftest import MakeWheel, make_wheel

RUN = CliRunner()

__all__ = ["make_wheel"]
SERVICE = {f"ci/github/{each}.yml": "on: {}\n" for each in ("apply", "drift", "pull-request")}


@pytest.fixture
def pinned(project: Project, make_wheel: MakeWheel) -> Project:
    """A repository that pins an older version."""
    pin = pin_wheel(make_wheel("0.0.1"), local_cloud=True)
    (project.folder / "requirements.txt").write_text(pin.requirements())
    return project


def test_the_check_plans_with_the_version_that_runs_and_pins_nothing(pinned: Project) -> None:
    before = (pinned.folder / "requirements.txt").read_text()
    pinned.pulumi.tells("preview", application(None, support.app()))
    done = RUN.invoke(app, ["upgrade", "--check"])
    assert done.exit_code == 2, done.stderr
    assert done.stdout.startswith(f"0.0.1 → {__version__}\n")
    assert "acme/web" in done.stdout
    shown = json.loads(RUN.invoke(app, ["upgrade", "--check", "--json"]).stdout)
    assert (shown["from"], shown["to"]) == ("0.0.1", __version__)
    assert shown["plan"]["kind"] == "tenantry.plan"
    assert (pinned.folder / "requirements.txt").read_text() == before


def test_the_check_of_another_wheel_is_that_versions_own(
    pinned: Project, make_wheel: MakeWheel, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = pinned.folder / "other"
    commands.mkdir()
    script = f'#!/bin/sh\necho "$*" > {commands}/asked\nenv > {commands}/env\nexit 2\n'
    (commands / "tenantry").write_text(script)
    (commands / "tenantry").chmod(0o755)
    installed: list[Any] = []

    @contextmanager
    def environment_of(pin: Any, _: object) -> Iterator[Path]:
        installed.append((pin.version, pin.lock))
        yield commands

    monkeypatch.setattr("tenantry.repository.trying.environment_of", environment_of)
    wheel = make_wheel("9.9.9")
    done = RUN.invoke(app, ["upgrade", "--check", "--json", str(wheel)])
    assert done.exit_code == 2, done.stderr
    # With the local cloud's packages, as the repository has them.
    assert installed == [("9.9.9", pin_wheel(wheel, local_cloud=True).lock)]
    assert (commands / "asked").read_text() == "upgrade --check --json\n"
    # Its own engine comes first.
    assert f"\nPATH={commands}:" in "\n" + (commands / "env").read_text()


def test_another_wheel_is_pinned(pinned: Project, make_wheel: MakeWheel) -> None:
    wheel = make_wheel("9.9.9", **{"ci/tenantry-ci": "", **SERVICE})
    done = RUN.invoke(app, ["upgrade", str(wheel)])
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines()[0] == "requirements.txt: 0.0.1 → 9.9.9"
    assert (pinned.folder / "wheels" / wheel.name).read_bytes() == wheel.read_bytes()
    again = json.loads(RUN.invoke(app, ["upgrade", str(wheel), "--json"]).stdout)
    assert again == {"from": "9.9.9", "to": "9.9.9", "left": []}


def test_a_folder_that_pins_nothing_is_refused(project: Project) -> None:
    assert project
    done = RUN.invoke(app, ["upgrade", "--check"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "requirements.txt: cannot be read" in done.stderr
