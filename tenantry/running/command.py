"""The `pulumi` command: where it is, and one run of it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Final

from tenantry.running.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_SAID: Final = 1 << 14
"""Bytes of what the command printed that are kept, from its end."""


def find_pulumi(environment: Mapping[str, str]) -> str:
    """Return the path of `pulumi`.

    :param environment: the variables of the run; its PATH is searched
    :raises EngineError: it is not there
    """
    command = shutil.which("pulumi", path=environment.get("PATH"))
    if command is None:
        raise EngineError("there is no pulumi: tenantry engine puts it beside this command")
    return command


class Command:
    """One run of the command, in a session of its own: a Ctrl-C in the terminal does not reach it."""

    def __init__(
        self, command: str, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
    ) -> None:
        """Start it.

        :param command: its path
        :param folder: the current folder of the run
        """
        self._stderr = TemporaryFile()  # noqa: SIM115 it is closed once the run has ended
        self._said = ""
        self._process = subprocess.Popen(  # noqa: S603 the arguments are ours
            [command, "--non-interactive", *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            # No pipes to this process: if it is killed, SIGPIPE would end the engine in the middle of a step.
            stdout=subprocess.DEVNULL,
            stderr=self._stderr,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """The engine's process id."""
        return self._process.pid

    def poll(self) -> int | None:
        """Return its exit code; None while it runs."""
        return self._process.poll()

    def wait(self) -> int:
        """Return its exit code once it has ended."""
        code = self._process.wait()
        if not self._stderr.closed:
            self._said = end_of(self._stderr)
            self._stderr.close()
        return code

    def interrupt(self) -> None:
        """Ask it to end: after its current steps at the first call, at once at the second."""
        interrupt(self._process)

    def said(self) -> str:
        """Return what it printed on standard error, the last of it; nothing before it was waited for."""
        return self._said


def interrupt(process: subprocess.Popen[bytes]) -> None:
    """Send SIGINT to the process alone, if it lives: it tells its plugins itself."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGINT)


def end_of(file: IO[bytes]) -> str:
    """Return the end of what was written to a file."""
    length = file.seek(0, os.SEEK_END)
    file.seek(max(length - _SAID, 0))
    return file.read().decode("utf-8", "replace").strip()
