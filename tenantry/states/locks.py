"""Locks of the engine: whose they are, and whether their owner lives.

Each run has a file of its own as its lock (pulumi 3, `pkg/backend/diy/lock.go`). It holds pid, user, host and time, and
no lease, so a run that is killed leaves it behind.
"""

from __future__ import annotations

import getpass
import json
import os
import re
import socket
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from tenantry.states.errors import StatesError
from tenantry.states.layout import LOCKS
from tenantry.states.times import age, moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tenantry.states.tree import Tree

Owner = Literal["alive", "dead", "elsewhere", "unknown"]

_SLACK: Final = 2.0
"""Seconds by which the kernel's clock of process starts and the wall clock may differ."""
_NAMED: Final = re.compile(
    r"^\s*(?P<where>\S+): created by (?P<user>.*)@(?P<host>[^@\n]+) \(pid (?P<pid>\d+)\) at (?P<at>\S+)",
    re.MULTILINE,
)
"""How the engine names a lock that it met. A user may have an @ in the name, and a host that was moved has spaces."""
_STATE, _START = 0, 19
"""Places in `/proc/PID/stat` behind the command's name (proc(5), fields 3 and 22): state, start in ticks since boot."""


@dataclass(frozen=True)
class Lock:
    """One lock."""

    key: str
    """Where the store has it."""
    stack: str
    user: str = ""
    host: str = ""
    pid: int = 0
    at: datetime | None = None
    owner: Owner = "unknown"

    @property
    def holder(self) -> str:
        """Who holds it: `ann@build-7 (pid 4711)`."""
        return f"{self.user}@{self.host} (pid {self.pid})" if self.pid else "nobody knows whom"

    def standing(self, now: datetime | None = None) -> str:
        """Say who holds it, for how long, whether that run lives, and what to do."""
        since = f" for {age(self.at, now)}" if self.at else ""
        held = f"held by {self.holder}{since}"
        match self.owner:
            case "alive":
                return (
                    f"{held}: a run is at work: wait until it ends, as tenantry up --wait 10m does"
                )
            case "dead":
                return f"{held}, a process of this machine that is dead"
            case "elsewhere":
                return (
                    f"{held}, which cannot be seen from here: wait until that run ends, or, when you are sure that it is "
                    f"dead, {self.by_hand}"
                )
            case "unknown":
                return (
                    "a lock that cannot be read: wait a moment, or, when you are sure that nobody runs, "
                    f"{self.by_hand}"
                )

    @property
    def by_hand(self) -> str:
        """Say how this one lock is taken away, where only a person can know whether its run is dead."""
        return f"delete this one lock in the backend: {self.key}"


def read_lock(key: str, content: str, *, proc: Path = Path("/proc")) -> Lock:
    """Read a lock and look whether its owner lives.

    :param key: `.pulumi/locks/organization/PROJECT/STACK/UUID.json`
    :param proc: where the kernel tells of processes
    """
    stack = key.split("/")[-2]
    try:
        facts = json.loads(content)
        lock = Lock(
            key,
            stack,
            user=str(facts["username"]),
            host=str(facts["hostname"]),
            pid=int(facts["pid"]),
            at=moment(facts["timestamp"]),
        )
    except (ValueError, KeyError, TypeError):
        # Half written, or of another format: its owner cannot be judged.
        return Lock(key, stack)
    return Lock(**{**vars(lock), "owner": _owner(lock, proc)})


def _owner(lock: Lock, proc: Path) -> Owner:
    if lock.host != socket.gethostname():
        return "elsewhere"
    assert lock.at is not None  # noqa: S101 as read_lock makes it
    try:
        # The name is in parentheses and may hold any character.
        name, _, rest = (proc / str(lock.pid) / "stat").read_text().rpartition(")")
    except FileNotFoundError:
        return "dead" if (proc / "self").exists() else _signalled(lock.pid)
    except (ProcessLookupError, PermissionError):
        return _signalled(lock.pid)
    fields = rest.split()
    if fields[_STATE] in {"Z", "X"}:
        return "dead"
    # Also one that began later: a clock that was set forward since then must not make a living owner a dead one.
    if name.partition("(")[2].startswith("pulumi"):
        return "alive"
    # Another program has the pid now if it began after the lock was written.
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    began = booted + int(fields[_START]) / os.sysconf("SC_CLK_TCK")
    return "dead" if began > lock.at.timestamp() + _SLACK else "alive"


def _signalled(pid: int) -> Owner:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return "dead"
    except PermissionError:
        pass
    return "alive"


def lock_content(host: str | None = None) -> bytes:
    """Return what the engine writes into a lock of this process.

    :param host: whose it is; by default this machine's
    """
    facts = {
        "pid": os.getpid(),
        "username": getpass.getuser(),
        "hostname": host or socket.gethostname(),
        "timestamp": datetime.now(UTC).isoformat(),
    }
    return json.dumps(facts).encode()


@contextmanager
def hold_lock(tree: Tree, project: str, stack: str) -> Iterator[None]:
    """Hold the engine's lock of a stack for the length of a block. Locks of dead processes of this machine go first.

    :raises StatesError: somebody else holds one
    """
    folder = f"{LOCKS}/{project}/{stack}/"
    own = f"{folder}{uuid.uuid4()}.json"
    _refuse_held(tree, folder, own)
    tree.write(own, lock_content())
    try:
        # Two that begin together find each other, and both give way.
        _refuse_held(tree, folder, own)
        yield
    finally:
        tree.delete(own)


def _refuse_held(tree: Tree, folder: str, own: str) -> None:
    for lock in locks_in(tree, folder):
        if lock.key == own:
            continue
        if lock.owner != "dead":
            raise StatesError(f"lock [{lock.stack}]: {lock.standing()}. Nothing was changed")
        tree.delete(lock.key)


def named_locks(said: str) -> list[Lock]:
    """Read which locks the engine says that it met, and look whether their owners live.

    :param said: what it printed, with one line for each lock
    """
    found = []
    for each in _NAMED.finditer(said):
        # Without what the backend's URL has before and behind it: a login, options.
        key = f".pulumi/{each['where'].partition('/.pulumi/')[2].partition('?')[0]}"
        facts = {
            "username": each["user"],
            "hostname": each["host"],
            "pid": each["pid"],
            "timestamp": each["at"],
        }
        found.append(read_lock(key, json.dumps(facts)))
    return found


def locks_in(tree: Tree, folder: str) -> list[Lock]:
    """Read the locks below a folder, also those of a stack that is not there yet, whose first run was killed."""
    keys = [key for key in tree.keys(folder) if key.endswith(".json")]
    return [
        read_lock(key, content.decode("utf-8", "replace"))
        for key, content in tree.contents(keys).items()
    ]
