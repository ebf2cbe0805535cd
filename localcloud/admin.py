"""The local cloud's own routes, beside the Neon API on its port: faults on order, and counts of requests.

Only the account's own key opens them: they are no part of what a tenant's key reaches.
"""

from __future__ import annotations

import logging
from hmac import compare_digest
from typing import TYPE_CHECKING

from pydantic import ValidationError
from starlette.responses import JSONResponse, Response

from localcloud import body
from localcloud.asgi import HttpApi, Refusal
from localcloud.faults.orders import Order, Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic_core import ErrorDetails
    from starlette.requests import Request

    from localcloud.faults.standing import Faults
    from localcloud.records import Json
    from localcloud.traffic import Traffic

PREFIX = "/_localcloud"
_LONGEST_WAIT = 600.0


class AdminError(Refusal):
    """An answer other than success: ``{"message"}``."""

    def document(self, _request_id: str) -> Json:
        """Return the body of the answer."""
        return {"message": str(self)}


class Admin(HttpApi):
    """The routes; the README describes them. ``key`` is what callers have to bring as a bearer token."""

    log = logging.getLogger("localcloud.admin")

    def __init__(self, key: str, faults: Faults, traffic: Mapping[str, Traffic]) -> None:
        self._expected = f"Bearer {key}".encode()
        self._faults = faults
        self._counts = traffic
        super().__init__(
            (method, PREFIX + path, endpoint)
            for method, path, endpoint in (
                ("POST", "/faults", self._place),
                ("GET", "/faults", self._list),
                ("DELETE", "/faults", self._withdraw_all),
                ("DELETE", "/faults/{number:int}", self._withdraw),
                ("GET", "/faults/injected", self._injected),
                ("POST", "/faults/replay", self._replay),
                ("GET", "/requests", self._requests),
                ("DELETE", "/requests", self._forget_requests),
            )
        )

    def admit(self, request: Request, _route: str) -> None:
        """Check the key. Raises AdminError 401."""
        given = request.headers.get("authorization", "")
        if not compare_digest(given.encode(), self._expected):
            raise AdminError(401, "needs the Neon API key as a bearer token")

    def no_route(self) -> AdminError:
        """Return the answer to a request that is none of these."""
        return AdminError(404, "this route does not exist")

    def failure(self, _error: Exception) -> AdminError:
        """Return the answer to a request that failed inside."""
        return AdminError(500, "internal error")

    async def _place(self, request: Request) -> Response:
        order = await body.read(request, Order, _invalid)
        return JSONResponse(self._faults.place(order).document(), 201)

    async def _list(self, _request: Request) -> Response:
        return JSONResponse({"faults": [each.document() for each in self._faults.standing()]})

    async def _withdraw_all(self, _request: Request) -> Response:
        return JSONResponse({"withdrawn": self._faults.withdraw()})

    async def _withdraw(self, request: Request) -> Response:
        number: int = request.path_params["number"]
        if not self._faults.withdraw(number):
            raise AdminError(404, f"no order {number}")
        return JSONResponse({"withdrawn": 1})

    async def _injected(self, request: Request) -> Response:
        after = int(_number(request, "after"))
        wait = min(_number(request, "wait"), _LONGEST_WAIT)
        return JSONResponse({"injected": await self._faults.news(after, wait)})

    async def _replay(self, request: Request) -> Response:
        record = await body.read(request, Record, _invalid)
        try:
            orders = record.orders()
        except ValidationError as error:
            raise _invalid(error.errors(include_input=False, include_url=False)) from error
        placed = [self._faults.place(order).document() for order in orders]
        return JSONResponse({"faults": placed}, 201)

    async def _requests(self, _request: Request) -> Response:
        return JSONResponse({api: count.document() for api, count in self._counts.items()})

    async def _forget_requests(self, _request: Request) -> Response:
        for count in self._counts.values():
            count.forget()
        return Response(status_code=204)


def _number(request: Request, name: str) -> float:
    text = request.query_params.get(name, "0")
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise AdminError(400, f"{name} must be a number, 0 or more")
    return value


def _invalid(errors: Sequence[ErrorDetails]) -> AdminError:
    return AdminError(400, "; ".join(_sentence(each) for each in errors))


def _sentence(error: ErrorDetails) -> str:
    place = ".".join(str(part) for part in error["loc"])
    text = error["msg"].removeprefix("Value error, ")
    return f"{place}: {text}" if place else text
