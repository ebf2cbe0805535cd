"""Child processes that never outlive the local cloud."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


class CommandError(Exception):
    """A program ended with an error; the message names it and carries its last words."""


@dataclass(frozen=True, slots=True)
class Account:
    """The unprivileged system account under which PostgreSQL runs when the local cloud itself is root."""

    name: str
    uid: int
    gid: int


def _die_with_parent(death_signal: int) -> Callable[[], None]:
    parent = os.getpid()

    def in_child() -> None:
        # After the change of user, which would clear it (prctl(2)).
        _LIBC.prctl(_PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:
            os._exit(1)

    return in_child


def child_options(account: Account | None, death_signal: int) -> dict[str, Any]:
    """Return the subprocess options that drop privileges and tie the child's life to this process.

    The signal comes when the *thread* that started the child ends (prctl(2)), so children are started from the event
    loop's thread, which lives as long as the process.
    """
    options: dict[str, Any] = {
        "preexec_fn": _die_with_parent(death_signal),
        "start_new_session": True,
    }
    if account is not None:
        options |= {"user": account.uid, "group": account.gid, "extra_groups": []}
    return options


async def run(
    command: Sequence[str],
    *,
    account: Account | None,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    text: str | None = None,
) -> str:
    """Run a program to its end, with ``text`` as its standard input, and return its standard output.

    Raises CommandError if it fails.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE if text is not None else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=cwd,
        env=clean_environment() | dict(environment or {}),
        **child_options(account, signal.SIGKILL),
    )
    try:
        output, errors = await process.communicate(text.encode() if text is not None else None)
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        words = " ".join((output + errors).decode(errors="replace").split())[-400:]
        raise CommandError(f"{command[0]} ended with status {process.returncode}: {words}")
    return output.decode(errors="replace")


async def spawn(
    command: Sequence[str], *, account: Account | None, cwd: Path, log: IO[bytes]
) -> asyncio.subprocess.Process:
    """Start a server that is asked to end (fast shutdown) should this process die."""
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd=cwd,
        env=clean_environment(),
        **child_options(account, signal.SIGINT),
    )


def clean_environment() -> dict[str, str]:
    """Return the environment for children: no PG* variable of the user's shell may change what they do."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
