"""The lock of one run, known by its process. Only that lock is released after the run was cut off."""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Final

from tenantry.recovery.errors import RecoveryError

if TYPE_CHECKING:
    from pathlib import Path

    from tenantry.states.locks import Lock
    from tenantry.states.store import Store

_PAUSE: Final = 0.2


@dataclass(frozen=True)
class OwnRun:
    """A run that was started here."""

    host: str
    pid: int
    stack: str
    succeeded: bool = False
    """Whether it ended normally. Then it has released its lock itself."""


def note(file: Path, pid: int, stack: str) -> None:
    """Write down which process runs.

    :raises RecoveryError: the file cannot be written
    """
    _write(file, OwnRun(socket.gethostname(), pid, stack))


def note_success(file: Path) -> None:
    """Write down that the run that was noted has succeeded.

    :raises RecoveryError: the file cannot be written
    """
    if run := noted(file):
        _write(file, replace(run, succeeded=True))


def noted(file: Path) -> OwnRun | None:
    """Read which process ran; None where none was noted.

    :raises RecoveryError: it is not what `note` wrote
    """
    try:
        return OwnRun(**json.loads(file.read_text()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError):
        raise RecoveryError(f"{file}: does not say which process ran: tenantry doctor") from None


def release(run: OwnRun, store: Store, seconds: float) -> list[Lock]:
    """Wait until a run of this machine has ended, and delete the locks that it left behind; return those.

    :param seconds: how long it is waited for
    :raises RecoveryError: it ran on another machine, is still at work after that time, or its backend cannot be read
    """
    if run.host != socket.gethostname():
        raise RecoveryError(
            f"the run (pid {run.pid}) was on {run.host}, and this is {socket.gethostname()}: release its lock there"
        )
    end = time.monotonic() + seconds
    while _is_there(run.pid):
        if time.monotonic() > end:
            raise RecoveryError(
                f"the run (pid {run.pid}) is still at work: its lock stays; tenantry doctor tells when it is dead"
            )
        time.sleep(_PAUSE)
    if run.succeeded:
        return []
    if not store.tells_locks:
        raise RecoveryError(
            f"{store.where}: locks cannot be read here: where the next run names the lock of {run.host} (pid {run.pid}), "
            "delete that one file"
        )
    left = [
        lock
        for lock in store.locks()
        if (lock.stack, lock.host, lock.pid, lock.owner) == (run.stack, run.host, run.pid, "dead")
    ]
    for lock in left:
        store.delete_lock(lock.key)
    return left


def _write(file: Path, run: OwnRun) -> None:
    # Whole or not at all: it is read after a kill.
    part = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(asdict(run)))
        part.replace(file)
    except OSError as error:
        raise RecoveryError(f"{file}: cannot be written: {error.strerror}") from None


def _is_there(pid: int) -> bool:
    # A zombie does not count as a process (proc(5), field 3).
    try:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123  # a file of the kernel's
            return stat.read().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except FileNotFoundError:
        return False
    except (ProcessLookupError, PermissionError):
        return True
