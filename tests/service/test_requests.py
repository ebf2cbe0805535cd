"""Requests that are sent again, waiting for what happens, and what may be done once: on a real server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from tenantry.selfservice import audit, idempotency, operations
from tenantry.selfservice.database import pool, transaction
from tenantry.selfservice.idempotency import Keyed, OtherRequestError, UnderWayError
from tenantry.selfservice.listening import Listener, wait
from tenantry.selfservice.operations import Wanted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tenantry.selfservice.database import Pool
    from tests.localcloud.catalog import Catalog

ASKED = Keyed(caller="tests|ann", key="k-1", request="POST /v1/apps", body_hash="ab")
WANTED = Wanted(namespace="tenantry", app_id="acme/web", kind="create", actor="tests|ann")


def run(catalog: Catalog, scenario: Callable[[Pool], Awaitable[None]]) -> None:
    async def whole() -> None:
        connections = pool(catalog.url)
        async with connections:
            await scenario(connections)

    asyncio.run(whole())


def test_a_key_leads_to_what_came_of_its_first_request_for_a_day(catalog: Catalog) -> None:
    async def scenario(connections: Pool) -> None:
        async with transaction(connections) as connection:
            assert await idempotency.earlier(connection, ASKED) is None
            asked = await operations.ask(connection, WANTED)
            await idempotency.keep(connection, ASKED, spec=None, operation=asked.id)
            with pytest.raises(UnderWayError):
                async with transaction(connections) as second:
                    await idempotency.earlier(second, ASKED)
        async with transaction(connections) as connection:
            found = await idempotency.earlier(connection, ASKED)
            assert found is not None
            assert found.operation == asked.id
            for changed in ({"body_hash": "cd"}, {"request": "POST /v1/apps/1/rotate"}):
                with pytest.raises(OtherRequestError):
                    await idempotency.earlier(connection, Keyed(**{**vars(ASKED), **changed}))
            other = Keyed(**{**vars(ASKED), "caller": "tests|bob", "body_hash": "cd"})
            assert await idempotency.earlier(connection, other) is None
        catalog.ask("UPDATE tenantry.idempotency_keys SET expires_at = now()")
        async with transaction(connections) as connection:
            assert await idempotency.earlier(connection, ASKED) is None
            await idempotency.keep(connection, other, spec=None, operation=None)
        assert catalog.ask("SELECT caller FROM tenantry.idempotency_keys") == [("tests|bob",)]

    run(catalog, scenario)


def test_who_waits_is_woken_and_a_lost_connection_is_made_again(catalog: Catalog) -> None:
    async def scenario(connections: Pool) -> None:
        async def heard(seconds: float) -> bool:
            with listener.hearing(asked.id) as event:
                async with transaction(connections) as connection:
                    await operations.tell(connection, asked.id, "progress", "half way")
                try:
                    await asyncio.wait_for(event.wait(), seconds)
                except TimeoutError:
                    return False
                return True

        async with transaction(connections) as connection:
            asked = await operations.ask(connection, WANTED)
        async with Listener(catalog.url) as listener:
            assert await until(lambda: heard(0.5))
            async with transaction(connections) as connection:
                await connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
                )
            assert await until(lambda: heard(0.5))
            with listener.hearing(uuid4()) as event:
                await asyncio.wait_for(wait(event, 0.1), 1)
                assert not event.is_set()
                listener.close()
                assert event.is_set()

    async def until(condition: Callable[[], Awaitable[bool]]) -> bool:
        for _ in range(20):
            if await condition():
                return True
        return False

    run(catalog, scenario)


def test_what_may_be_done_once_is_done_once_by_many_at_once(catalog: Catalog) -> None:
    async def scenario(connections: Pool) -> None:
        async def once(what: str) -> bool:
            async with transaction(connections) as connection:
                return await audit.note_once(
                    connection, actor="ann", action="keys.show", object=what
                )

        assert sorted(await asyncio.gather(*(once("a") for _ in range(5)))) == [False] * 4 + [True]
        assert await once("b")

    run(catalog, scenario)


def test_a_retry_is_brought_forward_and_permission_to_destroy_is_kept(catalog: Catalog) -> None:
    async def scenario(connections: Pool) -> None:
        async with transaction(connections) as connection:
            first = await operations.ask(
                connection, Wanted(**{**vars(WANTED), "may_destroy": True, "priority": 0})
            )
            assert await operations.hurry(connection, first.id) is None
            again = await operations.ask(connection, WANTED)
            assert (again.id, again.may_destroy, again.priority) == (first.id, True, 10)
            await connection.execute(
                "UPDATE tenantry.operations SET next_attempt_at = now() + interval '5 min', priority = 0"
            )
            hurried = await operations.hurry(connection, first.id)
            assert hurried is not None
            assert hurried.priority == operations.URGENT
            assert await operations.hurry(connection, UUID(int=0)) is None

    run(catalog, scenario)
