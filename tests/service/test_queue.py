"""Operations, claims and the queue on a real server: nothing is done twice, nothing is lost."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tenantry.selfservice import claims, operations, specs
from tenantry.selfservice.claims import Worker
from tenantry.selfservice.database import check, pool, transaction
from tenantry.selfservice.errors import AwayError, SelfServiceError
from tenantry.selfservice.jobs import wake
from tenantry.selfservice.operations import Wanted
from tenantry.selfservice.queue import POLL_SECONDS, Queue
from tenantry.selfservice.queue_tables import migrate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from uuid import UUID

    from tenantry.selfservice.database import Pool
    from tests.localcloud.catalog import Catalog

ONE = Worker("one", "host-1", 101)
OTHER = Worker("other", "host-2", 101)
WANTED = Wanted(namespace="tenantry", app_id="acme/web", kind="create", actor="tests|ann")


@dataclass
class Service:
    connections: Pool
    queue: Queue

    async def ask(self, wanted: Wanted = WANTED) -> operations.Operation:
        async with transaction(self.connections) as connection:
            asked = await operations.ask(connection, wanted)
            await wake(self.queue, connection, asked.id, key=asked.key, priority=asked.priority)
            return asked

    async def claim(self, operation: UUID, worker: Worker = ONE) -> claims.Claim | None:
        async with transaction(self.connections) as connection:
            return await claims.claim(connection, operation, worker)

    async def now(self, operation: UUID) -> operations.Operation:
        async with transaction(self.connections) as connection:
            found = await operations.get(connection, operation)
        assert found is not None
        return found

    async def work(self, perform: Callable[[UUID], Awaitable[None]], seconds: float = 10) -> None:
        """Work until `perform` has raised `Enough`, or time is up."""
        done = asyncio.Event()

        async def once(operation: UUID) -> None:
            try:
                await perform(operation)
            finally:
                done.set()

        work = asyncio.create_task(self.queue.work(once, name="t", slots=4, finish_seconds=5))
        await asyncio.wait_for(done.wait(), seconds)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


@asynccontextmanager
async def service(catalog: Catalog) -> AsyncIterator[Service]:
    connections = pool(catalog.url)
    await connections.open()
    try:
        async with Queue(catalog.url) as queue:
            yield Service(connections, queue)
    finally:
        await connections.close()


def run(catalog: Catalog, scenario: Callable[[Service], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with service(catalog) as opened:
            await scenario(opened)

    asyncio.run(whole())


def expire(catalog: Catalog, operation: UUID) -> None:
    """Let the lease of a claim be over, as after a worker's death."""
    catalog.ask(
        "UPDATE tenantry.operations SET lease_until = now() - interval '1 second' WHERE id = %s",
        operation,
    )


def test_the_queue_has_tables_of_its_own_and_a_second_start_makes_none(catalog: Catalog) -> None:
    tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'tenantry_jobs'::regnamespace"
    before = catalog.ask(tables)
    migrate(catalog.url)
    assert catalog.ask(tables) == before
    assert catalog.ask("SELECT count(*) > 30 FROM tenantry_jobs.applied") == [(True,)]
    with catalog.user("tenantry_service") as worker:
        migrate(worker.url)


def test_the_scripts_of_the_queue_one_by_one_make_what_its_schema_makes(
    catalog: Catalog, database: Catalog
) -> None:
    columns = (
        "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns "
        "WHERE table_schema = 'tenantry_jobs' ORDER BY 1, 2"
    )
    database.ask("CREATE SCHEMA tenantry_jobs")
    database.ask(
        "CREATE TABLE tenantry_jobs.applied (name text PRIMARY KEY, at timestamptz DEFAULT now())"
    )
    # One script counts as applied, so the rest is applied script by script.
    database.ask("INSERT INTO tenantry_jobs.applied (name) VALUES ('00.00.00_00_none.sql')")
    migrate(database.url)
    assert database.ask(columns) == catalog.ask(columns)


def test_a_job_is_there_if_and_only_if_its_operation_is(catalog: Catalog) -> None:
    async def scenario(service: Service) -> None:
        async def asked_for_and_lost() -> None:
            async with transaction(service.connections) as connection:
                asked = await operations.ask(connection, WANTED)
                await wake(service.queue, connection, asked.id, key=asked.key)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await asked_for_and_lost()
        assert catalog.ask("SELECT count(*) FROM tenantry_jobs.procrastinate_jobs") == [(0,)]
        asked = await service.ask()
        done: list[UUID] = []

        async def perform(operation: UUID) -> None:
            done.append(operation)

        await service.work(perform)
        assert done == [asked.id]
        assert catalog.ask("SELECT count(*) FROM tenantry_jobs.procrastinate_jobs") == [(0,)]

    run(catalog, scenario)


def test_what_waits_is_asked_for_once_and_takes_on_the_newest_generation(catalog: Catalog) -> None:
    async def scenario(service: Service) -> None:
        first = await service.ask(Wanted(**{**vars(WANTED), "generation": 1}))
        again = await service.ask(Wanted(**{**vars(WANTED), "generation": 2}))
        assert again.id == first.id
        assert again.generation == 2
        own = await service.claim(first.id)
        assert own is not None
        later = await service.ask(Wanted(**{**vars(WANTED), "generation": 3}))
        assert later.id != first.id
        assert await service.claim(later.id) is None, "its app is being worked on"

    run(catalog, scenario)


def test_only_one_of_many_that_claim_at_once_gets_the_app(catalog: Catalog) -> None:
    async def scenario(service: Service) -> None:
        create = await service.ask()
        rotate = await service.ask(Wanted(**{**vars(WANTED), "kind": "rotate"}))
        tries = [
            service.claim(each.id, Worker(f"w{n}", "h", n))
            for n in range(10)
            for each in (create, rotate)
        ]
        taken = [each for each in await asyncio.gather(*tries) if each]
        assert len(taken) == 1
        assert taken[0].operation.attempts == 1

    run(catalog, scenario)


def test_a_claim_that_is_over_writes_nothing_and_who_goes_on_knows_whose_it_was(
    catalog: Catalog,
) -> None:
    async def scenario(service: Service) -> None:
        asked = await service.ask()
        mine = await service.claim(asked.id)
        assert mine is not None
        assert mine.engines == ()
        async with transaction(service.connections) as connection:
            assert await claims.note_engine(connection, mine.id, 4711)
            assert await claims.renew(connection, [mine.id], ONE.lease) == {mine.id: False}
        assert await service.claim(asked.id, OTHER) is None
        expire(catalog, asked.id)
        async with transaction(service.connections) as connection:
            assert await claims.renew(connection, [mine.id], ONE.lease) == {}
            assert not await claims.succeed(connection, mine, changed=True)
        theirs = await service.claim(asked.id, OTHER)
        assert theirs is not None
        assert [(each.host, each.pid) for each in theirs.engines] == [("host-1", 4711)]
        async with transaction(service.connections) as connection:
            assert not await claims.note_engine(connection, mine.id, 4712)
            assert not await claims.fail(connection, mine, "lasting", "late")
            assert not await claims.put_back(
                connection, mine, after=timedelta(0), kind="lost", text="late"
            )
            assert await claims.succeed(connection, theirs, changed=True)
        now = await service.now(asked.id)
        assert (now.status, now.attempts, now.interruptions) == ("succeeded", 1, 1)
        async with transaction(service.connections) as connection:
            kinds = [each.kind for each in await operations.happenings(connection, asked.id)]
        assert kinds == ["queued", "started", "interrupted", "succeeded"]

    run(catalog, scenario)


def test_a_retry_waits_without_a_job_and_then_gets_one(catalog: Catalog) -> None:
    async def scenario(service: Service) -> None:
        asked = await service.ask()
        own = await service.claim(asked.id)
        assert own is not None
        async with transaction(service.connections) as connection:
            assert await claims.put_back(
                connection, own, after=timedelta(minutes=5), kind="passing", text="no answer"
            )
            assert await operations.due(connection) == []
        catalog.ask("UPDATE tenantry.operations SET next_attempt_at = now()")
        async with transaction(service.connections) as connection:
            (due,) = await operations.due(connection)
        assert (due.id, due.attempts, due.error_text) == (asked.id, 1, "no answer")

    run(catalog, scenario)


def test_a_retry_gives_way_to_the_same_that_was_asked_for_meanwhile(catalog: Catalog) -> None:
    async def scenario(service: Service) -> None:
        first = await service.ask()
        own = await service.claim(first.id)
        assert own is not None
        later = await service.ask()
        async with transaction(service.connections) as connection:
            assert await claims.put_back(
                connection, own, after=timedelta(minutes=5), kind="passing", text="no answer"
            )
        assert (await service.now(first.id)).status == "cancelled"
        assert (await service.now(later.id)).status == "queued"

    run(catalog, scenario)


def test_a_waiting_operation_is_cancelled_at_once_and_one_under_way_is_asked_to_end(
    catalog: Catalog,
) -> None:
    async def scenario(service: Service) -> None:
        asked = await service.ask()
        async with transaction(service.connections) as connection:
            ended = await operations.cancel(connection, asked.id)
            assert ended is not None
            assert ended.status == "cancelled"
            assert await operations.cancel(connection, asked.id) is None
        assert await service.claim(asked.id) is None
        again = await service.ask()
        own = await service.claim(again.id)
        assert own is not None
        async with transaction(service.connections) as connection:
            going = await operations.cancel(connection, again.id)
            assert going is not None
            assert going.status == "running"
            assert await claims.renew(connection, [own.id], ONE.lease) == {own.id: True}
            assert await claims.end_cancelled(connection, own)
        assert (await service.now(again.id)).status == "cancelled"

    run(catalog, scenario)


def test_a_lost_queue_is_known_by_its_jobs(catalog: Catalog) -> None:
    async def scenario(service: Service) -> None:
        asked = await service.ask()
        async with transaction(service.connections) as connection:
            jobs = await operations.jobs_of_open(connection)
            assert await service.queue.open(connection, jobs) == set(jobs)
        catalog.ask("TRUNCATE tenantry_jobs.procrastinate_jobs CASCADE")
        async with transaction(service.connections) as connection:
            assert await service.queue.open(connection, jobs) == set()
            assert list(jobs.values()) == [asked.id]

    run(catalog, scenario)


def test_apps_are_counted_and_named_once(catalog: Catalog) -> None:
    async def scenario(service: Service) -> None:
        async def add(name: str) -> specs.Spec | None:
            async with transaction(service.connections) as connection:
                if await specs.count(connection, "tenantry", "acme") >= 3:
                    return None
                return await specs.insert(
                    connection,
                    namespace="tenantry",
                    tenant="acme",
                    name=name,
                    plan="starter",
                    overrides={},
                    owner="o",
                )

        made = await asyncio.gather(*(add(f"app-{n % 5}") for n in range(8)))
        names = sorted(each.name for each in made if each)
        assert len(names) == 3 == len(set(names))
        async with transaction(service.connections) as connection:
            which = specs.Filter(namespace="tenantry", tenant="acme")
            first = await specs.page(connection, which, limit=2)
            last = first[-1]
            rest = await specs.page(connection, which, after=(last.created_at, last.id), limit=2)
            assert sorted(each.name for each in (*first, *rest)) == names
            assert {each.status for each in first} == {"provisioning"}
            for status in specs.STATUSES:
                found = await specs.page(
                    connection, specs.Filter(namespace="tenantry", statuses=frozenset({status}))
                )
                assert len(found) == (3 if status == "provisioning" else 0)

    run(catalog, scenario)


def test_a_status_is_the_same_in_a_row_and_in_a_page_of_it(catalog: Catalog) -> None:
    async def scenario(service: Service) -> None:
        async with transaction(service.connections) as connection:
            spec = await specs.insert(
                connection,
                namespace="tenantry",
                tenant="acme",
                name="web",
                plan="starter",
                overrides={},
                owner="o",
            )
            assert spec is not None

            async def stands(status: specs.Status) -> None:
                row = await specs.get(connection, spec.id)
                which = specs.Filter(namespace="tenantry", statuses=frozenset({status}))
                (found,) = await specs.page(connection, which)
                assert row is not None
                assert (row.status, found.status) == (status, status)

            await stands("provisioning")
            await specs.mark_observed(connection, spec.id, 1)
            await stands("ready")
            changed = await specs.change(
                connection, spec.id, plan="pro", overrides={}, generation=1
            )
            assert changed is not None
            assert (
                await specs.change(connection, spec.id, plan="pro", overrides={}, generation=1)
                is None
            )
            await stands("updating")
            asked = await operations.ask(
                connection, Wanted(**{**vars(WANTED), "kind": "update", "spec": spec.id})
            )
            own = await claims.claim(connection, asked.id, ONE)
            assert own is not None
            assert await claims.fail(connection, own, "lasting", "no such region")
            await stands("failed")
            await operations.ask(
                connection, Wanted(**{**vars(WANTED), "kind": "delete", "spec": spec.id})
            )
            await specs.request_deletion(connection, spec.id)
            # Both were made in one transaction, at one moment.
            await connection.execute(
                "UPDATE tenantry.operations SET created_at = created_at - interval '1 s' WHERE kind = 'update'"
            )
            await stands("deleting")
            await specs.mark_deleted(connection, spec.id)
            await stands("deleted")

    run(catalog, scenario)


def test_a_user_without_the_service_s_role_is_told_which_one_it_lacks(catalog: Catalog) -> None:
    check(catalog.url)
    with (
        catalog.user() as nobody,
        pytest.raises(SelfServiceError, match="GRANT tenantry_service TO the user"),
    ):
        check(nobody.url)


def test_a_database_that_is_away_is_told_without_its_password() -> None:
    with pytest.raises(AwayError) as raised:
        check("postgresql://ann:hidden-word@127.0.0.1:1/catalog")
    assert "hidden-word" not in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_a_job_that_comes_while_the_queue_is_asked_does_not_wait_for_the_next_look(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(service: Service) -> None:
        jobs = service.queue._app.job_manager
        fetch = jobs.fetch_job
        asked: list[operations.Operation] = []

        async def fetch_and_be_late(**named: Any) -> Any:
            found = await fetch(**named)
            if found is None and not asked:
                asked.append(await service.ask())
                # It is told, and heard, while the answer is still on its way.
                await asyncio.sleep(0.3)
            return found

        monkeypatch.setattr(jobs, "fetch_job", fetch_and_be_late)
        done: list[UUID] = []

        async def perform(operation: UUID) -> None:
            done.append(operation)

        await service.work(perform, seconds=POLL_SECONDS - 2)
        assert done == [asked[0].id]

    run(catalog, scenario)
