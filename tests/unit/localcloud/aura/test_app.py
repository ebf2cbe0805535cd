"""Tokens, limits, content types, routes and request ids: what stands before every route."""

from __future__ import annotations

import logging
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.middleware import Middleware
from starlette.responses import JSONResponse

from localcloud.aura.app import OTHER_ROUTES, ROUTES, build
from tests.aura_document import AURA, DOCUMENT
from tests.unit.localcloud.aura.account import Account

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.skipif(not DOCUMENT.exists(), reason="Aura's API document is not at hand")
def test_the_routes_are_those_of_the_document() -> None:
    def shape(path: str) -> str:
        return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))

    here = {(method, shape(path)) for method, path, _ in ROUTES}
    assert here == {(method, shape(path)) for method, path in AURA.routes()}


def test_no_route_is_there_twice() -> None:
    routes = [(method, path) for method, path, _ in ROUTES + OTHER_ROUTES]
    assert len(set(routes)) == len(routes)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic abc", "Bearer 1.2.3"])
def test_a_missing_and_a_wrong_token_are_answered_alike(account: Account, header: str) -> None:
    answer = account.request("GET", "/v1/tenants", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json() == {"error": "Unauthorized"}


def test_an_expired_token_is_forbidden_and_a_new_one_is_not(account: Account) -> None:
    account.ask("GET", "/tenants")
    account.clock.seconds += 3599
    account.ask("GET", "/tenants")
    account.clock.seconds += 1
    answer = account.send("GET", "/tenants")
    assert (answer.status_code, answer.json()) == (403, {"error": "The access token has expired"})
    account.token = None
    account.ask("GET", "/tenants")


def test_a_token_is_good_after_a_restart_and_not_for_another_account(
    account: Account, tmp_path: Path
) -> None:
    account.ask("GET", "/tenants")
    account.open()
    account.ask("GET", "/tenants")
    other = Account(tmp_path / "other.db")
    other.token = account.token
    assert other.send("GET", "/tenants").status_code == 401


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/instances"), ("POST", "/instances/x/pause"), ("PATCH", "/instances/x")],
)
def test_a_post_without_a_json_content_type_is_refused_even_without_a_body(
    account: Account, method: str, path: str, content_type: str
) -> None:
    refusal = account.refusal(method, path, headers={"Content-Type": content_type})
    assert refusal == (415, "unsupported-media-type", None)


def test_parameters_of_a_content_type_do_not_matter(account: Account) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert account.refusal("POST", "/instances/x/pause", headers=headers)[0] == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nothing"), ("PUT", "/instances"), ("HEAD", "/instances"), ("GET", "/instances/")],
)
def test_an_unknown_route_is_the_gateways_404(account: Account, method: str, path: str) -> None:
    answer = account.send(method, path)
    assert answer.status_code == 404
    if method != "HEAD":
        assert answer.json() == {"error": "Not found"}


@pytest.mark.parametrize("style", ["seconds", "date", "none"])
def test_too_many_requests_in_a_minute_are_refused_until_one_is_a_minute_old(
    tmp_path: Path, style: str
) -> None:
    account = Account(
        tmp_path / "state.db", asked={"aura_rate_limit": 3, "aura_retry_after": style}
    )
    account.ask("GET", "/tenants")
    account.clock.seconds += 20.5
    account.ask("GET", "/tenants")
    account.ask("GET", "/tenants")
    answer = account.send("GET", "/tenants")
    assert answer.status_code == 429
    assert answer.json() == {"error": "Rate limit exceeded"}
    after = answer.headers.get("retry-after")
    if style == "seconds":
        assert after == "40"
    elif style == "date":
        assert 0 <= parsedate_to_datetime(after).timestamp() - account.clock.seconds - 39.5 < 1
    else:
        assert after is None
    account.clock.seconds += 39
    assert account.send("GET", "/tenants").status_code == 429
    account.clock.seconds += 0.5
    account.ask("GET", "/tenants")


def test_every_answer_has_a_request_id_of_its_own(account: Account) -> None:
    headers = {"X-Request-Id": "mine"}
    answers = [
        account.request("GET", "/v1/tenants", headers=headers),
        account.request("GET", "/nothing"),
        account.send("GET", "/tenants"),
        account.fetch_token(),
        account.request("POST", "/db/neo4j/query/v2"),
    ]
    ids = {answer.headers["x-request-id"] for answer in answers}
    assert len(ids) == len(answers)
    assert "mine" not in ids


def test_the_log_has_paths_and_statuses_and_no_secret(
    account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    made = account.running()
    account.query(made, "RETURN $secret", {"secret": "s3cret"})
    account.send("GET", "/instances?tenantId=asked")
    lines = [record.getMessage() for record in caplog.records if record.name == "localcloud.aura"]
    assert [line.split()[:3] for line in lines] == [
        ["POST", "/oauth/token", "200"],
        ["POST", "/v1/instances", "202"],
        ["POST", "/db/neo4j/query/v2", "202"],
        ["GET", "/v1/instances", "200"],
    ]
    assert account.token
    for secret in (
        account.settings.aura_client_secret,
        account.token,
        made["password"],
        "s3cret",
    ):
        assert secret not in caplog.text


def test_middleware_stands_before_the_routes(account: Account) -> None:
    seen: list[str] = []

    class Fault:
        def __init__(self, app: Any) -> None:
            self._app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            seen.append(scope["path"])
            if scope["path"] == "/v1/tenants":
                # The account has one: the routes would list it.
                await JSONResponse({"data": []})(scope, receive, send)
                return
            await self._app(scope, receive, send)

    account._app = build(account.aura, [Middleware(Fault)])
    account.fetch_token()
    account.request("GET", "/v1/instances")
    assert account.ask("GET", "/instances") == []
    assert account.ask("GET", "/tenants") == []
    assert seen == ["/oauth/token", "/oauth/token", "/v1/instances", "/v1/tenants"]


def test_a_failure_inside_is_a_500_in_the_apis_words(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account.aura, "instances", None)
    account.ask("GET", "/tenants")
    assert account.refusal("GET", "/instances") == (500, "internal-error", None)


def test_the_address_of_instances_is_the_apis_own(account: Account) -> None:
    url = httpx.URL(account.create()["connection_url"])
    assert (url.scheme, url.host, url.port) == ("neo4j", "127.0.0.1", account.settings.aura_port)
