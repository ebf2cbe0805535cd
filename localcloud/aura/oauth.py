"""The token endpoint: OAuth 2.0 client credentials (RFC 6749, section 4.4)."""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.responses import JSONResponse, Response

from localcloud.aura.access import basic, media_type
from localcloud.aura.errors import GatewayError
from localcloud.limits import retry_after

if TYPE_CHECKING:
    from starlette.requests import Request

    from localcloud.aura.cloud import Aura

PATH = "/oauth/token"
_FORM = "application/x-www-form-urlencoded"


async def token(aura: Aura, request: Request) -> Response:
    """Give a token for the client's id and secret. Raises GatewayError 400, 401, 403, 404 or 429."""
    now = aura.now()
    wait = aura.token_requests.admit(now)
    if wait:
        raise GatewayError(
            429,
            "Too many token requests",
            retry_after(aura.settings.aura_retry_after, now, wait),
        )
    if not is_client(aura, request):
        raise GatewayError(401, "Invalid client credentials")
    raw = await request.body()
    if not raw:
        raise GatewayError(404, "The request has no body")
    if media_type(request.headers.get("content-type", "")) != _FORM:
        raise GatewayError(400, f"The Content-Type must be {_FORM}")
    if parse_qs(raw.decode("utf-8", "replace")).get("grant_type") != ["client_credentials"]:
        raise GatewayError(403, "grant_type must be client_credentials")
    return JSONResponse(
        {
            "access_token": aura.tokens.issue(now),
            "expires_in": aura.tokens.seconds,
            "token_type": "bearer",
        },
        headers={"Cache-Control": "no-store"},
    )


def is_client(aura: Aura, request: Request) -> bool:
    """Whether a request brings the client's id and secret."""
    credentials = basic(request.headers.get("authorization", ""))
    if credentials is None:
        return False
    client_id, client_secret = credentials
    settings = aura.settings
    known = compare_digest(client_id.encode(), settings.aura_client_id.encode())
    return compare_digest(client_secret.encode(), settings.aura_client_secret.encode()) and known
