"""A PostgreSQL server as a process of ours: how it starts, how it ends, and what a crash leaves to be judged."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from localcloud.postgres.process import spawn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localcloud.postgres.installation import Installation

SOCKET = ".s.PGSQL.5432"
PID_FILE = "postmaster.pid"
_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.005
_CRASH_SECONDS = 5.0
_CRASH_POLL_SECONDS = 0.1


class ClusterError(Exception):
    """A server did not do what it should; the message is one line."""


class Server:
    """The server of one data directory, started and stopped by one caller at a time.

    ``start_seconds`` is how long a start may take.
    """

    def __init__(self, installation: Installation, folder: Path) -> None:
        self.start_seconds = _START_SECONDS
        self._installation = installation
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._descriptor: int | None = None

    @property
    def running(self) -> bool:
        """Whether the server runs now."""
        return self._process is not None and self._process.returncode is None

    @property
    def log(self) -> Path:
        """The server's log."""
        return self._folder.with_suffix(".log")

    @property
    def socket_folder(self) -> str:
        """The folder of the server's socket, as a path that is short whatever its own is (sun_path holds 107 bytes)."""
        if self._descriptor is None:
            raise ClusterError(f"the server of {self._folder.name} does not run")
        return f"/proc/self/fd/{self._descriptor}"

    async def start(self, options: Mapping[str, str]) -> None:
        """Start the server with settings beside those of its data directory. Raises ClusterError."""
        if not self._folder.exists():
            raise ClusterError(f"{self._folder}: the data directory is missing")
        deadline = time.monotonic() + _CRASH_SECONDS
        while True:
            crashed = self._release_locks()
            try:
                await self._start_once(options)
            except ClusterError:
                # After a crash, the dead server's backends may take a moment to notice and to let go of its memory.
                if not crashed or time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_CRASH_POLL_SECONDS)
            else:
                return

    def _release_locks(self) -> bool:
        """Have PostgreSQL judge a killed server's lock by its memory alone; return whether there was such a lock.

        The process number in it may be somebody else's by now, and PostgreSQL would refuse to start. A lock in the
        name of its own parent it takes for a stale one (``CreateLockFile``), yet it still refuses while a process is
        attached to the old server's memory.
        """
        (self._folder / f"{SOCKET}.lock").unlink(missing_ok=True)
        pid_file = self._folder / PID_FILE
        try:
            _pid, newline, rest = pid_file.read_text().partition("\n")
        except FileNotFoundError:
            return False
        pid_file.write_text(f"{os.getpid()}{newline}{rest}")
        return True

    async def _start_once(self, options: Mapping[str, str]) -> None:
        self._forget()
        with self.log.open("ab") as log:
            process = await spawn(
                [
                    self._installation.program("postgres"),
                    "-D",
                    str(self._folder),
                    *(
                        part
                        for name, value in options.items()
                        for part in ("-c", f"{name}={value}")
                    ),
                ],
                account=self._installation.account,
                cwd=self._folder,
                log=log,
            )
        self._process = process
        self._descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            async with asyncio.timeout(self.start_seconds):
                await self._await_ready(process)
        except TimeoutError as error:
            await self.stop()
            raise ClusterError(
                f"the server of {self._folder.name} was not ready after {self.start_seconds:.0f} s; see {self.log}"
            ) from error
        except BaseException:
            await self.stop()
            raise

    async def _await_ready(self, process: asyncio.subprocess.Process) -> None:
        while not self._ready(process.pid):
            if process.returncode is not None:
                raise ClusterError(
                    f"the server of {self._folder.name} ended with status {process.returncode} at its start"
                    f"{self._last_words()}; see {self.log}"
                )
            await asyncio.sleep(_POLL_SECONDS)

    def _last_words(self) -> str:
        fatal = re.findall(r"FATAL:  (.*)", self.log.read_text(errors="replace"))
        return f" ({fatal[-1]})" if fatal else ""

    def _ready(self, pid: int) -> bool:
        # The postmaster writes its state as the last line of this file (pg_ctl waits for the same).
        try:
            lines = (self._folder / PID_FILE).read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"  # noqa: PLR2004

    async def notice_death(self) -> None:
        """Have a dead process's status taken up: a client may see the end before the event loop has heard of it."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        try:
            ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        except ChildProcessError:
            # Asyncio's watcher has fetched it already.
            await process.wait()
        else:
            if ended is not None:
                await process.wait()

    async def stop(self) -> bool:
        """End the server, if it runs; return whether it ended as it should, with all that it had written in place."""
        process = self._process
        if process is not None and process.returncode is None:
            # Fast, then immediate, then without asking (PostgreSQL documentation, "Shutting Down the Server").
            for stop in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(stop)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), _STOP_SECONDS)
                    break
        self._forget()
        return process is not None and process.returncode == 0

    def _forget(self) -> None:
        self._process = None
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    async def kill(self) -> None:
        """Kill the server with all its processes, as the end of its machine would; whoever holds it may revive it."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        # Stopped first: it would tell its clients of the first dead process, and put new ones in its place.
        process.send_signal(signal.SIGSTOP)
        for pid in (*_children(process.pid), process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await process.wait()


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
