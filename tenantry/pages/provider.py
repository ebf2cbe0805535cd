"""Signing in at an OpenID provider: the code flow with PKCE (OpenID Connect Core 1.0, 3.1; RFC 7636).

What the provider signs is verified as the API verifies tokens, and its claims say the same: tenant and scopes. An
access token that the API would accept counts; else the ID token does.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import httpx
import jwt

from tenantry.service.jwks import KeysAwayError
from tenantry.service.problems import ProblemError
from tenantry.service.tokens import Caller, TokenError, Tokens
from tenantry.surroundings import direct_mounts
from tenantry.urls import is_safe

if TYPE_CHECKING:
    from tenantry.service.sign_in_settings import SignInSettings
    from tenantry.service.tokens import Issuer

DISCOVERY: Final = "/.well-known/openid-configuration"
BACK: Final = "/sign-in/back"
_SECONDS: Final = 5.0
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint")


@dataclass(frozen=True)
class Attempt:
    """One sign-in that was begun, as the browser keeps it in a cookie of ours."""

    state: str
    nonce: str
    verifier: str
    """The proof that who brings the code is who began."""
    after: str
    """The path to go to."""

    @classmethod
    def new(cls, after: str) -> Attempt:
        """Begin one."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(state, nonce, verifier, after)

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Attempt:
        """Take it out of the cookie."""
        return cls(kept["state"], kept["nonce"], kept["verifier"], kept["after"])

    @property
    def challenge(self) -> str:
        """What the provider gets of the proof (S256)."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Provider:
    """One provider."""

    def __init__(self, settings: SignInSettings, issuers: Sequence[Issuer]) -> None:
        """Ask nobody yet.

        :param issuers: those whose tokens the API accepts
        """
        self.settings = settings
        self._issuers = issuers
        self._known: dict[str, str] = {}

    async def where(self, attempt: Attempt) -> str:
        """Return where the browser is to go.

        :raises ProblemError: 503: the provider does not answer
        """
        async with self._client() as client:
            endpoint = (await self._endpoints(client))["authorization_endpoint"]
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self._back,
            "scope": self.settings.scope,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
            # Whose access token it is to be; a provider that does not know the word passes it over.
            "audience": self.settings.issuer.audience,
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    async def caller(self, code: str, attempt: Attempt) -> Caller:
        """Return who signed in.

        :raises ProblemError: 403: the provider gives nothing for the code, or what it gives is not good; 503
        """
        async with self._client() as client:
            given = await self._exchange(client, code, attempt)
            own = replace(self.settings.issuer, audience=self.settings.client_id)
            try:
                identity = str(given.get("id_token", ""))
                person = await Tokens([own], client).verify(identity)
                _check_nonce(identity, attempt.nonce)
                found = await self._by_access_token(client, str(given.get("access_token", "")))
            except TokenError as error:
                raise _refused(f"its token is not accepted: {error}") from None
            except KeysAwayError:
                raise _away() from None
        return found if found is not None and found.subject == person.subject else person

    async def _by_access_token(self, client: httpx.AsyncClient, text: str) -> Caller | None:
        try:
            return await Tokens(self._issuers, client).verify(text)
        except TokenError:
            # Many are no tokens of ours, and none that can be read.
            return None

    async def _exchange(
        self, client: httpx.AsyncClient, code: str, attempt: Attempt
    ) -> Mapping[str, Any]:
        endpoint = (await self._endpoints(client))["token_endpoint"]
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._back,
            "client_id": self.settings.client_id,
            "code_verifier": attempt.verifier,
        }
        if self.settings.client_secret:
            fields["client_secret"] = self.settings.client_secret
        try:
            answer = await client.post(endpoint, data=fields)
        except httpx.HTTPError:
            raise _away() from None
        found = _json(answer)
        if answer.status_code != HTTPStatus.OK:
            raise _refused(f"it refuses the code: {str(found.get('error', 'no reason'))[:100]}")
        return found

    async def _endpoints(self, client: httpx.AsyncClient) -> Mapping[str, str]:
        if self._known:
            return self._known
        issuer = self.settings.issuer.issuer
        try:
            answer = await client.get(f"{issuer.rstrip('/')}{DISCOVERY}")
        except httpx.HTTPError:
            raise _away() from None
        found = _json(answer)
        # OpenID Connect Discovery 1.0, 4.3: else somebody else's endpoints are used.
        if answer.status_code != HTTPStatus.OK or found.get("issuer") != issuer:
            raise _away()
        known = {name: str(found.get(name, "")) for name in _ENDPOINTS}
        if not all(map(is_safe, known.values())):
            raise _away()
        self._known = known
        return known

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=_SECONDS, mounts=direct_mounts())

    @property
    def _back(self) -> str:
        return f"{self.settings.url}{BACK}"


def _check_nonce(text: str, nonce: str) -> None:
    # It was verified just before.
    claims = jwt.decode(text, options={"verify_signature": False})
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise TokenError("it is of another sign-in")


def _json(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _refused(reason: str) -> ProblemError:
    return ProblemError(403, "not-signed-in", "The provider did not sign you in", reason)


def _away() -> ProblemError:
    return ProblemError(
        503,
        "provider-away",
        "The provider does not answer",
        "it cannot be said who you are: try again in a moment",
        headers={"Retry-After": "5"},
    )
