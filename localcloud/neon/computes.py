"""An endpoint's life: what the API shows of its starts and suspensions."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from localcloud.neon import usage
from localcloud.neon.plans import DEFAULT_SUSPEND_SECONDS
from localcloud.postgres.front import Admission
from localcloud.postgres.on_demand import OnDemand
from localcloud.postgres.refusal import RefusedError

if TYPE_CHECKING:
    from localcloud.clock import Clock
    from localcloud.faults.standing import Faults
    from localcloud.neon.lists import Lists
    from localcloud.neon.operations import Operations
    from localcloud.postgres.cluster import Cluster
    from localcloud.records import Endpoint, Operation
    from localcloud.state import State


class Compute(OnDemand):
    """What stands behind an endpoint's two addresses.

    A read-only endpoint shares the server of its branch's data directory. Its sessions are read-only by default;
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
        faults: Faults,
    ) -> None:
        super().__init__(endpoint.id, cluster, faults)
        self.endpoint = endpoint
        self._state = state
        self._clock = clock
        self._operations = operations
        self._lists = lists

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
        admission = await super().admit()
        read_only = {"default_transaction_read_only": "on"}
        return Admission(admission.socket, read_only if endpoint.type == "read_only" else {})

    def _timeout(self) -> float | None:
        seconds = self.endpoint.suspend_timeout_seconds
        if seconds < 0:
            return None
        return float(seconds or DEFAULT_SUSPEND_SECONDS)

    # With the lock held.

    async def _wake(self) -> None:
        started = time.monotonic()
        operation = self._record("start_compute")
        try:
            await super()._wake()
        except BaseException as error:
            # Also when the connection is given up meanwhile: an operation without an end would lock the project.
            self._operations.end(operation, started, str(error) or "the start was given up")
            raise
        self._operations.end(operation, started)

    async def _sleep(self) -> None:
        started = time.monotonic()
        operation = self._record("suspend_compute")
        try:
            await super()._sleep()
        finally:
            self._operations.end(operation, started)

    async def _acquire(self) -> None:
        try:
            await super()._acquire()
        except BaseException:
            self.endpoint.current_state = "idle"
            self.endpoint.pending_state = None
            self._save()
            raise

    def _started(self) -> None:
        self._lists.opened(self.endpoint.branch_id)
        now = self._clock.now()
        self.endpoint.current_state = "active"
        self.endpoint.pending_state = None
        self.endpoint.started_at = now
        self.endpoint.suspended_at = None
        self.endpoint.updated_at = now
        self._save()

    async def _release(self) -> None:
        await super()._release()
        if self.endpoint.current_state != "idle" or self.endpoint.pending_state:
            self.endpoint.current_state = "idle"
            self.endpoint.pending_state = None
            self._save()

    async def _let_go(self) -> None:
        # As on Neon, what was made over SQL is known also while the compute sleeps.
        taken = await self._lists.take(self.endpoint.branch_id, self._cluster)
        await usage.account(self._state, self.endpoint, self._cluster)
        await super()._let_go()
        if taken:
            self._lists.closed(self.endpoint.branch_id, self._cluster)
        now = self._clock.now()
        self.endpoint.last_active = now
        self.endpoint.suspended_at = now
        self.endpoint.updated_at = now

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
