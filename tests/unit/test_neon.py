import httpx
import pytest

from tenantry.neon import NeonError, compute_states, computes


def answering(status: int, body: object) -> httpx.MockTransport:
    return httpx.MockTransport(
        lambda _: httpx.Response(status, json=body, headers={"x-neon-ret-request-id": "req-7"})
    )


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
    found = compute_states(["p-1"], api_key="k", transport=answering(status, body))
    assert found == {"p-1": state}


def test_each_project_is_asked_once_with_the_key() -> None:
    asked: list[tuple[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.path, request.headers["authorization"]))
        return httpx.Response(200, json={"endpoints": [endpoint("read_write", "idle")]})

    compute_states(["p-1", "p-2"], api_key="key", transport=httpx.MockTransport(answer))
    assert sorted(asked) == [
        ("/api/v2/projects/p-1/endpoints", "Bearer key"),
        ("/api/v2/projects/p-2/endpoints", "Bearer key"),
    ]


def test_a_refusal_is_one_line_with_the_request_and_without_the_key() -> None:
    with pytest.raises(NeonError) as refused:
        compute_states(["p-1"], api_key="napi_key", transport=answering(401, {}))
    assert str(refused.value) == (
        "GET /api/v2/projects/p-1/endpoints: 401 Unauthorized (request req-7); is NEON_API_KEY right?"
    )


def test_no_answer_is_one_line() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused")

    with pytest.raises(NeonError, match="connection refused; is NEON_API_URL right"):
        compute_states(["p-1"], api_key="k", transport=httpx.MockTransport(refuse))


def test_a_key_that_no_header_can_hold_is_not_repeated() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        # In h11's words; a file with Windows' line ends leaves such a key.
        raise httpx.LocalProtocolError("Illegal header value b'Bearer napi_key\\r'")

    with pytest.raises(NeonError, match="Illegal header value") as refused:
        compute_states(["p-1"], api_key="napi_key\r", transport=httpx.MockTransport(refuse))
    assert "napi_key" not in str(refused.value)


def test_without_a_key_nothing_is_asked() -> None:
    assert computes(["p-1"], {}) == {}
