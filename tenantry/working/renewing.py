"""A worker's claims are renewed while it can reach the catalog; otherwise it ends what it does in time."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Final

from tenantry.errors import TenantryError
from tenantry.provisioning import leases
from tenantry.selfservice import claims, workers
from tenantry.selfservice.database import connection

if TYPE_CHECKING:
    from tenantry.selfservice.claims import Worker
    from tenantry.selfservice.database import Pool
    from tenantry.working.work import Work

_log = logging.getLogger("tenantry.working")

LOST: Final = 2
"""The exit code of a worker that was held up or cut off from the catalog: it is to be started again."""
_AGAIN: Final = 2.0
"""Seconds before a renewal is tried again that failed."""


class LeaseLostError(TenantryError):
    """This worker was held up, or cut off from the catalog, for too long."""


class Renewing:
    """Renews the claims of one worker."""

    def __init__(self, worker: Worker, work: Work, connections: Pool) -> None:
        """Begin the process's lease."""
        self._worker = worker
        self._work = work
        self._connections = connections
        self._last = time.monotonic()
        leases.own.begin(worker.lease.engine)

    async def run(self) -> None:
        """Renew until this is cancelled.

        :raises LeaseLostError: the catalog did not answer in time; every engine was ended
        """
        while True:
            began = time.monotonic()
            if began - self._last > self._worker.lease.within:
                raise self._lose(
                    "the catalog did not answer for too long, or this process was held up"
                )
            try:
                await asyncio.wait_for(self._renew(), self._worker.lease.answer)
            except (TenantryError, TimeoutError) as error:
                _log.warning("claims could not be renewed: %s", error or "no answer")
                await asyncio.sleep(_AGAIN)
                continue
            self._last = began
            await asyncio.sleep(self._worker.lease.every)

    async def _renew(self) -> None:
        asked = dict(self._work.held)
        async with connection(self._connections) as one:
            counts = await claims.renew(one, list(asked), self._worker.lease)
            await workers.beat(one, self._worker.name)
        leases.own.renew()
        lost = False
        for own, held in asked.items():
            if own in counts:
                held.lease.renew()
                if counts[own]:
                    held.end()
            elif own in self._work.held:
                # Its result was not written meanwhile, so somebody else has it, or may have it.
                held.lease.lose()
                lost = True
        if lost:
            raise self._lose("a claim was taken over")

    def _lose(self, why: str) -> LeaseLostError:
        for held in self._work.held.values():
            held.lease.lose()
        return LeaseLostError(why, place="worker", way_out="it is started again, and goes on")

    def watch(self) -> None:
        """End the process where the loop does not run any more: a thread looks, since the loop cannot."""

        def look() -> None:
            while True:
                time.sleep(self._worker.lease.every)
                if time.monotonic() - self._last > self._worker.lease.stuck:
                    os.write(2, b"tenantry: the worker is stuck, and ends itself\n")
                    os._exit(LOST)

        threading.Thread(target=look, name="watchdog", daemon=True).start()
