"""What must hold of the image, whoever edits its Containerfile."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.containerfile import FILE, instructions

ROOT = Path(__file__).parents[2]


def test_the_image_runs_as_nobody_and_writes_only_where_it_says() -> None:
    stages = [each for each in instructions() if each.word == "FROM"]
    assert len(stages) == 2
    final = instructions()[instructions().index(stages[-1]) :]
    (user,) = (each.rest for each in final if each.word == "USER")
    assert int(user.split(":")[0]) > 0
    # Only what was built before, and no step that would write into it.
    assert [each.word for each in final if each.word in {"RUN", "ADD", "VOLUME"}] == []
    assert all("--from=build" in each.rest for each in final if each.word == "COPY")
    (variables,) = (each.rest for each in final if each.word == "ENV")
    assert "HOME=/tmp" in variables
    assert "PULUMI_HOME=/tmp/" in variables


def test_nothing_is_installed_without_a_hash() -> None:
    for line in (each.rest for each in instructions() if each.word == "RUN"):
        for command in line.split(" && "):
            if "pip install" in command.replace("pip  install", "pip install"):
                assert "--require-hashes" in command or "--no-index" in command, command


def test_what_a_wheel_is_made_of_is_copied() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {each.split("/")[0] for each in (*wheel["packages"], *wheel["force-include"])}
    copied = {
        name
        for each in instructions()
        if each.word == "COPY" and "--from" not in each.rest
        for name in each.rest.split()[:-1]
    }
    assert needed <= copied


def test_the_linter_finds_nothing() -> None:
    linter = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if linter is None:
        pytest.skip("hadolint has no package for this platform")
    done = subprocess.run([linter, FILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
