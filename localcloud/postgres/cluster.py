"""One data directory and the server that runs on it while somebody needs it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localcloud.postgres.process import CommandError, run, spawn
from localcloud.postgres.template import SUPERUSER, extension_folder, template_folder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import psycopg

    from localcloud.postgres.installation import Installation

_SOCKET = ".s.PGSQL.5432"
_PID_FILE = "postmaster.pid"
_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.005
_CRASH_SECONDS = 5.0
_CRASH_POLL_SECONDS = 0.1


class ClusterError(Exception):
    """A server did not do what it should; the message is one line."""


class Cluster:
    """A data directory. Its server starts with the first holder and stops with the last."""

    def __init__(self, installation: Installation, name: str, superuser_password: str) -> None:
        self.name = name
        self.folder = installation.clusters / "branches" / name
        self.options: dict[str, str] = {}
        """Settings that the server starts with, beside those of its data directory."""
        self._installation = installation
        self._password = superuser_password
        self._holders = 0
        self._lock = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._descriptor: int | None = None

    @property
    def exists(self) -> bool:
        """Whether the data directory has been made."""
        return self.folder.exists()

    @property
    def running(self) -> bool:
        """Whether the server runs now."""
        return self._process is not None and self._process.returncode is None

    @property
    def socket(self) -> str:
        """The server's socket, as a path that is short whatever the folder's own is (sun_path holds 107 bytes)."""
        return f"{self._socket_folder}/{_SOCKET}"

    @property
    def _socket_folder(self) -> str:
        if self._descriptor is None:
            raise ClusterError(f"the server of {self.name} does not run")
        return f"/proc/self/fd/{self._descriptor}"

    async def create(self) -> None:
        """Make the data directory as a copy of the template, unless it is there."""
        async with self._lock:
            if not self.exists:
                await self._copy(template_folder(self._installation))

    async def create_from(self, parent: Cluster) -> None:
        """Make the data directory as a copy of what the parent holds at this moment, unless it is there."""
        async with self._lock:
            if self.exists:
                return
            async with parent._lock:
                if not parent.running:
                    await self._copy(parent.folder)
                    return
                draft = await self._draft()
                await run(
                    [
                        self._installation.program("pg_basebackup"),
                        f"--pgdata={draft}",
                        "--host=/proc/self/cwd",
                        f"--username={SUPERUSER}",
                        "--no-password",
                        "--checkpoint=fast",
                        "--wal-method=stream",
                        "--no-sync",
                        "--no-manifest",
                    ],
                    account=self._installation.account,
                    cwd=parent.folder,
                    environment={"PGPASSWORD": self._password},
                )
                self._adopt(draft)

    async def destroy(self) -> None:
        """Stop the server and remove the data directory."""
        async with self._lock:
            self._holders = 0
            await self._stop()
            doomed = self.folder.with_suffix(".removed")
            with contextlib.suppress(FileNotFoundError):
                self.folder.rename(doomed)
            await asyncio.to_thread(shutil.rmtree, doomed, ignore_errors=True)
            with contextlib.suppress(FileNotFoundError):
                self._log.unlink()

    async def acquire(self) -> None:
        """Become a holder; the server runs when this returns. Raises ClusterError if it cannot start."""
        async with self._lock:
            if not self.running:
                await self._start()
            self._holders += 1

    async def release(self) -> None:
        """Stop being a holder; the last one stops the server."""
        async with self._lock:
            self._holders = max(0, self._holders - 1)
            if self._holders == 0:
                await self._stop()

    @contextlib.asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Hold the server for the length of a block."""
        await self.acquire()
        try:
            yield
        finally:
            await self.release()

    async def revive(self) -> None:
        """Start the server again if it has died while held."""
        async with self._lock:
            await self._notice_death()
            if self._holders and not self.running:
                await self._start()

    async def stop(self) -> None:
        """Stop the server, whoever holds it."""
        async with self._lock:
            self._holders = 0
            await self._stop()

    async def kill(self) -> None:
        """Kill the server with all its processes, as the end of its machine would; whoever holds it may revive it."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        # Stopped first: it would tell its clients of the first dead process, and put new ones into the place of the dead.
        process.send_signal(signal.SIGSTOP)
        for pid in (*_children(process.pid), process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await process.wait()

    @contextlib.asynccontextmanager
    async def connect(
        self, database: str = "postgres"
    ) -> AsyncIterator[psycopg.AsyncConnection[tuple[Any, ...]]]:
        """Connect as the superuser, in autocommit; the server must run."""
        import psycopg

        connection = await psycopg.AsyncConnection.connect(
            host=self._socket_folder,
            user=SUPERUSER,
            password=self._password,
            dbname=database,
            autocommit=True,
            connect_timeout=10,
            application_name="localcloud",
        )
        try:
            yield connection
        finally:
            await connection.close()

    async def busy(self) -> bool:
        """Whether any client has a statement running or a transaction open; a server that cannot tell is not busy."""
        import psycopg

        try:
            return await self._ask_busy()
        except (psycopg.Error, ClusterError):
            return False

    async def _ask_busy(self) -> bool:
        async with self.connect() as connection:
            cursor = await connection.execute(
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type IN ('client backend', 'walsender') "
                "AND state <> 'idle' AND pid <> pg_backend_pid())"
            )
            row = await cursor.fetchone()
        return bool(row and row[0])

    @property
    def _log(self) -> Path:
        return self.folder.with_suffix(".log")

    async def _draft(self) -> Path:
        self.folder.parent.mkdir(exist_ok=True)
        account = self._installation.account
        if account is not None:
            os.chown(self.folder.parent, account.uid, account.gid)
        draft = self.folder.with_suffix(".draft")
        await asyncio.to_thread(shutil.rmtree, draft, ignore_errors=True)
        return draft

    async def _copy(self, source: Path) -> None:
        draft = await self._draft()
        await run(
            ["cp", "-a", "--reflink=auto", str(source), str(draft)],
            account=self._installation.account,
            cwd=self.folder.parent,
        )
        self._adopt(draft)

    def _adopt(self, draft: Path) -> None:
        # Lock files that came with a copy speak of the original's server.
        for name in (_PID_FILE, f"{_SOCKET}.lock"):
            (draft / name).unlink(missing_ok=True)
        draft.rename(self.folder)

    async def _start(self) -> None:
        if not self.exists:
            raise ClusterError(f"{self.folder}: the data directory is missing")
        deadline = time.monotonic() + _CRASH_SECONDS
        while True:
            crashed = self._release_locks()
            try:
                await self._start_once()
            except ClusterError:
                # After a crash, the dead server's backends may take a moment to notice and to let go of its memory.
                if not crashed or time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_CRASH_POLL_SECONDS)
            else:
                return

    def _release_locks(self) -> bool:
        """Have PostgreSQL judge a killed server's lock by its memory alone; return whether there was such a lock.

        The process number in it may be somebody else's by now, which would make PostgreSQL refuse to start. A lock in the
        name of its own parent it takes for a stale one (``CreateLockFile``), yet it still refuses while a process is
        attached to the old server's memory.
        """
        (self.folder / f"{_SOCKET}.lock").unlink(missing_ok=True)
        pid_file = self.folder / _PID_FILE
        try:
            _pid, newline, rest = pid_file.read_text().partition("\n")
        except FileNotFoundError:
            return False
        pid_file.write_text(f"{os.getpid()}{newline}{rest}")
        return True

    async def _start_once(self) -> None:
        self._forget()
        options = {
            "extension_control_path": f"{extension_folder(self._installation)}:$system",
            **self.options,
        }
        with self._log.open("ab") as log:
            process = await spawn(
                [
                    self._installation.program("postgres"),
                    "-D",
                    str(self.folder),
                    *(
                        part
                        for name, value in options.items()
                        for part in ("-c", f"{name}={value}")
                    ),
                ],
                account=self._installation.account,
                cwd=self.folder,
                log=log,
            )
        self._process = process
        self._descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            async with asyncio.timeout(_START_SECONDS):
                await self._await_ready(process)
        except TimeoutError as error:
            await self._stop()
            raise ClusterError(
                f"the server of {self.name} was not ready after {_START_SECONDS:.0f} s; see {self._log}"
            ) from error
        except BaseException:
            await self._stop()
            raise

    async def _await_ready(self, process: asyncio.subprocess.Process) -> None:
        while not self._ready(process.pid):
            if process.returncode is not None:
                raise ClusterError(
                    f"the server of {self.name} ended with status {process.returncode} at its start; see {self._log}"
                )
            await asyncio.sleep(_POLL_SECONDS)

    def _ready(self, pid: int) -> bool:
        # The postmaster writes its state as the last line of this file (pg_ctl waits for the same).
        try:
            lines = (self.folder / _PID_FILE).read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"  # noqa: PLR2004

    async def _notice_death(self) -> None:
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

    async def _stop(self) -> None:
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

    def _forget(self) -> None:
        self._process = None
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def stop_strays(clusters: Path) -> int:
    """Stop servers that an earlier local cloud left on our data directories; return how many there were.

    They were told to end when it died, so mostly this waits for them to finish.
    """
    strays = [
        found
        for pid_file in (clusters / "branches").glob("*/postmaster.pid")
        if (found := _postmaster(pid_file)) is not None
    ]
    for stop in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        for pid, folder in strays:
            if _is_postmaster(pid, folder):
                os.kill(pid, stop)
        for _ in range(500):
            if not any(_is_postmaster(pid, folder) for pid, folder in strays):
                return len(strays)
            await asyncio.sleep(0.01)
    raise ClusterError(
        f"servers of an earlier run do not end: process ids {', '.join(str(pid) for pid, _ in strays)}; end them by hand"
    )


def remove_leftovers(clusters: Path, known: set[str]) -> None:
    """Remove half-made copies, and data directories of branches that the state does not know."""
    for path in (clusters / "branches").glob("*"):
        if path.name.removesuffix(".log") not in known:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _postmaster(pid_file: Path) -> tuple[int, Path] | None:
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    return (pid, pid_file.parent) if _is_postmaster(pid, pid_file.parent) else None


def _is_postmaster(pid: int, folder: Path) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(folder) in command


__all__ = ["Cluster", "ClusterError", "CommandError", "remove_leftovers", "stop_strays"]
