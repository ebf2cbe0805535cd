"""The ASGI application: routes, tokens, limits, request ids, errors and the request log."""

from __future__ import annotations

import logging
import time
import uuid
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route

from localcloud.aura import instances, oauth, query, snapshots, tenants
from localcloud.aura.access import bearer, media_type
from localcloud.aura.errors import ApiError, GatewayError, no_route, refused
from localcloud.aura.limits import retry_after
from localcloud.aura.tokens import Standing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.middleware import Middleware
    from starlette.types import ASGIApp, Receive, Scope, Send

    from localcloud.aura.cloud import Aura
    from localcloud.aura.routing import Handler, Routes
    from localcloud.state import Json

PREFIX = "/v1"
ROUTES: Routes = [*tenants.ROUTES, *instances.ROUTES, *snapshots.ROUTES]
"""Every route of the API, below ``PREFIX``."""
OTHER_ROUTES: Routes = [("POST", oauth.PATH, oauth.token), ("POST", query.PATH, query.query)]
"""What has ways of its own to know who asks: the token endpoint and the instances' Query API."""
_WITH_BODY = frozenset({"POST", "PATCH"})
_log = logging.getLogger("localcloud.aura")


def build(aura: Aura, middleware: Sequence[Middleware] = ()) -> ASGIApp:
    """Return the Aura API of an account. ``middleware`` stands between the gateway's checks and the routes."""
    prefixed = [(method, PREFIX + path, handler) for method, path, handler in ROUTES]
    routes = [
        Route(path, _endpoint(aura, handler), methods=[method])
        for method, path, handler in prefixed + OTHER_ROUTES
    ]
    for route in routes:
        # Starlette adds HEAD to every GET; Aura does not.
        route.methods = (route.methods or set()) - {"HEAD"}
    handlers: dict[Any, Any] = {
        ApiError: _error,
        GatewayError: _error,
        Exception: _internal_error,
    }
    inner = Starlette(routes=routes, middleware=list(middleware), exception_handlers=handlers)
    inner.router.redirect_slashes = False
    return _Gateway(inner, aura)


def _endpoint(aura: Aura, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await handler(aura, request)

    return endpoint


def location(aura: Aura) -> Callable[[Request], tuple[str, str] | None]:
    """Return what tells method and path of a request as orders of faults name it.

    A path is below ``PREFIX``, or whole where it is not under it. None for wrong credentials, where the route judges them.
    """

    def locate(request: Request) -> tuple[str, str] | None:
        path = request.url.path
        if path.startswith(f"{PREFIX}/"):
            return request.method, path.removeprefix(PREFIX)
        known = oauth.is_client if path == oauth.PATH else query.is_holder
        return (request.method, path) if known(aura, request) else None

    return locate


def error_document(_request_id: str, message: str) -> Json:
    """Return the body of an error that was ordered."""
    return refused(500, message, "as-ordered").document()


class _Gateway:
    """Around every request: its id, who asks and how often, its errors in the API's words, and one line in the log."""

    def __init__(self, app: Starlette, aura: Aura) -> None:
        self._app = app
        self._aura = aura

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        started = time.perf_counter()
        request = Request(scope, receive)
        request_id = str(uuid.uuid4())
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def send_with_id(message: Any) -> None:  # noqa: ANN401 (ASGI's own type)
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message.get("headers", []), (b"x-request-id", request_id.encode())]
                message = message | {"headers": headers}
            await send(message)

        try:
            if scope["path"].startswith(f"{PREFIX}/"):
                self._admit(request)
            if not any(route.matches(scope)[0] is Match.FULL for route in self._app.routes):
                raise no_route()
        except (ApiError, GatewayError) as error:
            await (await _error(request, error))(scope, receive, send_with_id)
        else:
            try:
                await self._app(scope, receive, send_with_id)
            except Exception:
                _log.exception("request %s failed", request_id)
                if status == 0:
                    raise
        finally:
            _log.info(
                "%s %s %d %s %.1f ms",
                scope["method"],
                # As it was sent, still escaped: a line stays a line.
                scope["raw_path"].decode("latin-1"),
                status,
                request_id,
                (time.perf_counter() - started) * 1000,
            )

    def _admit(self, request: Request) -> None:
        """Check token, limit and content type. Raises GatewayError 401, 403 or 429, ApiError 415."""
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


async def _error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError | GatewayError)  # noqa: S101 (registered for these only)
    headers = error.headers if isinstance(error, GatewayError) else None
    return JSONResponse(error.document(), error.status, headers)


async def _internal_error(request: Request, _problem: Exception) -> Response:
    return await _error(request, refused(500, "Internal server error", "internal-error"))
