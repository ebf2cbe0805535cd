from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest

from localcloud.clock import Clock, render
from localcloud.faults.standing import Faults
from localcloud.neon.computes import Compute
from localcloud.neon.operations import Operations
from localcloud.neon.usage import used
from localcloud.postgres.cluster import Cluster, ClusterError
from localcloud.postgres.front import Session
from localcloud.postgres.refusal import RefusedError
from localcloud.records import Branch, Endpoint, Operation
from localcloud.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from localcloud.neon.lists import Lists

NOW = "2026-01-01T00:00:00.000000Z"


class FakeLists:
    """Lists that only note when they were taken."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.can_be_taken = True

    def opened(self, _branch_id: str) -> None:
        self.calls.append("opened")

    async def take(self, _branch_id: str, cluster: FakeCluster) -> bool:
        self.calls.append("taken from a server that runs" if cluster.running else "too late")
        return self.can_be_taken

    def closed(self, _branch_id: str, cluster: FakeCluster) -> None:
        self.calls.append("closed too early" if cluster.running else "closed")


class FakeCluster:
    """A server that only counts."""

    socket = "/socket"

    def __init__(self) -> None:
        self.running = False
        self.starts = 0
        self.is_busy = False
        self.broken = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.lists = FakeLists()

    async def acquire(self) -> None:
        await self.gate.wait()
        if self.broken:
            raise ClusterError("does not start")
        self.starts += 1
        self.running = True

    async def release(self) -> None:
        self.running = False

    async def revive(self) -> None:
        self.running = True

    async def busy(self) -> bool:
        return self.is_busy

    def connect(self) -> None:
        raise ClusterError("has nothing to connect to")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "state.db")
    state.put(
        Branch("br-1", "p", "main", None, True, False, "ready", None, NOW, NOW, NOW),
        Endpoint(
            id="ep-1",
            project_id="p",
            branch_id="br-1",
            host="127.64.0.1",
            pooler_host="127.64.0.2",
            type="read_write",
            region_id="aws-us-east-2",
            autoscaling_limit_min_cu=1,
            autoscaling_limit_max_cu=1,
            suspend_timeout_seconds=0,
            provisioner="k8s-neonvm",
            settings={},
            pooler_enabled=False,
            pooler_mode="transaction",
            disabled=False,
            passwordless_access=True,
            current_state="init",
            pending_state="active",
            created_at=NOW,
            updated_at=NOW,
        ),
    )
    yield state
    state.close()


async def _nothing(_operation: Operation) -> None:
    """No operation has work in these tests."""


def compute(state: State, cluster: FakeCluster) -> Compute:
    operations = Operations(state, Clock(), 0, _nothing)
    return Compute(
        state.endpoints["ep-1"],
        cast("Cluster", cluster),
        state,
        Clock(),
        operations,
        cast("Lists", cluster.lists),
        Faults(),
    )


def actions(state: State) -> list[tuple[str, str]]:
    return [(each.action, each.status) for each in state.operations.of("p")]


def test_an_idle_compute_is_suspended_and_says_so(state: State) -> None:
    async def scenario() -> None:
        cluster = FakeCluster()
        one = compute(state, cluster)
        endpoint = state.endpoints["ep-1"]
        endpoint.suspend_timeout_seconds = cast("int", 0.05)
        await one.admit()
        assert (endpoint.current_state, endpoint.pending_state) == ("active", None)
        await asyncio.sleep(0.15)
        assert not cluster.running
        assert endpoint.current_state == "idle"
        assert endpoint.suspended_at
        assert actions(state) == [("start_compute", "finished"), ("suspend_compute", "finished")]
        await one.close()

    asyncio.run(scenario())


def test_a_busy_session_keeps_a_compute_awake_and_an_idle_one_does_not(state: State) -> None:
    async def scenario() -> None:
        cluster = FakeCluster()
        cluster.is_busy = True
        one = compute(state, cluster)
        state.endpoints["ep-1"].suspend_timeout_seconds = cast("int", 0.03)
        await one.admit()

        class Open(Session):
            def __init__(self) -> None:
                self.was_cut = False

            def cut(self) -> None:
                self.was_cut = True

        session = Open()
        one.entered(session)
        await asyncio.sleep(0.1)
        assert cluster.running
        cluster.is_busy = False
        await asyncio.sleep(0.1)
        assert not cluster.running
        assert session.was_cut
        await one.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("can_be_taken", [True, False])
def test_the_lists_are_taken_before_the_server_stops_however_it_is_stopped(
    state: State, *, can_be_taken: bool
) -> None:
    async def scenario() -> None:
        cluster = FakeCluster()
        cluster.lists.can_be_taken = can_be_taken
        one = compute(state, cluster)
        once = ["opened", "taken from a server that runs", *(["closed"] if can_be_taken else [])]
        state.endpoints["ep-1"].suspend_timeout_seconds = cast("int", 0.02)
        await one.admit()
        await asyncio.sleep(0.1)
        assert cluster.lists.calls == once
        state.endpoints["ep-1"].suspend_timeout_seconds = -1
        await one.start()
        await one.suspend()
        await one.suspend()
        assert cluster.lists.calls == once * 2
        await one.start()
        await one.close()
        assert cluster.lists.calls == once * 3

    asyncio.run(scenario())


def test_minus_one_means_never(state: State) -> None:
    async def scenario() -> None:
        cluster = FakeCluster()
        one = compute(state, cluster)
        endpoint = state.endpoints["ep-1"]
        endpoint.suspend_timeout_seconds = cast("int", 0.03)
        await one.start()
        endpoint.suspend_timeout_seconds = -1
        one.rearm()
        await asyncio.sleep(0.1)
        assert cluster.running
        await one.close()
        assert not cluster.running

    asyncio.run(scenario())


def test_connections_at_once_start_one_server(state: State) -> None:
    async def scenario() -> None:
        cluster = FakeCluster()
        one = compute(state, cluster)
        await asyncio.gather(*(one.admit() for _ in range(5)))
        assert cluster.starts == 1
        assert actions(state) == [("start_compute", "finished")]
        await one.close()

    asyncio.run(scenario())


def test_a_server_that_does_not_start_is_a_failed_operation_and_an_idle_endpoint(
    state: State,
) -> None:
    async def scenario() -> None:
        cluster = FakeCluster()
        cluster.broken = True
        one = compute(state, cluster)
        with pytest.raises(ClusterError):
            await one.admit()
        assert actions(state) == [("start_compute", "failed")]
        assert state.endpoints["ep-1"].current_state == "idle"
        cluster.broken = False
        await one.admit()
        assert state.endpoints["ep-1"].current_state == "active"
        await one.close()

    asyncio.run(scenario())


def test_a_connection_that_is_given_up_during_the_start_leaves_no_lock(state: State) -> None:
    async def scenario() -> None:
        cluster = FakeCluster()
        operations = Operations(state, Clock(), 0, _nothing)
        endpoint = state.endpoints["ep-1"]
        one = Compute(
            endpoint,
            cast("Cluster", cluster),
            state,
            Clock(),
            operations,
            cast("Lists", cluster.lists),
            Faults(),
        )
        cluster.gate.clear()
        admission = asyncio.create_task(one.admit())
        await asyncio.sleep(0.01)
        assert operations.unfinished("p")
        admission.cancel()
        await asyncio.gather(admission, return_exceptions=True)
        assert not operations.unfinished("p")
        assert actions(state) == [("start_compute", "failed")]
        cluster.gate.set()
        await one.admit()
        assert cluster.running
        await one.close()

    asyncio.run(scenario())


def test_a_disabled_endpoint_admits_nobody(state: State) -> None:
    async def scenario() -> None:
        cluster = FakeCluster()
        one = compute(state, cluster)
        state.endpoints["ep-1"].disabled = True
        with pytest.raises(RefusedError, match="has been disabled"):
            await one.admit()
        assert cluster.starts == 0

    asyncio.run(scenario())


def test_what_a_compute_used_is_kept_by_the_hour_when_it_ends(state: State) -> None:
    async def scenario() -> None:
        one = compute(state, FakeCluster())
        await one.admit()
        state.endpoints["ep-1"].started_at = render(datetime.now(UTC) - timedelta(minutes=90))
        assert round(sum(each.active_seconds for each in used(state, "p"))) == 5400
        await one.suspend()

    asyncio.run(scenario())
    kept = state.usage.of("p")
    assert len(kept) in {2, 3}
    assert round(sum(each.active_seconds for each in kept)) == 5400
    assert used(state, "p") == kept
