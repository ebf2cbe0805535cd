"""The Neon API: its routes, and what stands before them."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from localcloud.asgi import HttpApi
from localcloud.neon import (
    anonymizing,
    api_keys,
    branches,
    buckets,
    connection,
    consumption,
    databases,
    endpoints,
    jwks,
    members,
    missing,
    operation_routes,
    organizations,
    permissions,
    preload,
    projects,
    regions,
    restoring,
    roles,
    schemas,
    sharing,
    snapshots,
    users,
    vpc,
)
from localcloud.neon.caller import authenticate
from localcloud.neon.errors import ApiError, no_route
from localcloud.postgres.addresses import AddressError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.middleware import Middleware
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.neon.cloud import Cloud
    from localcloud.neon.routing import Handler, Routes
    from localcloud.records import Json
    from localcloud.traffic import Traffic

PREFIX = "/api/v2"
_log = logging.getLogger("localcloud.neon")
_MODULES = (
    projects,
    connection,
    operation_routes,
    permissions,
    branches,
    anonymizing,
    restoring,
    snapshots,
    schemas,
    buckets,
    endpoints,
    roles,
    databases,
    api_keys,
    organizations,
    regions,
    users,
    members,
    sharing,
    jwks,
    vpc,
    preload,
    consumption,
)


ROUTES: Routes = [route for module in _MODULES for route in module.ROUTES]
"""Every route that the local cloud has, below ``PREFIX``."""

DOCUMENTED: Routes = sorted(ROUTES + missing.ROUTES, key=lambda route: route[1].count("{"))
"""Every route of Neon's document, fixed parts before parameters: ``/projects/shared`` is no project."""


def build(
    cloud: Cloud, middleware: Sequence[Middleware] = (), traffic: Traffic | None = None
) -> HttpApi:
    """Return the Neon API of a cloud. ``middleware`` stands between the checks of key and rate and the routes."""
    return _Neon(cloud, middleware, traffic)


def _endpoint(cloud: Cloud, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await handler(cloud, request)
        except AddressError as error:
            _log.error("%s", error)
            raise ApiError(503, str(error)) from error

    return endpoint


def location(request: Request) -> tuple[str, str]:
    """Return a request's method and its path below ``PREFIX``, as orders of faults name it."""
    return request.method, request.url.path.removeprefix(PREFIX)


def error_document(request_id: str, message: str) -> Json:
    """Return the body of an error that was ordered."""
    return ApiError(500, message).document(request_id)


class _Neon(HttpApi):
    log = _log
    prefix = PREFIX
    id_headers = (b"x-neon-ret-request-id", b"x-request-id")

    def __init__(
        self, cloud: Cloud, middleware: Sequence[Middleware], traffic: Traffic | None
    ) -> None:
        super().__init__(
            (
                # A key of an object may have slashes.
                (
                    method,
                    PREFIX + path.replace("{object_key}", "{object_key:path}"),
                    _endpoint(cloud, handler),
                )
                for method, path, handler in DOCUMENTED
            ),
            middleware,
            traffic,
        )
        self._cloud = cloud

    def request_id(self, request: Request) -> str:
        """Return the client's own id of a request, where it gives one."""
        return request.headers.get("x-request-id") or super().request_id(request)

    def admit(self, request: Request, route: str) -> None:
        """Check key and rate. Raises ApiError 401 or 429."""
        request.state.caller = authenticate(
            self._cloud,
            request.headers.get("authorization", ""),
            request.client.host if request.client else "",
        )
        self._cloud.rate.admit(route, time.time())

    def no_route(self) -> ApiError:
        """Return Neon's answer to a request that it does not know."""
        return no_route()

    def failure(self, _error: Exception) -> ApiError:
        """Return the answer to a request that failed inside."""
        return ApiError(500, "internal error")
