from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, cast

import pytest

from localcloud.clock import Clock
from localcloud.neon import lists as module
from localcloud.neon.lists import Lists
from localcloud.postgres import catalog
from localcloud.postgres.catalog import FoundDatabase
from localcloud.postgres.cluster import Cluster, ClusterError
from localcloud.records import Branch, Database, Operation, Role
from localcloud.state import State

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

NOW = "2026-01-01T00:00:00.000000Z"


class FakeCluster:
    """A server with a list of each."""

    def __init__(self) -> None:
        self.running = True
        self.starts = 0
        self.broken = False
        self.stays = False
        self.roles = {"owner": True, "group": False}
        self.databases = [FoundDatabase("app", "owner"), FoundDatabase("second", "group")]
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    @contextlib.asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        if self.broken:
            raise ClusterError("does not start")
        self.starts += 1
        self.running = True
        yield
        self.running = self.stays


async def _list_all(cluster: FakeCluster) -> tuple[dict[str, bool], list[FoundDatabase]]:
    if cluster.meanwhile:
        await cluster.meanwhile()
    return cluster.roles, cluster.databases


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[State]:
    monkeypatch.setattr(catalog, "list_all", _list_all)
    state = State(tmp_path / "state.db")
    state.put(
        Branch("br-1", "p", "main", None, True, False, "ready", None, NOW, NOW, NOW),
        Role("br-1", "owner", "secret", NOW, NOW),
        Role("br-1", "dropped", "secret", NOW, NOW),
        Database("br-1", 7, "app", "dropped", NOW, NOW),
        Database("br-1", 8, "gone", "owner", NOW, NOW),
    )
    yield state
    state.close()


def operation(kind: str, status: str = "running", branch: str = "br-1") -> Operation:
    return Operation(
        f"{kind} {status}", "p", "any", status, NOW, NOW, branch_id=branch, task={"kind": kind}
    )


def sync(state: State, cluster: FakeCluster) -> None:
    lists = Lists(state, Clock())
    asyncio.run(lists.sync(state.branches["br-1"], cast("Cluster", cluster)))


def known(state: State) -> tuple[dict[str, str | None], dict[str, str]]:
    return (
        {each.name: each.password for each in state.roles.of("br-1")},
        {each.name: each.owner_name for each in state.databases.of("br-1")},
    )


TAKEN = ({"owner": "secret", "group": None}, {"app": "owner", "second": "group"})
BEFORE = ({"owner": "secret", "dropped": "secret"}, {"app": "dropped", "gone": "owner"})


def test_what_the_server_has_is_taken_over_and_passwords_and_ids_are_kept(state: State) -> None:
    sync(state, FakeCluster())
    assert known(state) == TAKEN
    assert state.databases["br-1/app"].id == 7
    assert state.databases["br-1/second"].id == 8
    assert state.roles["br-1/group"].no_login
    assert not state.roles["br-1/owner"].no_login


@pytest.mark.parametrize("kind", ["create_role", "drop_database", "create_timeline"])
def test_while_an_operation_changes_the_server_the_state_is_right(state: State, kind: str) -> None:
    state.put(operation(kind))
    sync(state, FakeCluster())
    assert known(state) == BEFORE
    state.put(operation(kind, "finished"))
    sync(state, FakeCluster())
    assert known(state) == TAKEN


def test_other_operations_do_not_matter(state: State) -> None:
    state.put(operation("suspend"), operation("restart"), operation("create_role", branch="br-2"))
    sync(state, FakeCluster())
    assert known(state) == TAKEN


def test_a_change_made_and_finished_meanwhile_makes_the_lists_old(state: State) -> None:
    async def meanwhile() -> None:
        state.put(operation("create_role", "finished"), Role("br-1", "new", "s", NOW, NOW))

    cluster = FakeCluster()
    cluster.meanwhile = meanwhile
    sync(state, cluster)
    assert "br-1/new" in state.roles


def test_a_sleeping_server_is_started_only_if_clients_may_have_changed_something(
    state: State,
) -> None:
    cluster = FakeCluster()
    cluster.running = False
    sync(state, cluster)
    assert (cluster.starts, known(state)) == (0, BEFORE)
    Lists(state, Clock()).opened("br-1")
    sync(state, cluster)
    assert (cluster.starts, known(state)) == (1, TAKEN)
    sync(state, cluster)
    assert cluster.starts == 1


def test_lists_stay_stale_while_others_keep_the_server_running(state: State) -> None:
    cluster = FakeCluster()
    cluster.running = False
    cluster.stays = True
    Lists(state, Clock()).opened("br-1")
    sync(state, cluster)
    assert state.branches["br-1"].lists_stale


def test_staleness_survives_the_process(state: State, tmp_path: Path) -> None:
    Lists(state, Clock()).opened("br-1")
    again = State(tmp_path / "state.db")
    assert again.branches["br-1"].lists_stale
    again.close()


def test_a_server_that_does_not_start_leaves_the_lists_and_a_line_in_the_log(
    state: State, caplog: pytest.LogCaptureFixture
) -> None:
    cluster = FakeCluster()
    cluster.running = False
    cluster.broken = True
    Lists(state, Clock()).opened("br-1")
    sync(state, cluster)
    assert known(state) == BEFORE
    assert state.branches["br-1"].lists_stale
    assert "cannot list what branch br-1 has: does not start" in caplog.text


def test_a_server_that_does_not_answer_is_not_waited_for(
    state: State, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SECONDS", 0.01)
    cluster = FakeCluster()
    cluster.meanwhile = lambda: asyncio.sleep(10)
    sync(state, cluster)
    assert known(state) == BEFORE
    assert "no answer" in caplog.text
