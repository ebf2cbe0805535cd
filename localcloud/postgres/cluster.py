"""One data directory and the server that runs on it while somebody needs it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from localcloud.clock import render
from localcloud.postgres.history import STAGED, History, Moment, first_segment
from localcloud.postgres.process import CommandError, run
from localcloud.postgres.server import PID_FILE, SOCKET, ClusterError, Server
from localcloud.postgres.template import SUPERUSER, extension_folder, template_folder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import psycopg

    from localcloud.postgres.installation import Installation

# More than any disk has, in megabytes: WAL stays where PostgreSQL writes it until the history takes it.
_ALL_WAL = str(2**31 - 1)
_RECOVERY_SECONDS = 600.0


class Cluster:
    """A data directory. Its server starts with the first holder and stops with the last.

    ``options`` are settings that the server starts with, beside those of its data directory. With ``retention_seconds``
    there is a history of so long, from which :meth:`create_at` makes what was at a moment.
    """

    def __init__(self, installation: Installation, name: str, superuser_password: str) -> None:
        self.name = name
        self.folder = installation.clusters / "branches" / name
        self.options: dict[str, str] = {}
        self.retention_seconds = 0
        self.history = History(installation, name)
        self._installation = installation
        self._password = superuser_password
        self._server = Server(installation, self.folder)
        self._holders = 0
        self._lock = asyncio.Lock()

    @property
    def exists(self) -> bool:
        """Whether the data directory has been made."""
        return self.folder.exists()

    @property
    def running(self) -> bool:
        """Whether the server runs now."""
        return self._server.running

    @property
    def socket(self) -> str:
        """The server's socket, as a path that is short enough."""
        return f"{self._server.socket_folder}/{SOCKET}"

    async def create(self) -> None:
        """Make the data directory as a copy of the template, unless it is there."""
        async with self._lock:
            if self.exists:
                return
            template = template_folder(self._installation)
            draft = await self._copy(template)
            if self.retention_seconds:
                self.history.begin(template, *await _checkpoint(self._installation, template))
            self._adopt(draft)

    async def create_from(self, parent: Cluster) -> None:
        """Make the data directory as a copy of what the parent holds at this moment, unless it is there."""
        async with self._lock:
            if self.exists:
                return
            async with parent._lock:
                if parent.running:
                    draft = await self._copy_running(parent)
                else:
                    await parent._sweep()
                    draft = await self._copy(parent.folder)
                if self.retention_seconds and parent.history.bases:
                    self.history.fork(parent.history, parent.folder, first_segment(draft))
            await self._adopt_with_history(draft)

    async def create_at(self, source: Cluster, moment: Moment) -> None:
        """Make the data directory as a copy of what the source held at a moment, unless it is there.

        Raises ClusterError where the source's history does not have that moment.
        """
        async with self._lock:
            if self.exists:
                return
            past = Cluster(self._installation, f"{self.name}.past", self._password)
            await past.destroy()
            try:
                await source._lay_out(past, moment)
                past.options = self.options | moment.options()
                past._server.start_seconds = _RECOVERY_SECONDS
                async with past.held():
                    pass
                await asyncio.to_thread(shutil.rmtree, past.folder / STAGED)
            except BaseException:
                await past.destroy()
                raise
            await self._adopt_with_history(past.folder)

    async def _lay_out(self, past: Cluster, moment: Moment) -> None:
        """Put a base and the WAL from there on where a recovery can begin."""
        async with self.held():
            async with self.connect() as connection:
                # A recovery ends at the first commit after the time, so there has to be one, in a segment that is done.
                await connection.execute("SELECT pg_current_xact_id()")
                await connection.execute("SELECT pg_switch_wal()")
            base = self.history.base_before(moment)
            if base is None:
                raise ClusterError(f"the history of {self.name} does not reach back so far")
            past._adopt(await past._copy(self._installation.clusters / base.path))
            self.history.stage(base, self.folder, past.folder)

    async def move(self, target: Cluster) -> None:
        """Give the data directory, with its history, to another name that has none. May be repeated."""
        async with self._lock, target._lock:
            self._holders = 0
            await self._stop()
            if self.exists and not target.exists:
                self.history.move(target.history)
                with contextlib.suppress(FileNotFoundError):
                    self._server.log.rename(target._server.log)
                self.folder.rename(target.folder)

    async def destroy(self) -> None:
        """Stop the server and remove the data directory, with its history."""
        async with self._lock:
            self._holders = 0
            await self._server.stop()
            self.history.forget()
            doomed = self.folder.with_suffix(".removed")
            with contextlib.suppress(FileNotFoundError):
                self.folder.rename(doomed)
            await asyncio.to_thread(shutil.rmtree, doomed, ignore_errors=True)
            with contextlib.suppress(FileNotFoundError):
                self._server.log.unlink()

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
            await self._server.notice_death()
            if self._holders and not self.running:
                await self._start()

    async def stop(self) -> None:
        """Stop the server, whoever holds it."""
        async with self._lock:
            self._holders = 0
            await self._stop()

    async def kill(self) -> None:
        """Kill the server with all its processes, as the end of its machine would; whoever holds it may revive it."""
        await self._server.kill()

    @contextlib.asynccontextmanager
    async def connect(
        self, database: str = "postgres"
    ) -> AsyncIterator[psycopg.AsyncConnection[tuple[Any, ...]]]:
        """Connect as the superuser, in autocommit; the server must run."""
        import psycopg

        connection = await psycopg.AsyncConnection.connect(
            host=self._server.socket_folder,
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

    async def has(self, database: str) -> bool:
        """Whether there is a database of this name; the server must run."""
        async with self.connect() as connection:
            cursor = await connection.execute(
                "SELECT FROM pg_database WHERE datname = %s AND datallowconn", (database,)
            )
            return await cursor.fetchone() is not None

    async def dump_schema(self, database: str) -> str:
        """Return the statements that make a database's schema, as pg_dump writes them; the server must run."""
        dump = await run(
            [
                self._installation.program("pg_dump"),
                "--schema-only",
                "--host=/proc/self/cwd",
                f"--username={SUPERUSER}",
                "--no-password",
                f"--dbname={database}",
            ],
            account=self._installation.account,
            cwd=self.folder,
            environment={"PGPASSWORD": self._password},
        )
        # psql's guard, whose key is another one each time.
        return re.sub(r"(?m)^\\(un)?restrict .*\n\n?", "", dump)

    async def _start(self) -> None:
        if not self.retention_seconds:
            self.history.forget()
        await self._server.start(
            {
                "extension_control_path": f"{extension_folder(self._installation)}:$system",
                "wal_keep_size": _ALL_WAL if self.retention_seconds else "0",
                # A finished segment is removed, never written into again: a copy may have a link to it.
                "wal_recycle": "off" if self.retention_seconds else "on",
                **self.options,
            }
        )

    async def _stop(self) -> None:
        is_clean = await self._server.stop()
        if not is_clean or not self.retention_seconds:
            return
        if not self.history.bases or self.history.is_long(self.folder):
            await self._sweep()
            await self._add_base()
            kept = timedelta(seconds=self.retention_seconds)
            self.history.trim(render(datetime.now(UTC) - kept))

    async def _add_base(self) -> None:
        """Make a base of the data directory, whose server has ended."""
        now = render(datetime.now(UTC))
        place = self.history.place_for_base()
        draft = place.with_suffix(".draft")
        await self._copy_folder(self.folder, draft)
        lsn, segment = await _checkpoint(self._installation, draft)
        draft.rename(place)
        self.history.add(place, now, lsn, segment)

    async def _sweep(self) -> None:
        if self.history.bases:
            _lsn, segment = await _checkpoint(self._installation, self.folder)
            self.history.sweep(self.folder, segment)

    async def _draft(self) -> Path:
        self.folder.parent.mkdir(exist_ok=True)
        account = self._installation.account
        if account is not None:
            os.chown(self.folder.parent, account.uid, account.gid)
        draft = self.folder.with_suffix(".draft")
        await asyncio.to_thread(shutil.rmtree, draft, ignore_errors=True)
        return draft

    async def _copy(self, source: Path) -> Path:
        draft = await self._draft()
        await self._copy_folder(source, draft)
        return draft

    async def _copy_folder(self, source: Path, target: Path) -> None:
        await run(
            ["cp", "-a", "--reflink=auto", str(source), str(target)],
            account=self._installation.account,
            cwd=self._installation.clusters,
        )

    async def _copy_running(self, parent: Cluster) -> Path:
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
        return draft

    async def _adopt_with_history(self, draft: Path) -> None:
        self._adopt(draft)
        if self.retention_seconds and not self.history.bases:
            await self._add_base()

    def _adopt(self, draft: Path) -> None:
        # Lock files that came with a copy speak of the original's server.
        for name in (PID_FILE, f"{SOCKET}.lock"):
            (draft / name).unlink(missing_ok=True)
        draft.rename(self.folder)


async def _checkpoint(installation: Installation, folder: Path) -> tuple[str, str]:
    """Return from where a data directory whose server has ended would recover: the LSN, and the WAL segment."""
    text = await run(
        [installation.program("pg_controldata"), str(folder)],
        account=installation.account,
        cwd=folder,
    )
    found = dict(re.findall(r"(?m)^Latest checkpoint's ([^:]+): +(\S.*)$", text))
    return found["REDO location"], found["REDO WAL file"]


__all__ = ["Cluster", "ClusterError", "CommandError"]
