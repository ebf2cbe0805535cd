"""Requests with and without tokens, over HTTP."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI

from tenantry.catalog.keys import compose
from tenantry.catalog.verification import Verdict
from tenantry.service.authentication import REFUSALS, Authenticator, Needs
from tenantry.service.problems import install
from tenantry.service.tokens import Caller, Issuer, Tokens
from tests.serving import served
from tests.unit.service.support import AUDIENCE, ISSUER, TLS, KeyServer, SigningKey, signed

SECRET = b"s" * 32
KEY = SigningKey("one", "EdDSA")


def key(number: int) -> str:
    return compose("acme--default", at=1_789_000_000, secret=bytes([number]) * 32)


def verdict(state: Any = "valid", *scopes: str, namespace: str = "tenantry") -> Verdict:
    return Verdict(state, namespace, "acme/web", "default", 3, scopes)


VERDICTS = {
    key(1): verdict("valid", "read"),
    key(2): verdict("valid", "write"),
    key(3): verdict("valid", "read", "write", "admin"),
    key(4): verdict("valid", "later"),
    key(5): verdict("expired", "admin"),
    key(6): verdict("revoked", "admin"),
    key(7): verdict("valid", "admin", namespace="another"),
}


async def look(text: str) -> Verdict:
    return VERDICTS.get(text, Verdict("unknown"))


@contextmanager
def serving(keys_url: str) -> Iterator[httpx.Client]:
    issuers = [
        Issuer("internal", AUDIENCE, ("HS256",), secret=SECRET),
        Issuer(ISSUER, AUDIENCE, jwks_url=keys_url),
    ]

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with httpx.AsyncClient(verify=TLS) as client:
            app.state.authenticator = Authenticator(
                Tokens(issuers, client), look, namespace="tenantry"
            )
            yield

    app = FastAPI(lifespan=lifespan)
    install(app)

    @app.get("/me", responses=REFUSALS)
    async def me(caller: Annotated[Caller, Depends(Needs())]) -> dict[str, Any]:
        return {
            "subject": caller.subject,
            "issuer": caller.issuer,
            "tenant": caller.tenant,
            "scopes": sorted(caller.scopes),
            "kind": caller.kind,
        }

    @app.get("/secrets", responses=REFUSALS)
    async def secrets(
        _: Annotated[Caller, Depends(Needs("apps:read", "apps:secrets"))],
    ) -> dict[str, Any]:
        return {}

    with served(app) as url, httpx.Client(base_url=url, verify=TLS) as client:
        yield client


@pytest.fixture(scope="module")
def service() -> Iterator[httpx.Client]:
    with serving("https://id.example.com/asked-by-no-test") as client:
        yield client


@pytest.fixture
def fresh(keys_url: str) -> Iterator[httpx.Client]:
    """One that has asked its issuer for no keys yet."""
    with serving(keys_url) as client:
        yield client


def ask(service: httpx.Client, token: str, path: str = "/me") -> httpx.Response:
    return service.get(path, headers={"Authorization": f"Bearer {token}"})


def internal(**changed: Any) -> str:
    return signed(SECRET, "HS256", {}, **{"iss": "internal"} | changed)


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer"}, {"Authorization": ""}],
)
def test_without_a_token_the_answer_says_what_is_wanted(
    service: httpx.Client, headers: dict[str, str]
) -> None:
    answer = service.get("/me", headers=headers)
    assert answer.status_code == 401
    # RFC 6750, section 3.1: no error code where nothing was sent.
    assert answer.headers["www-authenticate"] == 'Bearer realm="tenantry"'
    assert answer.json()["type"] == "/problems/not-authenticated"


def test_a_token_that_is_not_good_is_named_and_not_repeated(service: httpx.Client) -> None:
    token = internal(aud="another")
    answer = ask(service, token)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == (
        'Bearer realm="tenantry", error="invalid_token", '
        'error_description="the token is not accepted: it is for another audience"'
    )
    assert answer.json()["type"] == "/problems/invalid-token"
    assert token not in answer.text


def test_two_tokens_are_a_bad_request(service: httpx.Client) -> None:
    token = internal()
    headers = [("Authorization", f"Bearer {token}"), ("Authorization", "Bearer other")]
    answer = service.get("/me", headers=headers)
    assert answer.status_code == 400
    assert 'error="invalid_request"' in answer.headers["www-authenticate"]


def test_a_scope_that_is_missing_is_named(service: httpx.Client) -> None:
    answer = ask(service, internal(), "/secrets")
    assert answer.status_code == 403
    challenge = answer.headers["www-authenticate"]
    assert 'error="insufficient_scope"' in challenge
    assert 'scope="apps:read apps:secrets"' in challenge
    assert "apps:secrets" in answer.json()["detail"]
    assert ask(service, internal(scope="apps:read apps:secrets"), "/secrets").status_code == 200


def test_a_token_and_the_scheme_in_any_case_are_taken(service: httpx.Client) -> None:
    for scheme in ("Bearer", "bearer", "BEARER "):
        answer = service.get("/me", headers={"Authorization": f"{scheme} {internal()}"})
        assert answer.json() == {
            "subject": "ann",
            "issuer": "internal",
            "tenant": "acme",
            "scopes": ["apps:read", "apps:write"],
            "kind": "token",
        }


def test_an_issuer_that_is_away_is_no_fault_of_the_token(
    fresh: httpx.Client, key_server: KeyServer
) -> None:
    key_server.status = 500
    answer = ask(fresh, KEY.token())
    assert answer.status_code == 503
    assert 1 <= int(answer.headers["retry-after"]) <= 30
    assert answer.json()["type"] == "/problems/issuer-away"
    # The others go on.
    assert ask(fresh, internal()).status_code == 200


def test_a_token_of_a_key_set_is_taken(fresh: httpx.Client, key_server: KeyServer) -> None:
    key_server.serve(KEY.jwk())
    assert ask(fresh, KEY.token()).json()["issuer"] == ISSUER


@pytest.mark.parametrize(
    ("number", "scopes"),
    [
        (1, ["apps:read"]),
        (2, ["apps:read", "apps:write"]),
        (3, ["apps:delete", "apps:read", "apps:secrets", "apps:write"]),
        (4, []),
    ],
)
def test_a_key_of_an_app_speaks_for_its_tenant(
    service: httpx.Client, number: int, scopes: list[str]
) -> None:
    assert ask(service, key(number)).json() == {
        "subject": "acme/web/default",
        "issuer": "catalog:tenantry",
        "tenant": "acme",
        "scopes": scopes,
        "kind": "key",
    }


@pytest.mark.parametrize(
    ("number", "reason"), [(5, "expired"), (6, "revoked"), (7, "not known"), (8, "not known")]
)
def test_a_key_that_is_not_good_is_refused(service: httpx.Client, number: int, reason: str) -> None:
    answer = ask(service, key(number))
    assert answer.status_code == 401
    assert answer.json()["detail"] == f"the API key is {reason}"


def test_the_document_says_how_to_ask(service: httpx.Client) -> None:
    document = service.get("/openapi.json").json()
    operation = document["paths"]["/me"]["get"]
    assert operation["security"] == [{"bearer": []}]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert {"400", "401", "403", "503"} <= set(operation["responses"])
