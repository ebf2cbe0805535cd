"""The Aura API: its routes, and what stands before them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from localcloud.asgi import HttpApi
from localcloud.aura import instances, keys, metrics, oauth, query, sessions, snapshots, tenants
from localcloud.aura.access import bearer, media_type
from localcloud.aura.errors import ApiError, GatewayError, no_route, refused
from localcloud.aura.tokens import Standing
from localcloud.limits import retry_after

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.middleware import Middleware
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.aura.cloud import Aura
    from localcloud.aura.routing import Handler, Routes
    from localcloud.records import Json
    from localcloud.traffic import Traffic

PREFIX = "/v1"
ROUTES: Routes = [
    *tenants.ROUTES,
    *instances.ROUTES,
    *snapshots.ROUTES,
    *keys.ROUTES,
    *sessions.ROUTES,
]
"""Every route of the API, below ``PREFIX``."""
OTHER_ROUTES: Routes = [
    ("POST", oauth.PATH, oauth.token),
    ("POST", query.PATH, query.query),
    ("GET", metrics.PATH, metrics.read),
]
"""What has ways of its own to know who asks: the token endpoint, the instances' Query API, and the metrics."""
_WITH_BODY = frozenset({"POST", "PATCH"})


def build(
    aura: Aura, middleware: Sequence[Middleware] = (), traffic: Traffic | None = None
) -> HttpApi:
    """Return the Aura API of an account. ``middleware`` stands between the gateway's checks and the routes."""
    return _Gateway(aura, middleware, traffic)


def _endpoint(aura: Aura, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await handler(aura, request)

    return endpoint


def location(aura: Aura) -> Callable[[Request], tuple[str, str] | None]:
    """Return what tells method and path of a request as orders of faults name it.

    A path is below ``PREFIX``, or whole where it is not under it. None for wrong credentials: the route judges them.
    """

    def locate(request: Request) -> tuple[str, str] | None:
        path = request.url.path
        if path.startswith(f"{PREFIX}/"):
            return request.method, path.removeprefix(PREFIX)
        if path.startswith(metrics.PREFIX):
            known: Callable[[Aura, Request], object] = metrics.is_client
        else:
            known = oauth.is_client if path == oauth.PATH else query.is_holder
        return (request.method, path) if known(aura, request) else None

    return locate


def error_document(request_id: str, message: str) -> Json:
    """Return the body of an error that was ordered."""
    return refused(500, message, "as-ordered").document(request_id)


class _Gateway(HttpApi):
    log = logging.getLogger("localcloud.aura")
    prefix = PREFIX

    def __init__(
        self, aura: Aura, middleware: Sequence[Middleware], traffic: Traffic | None
    ) -> None:
        prefixed = [(method, PREFIX + path, handler) for method, path, handler in ROUTES]
        super().__init__(
            (
                (method, path, _endpoint(aura, handler))
                for method, path, handler in prefixed + OTHER_ROUTES
            ),
            middleware,
            traffic,
        )
        self._aura = aura

    def admit(self, request: Request, _route: str) -> None:
        """Check token, limit and content type. Raises GatewayError 401, 403 or 429, ApiError 415."""
        if not request.url.path.startswith(f"{PREFIX}/"):
            return
        now = self._aura.now()
        token = bearer(request.headers.get("authorization", ""))
        standing = self._aura.tokens.judge(token, now) if token else Standing.UNKNOWN
        if standing is Standing.UNKNOWN:
            raise GatewayError(401, "Unauthorized")
        if standing is Standing.EXPIRED:
            raise GatewayError(403, "The access token has expired")
        wait = self._aura.requests.admit(now)
        if wait:
            raise GatewayError(
                429,
                "Rate limit exceeded",
                retry_after(self._aura.settings.aura_retry_after, now, wait),
            )
        kind = media_type(request.headers.get("content-type", ""))
        if request.method in _WITH_BODY and kind != "application/json":
            raise refused(
                415, "The Content-Type header must be application/json", "unsupported-media-type"
            )

    def no_route(self) -> GatewayError:
        """Return the gateway's answer to a request that it does not know."""
        return no_route()

    def failure(self, _error: Exception) -> ApiError:
        """Return the answer to a request that failed inside."""
        return refused(500, "Internal server error", "internal-error")
