from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from localcloud.clock import Clock
from localcloud.faults.operations import ORDERED, Ordered
from localcloud.neon.errors import ApiError
from localcloud.neon.operations import Operations, Step
from localcloud.records import Operation
from localcloud.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STEPS = [
    Step("create_timeline", {"kind": "a"}, branch_id="br-1"),
    Step("start_compute", {"kind": "b"}, branch_id="br-1", endpoint_id="ep-1"),
]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "state.db")
    yield state
    state.close()


class Worker:
    """Does tasks by noting them; ``fails`` names the kind that does not succeed."""

    def __init__(self, fails: str = "") -> None:
        self.done: list[str] = []
        self.fails = fails
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, operation: Operation) -> None:
        await self.gate.wait()
        self.done.append(operation.task["kind"])
        if operation.task["kind"] == self.fails:
            raise RuntimeError("no\nluck")


def schedule(operations: Operations, state: State, project: str = "p") -> list[Operation]:
    with state.change() as change:
        return operations.schedule(change, project, STEPS)


def test_operations_run_in_order_and_finish(state: State) -> None:
    async def scenario() -> None:
        worker = Worker()
        operations = Operations(state, Clock(), 0, worker)
        made = schedule(operations, state)
        assert [each.status for each in made] == ["running", "scheduling"]
        await operations.join("p")
        assert worker.done == ["a", "b"]
        assert [each.status for each in made] == ["finished", "finished"]

    asyncio.run(scenario())


def test_a_project_is_locked_until_its_operations_have_ended_and_others_are_not(
    state: State,
) -> None:
    async def scenario() -> None:
        worker = Worker()
        worker.gate.clear()
        operations = Operations(state, Clock(), 0, worker)
        schedule(operations, state)
        with pytest.raises(ApiError) as caught:
            operations.check_unlocked("p")
        assert caught.value.status == 423
        operations.check_unlocked("other")
        worker.gate.set()
        await operations.join("p")
        operations.check_unlocked("p")

    asyncio.run(scenario())


def test_a_failure_is_told_in_one_line_and_what_follows_is_skipped(state: State) -> None:
    async def scenario() -> None:
        operations = Operations(state, Clock(), 0, Worker(fails="a"))
        first, second = schedule(operations, state)
        await operations.join("p")
        assert (first.status, first.error, first.failures_count) == (
            "failed",
            "RuntimeError: no luck",
            1,
        )
        assert second.status == "skipped"
        operations.check_unlocked("p")

    asyncio.run(scenario())


def test_the_pace_stretches_an_operation(state: State) -> None:
    async def scenario() -> None:
        operations = Operations(state, Clock(), 0.05, Worker())
        first, second = schedule(operations, state)
        await operations.join("p")
        # 3.1 s and 4.8 s on Neon.
        assert first.total_duration_ms >= 150
        assert second.total_duration_ms >= 235

    asyncio.run(scenario())


def test_unfinished_operations_are_carried_on_by_the_next_run(tmp_path: Path) -> None:
    async def first_run() -> None:
        state = State(tmp_path / "state.db")
        worker = Worker()
        worker.gate.clear()
        operations = Operations(state, Clock(), 0, worker)
        schedule(operations, state)
        operations.record("p", "start_compute", branch_id="br-1", endpoint_id="ep-1")
        await asyncio.sleep(0)
        await operations.close()
        state.close()

    async def second_run() -> None:
        state = State(tmp_path / "state.db")
        worker = Worker()
        operations = Operations(state, Clock(), 0, worker)
        with pytest.raises(ApiError):
            operations.check_unlocked("p")
        operations.resume()
        await operations.join("p")
        operations.check_unlocked("p")
        assert worker.done == ["a", "b"]
        statuses = [each.status for each in state.operations.of("p")]
        # What a connection had begun ended with the process: it is failed, not forgotten.
        assert statuses == ["finished", "finished", "failed"]
        state.close()

    asyncio.run(first_run())
    asyncio.run(second_run())


def test_old_operations_are_forgotten(state: State) -> None:
    async def scenario() -> None:
        operations = Operations(state, Clock(), 0, Worker())
        for _ in range(510):
            schedule(operations, state)
            await operations.join("p")
        assert len(state.operations.of("p")) <= 1001

    asyncio.run(scenario())


def ordered(reason: str | None, released: asyncio.Event, *, goes_on: bool = True) -> Ordered:
    async def wait() -> bool:
        await released.wait()
        return goes_on

    return Ordered("start_compute", reason, wait)


def test_an_operation_fails_as_ordered_without_its_work(state: State) -> None:
    async def scenario() -> None:
        worker = Worker()
        operations = Operations(state, Clock(), 0, worker)
        token = ORDERED.set(ordered("no capacity", asyncio.Event()))
        _, second = schedule(operations, state)
        ORDERED.reset(token)
        await operations.join("p")
        assert worker.done == ["a"]
        assert (second.status, second.error) == ("failed", "no capacity")
        later, _ = schedule(operations, state)
        await operations.join("p")
        assert later.status == "finished"

    asyncio.run(scenario())


def test_an_operation_that_never_ends_goes_on_once_its_order_is_taken_back(state: State) -> None:
    async def scenario() -> None:
        worker, released = Worker(), asyncio.Event()
        operations = Operations(state, Clock(), 0, worker)
        ORDERED.set(ordered(None, released))
        _, second = schedule(operations, state)
        async with asyncio.timeout(10):
            while second.status != "running":
                await asyncio.sleep(0.01)
        assert worker.done == ["a"]
        with pytest.raises(ApiError):
            operations.check_unlocked("p")
        released.set()
        await operations.join("p")
        assert (worker.done, second.status) == (["a", "b"], "finished")

    asyncio.run(scenario())


def test_an_operation_that_never_ends_is_carried_on_by_the_next_start(state: State) -> None:
    async def scenario() -> None:
        worker, released = Worker(), asyncio.Event()
        operations = Operations(state, Clock(), 0, worker)
        token = ORDERED.set(ordered(None, released, goes_on=False))
        schedule(operations, state)
        ORDERED.reset(token)
        released.set()
        await operations.join("p")
        assert worker.done == ["a"]
        again = Operations(state, Clock(), 0, worker)
        again.resume()
        await again.join("p")
        assert worker.done == ["a", "b"]
        again.check_unlocked("p")

    asyncio.run(scenario())
