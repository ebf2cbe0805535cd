import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from tenantry.cli import app
from tests.unit.repository.conftest import MakeWheel, make_wheel

RUN = CliRunner()

__all__ = ["make_wheel"]


@pytest.fixture
def wheel(make_wheel: MakeWheel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The wheel of this version; the current folder is an empty one."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "ann")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "ann@acme.example")
    return str(make_wheel())


def test_options_say_everything_and_nobody_is_asked(wheel: str) -> None:
    chosen = ["--app", "acme/web", "--cloud", "neon", "--backend", "s3://states", "--wheel", wheel]
    done = RUN.invoke(app, ["init", "platform", *chosen])
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "Next: cd platform && tenantry engine"
    project = yaml.safe_load(Path("platform/Pulumi.yaml").read_text())
    assert (project["name"], project["backend"]) == ("platform", {"url": "s3://states"})
    # The same again is done already; another choice would need another file.
    again = json.loads(RUN.invoke(app, ["init", "platform", *chosen, "--json"]).stdout)
    assert (again["written"], again["left"]) == ([], [])
    other = RUN.invoke(app, ["init", "platform", *chosen, "--namespace", "else"])
    assert (other.exit_code, other.stdout) == (1, "")
    assert "platform/tenants.yaml: is there already, and is never overwritten" in other.stderr


def test_what_no_option_says_is_asked_at_a_terminal(
    wheel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenantry.presenting.asking.somebody_is_there", lambda: True)
    # Cloud, namespace, app, region, fleet, CI service.
    answers = "\n".join(["local", "ours", "globex/api", "", "n", "github"]) + "\n"
    done = RUN.invoke(app, ["init", "--wheel", wheel], input=answers)
    assert done.exit_code == 0, done.stderr
    text = Path("tenants.yaml").read_text()
    assert "namespace: ours " in text
    assert "  globex:\n" in text
    assert Path(".github/workflows/apply.yml").exists()
    assert done.stdout.splitlines()[-1] == "Next: tenantry up"


def test_an_answer_that_is_no_choice_is_refused_and_nothing_is_written(
    wheel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenantry.presenting.asking.somebody_is_there", lambda: True)
    done = RUN.invoke(app, ["init", "--wheel", wheel], input="aws\n\n\n\n\n\n")
    assert done.exit_code == 1
    assert '--cloud: "aws" is none of local, neon' in done.stderr
    assert list(Path().iterdir()) == []


def test_without_a_wheel_nothing_is_written(wheel: str) -> None:
    assert wheel
    done = RUN.invoke(app, ["init", "platform"])
    assert (done.exit_code, "--wheel" in done.stderr) == (1, True)
    assert not Path("platform").exists()
