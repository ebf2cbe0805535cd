"""The ASGI application: routes, keys, request ids, errors and the request log."""

from __future__ import annotations

import logging
import time
import uuid
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route

from localcloud.neon import (
    api_keys,
    branches,
    connection,
    databases,
    endpoints,
    operation_routes,
    organizations,
    permissions,
    projects,
    regions,
    roles,
    users,
)
from localcloud.neon.caller import authenticate
from localcloud.neon.errors import ApiError, no_route
from localcloud.postgres.front import AddressError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.middleware import Middleware
    from starlette.types import ASGIApp, Receive, Scope, Send

    from localcloud.neon.cloud import Cloud
    from localcloud.neon.routing import Handler, Routes
    from localcloud.state import Json

PREFIX = "/api/v2"
_log = logging.getLogger("localcloud.neon")
_MODULES = (
    projects,
    connection,
    operation_routes,
    permissions,
    branches,
    endpoints,
    roles,
    databases,
    api_keys,
    organizations,
    regions,
    users,
)


ROUTES: Routes = [route for module in _MODULES for route in module.ROUTES]
"""Every route of the API, below ``PREFIX``."""


def build(cloud: Cloud, middleware: Sequence[Middleware] = ()) -> ASGIApp:
    """Return the Neon API of a cloud. ``middleware`` stands between the request log and the routes."""
    routes = [
        Route(PREFIX + path, _endpoint(cloud, handler), methods=[method])
        for method, path, handler in ROUTES
    ]
    for route in routes:
        # Starlette adds HEAD to every GET; Neon does not.
        route.methods = (route.methods or set()) - {"HEAD"}
    handlers: dict[Any, Any] = {
        ApiError: _api_error,
        AddressError: _address_error,
        Exception: _internal_error,
    }
    inner = Starlette(routes=routes, middleware=list(middleware), exception_handlers=handlers)
    inner.router.redirect_slashes = False
    return _Conversation(inner, cloud)


def _endpoint(cloud: Cloud, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await handler(cloud, request)

    return endpoint


def location(request: Request) -> tuple[str, str]:
    """Return a request's method and its path below ``PREFIX``, as orders of faults name it."""
    return request.method, request.url.path.removeprefix(PREFIX)


def error_document(request_id: str, message: str, code: str = "") -> Json:
    """Return the body of an error."""
    return {"request_id": request_id, "code": code, "message": message}


class _Conversation:
    """Around every request: who asks, its id, its errors as Neon words them, and one line in the log."""

    def __init__(self, app: Starlette, cloud: Cloud) -> None:
        self._app = app
        self._cloud = cloud

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        started = time.perf_counter()
        request = Request(scope, receive)
        request_id = request.headers.get("x-request-id") or str(uuid.uuid4())
        status = 0

        async def send_with_id(message: Any) -> None:  # noqa: ANN401 (ASGI's own type)
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = list(message.get("headers", []))
                encoded = request_id.encode("latin-1", "replace")
                headers += [(b"x-neon-ret-request-id", encoded), (b"x-request-id", encoded)]
                message = message | {"headers": headers}
            await send(message)

        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        try:
            state["caller"] = authenticate(
                self._cloud,
                request.headers.get("authorization", ""),
                request.client.host if request.client else "",
            )
            if not any(route.matches(scope)[0] is Match.FULL for route in self._app.routes):
                raise no_route()
        except ApiError as error:
            await (await _api_error(request, error))(scope, receive, send_with_id)
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


async def _api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 (registered for this class only)
    document = error_document(request.state.request_id, error.message, error.code)
    return JSONResponse(document, error.status)


async def _address_error(request: Request, error: Exception) -> Response:
    _log.error("%s", error)
    return await _api_error(request, ApiError(503, str(error)))


async def _internal_error(request: Request, _error: Exception) -> Response:
    return await _api_error(request, ApiError(500, "internal error"))
