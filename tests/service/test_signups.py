"""The sign-up webhook and its sweep, on a real catalog and queue: a graph is asked for; a user's id alone is kept."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import jwt
import pytest
from fastapi import FastAPI

from tenantry.notifying.signatures import sign
from tenantry.registry import load
from tenantry.selfservice.database import pool
from tenantry.selfservice.queue import Queue
from tenantry.selfservice.sweeping import SweepError, Swept, sweep_once
from tenantry.service import problems
from tenantry.service.authentication import Authenticator, key_lookup
from tenantry.service.tokens import Issuer, Tokens
from tenantry.service.webhook_settings import WebhookSettings
from tenantry.service.webhooks import MOST_BYTES, SignUps, router
from tests.canaries import Secrets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from tenantry.selfservice.database import Pool
    from tests.localcloud.catalog import Catalog

REGISTRY = """\
version: 1
namespace: signed
defaults: {region: aws-us-east-2, environment: development, deletion: delete}
self_service:
  sign_ups: {app: acme/web}
tenants:
  acme:
    apps:
      web:
        graphs_per_user: {type: professional-db, cloud: gcp, region: us-central1, memory: 1GB, users: [listed]}
"""
OLD, NEW = "o" * 32, "n" * 32
SIGNING = b"s" * 32
TOKENS = b"t" * 32
USER = "7f6c2b0e-6f0c-4a53-9d53-0c2d4a6e9a01"
CANARIES = Secrets(
    {
        "mail": "canary-mail@example.com",
        "password": "$2a$10$canaryCanaryCanary",
        "token": "canary-confirmation-token",
        "name": "Canary Canaryson",
    }
)
PATH = "/webhooks/auth/signup"


def row(user: str = USER, at: str = "2026-11-29T12:00:00+00:00") -> dict[str, Any]:
    """A row of `auth.users`, as a trigger sends it."""
    values = CANARIES.values
    return {
        "id": user,
        "aud": "authenticated",
        "email": values["mail"],
        "encrypted_password": values["password"],
        "confirmation_token": values["token"],
        "raw_user_meta_data": {"name": values["name"]},
        "created_at": at,
    }


def database_event(kind: str = "INSERT", **changed: Any) -> dict[str, Any]:
    gone = kind == "DELETE"
    return {
        "type": kind,
        "schema": "auth",
        "table": "users",
        "record": None if gone else row(),
        "old_record": row() if gone else None,
    } | changed


@dataclass
class Service:
    client: httpx.AsyncClient
    connections: Pool
    queue: Queue
    catalog: Catalog
    file: Path

    async def send(self, body: Any, *, secret: str = NEW, path: str = PATH) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.client.post(path, content=content, headers={"x-webhook-secret": secret})

    async def sweep(self, **environment: str) -> Swept | None:
        return await sweep_once(
            self.connections,
            self.queue,
            namespace="signed",
            app_id="acme/web",
            listed=["listed"],
            environment=environment,
        )

    def rows(self) -> list[tuple[Any, ...]]:
        return self.catalog.ask(
            "SELECT o.kind, o.subject, o.status FROM tenantry.operations o ORDER BY o.created_at"
        )

    def jobs(self) -> int:
        (found,) = self.catalog.ask(
            "SELECT count(*) FROM tenantry_jobs.procrastinate_jobs WHERE status = 'todo'"
        )
        return int(found[0])


@asynccontextmanager
async def service(catalog: Catalog, folder: Path) -> AsyncIterator[Service]:
    file = folder / "tenants.yaml"
    file.write_text(REGISTRY)

    async def registry() -> Any:
        return load(file)

    connections = pool(catalog.url)
    issuer = Issuer(
        issuer="https://id.example", audience="tenantry", algorithms=("HS256",), secret=TOKENS
    )
    async with connections, Queue(catalog.url) as queue, httpx.AsyncClient() as asking:
        app = FastAPI()
        parts = SignUps(
            connections=connections,
            jobs=queue,
            registry=registry,
            settings=WebhookSettings(secrets=(NEW.encode(), OLD.encode()), signing=(SIGNING,)),
        )
        app.include_router(router(lambda _: parts))
        problems.install(app)
        app.state.authenticator = Authenticator(
            Tokens([issuer], asking), key_lookup(connections), namespace="signed"
        )
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            yield Service(client, connections, queue, catalog, file)


def run(catalog: Catalog, folder: Path, scenario: Callable[[Service], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with service(catalog, folder) as one:
            await scenario(one)

    asyncio.run(whole())


def test_a_sign_up_asks_for_one_graph_however_often_it_is_told(
    catalog: Catalog, tmp_path: Path
) -> None:
    async def scenario(one: Service) -> None:
        first = await one.send(database_event())
        assert first.status_code == 202, first.text
        again = await asyncio.gather(
            *(
                one.send(database_event(), secret=secret, path=path)
                for secret in (OLD, NEW)
                for path in (PATH, f"/api{PATH}")
            )
        )
        assert {(each.status_code, each.text) for each in again} == {(202, first.text)}
        assert one.rows() == [("graph", USER, "queued")]
        assert one.jobs() == 1
        began = time.monotonic()
        answer = await one.send(database_event(record=row(str(uuid4()))))
        assert answer.status_code == 202
        assert time.monotonic() - began < 0.3

    run(catalog, tmp_path, scenario)


def test_a_message_of_nobody_who_is_known_makes_nothing(catalog: Catalog, tmp_path: Path) -> None:
    async def scenario(one: Service) -> None:
        for headers in (
            {},
            {"x-webhook-secret": "x" * 32},
            {"x-webhook-secret": ""},
            {"authorization": "Basic " + "n" * 32},
            {"x-webhook-secret": NEW, "webhook-signature": "v1,AAAA"},
        ):
            refused = await one.client.post(PATH, json=database_event(), headers=headers)
            assert refused.status_code == 401, headers
            assert "WWW-Authenticate" in refused.headers
        as_bearer = {"authorization": f"Bearer {OLD}"}
        assert (await one.client.post(PATH, json=database_event(), headers=as_bearer)).is_success
        assert len(one.rows()) == 1

    run(catalog, tmp_path, scenario)


def test_what_is_wrong_is_refused_and_what_is_about_something_else_is_passed_over(
    catalog: Catalog, tmp_path: Path
) -> None:
    async def scenario(one: Service) -> None:
        wrong = [
            b"",
            b"{",
            b"[" * 60_000,
            b'"text"',
            {"type": 1, "schema": "auth", "table": "users"},
            database_event(record=None),
            database_event(record={"id": 7}),
            database_event(record=row("canary-mail@example.com ")),
            {"metadata": {}},
            {"metadata": {"name": "before-user-created"}, "user": []},
            {},
        ]
        for body in wrong:
            refused = await one.send(body)
            assert refused.status_code == 400, body[:60] if isinstance(body, bytes) else body
            assert not CANARIES.named(refused.content)
        assert (await one.send(b" " * (MOST_BYTES + 1))).status_code == 413
        others = [
            database_event("UPDATE"),
            database_event(table="identities"),
            database_event(schema="public"),
            database_event(record=row("listed")),
            {"metadata": {"name": "send-email"}, "user": row()},
            # Of whom nobody was told.
            database_event("DELETE"),
        ]
        for body in others:
            assert (await one.send(body)).status_code == 204
        assert one.rows() == []
        one.file.write_text(REGISTRY.replace("  sign_ups: {app: acme/web}", "  plans: {}"))
        assert (await one.send(database_event())).status_code == 404

    run(catalog, tmp_path, scenario)


def test_a_signed_hook_counts_for_five_minutes_and_once(catalog: Catalog, tmp_path: Path) -> None:
    body = json.dumps({"metadata": {"name": "before-user-created"}, "user": row()}).encode()

    async def scenario(one: Service) -> None:
        headers = sign([SIGNING], "msg_1", int(time.time()), body)
        first = await one.client.post(PATH, content=body, headers=headers)
        assert first.status_code == 202, first.text
        second = await one.client.post(PATH, content=body, headers=headers)
        assert (second.status_code, second.text) == (202, first.text)
        for bad in (
            sign([SIGNING], "msg_2", int(time.time()) - 301, body),
            sign([b"x" * 32], "msg_2", int(time.time()), body),
            sign([SIGNING], "msg_2", int(time.time()), body + b" "),
        ):
            refused = await one.client.post(PATH, content=body, headers=bad)
            assert refused.status_code == 401
        # Sent again after the user was deleted, it does not bring the graph back.
        assert (await one.send(database_event("DELETE"))).status_code == 202
        replayed = await one.client.post(PATH, content=body, headers=headers)
        assert (replayed.status_code, replayed.text) == (202, first.text)
        assert one.rows() == [("graph", USER, "cancelled"), ("ungraph", USER, "queued")]

    run(catalog, tmp_path, scenario)


def test_a_deleted_user_loses_the_graph_unless_it_is_protected(
    catalog: Catalog, tmp_path: Path
) -> None:
    async def scenario(one: Service) -> None:
        await one.send(database_event())
        one.file.write_text(REGISTRY.replace("deletion: delete", "deletion: protect"))
        assert (await one.send(database_event("DELETE"))).status_code == 204
        assert one.rows() == [("graph", USER, "queued")]
        one.file.write_text(REGISTRY)
        assert (await one.send(database_event("DELETE"))).status_code == 202
        assert (await one.send(database_event("DELETE"))).status_code == 204
        assert one.rows() == [("graph", USER, "cancelled"), ("ungraph", USER, "queued")]
        # An INSERT that is late is about a user who is gone; one of another day is a new user.
        assert (await one.send(database_event())).status_code == 202
        assert len(one.rows()) == 2
        later = database_event(record=row(at="2026-11-30T12:00:00+00:00"))
        assert (await one.send(later)).status_code == 202
        assert one.rows()[2:] == [("graph", USER, "queued")]

    run(catalog, tmp_path, scenario)


def test_the_standing_is_for_the_user_and_the_operator(catalog: Catalog, tmp_path: Path) -> None:
    def token(subject: str, scope: str = "") -> dict[str, str]:
        claims = {
            "iss": "https://id.example",
            "aud": "tenantry",
            "sub": subject,
            "exp": int(time.time()) + 60,
            "scope": scope,
        }
        return {"Authorization": f"Bearer {jwt.encode(claims, TOKENS, 'HS256')}"}

    async def scenario(one: Service) -> None:
        path = f"/webhooks/auth/status/{USER}"
        assert (await one.client.get(path)).status_code == 401
        assert (await one.client.get(path, headers=token("other"))).status_code == 403
        assert (await one.client.get(path, headers=token(USER))).status_code == 404
        operation = (await one.send(database_event())).json()["operation"]
        for headers in (token(USER), token("ops", "fleet:admin")):
            found = await one.client.get(path, headers=headers)
            assert found.json() == {"user_id": USER, "status": "pending", "reason": None}
        for status, kind, told in (
            ("failed", "lasting", "failed"),
            ("succeeded", None, "ready"),
        ):
            one.catalog.ask(
                f"UPDATE tenantry.operations SET status = '{status}', ended_at = now(), error_kind = "
                f"{repr(kind) if kind else 'NULL'}, error_text = 'not for users' WHERE id = '{operation}'"
            )
            found = await one.client.get(path, headers=token(USER))
            assert found.json() == {"user_id": USER, "status": told, "reason": kind}
        health = await one.client.get("/webhooks/auth/health")
        assert health.json() == {"status": "ok", "webhook": "auth"}

    run(catalog, tmp_path, scenario)


def test_nothing_of_a_user_but_the_id_is_logged_or_kept(
    catalog: Catalog, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def scenario(one: Service) -> None:
        await one.send(database_event())
        await one.send(database_event("DELETE"))
        await one.send(database_event(record=row() | {"id": CANARIES.values["mail"] + "!"}))
        broken = json.dumps(database_event()).encode()[:-1]
        await one.send(broken)

    run(catalog, tmp_path, scenario)
    assert not CANARIES.named(caplog.text.encode())
    tables = catalog.ask(
        "SELECT schemaname || '.' || tablename FROM pg_tables WHERE starts_with(schemaname, 'tenantry')"
    )
    kept = {
        table: repr(catalog.ask(f"SELECT to_jsonb(t)::text FROM {table} t")).encode()
        for (table,) in tables
    }
    assert USER.encode() in kept["tenantry.user_signups"]
    assert {table: found for table, text in kept.items() if (found := CANARIES.named(text))} == {}


def test_a_sweep_asks_for_what_no_message_told_of(catalog: Catalog, tmp_path: Path) -> None:
    told, missed, gone, old, young = (str(uuid4()) for _ in range(5))

    async def scenario(one: Service) -> None:
        assert await one.sweep() is None
        with catalog.database() as users:
            users.ask("CREATE SCHEMA auth")
            users.ask(
                "CREATE TABLE auth.users (id uuid PRIMARY KEY, email text, created_at timestamptz, deleted_at timestamptz)"
            )
            for user, age, deleted in (
                (told, "1 hour", "NULL"),
                (missed, "2 hours", "NULL"),
                (gone, "1 hour", "now()"),
                (old, "8 days", "NULL"),
                (young, "10 seconds", "NULL"),
            ):
                users.ask(
                    f"INSERT INTO auth.users VALUES ('{user}', '{CANARIES.values['mail']}', now() - interval '{age}', {deleted})"
                )
            users.ask(
                "INSERT INTO auth.users SELECT gen_random_uuid(), NULL, now() - interval '5 minutes' FROM generate_series(1, 600)"
            )
            await one.send(database_event(record=row(told)))
            first = await asyncio.gather(*(one.sweep(TENANTRY_USERS_URL=users.url) for _ in "ab"))
            (swept,) = [each for each in first if each is not None]
            assert swept.missed == 100
            assert 7100 < swept.lag_seconds < 7300
            asked = {subject for _, subject, _ in one.rows()}
            assert {told, missed} <= asked
            assert not {gone, old, young} & asked
            # Not again at once, whichever worker it is.
            assert await one.sweep(TENANTRY_USERS_URL=users.url) is None
            for expected in (500, 0):
                total = 0
                for _ in range(6):
                    catalog.ask("UPDATE tenantry.audit SET at = at - interval '10 minutes'")
                    again = await one.sweep(TENANTRY_USERS_URL=users.url)
                    assert again is not None
                    total += again.missed
                assert total == expected + (1 if expected else 0)
            catalog.ask("UPDATE tenantry.audit SET at = at - interval '10 minutes'")
            since = {"TENANTRY_USERS_URL": users.url, "TENANTRY_USERS_SINCE": "2026-01-01"}
            final = await one.sweep(**since)
            assert final is not None
            assert final.missed == 1
            users.ask("DROP TABLE auth.users")
            catalog.ask("UPDATE tenantry.audit SET at = at - interval '10 minutes'")
            with pytest.raises(SweepError, match=r'relation "auth.users" does not exist'):
                await one.sweep(TENANTRY_USERS_URL=users.url)
        with pytest.raises(SweepError, match="TENANTRY_USERS_SINCE: is no moment"):
            await one.sweep(TENANTRY_USERS_URL=users.url, TENANTRY_USERS_SINCE="yesterday")

    run(catalog, tmp_path, scenario)
