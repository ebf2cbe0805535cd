"""What a route is: a method, a path, and a handler that is given the account."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from localcloud.aura.cloud import Aura
    from localcloud.records import Json

Handler: TypeAlias = "Callable[[Aura, Request], Awaitable[Response]]"
Routes: TypeAlias = "list[tuple[str, str, Handler]]"


def answer(data: Json | list[Json], status: int = 200) -> Response:
    """Return a JSON answer in the API's envelope."""
    return JSONResponse({"data": data}, status)
