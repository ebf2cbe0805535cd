"""A state that was cut off, and what is put back in its place."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tenantry.states.errors import CutOffError, StatesError
from tenantry.states.store import Store, open_store
from tests.unit.recovery.project import Project, creating, held

TEN, ELEVEN = "2026-11-22T10:00:00.5Z", "2026-11-22T11:00:00Z"
API = held("p-2", "t--acme--api") | {
    "urn": "urn:pulumi:dev::tenantry::tenantry:app:TenantApp$neon:index/project:Project::acme/api"
}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenantry.states.store._PAUSE", 0)


def states(project: Project) -> Store:
    return open_store(project.environment, "tenantry")


def file(project: Project) -> Path:
    return project.state_folder / ".pulumi/stacks/tenantry/dev.json"


def kept(project: Project, *resources: dict[str, Any], at: str) -> bytes:
    project.write_state(*resources, at=at)
    return file(project).read_bytes()


def keep_in_history(project: Project, content: bytes, number: int) -> None:
    folder = project.state_folder / ".pulumi/history/tenantry/dev"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"dev-{number}.checkpoint.json").write_bytes(content)
    (folder / f"dev-{number}.checkpoint.json.attrs").write_text("{}")
    (folder / f"dev-{number}.history.json").write_text("{}")


def said(project: Project) -> str:
    with pytest.raises(CutOffError) as refused:
        open_store(project.environment, "tenantry").state("dev")
    return str(refused.value)


def cut(project: Project, content: bytes, length: int) -> None:
    file(project).write_bytes(content[:length])


def test_the_copy_of_before_the_last_write_is_named_with_what_it_lacks(project: Project) -> None:
    before = kept(project, held(), at=TEN)
    file(project).with_suffix(".json.bak").write_bytes(before)
    after = kept(project, held(), API, at=ELEVEN)
    cut(project, after, len(after) - 40)
    assert said(project) == (
        f"file://{project.state_folder}: the state of stack dev was cut off: tenantry doctor --fix puts its last whole "
        "copy back, of 2026-11-22 10:00:00 UTC, which lacks what was written after that until 11:00:00, at least "
        "acme/api (Project)"
    )
    assert states(project).put_back("dev")
    assert file(project).read_bytes() == before
    assert (file(project).parent / "dev.json.cut").read_bytes() == after[:-40]
    assert open_store(project.environment, "tenantry").stacks() == {"dev"}


def test_the_younger_of_two_copies_is_taken_and_one_that_is_cut_off_too_is_not(
    project: Project,
) -> None:
    old, young = kept(project, at=TEN), kept(project, held(), at=ELEVEN)
    file(project).with_suffix(".json.bak").write_bytes(old)
    keep_in_history(project, young, 1)
    keep_in_history(project, young[:-5], 2)
    cut(project, young, 200)
    assert "of 2026-11-22 11:00:00 UTC, which lacks nothing" in said(project)
    assert states(project).put_back("dev")
    assert file(project).read_bytes() == young


def test_a_packed_state_is_put_back_packed(project: Project) -> None:
    content = kept(project, held(), at=TEN)
    packed = gzip.compress(content)
    place = file(project).with_suffix(".json.gz")
    file(project).unlink()
    place.with_suffix(".gz.bak").write_bytes(packed)
    place.write_bytes(packed[: len(packed) // 2])
    assert "tenantry doctor --fix puts its last whole copy back" in said(project)
    assert states(project).put_back("dev")
    assert gzip.decompress(place.read_bytes()) == content


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"\x1f\x8b"])
def test_whatever_is_no_state_was_cut_off(project: Project, content: bytes) -> None:
    kept(project, at=TEN)
    cut(project, content, len(content))
    assert said(project) == (
        f"file://{project.state_folder}: the state of stack dev was cut off: there is no whole copy of it: get "
        ".pulumi/stacks/tenantry/dev.json from a backup of the backend"
    )
    assert not states(project).put_back("dev")
    assert file(project).read_bytes() == content


def test_a_stack_in_which_nothing_was_applied_has_a_copy_too(project: Project) -> None:
    empty = {"version": 3, "checkpoint": {"stack": "organization/tenantry/dev"}}
    kept(project, at=TEN)
    file(project).with_suffix(".json.bak").write_text(json.dumps(empty))
    cut(project, b"", 0)
    assert "its last whole copy back, without any app, which lacks" in said(project)


def test_nothing_is_put_back_over_a_state_that_is_whole_or_that_a_run_holds(
    project: Project,
) -> None:
    content = kept(project, creating(held()), at=TEN)
    file(project).with_suffix(".json.bak").write_bytes(kept(project, at=TEN))
    file(project).write_bytes(content)
    assert not states(project).put_back("dev")
    assert not states(project).put_back("none")
    cut(project, content, 100)
    lock = project.write_lock(pid=os.getppid(), timestamp="2999-01-01T00:00:00Z")
    with pytest.raises(StatesError, match=r"^lock \[dev\]: held by ann@.*Nothing was changed$"):
        states(project).put_back("dev")
    assert file(project).read_bytes() == content[:100]
    assert lock.exists()
