"""Notifications from a real catalog to a real receiver: sent at least once, to each that lacks it, and never lost."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from starlette.requests import Request
from starlette.responses import Response

from tenantry.notifying.signatures import secret_of, verify
from tenantry.registry import load
from tenantry.selfservice import outbox
from tenantry.selfservice.database import pool, transaction
from tenantry.selfservice.undelivered import undelivered
from tenantry.working.notices import notice_chores
from tests.logs import logged
from tests.serving import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

    from tenantry.registry.notices import Occasion
    from tests.localcloud.catalog import Catalog

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
REGISTRY = """\
version: 1
namespace: tenantry
notify:
  - {{url: "{url}/one", secret_from: HOOK}}
  - {{url: "{url}/two", secret_from: HOOK, on: [failed]}}
tenants: {{acme: {{name: Acme, apps: {{}}}}}}
"""


@dataclass
class Hook:
    """A receiver: by path what it answers, and what it got: path, headers, body."""

    answers: dict[str, int] = field(default_factory=dict)
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.got.append((scope["path"], dict(request.headers), await request.body()))
        await Response(status_code=self.answers.get(scope["path"], 200))(scope, receive, send)

    @property
    def paths(self) -> list[str]:
        return sorted(path for path, _, _ in self.got)


@dataclass
class Sending:
    catalog: Catalog
    hook: Hook
    file: Path

    def put(self, kind: Occasion = "failed") -> bool:
        async def whole() -> bool:
            async with pool(self.catalog.url) as connections, transaction(connections) as one:
                return await outbox.put(
                    one,
                    namespace="tenantry",
                    kind=kind,
                    app_id="acme/web",
                    text="no room",
                )

        return asyncio.run(whole())

    def chore(self, name: str) -> None:
        """Do a chore as a worker does."""

        async def whole() -> None:
            async with pool(self.catalog.url) as connections:
                chores = notice_chores(connections, {"HOOK": SECRET}, lambda: load(self.file))
                await next(each for each in chores if each.name == name).do()

        asyncio.run(whole())

    def send(self) -> None:
        self.chore("sending notifications")

    def time_passes(self, interval: str) -> None:
        self.catalog.ask(
            f"UPDATE tenantry.notifications SET next_attempt_at = next_attempt_at - interval '{interval}'"
        )


@pytest.fixture
def sending(tmp_path: Path, catalog: Catalog) -> Iterator[Sending]:
    hook = Hook()
    with served(hook) as url:
        file = tmp_path / "tenants.yaml"
        file.write_text(REGISTRY.format(url=url))
        yield Sending(catalog, hook, file)


def test_each_receiver_gets_what_it_wants_once_and_signed(sending: Sending) -> None:
    sending.put("ready")
    sending.put("failed")
    sending.send()
    sending.send()
    assert sending.hook.paths == ["/one", "/one", "/two"]
    for _, headers, body in sending.hook.got:
        at = float(headers["webhook-timestamp"])
        verify([secret_of(SECRET, "HOOK")], headers, body, now=at)
        assert json.loads(body)["data"]["app"] == "acme/web"
    assert undelivered(sending.catalog.url, "tenantry") == []


def test_who_was_away_is_told_later_and_the_others_are_not_told_again(
    sending: Sending, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sending.hook.answers["/two"] = 503
    sending.put()
    sending.send()
    (row,) = undelivered(sending.catalog.url, "tenantry")
    assert (row.state, row.failure) == ("waiting", "notify[1]: it answers 503")
    sending.send()  # its time has not come
    assert sending.hook.paths == ["/one", "/two"]
    sending.hook.answers.clear()
    sending.time_passes("1 minute")
    sending.send()
    assert sending.hook.paths == ["/one", "/two", "/two"]
    # A receiver can tell that it is the same.
    assert len({headers["webhook-id"] for _, headers, _ in sending.hook.got}) == 1
    assert undelivered(sending.catalog.url, "tenantry") == []
    assert SECRET not in logged(caplog)


def test_what_was_given_up_is_shown_and_can_be_tried_again(sending: Sending) -> None:
    sending.hook.answers = {"/one": 404, "/two": 503}
    sending.put()
    sending.catalog.ask("UPDATE tenantry.notifications SET at = at - interval '2 days'")
    sending.send()
    (row,) = undelivered(sending.catalog.url, "tenantry")
    assert row.state == "given up"
    assert row.failure == "notify[0]: it answers 404; notify[1]: it answers 503"
    sending.time_passes("1 day")
    sending.send()
    assert len(sending.hook.got) == 2
    sending.hook.answers.clear()
    undelivered(sending.catalog.url, "tenantry", again=True)
    sending.send()
    assert len(sending.hook.got) == 4
    assert undelivered(sending.catalog.url, "tenantry", again=True) == []


def test_one_that_a_worker_died_with_is_sent_by_the_next(sending: Sending) -> None:
    sending.put()

    async def taken() -> None:
        async with pool(sending.catalog.url) as connections, transaction(connections) as one:
            assert len(await outbox.take(one, "tenantry")) == 1

    asyncio.run(taken())
    sending.send()
    assert sending.hook.got == []
    sending.time_passes("5 minutes")
    sending.send()
    assert sending.hook.paths == ["/one", "/two"]


def test_a_key_is_told_of_once_before_its_end(sending: Sending) -> None:
    catalog = sending.catalog
    app = catalog.app()
    gone = catalog.app("acme/gone", deleted=True)
    soon = "now() + interval '13 days'"
    for secret, name, generation, end, revoked in (
        (1, "default", 1, soon, "NULL"),  # a later generation is there
        (2, "default", 2, soon, "NULL"),
        (3, "later", 1, "now() + interval '15 days'", "NULL"),
        (4, "endless", 1, "NULL", "NULL"),
        (5, "over", 1, "now() - interval '1 day'", "NULL"),
        (6, "revoked", 1, soon, "now()"),
        (7, "gone", 1, soon, "NULL"),
    ):
        catalog.key(gone if name == "gone" else app, secret, name=name, generation=generation)
        catalog.ask(
            f"UPDATE tenantry.api_keys SET expires_at = {end}, revoked_at = {revoked} "
            "WHERE (name, generation) = (%s, %s)",
            name,
            generation,
        )
    for _ in range(2):
        sending.chore("looking for keys that end soon")
    rows = catalog.ask("SELECT app_id, kind, text FROM tenantry.notifications")
    assert len(rows) == 1
    assert rows[0][:2] == ("acme/web", "key_expires")
    assert rows[0][2].startswith("key default (generation 2) ends at 2")
    sending.send()
    assert sending.hook.paths == ["/one"]
