"""What a route is: a method, a path, and a handler that is given the cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from localcloud.neon.cloud import Cloud
    from localcloud.records import Json

Handler: TypeAlias = "Callable[[Cloud, Request], Awaitable[Response]]"
Routes: TypeAlias = "list[tuple[str, str, Handler]]"


def answer(document: Json | list[Json], status: int = 200) -> Response:
    """Return a JSON answer."""
    return JSONResponse(document, status)


def gone() -> Response:
    """Return Neon's answer to the deletion of something that is not there: 204 with no body."""
    return Response(status_code=204)
