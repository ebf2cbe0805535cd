"""Asynchronous operations: what they do, one project's in a row, and what a restart makes of them."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from localcloud.faults.operations import ORDERED
from localcloud.neon.errors import locked
from localcloud.records import Operation

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from localcloud.clock import Clock
    from localcloud.faults.operations import Ordered
    from localcloud.records import Json
    from localcloud.state import Change, State

UNFINISHED = frozenset({"scheduling", "running", "cancelling"})
_KEPT_PER_PROJECT = 1000
_log = logging.getLogger("localcloud.operations")

# Seconds at pace 1: create_timeline and start_compute as measured on Neon in a project's create, the others estimated.
_SECONDS = {
    "create_timeline": 3.1,
    "start_compute": 4.8,
    "create_branch": 1.0,
    "suspend_compute": 1.0,
    "delete_timeline": 1.0,
    "apply_config": 1.5,
    "apply_storage_config": 0.5,
}


@dataclass(frozen=True, slots=True)
class Step:
    """An operation to be: Neon's action, and the task behind it (``kind`` and its arguments, all JSON)."""

    action: str
    task: Json = field(default_factory=dict)
    branch_id: str | None = None
    endpoint_id: str | None = None


class Operations:
    """Runs operations and keeps their records. ``pace`` scales their durations; 0 leaves only the work itself."""

    def __init__(
        self,
        state: State,
        clock: Clock,
        pace: float,
        perform: Callable[[Operation], Awaitable[None]],
    ) -> None:
        self._state = state
        self._clock = clock
        self._pace = pace
        self._perform = perform
        self._unfinished: dict[str, set[str]] = {}
        self._chains: dict[str, set[asyncio.Task[None]]] = {}
        for operation in state.operations.values():
            if operation.status in UNFINISHED:
                self._unfinished.setdefault(operation.project_id, set()).add(operation.id)

    def check_unlocked(self, project_id: str) -> None:
        """Raise ApiError 423 while the project has unfinished operations."""
        if self.unfinished(project_id):
            raise locked()

    def unfinished(self, project_id: str) -> bool:
        """Whether the project has operations under way."""
        return bool(self._unfinished.get(project_id))

    def schedule(self, change: Change, project_id: str, steps: Sequence[Step]) -> list[Operation]:
        """Record operations and run them in this order once the change is committed. The first is running at once."""
        operations = []
        for number, step in enumerate(steps):
            now = self._clock.now()
            operations.append(
                Operation(
                    id=str(uuid.uuid4()),
                    project_id=project_id,
                    branch_id=step.branch_id,
                    endpoint_id=step.endpoint_id,
                    action=step.action,
                    status="running" if number == 0 else "scheduling",
                    created_at=now,
                    updated_at=now,
                    task=step.task,
                )
            )
        if operations:
            change.put(*operations)
            self._forget_oldest(change, project_id)
            self._begin(project_id, operations, ORDERED.get())
        return operations

    def record(
        self, project_id: str, action: str, *, branch_id: str, endpoint_id: str
    ) -> Operation:
        """Record an operation that the caller runs itself, and ends with :meth:`end`."""
        now = self._clock.now()
        operation = Operation(
            id=str(uuid.uuid4()),
            project_id=project_id,
            branch_id=branch_id,
            endpoint_id=endpoint_id,
            action=action,
            status="running",
            created_at=now,
            updated_at=now,
        )
        with self._state.change() as change:
            change.put(operation)
            self._forget_oldest(change, project_id)
        self._unfinished.setdefault(project_id, set()).add(operation.id)
        return operation

    def end(self, operation: Operation, started: float, error: str | None = None) -> None:
        """Finish an operation, or fail it. ``started`` is a reading of ``time.monotonic``."""
        operation.status = "failed" if error else "finished"
        operation.error = error
        operation.failures_count += 1 if error else 0
        operation.total_duration_ms = int((time.monotonic() - started) * 1000)
        self._settle(operation)

    def resume(self) -> None:
        """Carry on with what was unfinished when the local cloud ended."""
        for project_id, ids in list(self._unfinished.items()):
            operations = [self._state.operations[key] for key in ids]
            operations.sort(key=lambda operation: operation.created_at)
            for operation in [each for each in operations if not each.task]:
                # A start or suspend by a connection or by idleness: its process went with the local cloud.
                self.end(operation, time.monotonic(), "interrupted by a restart of the local cloud")
                operations.remove(operation)
            if operations:
                self._begin(project_id, operations)

    async def join(self, project_id: str) -> None:
        """Wait until what is scheduled for the project has been done."""
        while chains := self._chains.get(project_id):
            await asyncio.wait(set(chains))

    async def close(self) -> None:
        """Stop working. What is unfinished stays so in the records, for the next start."""
        tasks = [task for chains in self._chains.values() for task in chains]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(
        self, project_id: str, operations: list[Operation], ordered: Ordered | None = None
    ) -> None:
        self._unfinished.setdefault(project_id, set()).update(each.id for each in operations)
        task = asyncio.create_task(self._run(operations, ordered))
        chains = self._chains.setdefault(project_id, set())
        chains.add(task)

        def forget(done: asyncio.Task[None]) -> None:
            chains.discard(done)
            if not chains:
                self._chains.pop(project_id, None)

        task.add_done_callback(forget)

    async def _run(self, operations: list[Operation], ordered: Ordered | None) -> None:
        failed = False
        for operation in operations:
            if failed:
                operation.status = "skipped"
                self._settle(operation)
                continue
            started = time.monotonic()
            operation.status = "running"
            operation.updated_at = self._clock.now()
            self._state.put(operation)
            mine = ordered if ordered is not None and ordered.concerns(operation.action) else None
            if mine is not None and mine.reason is None and not await mine.released():
                # The local cloud ends: the next start carries on with it.
                return
            error = mine.reason if mine is not None else None
            if error is None:
                error = await self._error_of(operation)
            failed = error is not None
            spent = time.monotonic() - started
            await asyncio.sleep(max(0.0, _SECONDS[operation.action] * self._pace - spent))
            self.end(operation, started, error)

    async def _error_of(self, operation: Operation) -> str | None:
        """Do an operation's work, and return in one line why it failed, if it did."""
        try:
            await self._perform(operation)
        except Exception as problem:  # noqa: BLE001 (whatever it was, the operation failed, and says why)
            _log.exception("operation %s (%s) failed", operation.id, operation.action)
            return f"{type(problem).__name__}: {' '.join(str(problem).split())}"
        return None

    def _settle(self, operation: Operation) -> None:
        operation.updated_at = self._clock.now()
        self._state.put(operation)
        ids = self._unfinished.get(operation.project_id, set())
        ids.discard(operation.id)
        if not ids:
            self._unfinished.pop(operation.project_id, None)

    def _forget_oldest(self, change: Change, project_id: str) -> None:
        operations = self._state.operations.of(project_id)
        for operation in operations[: max(0, len(operations) - _KEPT_PER_PROJECT)]:
            if operation.status not in UNFINISHED:
                change.delete(operation)
