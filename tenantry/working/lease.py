"""The lease of one operation, as the engine that works on it sees it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from tenantry.provisioning.leases import LeaseOverError
from tenantry.selfservice import claims
from tenantry.selfservice.database import connection

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from tenantry.running.resident import Resident
    from tenantry.selfservice.claims import Claim, Lease
    from tenantry.selfservice.database import Pool

Answer = TypeVar("Answer")


class OperationLease:
    """Binds the engines of one operation to its claim."""

    def __init__(
        self, claim: Claim, lease: Lease, connections: Pool, loop: asyncio.AbstractEventLoop
    ) -> None:
        """Begin.

        :param loop: where the catalog is asked; the engine is started in another thread
        """
        self.seconds = lease.engine
        self._answer = lease.answer
        self._claim = claim
        self._connections = connections
        self._loop = loop
        self._engines: list[Resident] = []
        self.lost = False

    def begins(self, engine: Resident) -> None:
        """Write down the engine's process before it takes a lock, so that whoever goes on knows which lock is its.

        :raises LeaseOverError: the claim is over
        """
        counts = self.wait_for(self._note(engine.pid))
        if self.lost or not counts:
            engine.kill()
            raise LeaseOverError(
                "the operation is another worker's by now",
                place="worker",
                way_out="it goes on there",
            )
        self._engines.append(engine)

    def wait_for(self, asked: Coroutine[Any, Any, Answer]) -> Answer | None:
        """Ask the catalog from a thread, and wait for the answer; None where it does not come in time."""
        asking = asyncio.run_coroutine_threadsafe(asked, self._loop)
        try:
            return asking.result(self._answer)
        except TimeoutError:
            asking.cancel()
            return None

    def renew(self) -> None:
        """Let the engines go on."""
        for engine in self._engines:
            engine.renew()

    def lose(self) -> None:
        """End the engines at once: another worker may begin."""
        self.lost = True
        for engine in self._engines:
            engine.kill()

    async def _note(self, pid: int) -> bool:
        async with connection(self._connections) as one:
            return await claims.note_engine(one, self._claim.id, pid)
