"""Verification of API keys on a real server."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from tenantry.catalog.verification import Verdict, verify, verify_async
from tenantry.registry.days import end_of
from tenantry.service.authentication import key_lookup

if TYPE_CHECKING:
    from tests.localcloud.catalog import Catalog

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TICK = timedelta(microseconds=1)


class Judge(Protocol):
    def __call__(self, catalog: Catalog, key: str, now: datetime = NOW) -> Verdict: ...


def judged_by_threads(catalog: Catalog, key: str, now: datetime = NOW) -> Verdict:
    with catalog.connect() as connection:
        return verify(connection, key, now=now)


def judged_by_a_loop(catalog: Catalog, key: str, now: datetime = NOW) -> Verdict:
    async def scene() -> Verdict:
        async with await psycopg.AsyncConnection.connect(
            catalog.url, autocommit=True, connect_timeout=10
        ) as connection:
            return await verify_async(connection, key, now=now)

    return asyncio.run(scene())


@pytest.fixture(params=[judged_by_threads, judged_by_a_loop])
def judged(request: pytest.FixtureRequest) -> Judge:
    """Both forms of the question."""
    judge: Judge = request.param
    return judge


def last_used(catalog: Catalog) -> list[Any]:
    return [
        row[0] for row in catalog.ask("SELECT last_used FROM tenantry.api_keys ORDER BY created_at")
    ]


def test_a_valid_key_comes_with_what_it_may_do(catalog: Catalog, judged: Judge) -> None:
    end = end_of(NOW.date())
    key = catalog.key(catalog.app(), 1, generation=3, scopes=["read"], expires_at=end)
    assert judged(catalog, key) == Verdict(
        "valid", "tenantry", "acme/web", "default", 3, ("read",), end
    )
    assert last_used(catalog) == [NOW]


def test_a_key_ends_with_its_last_day(catalog: Catalog, judged: Judge) -> None:
    end = end_of(NOW.date())
    key = catalog.key(catalog.app(), 1, expires_at=end)
    assert judged(catalog, key, end - TICK).state == "valid"
    assert judged(catalog, key, end) == Verdict(
        "expired", "tenantry", "acme/web", "default", 1, ("read", "write"), end
    )
    assert last_used(catalog) == [end - TICK]


def test_a_revoked_key_is_revoked_also_when_it_has_expired(catalog: Catalog, judged: Judge) -> None:
    key = catalog.key(catalog.app(), 1, revoked_at=NOW, expires_at=NOW - MINUTE)
    verdict = judged(catalog, key)
    assert (verdict.state, verdict.valid) == ("revoked", False)
    assert last_used(catalog) == [None]


def test_the_keys_of_an_app_that_is_gone_are_revoked(catalog: Catalog, judged: Judge) -> None:
    old = catalog.key(catalog.app(deleted=True), 1)
    new = catalog.key(catalog.app(), 2)
    assert judged(catalog, old).state == "revoked"
    assert judged(catalog, new).state == "valid"


def test_both_generations_of_a_key_are_judged_apart(catalog: Catalog, judged: Judge) -> None:
    app = catalog.app()
    keys = [catalog.key(app, n, generation=n, revoked_at=NOW if n == 1 else None) for n in (1, 2)]
    assert [(v.state, v.generation) for v in (judged(catalog, key) for key in keys)] == [
        ("revoked", 1),
        ("valid", 2),
    ]


def test_a_key_that_nobody_made_is_unknown(catalog: Catalog, judged: Judge) -> None:
    key = catalog.key(catalog.app(), 1)
    other = key[:-1] + ("0" if key[-1] != "0" else "1")
    renamed = key.replace("default", "admin")
    later = key.replace("_1789", "_1790")
    assert {judged(catalog, each) for each in (other, renamed, later)} == {Verdict("unknown")}
    assert last_used(catalog) == [None]


def test_the_digest_of_a_key_does_not_open_anything(catalog: Catalog, judged: Judge) -> None:
    catalog.key(catalog.app(), 1)
    ((kept,),) = catalog.ask("SELECT key_hash FROM tenantry.api_keys")
    assert judged(catalog, kept).state == "unknown"
    assert judged(catalog, f"acme--default_1789000000_{kept}").state == "unknown"


@pytest.mark.parametrize("text", ["", "x", "acme--default_1_", "' OR true --", "\0", "é" * 99])
def test_what_is_no_key_is_unknown_and_nobody_is_asked(catalog: Catalog, text: str) -> None:
    connection = catalog.connect()
    connection.close()
    assert verify(connection, text, now=NOW) == Verdict("unknown")


def test_the_time_needs_a_zone(catalog: Catalog) -> None:
    with catalog.connect() as connection, pytest.raises(ValueError, match="no time zone"):
        verify(connection, "x", now=NOW.replace(tzinfo=None))


def test_use_is_noted_at_most_once_a_minute(catalog: Catalog, judged: Judge) -> None:
    key = catalog.key(catalog.app(), 1)
    seen = []
    for later in (timedelta(), 30 * timedelta(seconds=1), MINUTE, MINUTE + TICK, 2 * MINUTE):
        assert judged(catalog, key, NOW + later).valid
        seen += last_used(catalog)
    assert seen == [NOW, NOW, NOW, NOW + MINUTE + TICK, NOW + MINUTE + TICK]


def test_many_requests_at_once_note_one_use(catalog: Catalog) -> None:
    key = catalog.key(catalog.app(), 1, last_used=NOW - 2 * MINUTE)
    catalog.ask("CREATE SEQUENCE IF NOT EXISTS tenantry.uses")
    catalog.ask(
        "CREATE OR REPLACE FUNCTION tenantry.count_use() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM nextval('tenantry.uses'); RETURN NEW; END $$"
    )
    catalog.ask(
        "CREATE TRIGGER counting BEFORE UPDATE ON tenantry.api_keys FOR EACH ROW EXECUTE FUNCTION tenantry.count_use()"
    )
    together = threading.Barrier(8)

    def request(number: int) -> str:
        with catalog.connect() as connection:
            together.wait(timeout=20)
            return verify(connection, key, now=NOW + number * timedelta(milliseconds=1)).state

    try:
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(request, range(8))) == {"valid"}
        ((uses, called),) = catalog.ask("SELECT last_value, is_called FROM tenantry.uses")
    finally:
        catalog.ask("DROP FUNCTION tenantry.count_use CASCADE")
        catalog.ask("DROP SEQUENCE tenantry.uses")
    assert (uses, called) == (1, True)


def test_nobody_waits_for_a_row_that_is_being_changed(catalog: Catalog) -> None:
    key = catalog.key(catalog.app(), 1)
    with catalog.connect() as other, other.transaction():
        other.execute("UPDATE tenantry.api_keys SET last_used = NULL")
        with catalog.connect() as connection:
            connection.execute("SET statement_timeout = '5s'")
            assert verify(connection, key, now=NOW).valid
    assert last_used(catalog) == [None]


def test_the_documented_rights_are_enough(catalog: Catalog) -> None:
    key = catalog.key(catalog.app(), 1)
    with catalog.connect() as owner:
        owner.execute("CREATE ROLE asking LOGIN PASSWORD 'of-a-test'")
        owner.execute("GRANT USAGE ON SCHEMA tenantry TO asking")
        owner.execute("GRANT SELECT ON tenantry.api_keys, tenantry.app_metadata TO asking")
        owner.execute("GRANT UPDATE (last_used) ON tenantry.api_keys TO asking")
    credentials, _, host = urlsplit(catalog.url).netloc.rpartition("@")
    url = catalog.url.replace(f"{credentials}@{host}", f"asking:of-a-test@{host}")
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as asking:
            assert verify(asking, key, now=NOW).valid
            for forbidden in ("SET revoked_at = NULL", "SET scopes = '{admin}'"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    asking.execute(b"UPDATE tenantry.api_keys " + forbidden.encode())
    finally:
        with catalog.connect() as owner:
            owner.execute("REVOKE ALL ON ALL TABLES IN SCHEMA tenantry FROM asking")
            owner.execute("REVOKE UPDATE (last_used) ON tenantry.api_keys FROM asking")
            owner.execute("REVOKE ALL ON SCHEMA tenantry FROM asking")
            owner.execute("DROP ROLE asking")
    assert last_used(catalog) == [NOW]


def test_the_callers_own_kind_of_rows_does_not_matter(catalog: Catalog) -> None:
    key = catalog.key(catalog.app(), 1)
    with psycopg.connect(catalog.url, autocommit=True, row_factory=dict_row) as connection:
        assert verify(connection, key, now=NOW).valid


def test_the_key_itself_is_not_sent(
    catalog: Catalog, judged: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = catalog.key(catalog.app(), 1)
    sent: list[Any] = []
    for kind in (psycopg.Cursor, psycopg.AsyncCursor):

        def recording(
            self: Any, query: Any, params: Any = None, execute: Any = kind.execute, **options: Any
        ) -> Any:
            sent.append((query, params))
            return execute(self, query, params, **options)

        monkeypatch.setattr(kind, "execute", recording)
    assert judged(catalog, key).valid
    secret = key.rpartition("_")[2]
    assert len(sent) == 2
    assert secret not in repr(sent)


def test_a_request_with_a_key_is_judged_through_a_pool(catalog: Catalog) -> None:
    key = catalog.key(catalog.app(), 1)

    async def scene() -> list[Verdict]:
        async with AsyncConnectionPool(catalog.url, min_size=0, max_size=4, open=False) as pool:
            look = key_lookup(pool)
            return await asyncio.gather(*(look(key) for _ in range(20)), look(key[:-1] + "x"))

    *found, wrong = asyncio.run(scene())
    assert {(each.state, each.app) for each in found} == {("valid", "acme/web")}
    assert wrong.state == "unknown"
    # Committed, once.
    assert last_used(catalog) != [None]
