"""A server that runs while somebody needs it: started by a connection, let go when idle."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING

from localcloud.faults.sessions import SessionFaults, check_wake
from localcloud.postgres.catalog import read_verifier
from localcloud.postgres.channel_binding import Verifiers
from localcloud.postgres.front import Admission, Door, Listener
from localcloud.postgres.refusal import RefusedError

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    from localcloud.faults.standing import Faults
    from localcloud.postgres.certificates import Authority, Certificate
    from localcloud.postgres.cluster import Cluster
    from localcloud.postgres.front import Session


class OnDemand(ABC):
    """The gate (:class:`localcloud.postgres.front.Gate`) between listeners and a cluster.

    Subclasses say after how long an idle server is let go, and what else belongs to a start and to an end. By its
    ``name``, and by its addresses, orders of faults mean it.
    """

    def __init__(self, name: str, cluster: Cluster, faults: Faults) -> None:
        self._names = [name]
        self._cluster = cluster
        self._faults = faults
        self._lock = asyncio.Lock()
        self._holding = False
        self._sessions: set[Session] = set()
        self._last_active = time.monotonic()
        self._timer: asyncio.TimerHandle | None = None
        self._idling: asyncio.Task[None] | None = None
        self._listeners: list[Listener] = []
        self._closed = False
        self._certificate: Certificate | None = None
        self._issuing = asyncio.Lock()
        self.verifiers = Verifiers(partial(read_verifier, cluster))

    def open(
        self, sockets: list[socket.socket], authority: Authority, names: Iterable[str] = ()
    ) -> None:
        """Begin to accept connections on these addresses. ``names`` are hosts for which others listen."""
        self._authority = authority
        self._names += names
        for each in sockets:
            address = str(each.getsockname()[0])
            self._names.append(address)
            self._listeners.append(Listener(each, Door(self, address)))

    async def close(self) -> None:
        """Stop accepting connections and let go of the server."""
        self._closed = True
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

    async def certificate(self) -> Certificate:
        """See :class:`localcloud.postgres.front.Gate`."""
        # Made for the first connection: many endpoints get none.
        async with self._issuing:
            if self._certificate is None:
                self._certificate = await asyncio.to_thread(self._authority.issue, self._names[1:])
        return self._certificate

    def session_faults(self, host: str) -> SessionFaults:
        """See :class:`localcloud.postgres.front.Gate`."""
        return SessionFaults(self._faults, (self._names[0], host), self._cluster.kill)

    async def admit(self) -> Admission:
        """See :class:`localcloud.postgres.front.Gate`."""
        async with self._lock:
            if self._closed:
                # Who listens for its names may have led a client here before that.
                raise RefusedError("the endpoint is gone")
            if not self._holding:
                await self._wake()
            else:
                await self._cluster.revive()
        self.active()
        return Admission(self._cluster.socket, {})

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

    @abstractmethod
    def _timeout(self) -> float | None:
        """Return after how many seconds without traffic the server is let go, or None for never."""

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
            await self._sleep()

    # With the lock held.

    async def _wake(self) -> None:
        """Start for a connection. Raises RefusedError where an order says that it does not come about."""
        check_wake(self._faults, self._names)
        await self._hold()

    async def _sleep(self) -> None:
        """Let go of an idle server."""
        await self._release()

    async def _hold(self) -> None:
        if self._holding:
            await self._cluster.revive()
            return
        await self._acquire()
        self._holding = True
        self._started()
        self.active()
        self._arm(self._timeout())

    async def _acquire(self) -> None:
        """Become a holder of the cluster."""
        await self._cluster.acquire()

    def _started(self) -> None:  # noqa: B027 (there may be nothing to note)
        """Note that the server runs."""

    async def _release(self) -> None:
        self._disarm()
        if self._holding:
            self._holding = False
            await self._let_go()
        for session in list(self._sessions):
            session.cut()

    async def _let_go(self) -> None:
        """Stop being a holder of the cluster."""
        await self._cluster.release()
