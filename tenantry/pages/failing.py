"""What is shown where a page cannot be: a problem in words, and never what an exception nobody foresaw says."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tenantry.errors import TenantryError
from tenantry.pages.rendering import page
from tenantry.service.problems import ProblemError, where

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_TITLES: Final = {404: "There is no such page", 405: "This is not done here"}
_log: Final = logging.getLogger("tenantry.pages")


async def _problem(request: Request, error: ProblemError) -> Response:
    return _told(request, error.status, error.title, error.reason, error.headers)


async def _plain(request: Request, error: HTTPException) -> Response:
    title = _TITLES.get(error.status_code) or HTTPStatus(error.status_code).phrase
    return _told(request, error.status_code, title, "", dict(error.headers or {}))


async def _failure(request: Request, error: TenantryError) -> Response:
    _log.warning("%s: %s", request.url.path, error)
    return _told(request, 503, "This cannot be shown now", str(error), {"Retry-After": "5"})


HANDLERS: Final[dict[Any, Any]] = {
    ProblemError: _problem,
    HTTPException: _plain,
    TenantryError: _failure,
}


class Caught:
    """Answers what nobody foresaw with a page; the log has where it was raised."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            if begun or scope["type"] != "http":
                raise
            _log.error("%s: unexpected: %s", scope["path"], where(error))
            told = _told(
                Request(scope),
                500,
                "Something unexpected happened",
                "This is a fault of the service; its log has it under the request below.",
                {},
            )
            await told(scope, receive, send)


def _told(
    request: Request, status: int, title: str, detail: str, headers: dict[str, str]
) -> Response:
    visit = getattr(request.state, "visit", None)
    return page(
        "problem.html",
        status,
        headers,
        visit=visit,
        path=request.url.path,
        form_token=visit.site.sessions.form_token(visit.session) if visit else "",
        title=title,
        detail=detail,
        request_id=request.state.request_id,
    )
