import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd

from tenantry.states.errors import StatesError
from tenantry.states.store import InTree, open_store
from tenantry.states.tree import Folder
from tests.unit.recovery.project import Project, held

PACKED = [(".gz", gzip.compress), (".zst", zstd.compress)]


def test_states_and_locks_of_a_folder_are_read_without_pulumi(project: Project) -> None:
    project.write_state(held())
    project.write_state(stack="prod")
    lock = project.write_lock()
    project.write_lock("never-applied")
    store = open_store(project.environment, "tenantry")
    assert store.stacks() == {"dev", "prod"}
    state = store.state("dev")
    assert state is not None
    assert state["resources"][0]["id"] == "p-1"
    assert store.state("none") is None
    assert len(store.locks()) == 2
    key = ".pulumi/locks/organization/tenantry/dev/0.json"
    assert [each.user for each in store.locks() if each.key == key] == ["ann"]
    (lock.parent / f"{lock.name}.attrs").touch()
    for _ in range(2):
        store.delete_lock(key)
        assert list(lock.parent.iterdir()) == []
    assert project.called() == []


def test_other_projects_are_not_looked_at(project: Project) -> None:
    project.write_state()
    project.write_lock()
    store = open_store(project.environment, "other")
    assert (store.stacks(), store.locks(), store.tells_locks) == (set(), [], True)


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
    assert open_store(environment, "tenantry").stacks() == {"dev"}


@pytest.mark.parametrize(("ending", "pack"), PACKED)
def test_a_packed_state_is_listed_and_unpacked(
    project: Project, ending: str, pack: Callable[[bytes], bytes]
) -> None:
    project.write_state(held())
    file = project.state_folder / ".pulumi/stacks/tenantry/dev.json"
    file.with_name(f"dev.json{ending}").write_bytes(pack(file.read_bytes()))
    file.unlink()
    store = open_store(project.environment, "tenantry")
    assert store.stacks() == {"dev"}
    assert store.state("dev") is not None


def test_of_a_state_that_is_there_plain_and_packed_the_one_written_last_counts(
    project: Project,
) -> None:
    project.write_state(held())
    file = project.state_folder / ".pulumi/stacks/tenantry/dev.json"
    packed = file.with_name("dev.json.gz")
    packed.write_bytes(gzip.compress(file.read_bytes()))
    project.write_state(held("p-2"))
    store = open_store(project.environment, "tenantry")
    for older, newer, found in ((packed, file, "p-2"), (file, packed, "p-1")):
        os.utime(older, (1, 1))
        os.utime(newer, (2, 2))
        state = store.state("dev")
        assert state is not None
        assert state["resources"][0]["id"] == found


def test_a_file_whose_name_is_no_stacks_is_passed_over(project: Project) -> None:
    project.write_state()
    folder = project.state_folder / ".pulumi/stacks/tenantry"
    for name in ("dev.json.bak", "dev.json.attrs", "dev.json.1795348800", "a b.json", "x/y.json"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("{}")
    assert open_store(project.environment, "tenantry").stacks() == {"dev"}


def test_what_cannot_be_read_is_not_taken_for_empty(project: Project) -> None:
    project.write_state()
    stacks = project.state_folder / ".pulumi/stacks/tenantry"
    shutil.rmtree(stacks)
    # Also root finds no folder in a file.
    stacks.write_text("")
    store = InTree(Folder(project.state_folder), "tenantry")
    for ask in (store.stacks, lambda: store.state("dev"), lambda: store.remove("dev")):
        with pytest.raises(StatesError, match=r"tenantry.*: Not a directory; may this user"):
            ask()


def test_what_is_json_and_no_state_is_refused(project: Project) -> None:
    project.write_state()
    (project.state_folder / ".pulumi/stacks/tenantry/dev.json").write_text('{"deployment": {}}')
    with pytest.raises(StatesError, match=r"dev\.json is not of the form that the engine writes"):
        open_store(project.environment, "tenantry").state("dev")


HALVES = [("", bytes), *PACKED]


@pytest.mark.parametrize(("ending", "pack"), HALVES)
def test_half_a_state_is_not_taken_for_an_empty_one(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    ending: str,
    pack: Callable[[bytes], bytes],
) -> None:
    monkeypatch.setattr("tenantry.states.store._PAUSE", 0)
    half_of_a_state(project, ending, pack)
    store = open_store(project.environment, "tenantry")
    for read in (store.state, store.read):
        with pytest.raises(
            StatesError,
            match=rf"state of stack dev was cut off.*get .*/dev\.json{ending} from a backup",
        ):
            read("dev")


@pytest.mark.parametrize(("ending", "pack"), HALVES)
def test_half_a_state_is_read_again_until_it_is_whole(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    ending: str,
    pack: Callable[[bytes], bytes],
) -> None:
    file, whole = half_of_a_state(project, ending, pack)
    monkeypatch.setattr("tenantry.states.store.time.sleep", lambda _: file.write_bytes(whole))
    kept = open_store(project.environment, "tenantry").read("dev")
    assert kept is not None
    assert kept.deployment["resources"][0]["id"] == "p-1"


def half_of_a_state(
    project: Project, ending: str, pack: Callable[[bytes], bytes]
) -> tuple[Path, bytes]:
    project.write_state(held())
    plain = project.state_folder / ".pulumi/stacks/tenantry/dev.json"
    whole = pack(plain.read_bytes())
    plain.unlink()
    file = plain.with_name(f"dev.json{ending}")
    file.write_bytes(whole[:-20])
    return file, whole


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
    assert store.state("none") is None
    assert (store.stacks(), store.state("dev"), store.locks()) == ({"dev"}, {"resources": []}, [])
    with pytest.raises(
        StatesError, match="key cannot be deleted from here: delete that one file by hand"
    ):
        store.delete_lock("key")
