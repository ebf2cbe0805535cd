import json
import os
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tenantry.states.locks import Lock, named_locks, read_lock

KEY = ".pulumi/locks/organization/tenantry/dev/1.json"
NOW = datetime.now(UTC)


def lock(pid: int, *, at: datetime = NOW, host: str | None = None, **more: object) -> Lock:
    facts = {
        "pid": pid,
        "username": "ann",
        "hostname": host or socket.gethostname(),
        "timestamp": at.isoformat(),
    }
    proc = more.pop("proc", Path("/proc"))
    assert isinstance(proc, Path)
    return read_lock(KEY, json.dumps(facts), proc=proc)


def kernel(folder: Path, *, name: str, state: str = "S", started: float = 0.0) -> Path:
    """A `/proc` with one process, 7, that began so many seconds from now."""
    ticks = (time.clock_gettime(time.CLOCK_BOOTTIME) + started) * os.sysconf("SC_CLK_TCK")
    fields = [state, *["0"] * 18, str(int(ticks))]
    (folder / "self").mkdir()
    (folder / "7").mkdir()
    (folder / "7" / "stat").write_text(f"7 ({name}) {' '.join(fields)} 0 0\n")
    return folder


def test_a_lock_says_whose_it_is() -> None:
    held = lock(4711, host="build-7")
    assert (held.stack, held.holder, held.owner) == ("dev", "ann@build-7 (pid 4711)", "elsewhere")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}', '{"pid": 1}', "null"])
def test_a_lock_that_cannot_be_read_is_nobodys(content: str) -> None:
    assert read_lock(KEY, content).owner == "unknown"


def test_a_process_that_lives_and_one_that_ended_are_told_apart() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        after = datetime.now(UTC) + timedelta(seconds=1)
        assert lock(process.pid, at=after).owner == "alive"
        process.kill()
        process.wait()
        assert lock(process.pid, at=after).owner == "dead"


def test_one_that_was_killed_and_not_waited_for_is_dead() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert lock(process.pid, at=datetime.now(UTC) + timedelta(seconds=1)).owner == "dead"
    process.wait()
    assert process.stdin is not None
    process.stdin.close()


@pytest.mark.parametrize(
    ("name", "state", "started", "owner"),
    [
        ("python", "S", -60, "alive"),
        ("python", "S", 60, "dead"),
        ("a) b (c", "S", 60, "dead"),
        ("a) b (c", "S", -60, "alive"),
        # A clock may have been set: a name says more.
        ("pulumi", "S", 60, "alive"),
        ("pulumi", "Z", 60, "dead"),
    ],
)
def test_another_program_that_has_the_pid_now_is_not_the_owner(
    tmp_path: Path, name: str, state: str, started: float, owner: str
) -> None:
    proc = kernel(tmp_path, name=name, state=state, started=started)
    assert lock(7, at=datetime.now(UTC), proc=proc).owner == owner


def test_without_proc_a_signal_tells(tmp_path: Path) -> None:
    assert lock(os.getpid(), proc=tmp_path / "none").owner == "alive"
    assert lock(2**22 + 1, proc=tmp_path / "none").owner == "dead"


@pytest.mark.parametrize(
    ("host", "pid", "standing"),
    [
        ("moved to file:///new", 1, "which cannot be seen from here"),
        ("build-7", 4711, "which cannot be seen from here: wait until that run ends, or, when"),
        (socket.gethostname(), os.getppid(), "a run is at work: wait until it ends"),
        (socket.gethostname(), 2**22 + 1, "a process of this machine that is dead"),
    ],
)
def test_a_lock_that_the_engine_names_is_judged_as_one_that_is_read(
    host: str, pid: int, standing: str
) -> None:
    said = (
        "error: the stack is currently locked by 2 lock(s).\n"
        f"  postgres://u:geheim@h/db/{KEY}?no_tmp_dir=true: created by ann b@{host} (pid {pid}) at 2999-01-01T00:00:00Z\n"
        f"  file:///state/{KEY}: created by ann@build-8 (pid 1) at 2999-01-01T00:00:00Z"
    )
    lock, other = named_locks(said)
    assert (lock.key, lock.stack, other.holder) == (KEY, "dev", "ann@build-8 (pid 1)")
    assert lock.standing().startswith(f"held by ann b@{host} (pid {pid}) for 0 s")
    assert standing in lock.standing()
    assert named_locks("error: something else") == []
