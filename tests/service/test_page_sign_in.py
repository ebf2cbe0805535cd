"""Signing in at an OpenID provider that answers over HTTP, checks the proof (PKCE) and signs with keys of its own."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tenantry.pages.provider import Provider
from tenantry.service.sign_in_settings import SignInSettings
from tenantry.service.tokens import Issuer
from tests.service.page import Pages, pages
from tests.serving import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.localcloud.catalog import Catalog

SECRET = "the client's own secret"


@dataclass
class Idp:
    """The provider. Everybody is ann."""

    url: str = ""
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    access: dict[str, Any] | None = None

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.discovery),
                Route("/keys", self.keys),
                Route("/authorize", self.authorize),
                Route("/token", self.token, methods=["POST"]),
            ]
        )

    async def discovery(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
            }
        )

    async def keys(self, _: Request) -> Response:
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
        return JSONResponse({"keys": [{**public, "kid": "k", "alg": "ES256", "use": "sig"}]})

    async def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["code_challenge_method"] == "S256"
        assert asked["scope"] == "openid"
        self.codes["c-1"] = asked
        return RedirectResponse(
            f"{asked['redirect_uri']}?code=c-1&state={asked['state']}&iss={self.url}"
        )

    async def token(self, request: Request) -> Response:
        given = dict(parse_qsl((await request.body()).decode()))
        asked = self.codes.pop(given["code"], None)
        proof = base64.urlsafe_b64encode(hashlib.sha256(given["code_verifier"].encode()).digest())
        if (
            asked is None
            or proof.rstrip(b"=").decode() != asked["code_challenge"]
            or given["redirect_uri"] != asked["redirect_uri"]
            or given["client_secret"] != SECRET
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        claims = {"aud": "the-page", "nonce": asked["nonce"], **self.claims}
        answer = {"id_token": self.signed(claims), "token_type": "Bearer", "access_token": "opaque"}
        if self.access is not None:
            answer["access_token"] = self.signed({"aud": "tenantry", **self.access})
        return JSONResponse(answer)

    def signed(self, claims: dict[str, Any]) -> str:
        now = int(time.time())
        known = {"iss": self.url, "sub": "ann", "iat": now, "exp": now + 300}
        return jwt.encode(known | claims, self.key, "ES256", {"kid": "k"})


@dataclass
class Setting:
    idp: Idp
    site: Pages

    def sign_in(self, browser: httpx.Client, after: str = "/") -> httpx.Response:
        """Go the whole way, as a browser does; return the answer of the page's own last step."""
        begun = browser.get("/sign-in/begin", params={"next": after})
        assert begun.status_code == 303, begun.text
        at_provider = httpx.get(begun.headers["location"], trust_env=False)
        # The page is told to be at another URL than the free port of the test.
        back = urlsplit(at_provider.headers["location"])
        return browser.get(f"{back.path}?{back.query}")


@pytest.fixture
def setting(catalog: Catalog, tmp_path: Path) -> Iterator[Setting]:
    idp = Idp()
    with served(idp.app()) as url:
        idp.url = url
        issuer = Issuer(issuer=url, audience="tenantry", jwks_url=f"{url}/keys")
        written = {
            "issuer": url,
            "client_id": "the-page",
            "client_secret_from": "PAGE_SECRET",
            "url": "http://127.0.0.1:8080/",
        }
        settings = SignInSettings.read(written, [issuer], {"PAGE_SECRET": SECRET})
        with pages(catalog, tmp_path, provider=Provider(settings, [issuer])) as site:
            yield Setting(idp, site)


def test_somebody_signs_in_and_is_who_the_provider_says(setting: Setting) -> None:
    setting.idp.claims = {"tenant": "acme", "scope": "apps:read apps:write email"}
    with setting.site.stranger() as browser:
        assert f"Sign in with {urlsplit(setting.idp.url).netloc}" in browser.get("/sign-in").text
        answer = setting.sign_in(browser, "/runs")
        assert (answer.status_code, answer.headers["location"]) == (303, "/runs")
        shown = browser.get("/")
        assert "ann, of acme" in shown.text
        assert browser.get("/ask").status_code == 200
        assert browser.get("/plan").status_code == 403
        # The code, the proof and the cookie of the attempt are used up.
        assert browser.get("/sign-in/back?code=c-1&state=x").status_code == 403


def test_an_access_token_that_the_api_accepts_says_what_they_may(setting: Setting) -> None:
    setting.idp.access = {"scope": "apps:read fleet:admin"}
    with setting.site.stranger() as browser:
        assert setting.sign_in(browser).status_code == 303
        assert browser.get("/plan").status_code == 200
    # Of somebody else it counts for nothing.
    setting.idp.access = {"scope": "apps:read fleet:admin", "sub": "eve"}
    with setting.site.stranger() as browser:
        assert setting.sign_in(browser).status_code == 303
        assert browser.get("/").status_code == 403


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"aud": "another-client"},
        {"aud": "tenantry"},
        {"exp": 1},
        {"iss": "https://other.example"},
        {"tenant": "No Label"},
    ],
)
def test_an_id_token_that_is_not_for_this_sign_in_is_refused(
    setting: Setting, claims: dict[str, Any]
) -> None:
    setting.idp.claims = claims
    with setting.site.stranger() as browser:
        answer = setting.sign_in(browser)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
        assert browser.get("/").status_code == 303


def test_a_sign_in_of_another_browser_is_none_of_this_one(setting: Setting) -> None:
    with setting.site.stranger() as browser, setting.site.stranger() as other:
        begun = browser.get("/sign-in/begin")
        state = parse_qs(urlsplit(begun.headers["location"]).query)["state"][0]
        for path in (
            f"/sign-in/back?code=c-1&state={state}x",
            f"/sign-in/back?code=c-1&state={state}&iss=https://other.example",
            "/sign-in/back?code=c-1",
            f"/sign-in/back?error=access_denied&state={state}",
            f"/sign-in/back?code=never-given&state={state}",
        ):
            assert browser.get(path).status_code == 403
        assert other.get(f"/sign-in/back?code=c-1&state={state}").status_code == 403


def test_a_provider_that_is_away_is_said(setting: Setting) -> None:
    setting.idp.url = "https://other.example"
    with setting.site.stranger() as browser:
        answer = browser.get("/sign-in/begin")
        assert answer.status_code == 503
        assert "does not answer" in answer.text
