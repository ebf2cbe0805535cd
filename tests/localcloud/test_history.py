"""What a data directory was at a moment, from its bases and its write-ahead log."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from localcloud.clock import render
from localcloud.postgres import history as history_module
from localcloud.postgres.cluster import Cluster, ClusterError
from localcloud.postgres.history import Moment
from localcloud.postgres.installation import outside_folder, prepare
from localcloud.postgres.leftovers import remove_leftovers
from localcloud.postgres.template import make_template

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from pathlib import Path

    from localcloud.postgres.installation import Installation

DAY = 86_400
FAR = "9999-01-01T00:00:00.000000Z"


class Place:
    """Where clusters are made."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation

    def cluster(self, name: str, retention: int = DAY) -> Cluster:
        made = Cluster(self.installation, name, "secret")
        made.retention_seconds = retention
        return made

    def bases(self) -> list[Path]:
        return list((self.installation.clusters / "history" / "bases").glob("*"))


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[[Callable[[Place], Coroutine[Any, Any, None]]], None]]:
    def play(scene: Callable[[Place], Coroutine[Any, Any, None]]) -> None:
        async def play_it() -> None:
            installation = prepare(tmp_path, "")
            await make_template(installation, "secret")
            await scene(Place(installation))

        asyncio.run(play_it())

    yield play
    shutil.rmtree(outside_folder(tmp_path), ignore_errors=True)


async def execute(cluster: Cluster, *statements: str) -> Any:
    async with cluster.held(), cluster.connect() as connection:
        for statement in statements:
            cursor = await connection.execute(statement.encode())
        return await cursor.fetchall() if cursor.description else None


async def count(cluster: Cluster) -> int:
    rows = await execute(cluster, "SELECT count(*) FROM t")
    return int(rows[0][0])


def now() -> str:
    return render(datetime.now(UTC))


def test_what_was_at_a_time_and_at_an_lsn_comes_back(run: Any) -> None:
    async def scene(place: Place) -> None:
        one = place.cluster("one")
        await one.create()
        await execute(one, "CREATE TABLE t (n int)", "INSERT INTO t VALUES (1)")
        time = now()
        rows = await execute(one, "INSERT INTO t VALUES (2)", "SELECT pg_current_wal_lsn()::text")
        await execute(one, "INSERT INTO t VALUES (3)")
        at_time, at_lsn = place.cluster("at-time"), place.cluster("at-lsn")
        await at_time.create_at(one, Moment(time=time))
        async with one.held():  # also while it runs
            await at_lsn.create_at(one, Moment(lsn=rows[0][0]))
        assert [await count(each) for each in (at_time, at_lsn, one)] == [1, 2, 3]
        # It is a place like any other: it has a future, and a history from now on.
        await execute(at_time, "INSERT INTO t VALUES (4)")
        time = now()
        await execute(at_time, "DROP TABLE t")
        again = place.cluster("again")
        await again.create_at(at_time, Moment(time=time))
        assert await count(again) == 2

    run(scene)


@pytest.mark.parametrize("running", [True, False])
def test_a_copys_history_goes_on_from_its_parents_and_survives_it(run: Any, running: bool) -> None:
    async def scene(place: Place) -> None:
        parent, child = place.cluster("parent"), place.cluster("child")
        await parent.create()
        await execute(parent, "CREATE TABLE t (n int)", "INSERT INTO t VALUES (1)")
        before = now()
        await execute(parent, "INSERT INTO t VALUES (2)")
        if running:
            async with parent.held():
                await child.create_from(parent)
        else:
            await child.create_from(parent)
        assert place.bases() == []  # the copy is the only one
        await execute(parent, "TRUNCATE t")
        await execute(child, "INSERT INTO t VALUES (3)")
        time = now()
        await execute(child, "INSERT INTO t VALUES (4)")
        await parent.destroy()
        past, early = place.cluster("past"), place.cluster("early")
        await past.create_at(child, Moment(time=time))
        await early.create_at(child, Moment(time=before))
        assert [await count(each) for each in (early, past, child)] == [1, 3, 4]

    run(scene)


def test_a_long_history_gets_a_base_and_what_is_too_old_goes(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(place: Place) -> None:
        one = place.cluster("one")
        await one.create()
        await execute(one, "CREATE TABLE t (n int)", "INSERT INTO t VALUES (1)")
        early = now()
        monkeypatch.setattr(history_module, "_MANY_SEGMENTS", 1)
        await execute(one, "INSERT INTO t SELECT generate_series(1, 60000)")
        assert len(one.history.bases) > 1
        time = now()
        await execute(one, "TRUNCATE t")
        past = place.cluster("past")
        await past.create_at(one, Moment(time=early))
        assert await count(past) == 1
        # Everything is older than a retention of no time at all.
        one.retention_seconds = -1
        await execute(one, "INSERT INTO t SELECT generate_series(1, 60000)")
        assert len(one.history.bases) == 1
        with pytest.raises(ClusterError, match="does not reach back"):
            await place.cluster("gone").create_at(one, Moment(time=time))
        one.retention_seconds = 0
        await execute(one, "SELECT 1")
        assert one.history.bases == []
        # What is left is the copy's.
        kept = {place.installation.clusters / each.path for each in past.history.bases}
        assert set(place.bases()) == kept

    run(scene)


def test_a_copy_without_a_history_of_its_parents_begins_one(run: Any) -> None:
    async def scene(place: Place) -> None:
        plain, kept = place.cluster("plain", 0), place.cluster("kept")
        await plain.create()
        await execute(plain, "CREATE TABLE t (n int)")
        await kept.create_from(plain)
        assert await count(kept) == 0
        time = now()
        await execute(kept, "INSERT INTO t VALUES (1)")
        past = place.cluster("past")
        await past.create_at(kept, Moment(time=time))
        assert await count(past) == 0

    run(scene)


def test_a_data_directory_moves_with_its_history(run: Any) -> None:
    async def scene(place: Place) -> None:
        one, two = place.cluster("one"), place.cluster("two")
        await one.create()
        await execute(one, "CREATE TABLE t (n int)")
        time = now()
        await execute(one, "INSERT INTO t VALUES (1)")
        for _ in range(2):
            await one.move(two)
        assert not one.exists
        past = place.cluster("past")
        await past.create_at(two, Moment(time=time))
        assert [await count(each) for each in (past, two)] == [0, 1]
        remove_leftovers(place.installation.clusters, {"two"})
        assert not past.exists
        assert place.bases() == []
        assert two.history.bases

    run(scene)


def test_a_history_goes_with_the_data_that_it_is_of(run: Any) -> None:
    async def scene(place: Place) -> None:
        one, target = place.cluster("one"), place.cluster("target")
        await one.create()
        await execute(one, "CREATE TABLE t (n int)")
        first = place.cluster("draft")
        await first.create_at(one, Moment(time=now()))
        # A kill in the middle of the move, and the next start.
        first.history.move(target.history)
        remove_leftovers(place.installation.clusters, {"one", "target"})
        assert not first.exists
        second = place.cluster("draft")
        await second.create_at(one, Moment(time=now()))
        bases = second.history.bases
        await second.move(target)
        assert target.history.bases == bases
        assert [place.installation.clusters / each.path for each in bases] == place.bases()
        await execute(target, "INSERT INTO t VALUES (1)")
        time = now()
        await execute(target, "INSERT INTO t VALUES (2)")
        past = place.cluster("past")
        await past.create_at(target, Moment(time=time))
        assert [await count(past), await count(target)] == [1, 2]

    run(scene)


def test_an_lsn_is_what_was_written_before_it(run: Any) -> None:
    async def scene(place: Place) -> None:
        one, past = place.cluster("one"), place.cluster("past")
        await one.create()
        await execute(one, "CREATE TABLE t (n int)", "INSERT INTO t VALUES (1)")
        # The commit begins at the number that is told.
        async with one.held(), one.connect() as connection, connection.transaction():
            await connection.execute("INSERT INTO t VALUES (2)")
            told = await connection.execute("SELECT pg_current_wal_insert_lsn()::text")
            [(lsn,)] = await told.fetchall()
        await past.create_at(one, Moment(lsn=lsn))
        assert [await count(past), await count(one)] == [1, 2]

    run(scene)


def test_a_moment_that_has_not_come_fails_and_leaves_nothing(run: Any) -> None:
    async def scene(place: Place) -> None:
        one, two = place.cluster("one"), place.cluster("two")
        await one.create()
        with pytest.raises(ClusterError):
            await two.create_at(one, Moment(time=FAR))
        assert not two.exists
        branches = place.installation.clusters / "branches"
        assert {path.name for path in branches.iterdir()} == {"one", "one.log"}

    run(scene)
