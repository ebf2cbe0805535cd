"""The processes of a run: found by their parents, ended exactly, waited for within bounds.

The number of a process may be given to another one at any time. So each is held by a descriptor (`pidfd_open`) from the
moment it is found, and a signal goes through that.
"""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

MARK: Final = "TENANTRY_FAULTS_RUN"
"""Set for a run, and inherited by all that it starts: so it is also found after its parent is gone."""

Role = Literal["command", "engine", "language", "neon", "postgresql", "random", "dynamic", "other"]

_COMMANDS: Final[tuple[tuple[bytes, Role], ...]] = (
    (b"pulumi-resident", "engine"),
    (b"pulumi-resource-terraform-provider", "neon"),
    (b"pulumi-resource-postgresql", "postgresql"),
    (b"pulumi-resource-random", "random"),
    (b"pulumi.dynamic", "dynamic"),
    (b"pulumi-resource-pulumi-python", "dynamic"),
    (b"pulumi-language-python", "language"),
)


@dataclass(frozen=True)
class Process:
    """A process that was there when it was looked for."""

    pid: int
    parent: int
    role: Role
    descriptor: int

    def send(self, number: signal.Signals) -> None:
        """Send a signal; one that has ended needs none."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.descriptor, number)

    def ended(self, seconds: float) -> bool:
        """Wait for its end, and return whether it came."""
        return bool(select.select([self.descriptor], [], [], max(0.0, seconds))[0])


class Tree:
    """A process and all that descends from it, at one moment. Close it: each holds a descriptor."""

    def __init__(self, root: int, role: Role = "engine") -> None:
        """Find them.

        :param root: the first of them
        :param role: what that one is
        """
        self.processes = _descendants(root, role)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for process in self.processes:
            os.close(process.descriptor)

    def of(self, role: Role) -> list[Process]:
        """Those with a role."""
        return [each for each in self.processes if each.role == role]

    def kill(self, processes: Iterable[Process]) -> None:
        """Kill them at one moment: none of them sees another one go."""
        chosen = list(processes)
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for process in chosen:
                process.send(number)


def _descendants(root: int, first: Role) -> list[Process]:
    parents = {pid: parent for pid in _numbers() if (parent := _parent(pid)) is not None}
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    processes = []
    for pid in found:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        role = first if pid == root else _role(pid)
        processes.append(Process(pid, parents.get(pid, 0), role, descriptor))
    return processes


def marked(mark: str) -> dict[int, Role]:
    """The processes of a run that are there now, whoever their parents are: their roles by number."""
    entry = f"{MARK}={mark}".encode()
    found: dict[int, Role] = {}
    for pid in _numbers():
        with suppress(OSError):
            environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            if entry in environment and _state(pid) not in {"Z", "X"}:
                found[pid] = _role(pid)
    return found


def wait_until_gone(mark: str, seconds: float) -> list[Role]:
    """Wait until no process of a run is left, and return what those are that are left nevertheless.

    But the language host: it asks every five minutes whether its engine still is there, and makes nothing.
    """
    end = time.monotonic() + seconds
    while True:
        left: list[Role] = [role for role in marked(mark).values() if role != "language"]
        if not left or time.monotonic() > end:
            return sorted(left)
        time.sleep(0.1)


def end(mark: str) -> None:
    """Kill what is left of a run."""
    for pid in marked(mark):
        with suppress(ProcessLookupError):
            descriptor = os.pidfd_open(pid)
            try:
                # Still the same one: the number was not given away between the look and the descriptor.
                if pid in marked(mark):
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            finally:
                os.close(descriptor)


def _numbers() -> list[int]:
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]


def _stat(pid: int) -> list[str]:
    # The second field is a name in parentheses that may hold anything.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _parent(pid: int) -> int | None:
    try:
        return int(_stat(pid)[1])
    except OSError:
        return None


def _state(pid: int) -> str:
    return _stat(pid)[0]


def _role(pid: int) -> Role:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return "other"
    for part, role in _COMMANDS:
        if part in command:
            return role
    return "engine" if command.startswith(b"pulumi\0") else "other"
