"""How many stacks are worked on at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

STACK_BYTES: Final = 300 * 1000**2
"""What the engine and its plugins take where each stack has its own: 360 MB for one alone, and 230 MB for each further
one, which shares their code (PSS, docs/performance.md)."""
SHARED_STACK_BYTES: Final = 20 * 1000**2
"""What a stack takes in an engine that is one process for all."""
_KEPT_BYTES: Final = 1000 * 1000**2
"""Left to everything else on the machine."""
PER_CORE: Final = 2
"""The create of an app waits for the clouds at least about as long as it computes. A no-op only computes."""
_MOST: Final = 16
_MOST_SHARED: Final = 24
"""A stack that waits costs a shared engine nothing. Neon's limit allows the requests of about 100 creates a minute, and
a create takes 10 to 20 seconds."""

_MEMORY: Final = Path("/proc/meminfo")
_CGROUP: Final = Path("/sys/fs/cgroup")


def workers(
    asked: int | None = None,
    *,
    shared: bool = False,
    cores: int | None = None,
    memory: int | None = None,
) -> int:
    """Return how many stacks to work on at once, as far as memory goes.

    At most 24 where one process of the engine serves all; otherwise 2 for each core, at most 16.

    :param asked: what somebody asked for, which is taken as it is
    :param shared: whether one process of the engine serves all stacks
    :param cores: of this machine, or of the part of it that this process may use, by default
    :param memory: bytes; what is available now by default, and unlimited where that is not known
    """
    if asked is not None:
        return max(1, asked)
    cores = _cores() if cores is None else cores
    memory = available_memory() if memory is None else memory
    most = _MOST_SHARED if shared else min(_MOST, cores * PER_CORE)
    if memory is None:
        return most
    each = SHARED_STACK_BYTES if shared else STACK_BYTES
    return max(1, min(most, (memory - _KEPT_BYTES) // each))


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def available_memory(meminfo: Path = _MEMORY, cgroup: Path = _CGROUP) -> int | None:
    """Return how many bytes can be taken without swapping: of the machine, or of the container where that is less.

    None where the system does not tell.
    """
    found = [each for each in (_of_machine(meminfo), _of_container(cgroup)) if each is not None]
    return min(found) if found else None


def _of_machine(meminfo: Path) -> int | None:
    try:
        lines = meminfo.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) * 1024
    return None


def _of_container(cgroup: Path) -> int | None:
    try:
        limit = (cgroup / "memory.max").read_text().strip()
        used = int((cgroup / "memory.current").read_text())
    except (OSError, ValueError):
        return None
    return None if limit == "max" else max(0, int(limit) - used)
