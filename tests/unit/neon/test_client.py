from typing import Any

import httpx
import pytest

from tenantry.neon.client import NeonApi, NeonError
from tenantry.neon.looking import NeonClient


def answering(status: int, body: object) -> httpx.MockTransport:
    return httpx.MockTransport(
        lambda _: httpx.Response(status, json=body, headers={"x-neon-ret-request-id": "req-7"})
    )


def states(projects: list[str], *, api_key: str, transport: httpx.MockTransport) -> dict[str, str]:
    with NeonClient(NeonApi(api_key=api_key, transport=transport), "") as client:
        return client.computes(projects)


def endpoint(kind: str, state: str) -> dict[str, str]:
    return {"type": kind, "current_state": state}


@pytest.mark.parametrize(
    ("status", "body", "state"),
    [
        (200, {"endpoints": [endpoint("read_write", "idle")]}, "idle"),
        (
            200,
            {"endpoints": [endpoint("read_only", "idle"), endpoint("read_write", "active")]},
            "active",
        ),
        (200, {"endpoints": []}, "no compute"),
        (404, {"code": "", "message": "project not found"}, "gone"),
    ],
)
def test_a_projects_compute_is_told_in_one_word(status: int, body: object, state: str) -> None:
    found = states(["p-1"], api_key="k", transport=answering(status, body))
    assert found == {"p-1": state}


def test_each_project_is_asked_once_with_the_key() -> None:
    asked: list[tuple[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.path, request.headers["authorization"]))
        return httpx.Response(200, json={"endpoints": [endpoint("read_write", "idle")]})

    states(["p-1", "p-2"], api_key="key", transport=httpx.MockTransport(answer))
    assert sorted(asked) == [
        ("/api/v2/projects/p-1/endpoints", "Bearer key"),
        ("/api/v2/projects/p-2/endpoints", "Bearer key"),
    ]


def test_a_refusal_is_one_line_with_the_request_and_without_the_key() -> None:
    with pytest.raises(NeonError) as refused:
        states(["p-1"], api_key="napi_key", transport=answering(401, {}))
    assert str(refused.value) == (
        "GET /api/v2/projects/p-1/endpoints: 401 Unauthorized (request req-7); is NEON_API_KEY right?"
    )


def test_no_answer_is_one_line() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused")

    with pytest.raises(NeonError, match="connection refused; is NEON_API_URL right"):
        states(["p-1"], api_key="k", transport=httpx.MockTransport(refuse))


def test_a_key_that_no_header_can_hold_is_not_repeated() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        # In h11's words; a file with Windows' line ends leaves such a key.
        raise httpx.LocalProtocolError("Illegal header value b'Bearer napi_key\\r'")

    with pytest.raises(NeonError, match="Illegal header value") as refused:
        states(["p-1"], api_key="napi_key\r", transport=httpx.MockTransport(refuse))
    assert "napi_key" not in str(refused.value)


def listed(id_: str) -> dict[str, Any]:
    return {
        "id": id_,
        "name": f"t--acme--{id_}",
        "region_id": "aws-us-east-2",
        "pg_version": 17,
        "org_id": "org",
        "created_at": "2026-11-22T11:00:00Z",
    }


def test_projects_are_listed_to_the_last_page() -> None:
    pages = {"": (["a", "b"], "1"), "1": (["c"], "2"), "2": ([], "2")}
    asked: list[dict[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        ids, cursor = pages[request.url.params.get("cursor", "")]
        page = {"projects": [listed(each) for each in ids], "pagination": {"cursor": cursor}}
        return httpx.Response(200, json=page)

    with NeonApi(api_key="k", transport=httpx.MockTransport(answer)) as api:
        found = api.projects("org", "t--")
    assert [each.id for each in found] == ["a", "b", "c"]
    assert (found[0].place, found[0].account) == (
        {"region": "aws-us-east-2", "PostgreSQL": "17"},
        "org",
    )
    assert asked[0] == {"limit": "400", "search": "t--", "org_id": "org"}
    assert [each.get("cursor") for each in asked] == [None, "1", "2"]


def test_a_list_that_is_not_whole_is_no_list() -> None:
    page = {"projects": [], "unavailable_project_ids": ["a"]}
    with (
        NeonApi(api_key="k", transport=answering(200, page)) as api,
        pytest.raises(NeonError, match="cannot list all projects at the moment"),
    ):
        api.projects("", "t--")
    with (
        NeonApi(api_key="k", transport=answering(404, {})) as api,
        pytest.raises(NeonError, match="there is no organization org"),
    ):
        api.projects("org", "t--")


def test_what_may_pass_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", slept.append)
    answers: list[httpx.Response | httpx.ReadError] = [
        httpx.Response(429, headers={"Retry-After": "3"}),
        httpx.Response(503, headers={"Retry-After": "600"}),
        httpx.ReadError("cut off"),
        httpx.Response(200, json={"project": listed("a")}),
    ]

    def answer(_: httpx.Request) -> httpx.Response:
        given = answers.pop(0)
        if isinstance(given, httpx.Response):
            return given
        raise given

    with NeonApi(api_key="k", transport=httpx.MockTransport(answer)) as api:
        found = api.project("a")
    assert found is not None
    assert slept == [3.0, 10.0, 2.0]


def test_what_stays_is_one_line_with_neons_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)
    body = {"code": "", "message": "project already has running conflicting operations"}
    with (
        NeonApi(api_key="k", transport=answering(423, body)) as api,
        pytest.raises(NeonError) as locked,
    ):
        api.delete_project("a")
    assert str(locked.value) == (
        "DELETE /api/v2/projects/a: 423 Locked: project already has running conflicting operations (request req-7)"
    )


def test_a_deletion_of_what_is_gone_is_a_success() -> None:
    with NeonApi(api_key="k", transport=answering(404, {})) as api:
        api.delete_project("a")
        assert api.project("a") is None
