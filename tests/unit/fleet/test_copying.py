import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tenantry.cli import app as command
from tenantry.fleet.copying import copy_states
from tenantry.fleet.errors import FleetError
from tenantry.states.errors import StatesError
from tenantry.states.store import InTree
from tenantry.states.tree import Folder
from tests.unit.fleet.support import Backend


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    made = Backend(tmp_path)
    made.registry({"web": "", "lab": ""})
    made.applied("web")
    made.applied("lab")
    made.state("other.not-ours", [])
    stacks = made.root / "stacks" / "t"
    (stacks / "acme--web.json.bak").write_text("{}")
    (stacks / "acme--web.json.attrs").write_text("{}")
    return made


def test_a_fleet_that_was_copied_has_nothing_to_do(backend: Backend, tmp_path: Path) -> None:
    source, target = Folder(tmp_path / "state"), Folder(tmp_path / "new")
    copied = copy_states(source, target, "t")
    assert copied.stacks == ("acme--lab", "acme--web", "other.not-ours")
    assert copied.keys == 3 + 2 * 2
    assert not [key for key in target.keys("") if key.endswith((".bak", ".attrs"))]
    assert target.keys(".pulumi/locks") == []
    backend.environment["PULUMI_BACKEND_URL"] = (tmp_path / "new").as_uri()
    outlook = backend.look()
    assert (outlook.tasks, len(outlook.unchanged)) == ((), 2)


@pytest.mark.usefixtures("backend")
def test_nobody_goes_on_with_what_was_copied(tmp_path: Path) -> None:
    source, target = Folder(tmp_path / "state"), Folder(tmp_path / "new")
    copy_states(source, target, "t")
    with (
        pytest.raises(StatesError, match=r"lock \[acme--web\]: held by .*moved to file://.*/new"),
        InTree(source, "t").hold(["acme--web"]),
    ):
        pass
    # Once more is no harm.
    again = copy_states(source, target, "t")
    assert (again.stacks, len(again.there)) == ((), 3)


@pytest.mark.usefixtures("backend")
def test_a_copy_that_was_killed_is_gone_on_with(tmp_path: Path) -> None:
    class Mortal(Folder):
        left = 3

        def write(self, key: str, content: bytes) -> None:
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt
            super().write(key, content)

    source = Folder(tmp_path / "state")
    with pytest.raises(KeyboardInterrupt):
        copy_states(source, Mortal(tmp_path / "new"), "t")
    copied = copy_states(source, Folder(tmp_path / "new"), "t")
    assert (copied.stacks, copied.there) == (("acme--web", "other.not-ours"), ("acme--lab",))
    assert Folder(tmp_path / "new").keys(".pulumi/history") == source.keys(".pulumi/history")


@pytest.mark.usefixtures("backend")
def test_another_state_of_a_stack_is_not_written_over(tmp_path: Path) -> None:
    source, target = Folder(tmp_path / "state"), Folder(tmp_path / "new")
    key = ".pulumi/stacks/t/acme--web.json"
    target.write(key, json.dumps({"other": 1}).encode())
    with pytest.raises(FleetError, match="another state of stack acme--web: nothing was copied"):
        copy_states(source, target, "t")
    assert target.keys("") == [key]
    assert source.keys(".pulumi/locks") == []


@pytest.mark.usefixtures("backend")
def test_a_run_that_is_at_work_is_waited_for(tmp_path: Path) -> None:
    source, target = Folder(tmp_path / "state"), Folder(tmp_path / "new")
    with (
        InTree(source, "t").hold(["acme--lab"]),
        pytest.raises(StatesError, match="wait until it ends"),
    ):
        copy_states(source, target, "t")
    assert target.keys("") == []


def test_the_command_shows_first(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(backend.folder)
    for name, value in backend.environment.items():
        monkeypatch.setenv(name, value)
    run = CliRunner().invoke
    missing = run(command, ["fleet", "copy-states", "--dry-run"])
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert "TENANTRY_STATES_TO: set it to the URL" in missing.stderr
    monkeypatch.setenv("TENANTRY_STATES_TO", "file://.")
    shown = run(command, ["fleet", "copy-states", "--dry-run", "--json"])
    document = json.loads(shown.stdout)
    assert (shown.exit_code, document["keys"], document["done"]) == (2, 7, False)
    assert not (backend.folder / ".pulumi").exists()
    assert Folder(backend.folder / "state").keys(".pulumi/locks") == []
    monkeypatch.setenv("TENANTRY_STATES_TO", "s3://bucket")
    other = run(command, ["fleet", "copy-states", "--dry-run"])
    assert "both backends must be a folder" in other.stderr
