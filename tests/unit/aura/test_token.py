import base64
import json
import stat
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest

from tenantry.aura.errors import AuraCredentialsError, AuraUnexpectedAnswerError
from tests.unit.aura.support import SECRET, TENANT, Api, FakeTime, data

LIST = "GET /v1/instances"
TOKEN = "POST /oauth/token"


def ask(api: Api, folder: Path, fake: FakeTime, **more: object) -> None:
    with api.client(folder, fake, **more) as client:
        client.instances(TENANT)


def bearer(api: Api) -> list[str]:
    return [request.headers["authorization"] for request in api.sent(LIST)]


def test_the_request_is_what_the_document_says(tmp_path: Path) -> None:
    api = Api().on(LIST, data([]))
    ask(api, tmp_path, FakeTime())
    (request,) = api.sent(TOKEN)
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(request.content.decode()) == {"grant_type": ["client_credentials"]}
    expected = base64.b64encode(f"client-id:{SECRET}".encode()).decode()
    assert request.headers["authorization"] == f"Basic {expected}"
    assert bearer(api) == ["Bearer token-1"]


def test_one_token_serves_processes_until_a_minute_before_its_end(tmp_path: Path) -> None:
    api, fake = Api().on(LIST, data([])), FakeTime()
    ask(api, tmp_path, fake)
    ask(api, tmp_path, fake)
    assert api.tokens == 1
    fake.now += 3600 - 60
    ask(api, tmp_path, fake)
    assert bearer(api) == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


def test_a_short_lived_token_is_used_for_most_of_its_life(tmp_path: Path) -> None:
    short = httpx.Response(200, json={"access_token": "short", "expires_in": 20})
    api, fake = Api().on(LIST, data([])).on(TOKEN, short), FakeTime()
    for _ in range(2):
        ask(api, tmp_path, fake)
        fake.now += 17
    assert len(api.sent(TOKEN)) == 1
    fake.now += 1
    ask(api, tmp_path, fake)
    assert len(api.sent(TOKEN)) == 2


def test_the_file_is_for_its_owner_only_and_has_no_secret(tmp_path: Path) -> None:
    api = Api().on(LIST, data([]))
    ask(api, tmp_path, FakeTime())
    (file,) = (tmp_path / "aura").glob("*.token")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["access_token"] == "token-1"
    for kept in (tmp_path / "aura").iterdir():
        assert SECRET not in kept.read_text() + kept.name


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_renewed_once(tmp_path: Path, status: int) -> None:
    expired = httpx.Response(status, json={"error": "expired"})
    api = Api().on(LIST, expired, data([]))
    ask(api, tmp_path, FakeTime())
    assert bearer(api) == ["Bearer token-1", "Bearer token-2"]
    api = Api().on(LIST, expired)
    with pytest.raises(AuraCredentialsError, match=f"{status} expired"):
        ask(api, tmp_path / "other", FakeTime())
    assert len(bearer(api)) == 2


def test_a_token_that_another_process_renewed_is_taken(tmp_path: Path) -> None:
    api, fake = Api().on(LIST, data([])), FakeTime()
    with api.client(tmp_path, fake) as first, api.client(tmp_path, fake) as second:
        first.instances(TENANT)
        second.instances(TENANT)
        api.on(LIST, httpx.Response(401), data([]), httpx.Response(401), data([]))
        first.instances(TENANT)
        second.instances(TENANT)
    assert api.tokens == 2
    assert bearer(api)[-1] == "Bearer token-2"


def test_a_broken_file_is_replaced(tmp_path: Path) -> None:
    api = Api().on(LIST, data([]))
    ask(api, tmp_path, FakeTime())
    (file,) = (tmp_path / "aura").glob("*.token")
    for content in ("", "[]", '{"access_token": "x", "expires_at": 9e99}'):
        file.write_text(content)
        ask(api, tmp_path, FakeTime())
    assert api.tokens == 4


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, json={"error": "unauthorized", "error_description": f"bad {SECRET}"}),
        httpx.Response(400, text=f"no {SECRET}"),
    ],
)
def test_wrong_credentials_are_one_line_without_them(
    tmp_path: Path, answer: httpx.Response
) -> None:
    api = Api().on(TOKEN, answer)
    with pytest.raises(
        AuraCredentialsError, match="the credentials are refused: AURA_CLIENT_ID"
    ) as caught:
        ask(api, tmp_path, FakeTime())
    assert SECRET not in str(caught.value)
    assert len(api.requests) == 1


def test_the_token_is_asked_for_again_after_what_passes(tmp_path: Path) -> None:
    api = (
        Api()
        .on(LIST, data([]))
        .on(
            TOKEN,
            httpx.Response(503),
            httpx.ReadError("gone"),
            httpx.Response(429, headers={"retry-after": "3"}),
            httpx.Response(200, json={"access_token": "t", "expires_in": 3600}),
        )
    )
    ask(api, tmp_path, FakeTime())
    assert bearer(api) == ["Bearer t"]


def test_something_else_at_the_token_url_is_said(tmp_path: Path) -> None:
    api = Api().on(TOKEN, httpx.Response(200, text="<html>"))
    with pytest.raises(
        AuraUnexpectedAnswerError, match="no access_token in the answer: is AURA_TOKEN_URL right"
    ):
        ask(api, tmp_path, FakeTime())


def test_a_given_token_is_used_as_it_is_and_not_kept(tmp_path: Path) -> None:
    api = Api().on(LIST, data([]))
    ask(api, tmp_path, FakeTime(), client_id="", client_secret="", api_token="given")
    assert bearer(api) == ["Bearer given"]
    assert not any("given" in f.read_text() for f in (tmp_path / "aura").iterdir())
    api = Api().on(LIST, httpx.Response(401, json={"error": "expired"}))
    with pytest.raises(AuraCredentialsError, match="401 expired"):
        ask(api, tmp_path, FakeTime(), client_id="", client_secret="", api_token="given")
    assert len(api.requests) == 1
