import os
import socket
from pathlib import Path

import pytest

from tenantry.recovery.errors import RecoveryError
from tenantry.recovery.own_run import OwnRun, note, note_success, noted, release
from tenantry.states.store import open_store
from tests.unit.recovery.project import Project

HERE = socket.gethostname()
DEAD = 2**22 + 1


def test_what_was_noted_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "new" / "run.json"
    assert noted(file) is None
    note_success(file)
    assert noted(file) is None
    note(file, 4711, "prod")
    assert noted(file) == OwnRun(HERE, 4711, "prod")
    note_success(file)
    assert noted(file) == OwnRun(HERE, 4711, "prod", succeeded=True)
    assert os.listdir(file.parent) == ["run.json"]  # noqa: PTH208  # hidden ones as well


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"pid": 1, "more": 2}'])
def test_a_damaged_note_is_an_error(tmp_path: Path, content: str) -> None:
    file = tmp_path / "run.json"
    file.write_text(content)
    with pytest.raises(RecoveryError, match=r"run\.json: does not say which process ran"):
        noted(file)


def test_only_the_own_dead_process_loses_its_lock(tmp_path: Path) -> None:
    project = Project(tmp_path)
    store = open_store(project.environment, "tenantry", project.folder)
    own = project.write_lock(pid=DEAD)
    others = [
        project.write_lock(pid=DEAD + 1),
        project.write_lock(pid=DEAD, hostname="build-7"),
        project.write_lock(pid=DEAD, stack="other"),
        project.write_lock(pid=os.getpid()),
    ]
    assert [lock.pid for lock in release(OwnRun(HERE, DEAD, "dev"), store, 0)] == [DEAD]
    assert not own.exists()
    assert all(each.exists() for each in others)
    assert release(OwnRun(HERE, DEAD, "dev"), store, 0) == []
