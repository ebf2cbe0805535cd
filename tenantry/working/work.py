"""What a worker does with one job: claim, work, and write the result under the claim."""

from __future__ import annotations

import asyncio
import logging
import time
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from tenantry import tracing
from tenantry.errors import TenantryError
from tenantry.fleet.events import Progress
from tenantry.selfservice import audit, claims, operations, specs
from tenantry.selfservice.database import transaction
from tenantry.selfservice.errors import AwayError
from tenantry.selfservice.logs import about
from tenantry.working.lease import OperationLease
from tenantry.working.notices import Notices
from tenantry.working.performing import Ended, Performance
from tenantry.working.takeover import StillThereError

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import ThreadPoolExecutor
    from uuid import UUID

    from tenantry.fleet.events import Event
    from tenantry.observing.counters import Counters
    from tenantry.registry.models import Registry
    from tenantry.registry.notices import Occasion
    from tenantry.selfservice.claims import Claim, Worker
    from tenantry.selfservice.database import Connection, Pool
    from tenantry.selfservice.specs import Spec
    from tenantry.working.settings import WorkerSettings

_log = logging.getLogger("tenantry.working")

ASIDE: Final = timedelta(seconds=10)
"""How long an operation waits whose app another one is at work on."""
BUSY: Final = timedelta(seconds=15)
"""How long one waits whose stack a run beside the service holds."""
FROZEN: Final = timedelta(minutes=1)
"""How long one waits whose app is frozen, before it is looked again."""
BUSY_FOR: Final = timedelta(minutes=30)
"""How long that goes on before it fails, and says who holds it."""
_PAUSE: Final = 2.0
"""Seconds before a result is written again that could not be written."""


class Held:
    """An operation that this worker is at work on."""

    def __init__(self, claim: Claim, lease: OperationLease, performance: Performance) -> None:
        """Begin."""
        self.claim = claim
        self.lease = lease
        self.performance = performance
        self.asked_to_end = False
        self.put_aside = False

    def end(self) -> None:
        """End it, because it was cancelled: after the engine's current steps."""
        if not self.asked_to_end:
            self.asked_to_end = True
            self.performance.stop()

    def put_down(self) -> None:
        """Leave it to another worker: this one ends."""
        self.put_aside = True
        self.performance.stop()


class Work:
    """The operations that one worker is at work on."""

    def __init__(
        self,
        settings: WorkerSettings,
        worker: Worker,
        connections: Pool,
        threads: ThreadPoolExecutor,
        registry: Callable[[], Registry],
        counters: Counters,
    ) -> None:
        """Hold nothing yet.

        :param threads: where the fleet's functions run, one thread for each slot
        :param registry: reads the registry, or returns what was read where the file is the same
        """
        self._settings = settings
        self._worker = worker
        self._connections = connections
        self._threads = threads
        self.registry = registry
        self._notices = Notices(registry)
        self._counters = counters
        self.held: dict[UUID, Held] = {}
        """By the claim's id."""

    async def perform(self, operation: UUID) -> None:
        """Do one operation, if nobody else is at work on it or on its app."""
        async with transaction(self._connections) as connection:
            claim = await claims.claim(connection, operation, self._worker)
            if claim is None:
                await claims.step_aside(connection, operation, ASIDE)
                return
            spec = claim.operation.spec
            row = None if spec is None else await specs.get(connection, spec)
        with (
            about(operation=str(operation), app=claim.operation.app_id),
            tracing.span(
                f"operation {claim.operation.kind}",
                operation=str(operation),
                app=claim.operation.app_id,
                request_id=claim.operation.request_id,
                attempt=claim.operation.attempts,
            ) as told,
        ):
            told["outcome"] = await self._perform(claim, row)

    async def _perform(self, claim: Claim, row: Spec | None) -> str:
        """Do it, write how it ended, and return that in a word."""
        operation = claim.operation
        _log.info("%s begins, attempt %d", operation.kind, operation.attempts)
        loop = asyncio.get_running_loop()
        lease = OperationLease(claim, self._worker.lease, self._connections, loop)
        performance = Performance(self._settings, lease, operation.actor)
        held = self.held[claim.id] = Held(claim, lease, performance)
        try:
            ended = await loop.run_in_executor(
                self._threads,
                # What is logged in the thread is about the same.
                copy_context().run,
                self._in_thread,
                held,
                row,
                self._teller(claim, loop),
            )
        except StillThereError as error:
            # It is no failed attempt: the engine ends by itself, or goes on when somebody lets it.
            ended = Ended("busy", reason=str(error))
        except TenantryError as error:
            ended = Ended("passing" if error.may_pass else "lasting", reason=str(error))
        except Exception:  # noqa: BLE001  # a fault of ours: the operation is not lost, and not tried for ever either
            _log.exception("it failed in an unforeseen way")
            ended = Ended("lasting", reason="a fault of the service itself: its log says more")
        _log.info("%s: %s", ended.kind, ended.reason or operation.kind)
        try:
            await self._write(held, row, ended)
        finally:
            self.held.pop(claim.id, None)
        return ended.kind

    def _in_thread(self, held: Held, row: Spec | None, tell: Callable[[Event], None]) -> Ended:
        operation, performance = held.claim.operation, held.performance
        if row is None and operation.subject is None:
            return Ended("lasting", reason=f"{operation.app_id}: nobody asked for it any more")
        stack = performance.stack_of(self.registry(), operation)
        if held.claim.engines:
            performance.free(stack, held.claim.engines)
            self._note_freed(held)
        if operation.cancel_requested_at is not None:
            return Ended("stopped", reason="it was asked to end")
        if row is None:
            return performance.graph(self.registry(), operation, tell)
        if operation.kind == "delete":
            return performance.remove(self.registry(), row.row, tell)
        return performance.apply(
            self.registry(), row.row, may_destroy=operation.may_destroy, tell=tell
        )

    def _note_freed(self, held: Held) -> None:
        async def note() -> None:
            async with transaction(self._connections) as connection:
                await claims.note_freed(connection, held.claim.id)

        held.lease.wait_for(note())

    def _teller(self, claim: Claim, loop: asyncio.AbstractEventLoop) -> Callable[[Event], None]:
        """Return what writes down how an operation goes on. A step that is not written is no harm."""

        async def write(text: str) -> None:
            try:
                async with transaction(self._connections) as connection:
                    if await claims.still_counts(connection, claim.id):
                        await operations.tell(connection, claim.operation.id, "progress", text)
            except TenantryError as error:
                _log.warning("a step was not written down: %s", error)

        begun: dict[str, float] = {}

        def tell(event: Event) -> None:
            if not isinstance(event, Progress):
                return
            if not event.done:
                begun[event.resource] = time.monotonic()
                return
            if (since := begun.pop(event.resource, None)) is not None:
                step = event.resource.partition(" ")[0].lower()
                took = time.monotonic() - since
                self._counters.observe("tenantry_step_duration_seconds", took, step)
            asyncio.run_coroutine_threadsafe(write(f"{event.op} {event.resource}"), loop)

        return tell

    async def _write(self, held: Held, row: Spec | None, ended: Ended) -> None:
        """Write the result, for as long as the claim counts. One that cannot be written is found by who goes on."""
        while not held.lease.lost:
            try:
                async with transaction(self._connections) as connection:
                    if await self._written(connection, held, row, ended):
                        return
                break
            except AwayError as error:
                _log.warning("a result waits for the catalog: %s", error)
                await asyncio.sleep(_PAUSE)
        _log.warning("it is another worker's by now, the result here is void")

    async def _written(
        self, connection: Connection, held: Held, row: Spec | None, ended: Ended
    ) -> bool:
        operation = held.claim.operation
        counts, tell = await self._outcome(connection, held, ended)
        if not counts:
            return False
        await self._notices.of_end(connection, operation, tell, ended.reason)
        if row is not None and ended.kind == "done":
            if operation.kind == "delete":
                await specs.mark_deleted(connection, row.id)
            else:
                await specs.mark_observed(connection, row.id, row.generation)
        await audit.note(
            connection,
            actor=operation.actor,
            action=f"operations.{operation.kind}",
            object=operation.app_id,
            origin=self._worker.name,
            request_id=operation.request_id,
            outcome=ended.kind,
        )
        return True

    async def _outcome(
        self, connection: Connection, held: Held, ended: Ended
    ) -> tuple[bool, Occasion | None]:
        """Write how it ended; return whether the claim counted, and what there is to tell."""
        claim, operation = held.claim, held.claim.operation
        if ended.kind == "done":
            gone = operation.kind in {"delete", "ungraph"}
            written = await claims.succeed(connection, claim, changed=ended.changed)
            return written, "deleted" if gone else "ready"
        if ended.kind == "stopped" and (held.asked_to_end or operation.cancel_requested_at):
            return await claims.end_cancelled(connection, claim), None
        wait = self._wait(held, ended)
        if wait is None:
            return await claims.fail(connection, claim, ended.kind, ended.reason), "failed"
        after, counts = wait
        written = await claims.put_back(
            connection, claim, after=after, kind=ended.kind, text=ended.reason, counts=counts
        )
        # What waits for a run beside it, or for the end of a freeze, has not failed.
        return written, "retried" if counts else None

    def _wait(self, held: Held, ended: Ended) -> tuple[timedelta, bool] | None:
        """Return how long to wait before the next attempt, and whether this one counts; None where it was the last."""
        operation = held.claim.operation
        if ended.kind == "stopped":
            return timedelta(0), False
        if ended.frozen:
            return FROZEN, False
        if ended.kind == "busy":
            began = operation.started_at or operation.created_at
            return (BUSY, False) if datetime.now(UTC) - began < BUSY_FOR else None
        if ended.kind == "passing" and operation.attempts < self._settings.attempts:
            return self._settings.pause, True
        return None
