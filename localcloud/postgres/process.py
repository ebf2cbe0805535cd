"""Child processes that never outlive the local cloud."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LAUNCHER = Path(__file__).with_name("launcher.py")


class CommandError(Exception):
    """A program ended with an error; the message names it and carries its last words."""


@dataclass(frozen=True, slots=True)
class Account:
    """The unprivileged system account under which PostgreSQL runs when the local cloud itself is root."""

    name: str
    uid: int
    gid: int


def launched(command: Sequence[str], account: Account | None, death_signal: int) -> list[str]:
    """Return the command that runs another as ``account``, with its life tied to this process: see launcher.py.

    The signal comes when the *thread* that started the child ends (prctl(2)), so children are started from the event
    loop's thread, which lives as long as the process.
    """
    program, *arguments = command
    return [
        sys.executable,
        "-I",
        "-S",
        str(_LAUNCHER),
        str(os.getpid()),
        str(int(death_signal)),
        f"{account.uid}:{account.gid}" if account else "-",
        str(Path(shutil.which(program) or program).absolute()),
        *arguments,
    ]


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
        *launched(command, account, signal.SIGKILL),
        stdin=asyncio.subprocess.PIPE if text is not None else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=cwd,
        env=clean_environment() | dict(environment or {}),
        start_new_session=True,
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
        *launched(command, account, signal.SIGINT),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd=cwd,
        env=clean_environment(),
        start_new_session=True,
    )


def clean_environment() -> dict[str, str]:
    """Return the environment for children: no PG* variable of the user's shell may change what they do."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
