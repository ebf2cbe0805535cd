from pathlib import Path

import pytest

from tenantry.planning.errors import PlanError
from tenantry.planning.previewing import look, preview
from tenantry.running.engine import Engine, Target
from tests.fake_pulumi import FakePulumi
from tests.unit.planning.support import CATALOG, END, said, step


@pytest.fixture
def pulumi(tmp_path: Path) -> FakePulumi:
    (tmp_path / "Pulumi.yaml").write_text("name: t\n")
    return FakePulumi(tmp_path / "bin")


@pytest.fixture
def target(tmp_path: Path, pulumi: FakePulumi) -> Target:
    return Target(Engine(tmp_path, pulumi.environment), "prod", lambda: None)


def test_what_the_engine_says_is_read_and_counted(pulumi: FakePulumi, target: Target) -> None:
    pulumi.tells("preview", step("same", CATALOG, "catalog", old={}, new={}))
    seen: list[int] = []
    run = preview(target, progress=seen.append)
    assert (run.succeeded, run.stack, seen) == (True, "dev", [1])


def test_the_options_of_each_question(pulumi: FakePulumi, target: Target) -> None:
    pulumi.answers("")
    preview(target, refresh=True, options=["--parallel", "2"])
    look(target)
    asked, looked = pulumi.calls
    assert asked.arguments[1] == "preview"
    assert asked.arguments[-3:] == ["--refresh", "--parallel", "2"]
    assert looked.arguments[1:4] == ["refresh", "--preview-only", "--run-program=false"]


def test_what_the_program_refuses_is_in_the_run(pulumi: FakePulumi, target: Target) -> None:
    pulumi.tells("preview", [said("error", "acme/web is gone"), END], result="failed", code=1)
    run = preview(target)
    assert (run.errors, run.succeeded, run.stack) == (("acme/web is gone",), False, "prod")


def test_an_engine_that_did_not_begin_says_why(pulumi: FakePulumi, target: Target) -> None:
    pulumi.answers("preview", err='error: no stack named "dev" found\n', code=255)
    with pytest.raises(PlanError, match=r'^pulumi preview: no stack named "dev" found$'):
        preview(target)
    pulumi.answers("refresh", code=3)
    with pytest.raises(PlanError, match=r"^pulumi refresh: exit code 3$"):
        look(target)


def test_an_engine_that_broke_has_refused_nothing(pulumi: FakePulumi, target: Target) -> None:
    events = [said("error", "the plugin random\n exited prematurely")]
    pulumi.answers("preview", events=events, code=255)
    with pytest.raises(PlanError, match=r"^pulumi preview: the plugin random exited prematurely$"):
        preview(target)
