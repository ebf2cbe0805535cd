"""The local cloud's own routes, beside the Neon API on its port: faults on order.

Only the account's own key opens them; they are no part of what a tenant's key reaches.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from localcloud.faults.orders import Order, Record

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from localcloud.faults.standing import Faults

PREFIX = "/_localcloud"
_LONGEST_WAIT = 600.0


def build(faults: Faults, key: str) -> ASGIApp:
    """Return the application. ``key`` is what its callers have to bring as a bearer token."""
    routes = _Routes(faults)
    inner = Starlette(
        routes=[
            Route(f"{PREFIX}{path}", endpoint, methods=[method])
            for method, path, endpoint in (
                ("POST", "/faults", routes.place),
                ("GET", "/faults", routes.list),
                ("DELETE", "/faults", routes.withdraw_all),
                ("GET", "/faults/injected", routes.injected),
                ("POST", "/faults/replay", routes.replay),
                ("DELETE", "/faults/{number:int}", routes.withdraw),
            )
        ],
        exception_handlers={
            HTTPException: _refused,
            ValidationError: _invalid,
        },
    )
    return _Keyed(inner, key)


class _Keyed:
    """Lets in who brings the key."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._expected = f"Bearer {key}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = dict(scope["headers"]).get(b"authorization", b"")
        if compare_digest(given, self._expected):
            await self._app(scope, receive, send)
            return
        await JSONResponse({"message": "needs the Neon API key"}, 401)(scope, receive, send)


class _Routes:
    """The routes; the README describes them."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    async def place(self, request: Request) -> Response:
        order = Order.model_validate_json(await request.body())
        return JSONResponse(self._faults.place(order).document(), 201)

    async def list(self, _request: Request) -> Response:
        return JSONResponse({"faults": [each.document() for each in self._faults.standing()]})

    async def withdraw_all(self, _request: Request) -> Response:
        return JSONResponse({"withdrawn": self._faults.withdraw()})

    async def withdraw(self, request: Request) -> Response:
        number: int = request.path_params["number"]
        if not self._faults.withdraw(number):
            raise HTTPException(404, f"no order {number}")
        return JSONResponse({"withdrawn": 1})

    async def injected(self, request: Request) -> Response:
        after = int(_number(request, "after"))
        wait = min(_number(request, "wait"), _LONGEST_WAIT)
        return JSONResponse({"injected": await self._faults.news(after, wait)})

    async def replay(self, request: Request) -> Response:
        orders = Record.model_validate_json(await request.body()).orders()
        placed = [self._faults.place(order).document() for order in orders]
        return JSONResponse({"faults": placed}, 201)


def _number(request: Request, name: str) -> float:
    text = request.query_params.get(name, "0")
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise HTTPException(400, f"{name} must be a number, 0 or more")
    return value


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 (registered for this class only)
    return JSONResponse({"message": error.detail}, error.status_code)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ValidationError)  # noqa: S101 (registered for this class only)
    faults: list[Any] = error.errors(include_input=False, include_url=False, include_context=False)
    message = "; ".join(
        f"{'.'.join(str(part) for part in each['loc']) or 'order'}: {each['msg'].removeprefix('Value error, ')}"
        for each in faults
    )
    return JSONResponse({"message": message}, 400)
