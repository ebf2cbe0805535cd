"""An endpoint's life: started by a connection or a request, suspended when idle."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING

from localcloud.neon.plans import DEFAULT_SUSPEND_SECONDS
from localcloud.postgres.front import Admission, Listener, RefusedError

if TYPE_CHECKING:
    import socket
    import ssl

    from localcloud.clock import Clock
    from localcloud.neon.lists import Lists
    from localcloud.neon.operations import Operations
    from localcloud.postgres.cluster import Cluster
    from localcloud.postgres.front import Session
    from localcloud.state import Endpoint, Operation, State

_log = logging.getLogger("localcloud.computes")


class Compute:
    """What stands behind an endpoint's two addresses.

    A read-only endpoint shares the server of its branch's data directory and gets sessions that are read-only by default;
    on Neon it would be a server of its own.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        cluster: Cluster,
        state: State,
        clock: Clock,
        operations: Operations,
        lists: Lists,
    ) -> None:
        self.endpoint = endpoint
        self._cluster = cluster
        self._state = state
        self._clock = clock
        self._operations = operations
        self._lists = lists
        self._lock = asyncio.Lock()
        self._holding = False
        self._sessions: set[Session] = set()
        self._last_active = time.monotonic()
        self._timer: asyncio.TimerHandle | None = None
        self._idling: asyncio.Task[None] | None = None
        self._listeners: list[Listener] = []

    def open(self, sockets: list[socket.socket], tls: ssl.SSLContext) -> None:
        """Begin to accept connections."""
        self._listeners = [Listener(each, tls, self) for each in sockets]

    async def close(self) -> None:
        """Stop accepting connections and let go of the server."""
        self._disarm()
        if self._idling is not None:
            # Not cancelled: a suspension half done would leave a server that nobody holds.
            await asyncio.gather(self._idling, return_exceptions=True)
        for listener in self._listeners:
            await listener.close()
        self._listeners = []
        async with self._lock:
            await self._release()

    async def start(self) -> None:
        """Have the server running. Raises ClusterError."""
        async with self._lock:
            await self._hold()

    async def suspend(self) -> None:
        """Let go of the server and end the sessions."""
        async with self._lock:
            await self._release()

    async def restart_if_running(self) -> None:
        """Have a running server take up settings that it reads at its start only."""
        async with self._lock:
            if self._holding:
                await self._release()
                await self._hold()

    def rearm(self) -> None:
        """Take up a changed suspend timeout."""
        if self._holding:
            self._arm(self._timeout())

    # The front's side.

    async def admit(self) -> Admission:
        """See :class:`localcloud.postgres.front.Gate`."""
        endpoint = self.endpoint
        branch = self._state.branches[endpoint.branch_id]
        if endpoint.disabled:
            raise RefusedError(
                "The endpoint has been disabled. Enable it using Neon API and retry."
            )
        if branch.current_state != "ready":
            await self._operations.join(endpoint.project_id)
        async with self._lock:
            if not self._holding:
                await self._wake()
            else:
                await self._cluster.revive()
        self.active()
        read_only = {"default_transaction_read_only": "on"}
        return Admission(self._cluster.socket, read_only if endpoint.type == "read_only" else {})

    def socket_if_running(self) -> str | None:
        """See :class:`localcloud.postgres.front.Gate`."""
        return self._cluster.socket if self._holding and self._cluster.running else None

    def entered(self, session: Session) -> None:
        """See :class:`localcloud.postgres.front.Gate`."""
        self._sessions.add(session)
        self.active()

    def active(self) -> None:
        """See :class:`localcloud.postgres.front.Gate`."""
        self._last_active = time.monotonic()

    def left(self, session: Session) -> None:
        """See :class:`localcloud.postgres.front.Gate`."""
        self._sessions.discard(session)
        self.active()

    # Idleness.

    def _timeout(self) -> float | None:
        seconds = self.endpoint.suspend_timeout_seconds
        if seconds < 0:
            return None
        return float(seconds or DEFAULT_SUSPEND_SECONDS)

    def _arm(self, delay: float | None) -> None:
        self._disarm()
        if delay is not None:
            self._timer = asyncio.get_running_loop().call_later(delay, self._due)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> None:
        self._idling = asyncio.create_task(self._suspend_if_idle())

    async def _suspend_if_idle(self) -> None:
        async with self._lock:
            timeout = self._timeout()
            if not self._holding or timeout is None:
                return
            idle = time.monotonic() - self._last_active
            if idle < timeout:
                self._arm(timeout - idle)
                return
            # As on Neon, an open but idle session does not keep a compute awake; a statement or transaction does.
            if self._sessions and self._cluster.running and await self._cluster.busy():
                self._arm(timeout)
                return
            started = time.monotonic()
            operation = self._record("suspend_compute")
            try:
                await self._release()
            finally:
                self._operations.end(operation, started)

    # With the lock held.

    async def _wake(self) -> None:
        started = time.monotonic()
        operation = self._record("start_compute")
        try:
            await self._hold()
        except BaseException as error:
            # Also when the connection is given up meanwhile: an operation without an end would lock the project.
            self._operations.end(operation, started, str(error) or "the start was given up")
            raise
        self._operations.end(operation, started)

    async def _hold(self) -> None:
        if self._holding:
            await self._cluster.revive()
            return
        try:
            await self._cluster.acquire()
        except BaseException:
            self.endpoint.current_state = "idle"
            self.endpoint.pending_state = None
            self._save()
            raise
        self._holding = True
        self._lists.opened(self.endpoint.branch_id)
        self.active()
        now = self._clock.now()
        self.endpoint.current_state = "active"
        self.endpoint.pending_state = None
        self.endpoint.started_at = now
        self.endpoint.suspended_at = None
        self.endpoint.updated_at = now
        self._save()
        self._arm(self._timeout())

    async def _release(self) -> None:
        self._disarm()
        if self._holding:
            self._holding = False
            # As on Neon, what was made over SQL is known also while the compute sleeps.
            taken = await self._lists.take(self.endpoint.branch_id, self._cluster)
            await self._cluster.release()
            if taken:
                self._lists.closed(self.endpoint.branch_id, self._cluster)
            now = self._clock.now()
            self.endpoint.last_active = now
            self.endpoint.suspended_at = now
            self.endpoint.updated_at = now
        for session in list(self._sessions):
            session.cut()
        if self.endpoint.current_state != "idle" or self.endpoint.pending_state:
            self.endpoint.current_state = "idle"
            self.endpoint.pending_state = None
            self._save()

    def _save(self) -> None:
        with contextlib.suppress(KeyError):
            if self._state.endpoints[self.endpoint.id] is self.endpoint:
                self._state.put(self.endpoint)

    def _record(self, action: str) -> Operation:
        return self._operations.record(
            self.endpoint.project_id,
            action,
            branch_id=self.endpoint.branch_id,
            endpoint_id=self.endpoint.id,
        )
