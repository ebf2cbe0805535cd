"""Counts requests, and gives the page that a scraper reads."""

from __future__ import annotations

import hmac
import time
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Header
from fastapi.responses import Response

from tenantry import tracing
from tenantry.observing.counters import CONTENT_TYPE
from tenantry.service.parts import Shared
from tenantry.service.problems import ProblemError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from tenantry.observing.counters import Counters

router = APIRouter(tags=["health"])
_WEBHOOKS: Final = ("/webhooks/auth/signup", "/api/webhooks/auth/signup")
_CLIENT: Final = 400
_SERVER: Final = 500
_PASSED_OVER: Final = 204


class Measured:
    """Counts each request by its route, and how long it took until its answer began."""

    def __init__(self, app: ASGIApp, counters: Counters) -> None:
        """Stand before an application."""
        self._app = app
        self._counters = counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.monotonic()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._count(scope, message["status"], time.monotonic() - begun)
            await send(message)

        with tracing.span(
            "request", request_id=scope.get("state", {}).get("request_id"), method=scope["method"]
        ) as told:

            async def noting(message: Message) -> None:
                if message["type"] == "http.response.start":
                    told["http_route"] = getattr(scope.get("route"), "path", "")
                    told["status"] = message["status"]
                await sending(message)

            await self._app(scope, receive, noting)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        # The template, with the names of its parts: what a caller writes is no label.
        route = getattr(scope.get("route"), "path", "")
        method = scope["method"] if route else ""
        self._counters.observe(
            "http_server_request_duration_seconds", seconds, method, route, str(status)
        )
        if route in _WEBHOOKS and method == "POST":
            result = "taken"
            if status == _PASSED_OVER:
                result = "passed_over"
            elif status >= _CLIENT:
                result = "failed" if status >= _SERVER else "refused"
            self._counters.count("tenantry_webhooks_total", result)


@router.get("/metrics", include_in_schema=False)
async def metrics(parts: Shared, authorization: Annotated[str, Header()] = "") -> Response:
    """Give the metrics of this process and of the catalog, in Prometheus' text format.

    :raises ProblemError: 401 where the settings have a token and the request has not
    """
    wanted = parts.settings.metrics_token
    if wanted and not hmac.compare_digest(authorization.encode(), f"Bearer {wanted}".encode()):
        raise ProblemError(
            401,
            "not-authenticated",
            "Nobody has said who asks",
            "send the token of the metrics",
            headers={"WWW-Authenticate": "Bearer"},
        )
    page = parts.counters.page(await parts.reader.read())
    return Response(page, media_type=CONTENT_TYPE)
