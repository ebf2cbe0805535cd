import gzip
import json
from pathlib import Path

import pytest

from tenantry.recovery.errors import RecoveryError
from tenantry.states.store import open_store
from tests.unit.recovery.project import Project, held


def test_states_and_locks_of_a_folder_are_read_without_pulumi(project: Project) -> None:
    project.write_state(held())
    project.write_state(stack="prod")
    lock = project.write_lock()
    project.write_lock("never-applied")
    store = open_store(project.environment, "tenantry")
    assert store.stacks() == ["dev", "prod"]
    state = store.state("dev")
    assert state is not None
    assert state["resources"][0]["id"] == "p-1"
    assert store.state("none") is None
    assert len(store.locks()) == 2
    key = ".pulumi/locks/organization/tenantry/dev/0.json"
    assert json.loads(store.locks()[key])["username"] == "ann"
    (lock.parent / f"{lock.name}.attrs").touch()
    for _ in range(2):
        store.delete_lock(key)
        assert list(lock.parent.iterdir()) == []
    assert project.called() == []


def test_other_projects_are_not_looked_at(project: Project) -> None:
    project.write_state()
    project.write_lock()
    store = open_store(project.environment, "other")
    assert (store.stacks(), store.locks(), store.tells_locks) == ([], {}, True)


def test_a_backend_of_before_projects_had_names_is_left_to_pulumi(project: Project) -> None:
    project.write_state()
    (project.state_folder / ".pulumi" / "meta.yaml").unlink()
    assert not open_store(project.environment, "other").tells_locks


@pytest.mark.parametrize(
    "url", ["file://~/state", "file://./state", "file://FOLDER/state?no_tmp_dir=true"]
)
def test_a_folder_is_found_as_the_engine_finds_it(
    project: Project, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    project.write_state()
    monkeypatch.setenv("HOME", str(project.folder))
    monkeypatch.chdir(project.folder)
    environment = {"PULUMI_BACKEND_URL": url.replace("FOLDER", str(project.folder))}
    assert open_store(environment, "tenantry").stacks() == ["dev"]


def test_a_packed_state_is_unpacked(project: Project) -> None:
    project.write_state(held())
    file = project.state_folder / ".pulumi/stacks/tenantry/dev.json"
    file.with_suffix(".json.gz").write_bytes(gzip.compress(file.read_bytes()))
    file.unlink()
    store = open_store(project.environment, "tenantry")
    assert store.stacks() == ["dev"]
    assert store.state("dev") is not None
    file.with_suffix(".json.gz").rename(file.with_suffix(".json.zst"))
    with pytest.raises(RecoveryError, match="unset PULUMI_DIY_BACKEND_ZSTD"):
        store.state("dev")


def test_half_a_state_is_not_taken_for_an_empty_one(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenantry.states.store._PAUSE", 0)
    project.write_state(held())
    file = project.state_folder / ".pulumi/stacks/tenantry/dev.json"
    file.write_text(file.read_text()[:-20])
    with pytest.raises(RecoveryError, match=r"the state of dev is no JSON.*dev\.json\.bak"):
        open_store(project.environment, "tenantry").state("dev")


def test_another_backend_answers_through_pulumi_and_does_not_tell_locks(tmp_path: Path) -> None:
    command = tmp_path / "pulumi"
    command.write_text(
        """#!/bin/sh
case "$1 $2" in
  "whoami --json") echo '{"url": "s3://bucket/path?region=x"}' ;;
  "stack ls") echo '[{"name": "dev"}]' ;;
  "stack export") echo '{"deployment": {"resources": []}}' ;;
esac
"""
    )
    command.chmod(0o755)
    store = open_store({"PATH": f"{tmp_path}:/usr/bin:/bin"}, "tenantry")
    assert (store.where, store.tells_locks) == ("s3://bucket", False)
    assert (store.stacks(), store.state("dev"), store.locks()) == (["dev"], {"resources": []}, {})
    with pytest.raises(
        RecoveryError, match="key cannot be deleted from here: delete that one file by hand"
    ):
        store.delete_lock("key")
