"""What a fault does to a request of an HTTP API: an ASGI middleware."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from localcloud.faults.operations import ORDERED, Ordered
from localcloud.faults.orders import (
    Api,
    ContentType,
    Delay,
    Drip,
    Drop,
    Hold,
    Operation,
    Status,
    Truncate,
    acts_after,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from localcloud.faults.orders import Fault
    from localcloud.faults.standing import Faults, Injection

CONNECTION = "connection"
"""The name in an ASGI scope's ``state`` of the client's connection, a :class:`Connection`."""
_DRIPS = 20
_WITHOUT_BODY = frozenset({204, 304})


class Connection(Protocol):
    """A client's connection, as asyncio's transports are."""

    def abort(self) -> None:
        """Cut it, whatever was still to be sent."""

    def close(self) -> None:
        """End it after what was written."""


class FaultInjection:
    """Stands before the routes of an API, behind its checks of who asks.

    ``locate`` tells method and path of a request as orders name it, or None for a request that no order may hit.
    ``document`` makes the body of an error in the API's words of a request id and a message.
    """

    def __init__(
        self,
        app: ASGIApp,
        faults: Faults,
        api: Api,
        locate: Callable[[Request], tuple[str, str] | None],
        document: Callable[[str, str], Any],
    ) -> None:
        self._app = app
        self._faults = faults
        self._api = api
        self._locate = locate
        self._document = document

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or do to it what an order says."""
        if scope["type"] != "http" or not self._faults.watches(self._api):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        place = self._locate(request)
        injection = place and self._faults.request(self._api, *place, scope["state"]["request_id"])
        if not injection:
            await self._app(scope, receive, send)
            return
        try:
            body = await request.body()
        except ClientDisconnect:
            # It never came in whole, so there is no work to do.
            return
        document = self._document(scope["state"]["request_id"], "as ordered")
        struck = _Struck(self._app, self._faults, injection, document)
        await struck.run(scope, body, receive, send)


class _Struck:
    """One request that a fault hits. Its body has been read, so that its work does not need the client any more."""

    def __init__(
        self, app: ASGIApp, faults: Faults, injection: Injection, document: object
    ) -> None:
        self._app = app
        self._faults = faults
        self._injection = injection
        self._document = document
        self._answer: list[Message] = []

    async def run(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        """Do what the order says."""
        self._scope = scope
        self._body: bytes | None = body
        self._receive = receive
        self._send = send
        fault = self._injection.fault
        if acts_after(fault):
            await self._work()
            self._note()
            await self._after(fault)
        else:
            self._note()
            await self._before(fault)

    async def _before(self, fault: Fault) -> None:
        match fault:
            case Status():
                await self._answer_with(fault)
                return
            case Drop():
                await self._cut()
                return
            case Hold():
                if not await self._faults.hold(self._injection):
                    await self._cut()
                    return
            case Delay():
                await asyncio.sleep(fault.seconds)
            case Operation():
                await self._with_ordered_end(fault)
                return
            case _:
                raise AssertionError(fault)
        await self._app(self._scope, self._replay, self._send)

    async def _with_ordered_end(self, fault: Operation) -> None:
        reason = fault.reason if fault.outcome == "failed" else None
        ordered = Ordered(fault.action, reason, lambda: self._faults.hold(self._injection))
        token = ORDERED.set(ordered)
        try:
            await self._app(self._scope, self._replay, self._send)
        finally:
            ORDERED.reset(token)

    async def _after(self, fault: Fault) -> None:
        match fault:
            case Status():
                await self._answer_with(fault)
            case Drop():
                await self._cut()
            case Hold():
                if await self._faults.hold(self._injection):
                    await self._pass_on()
                else:
                    await self._cut()
            case Delay():
                await asyncio.sleep(fault.seconds)
                await self._pass_on()
            case Truncate():
                await self._pass_on(fault.bytes)
            case Drip():
                await self._drip(fault.seconds)
            case ContentType():
                self._relabel(fault.value)
                await self._pass_on()
            case _:
                raise AssertionError(fault)

    def _note(self) -> None:
        self._faults.note(self._injection)

    async def _replay(self) -> Message:
        """Give the body that was read; after that, what comes from the client."""
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def _work(self) -> None:
        async def keep(message: Message) -> None:
            self._answer.append(message)

        await self._app(self._scope, self._replay, keep)

    async def _cut(self) -> None:
        connection: Connection = self._scope["state"][CONNECTION]
        connection.abort()
        # The server learns of it in the next round of the loop, and then does not miss the answer.
        await asyncio.sleep(0)

    async def _answer_with(self, fault: Status) -> None:
        body = self._document if fault.body is None else fault.body
        if fault.status in _WITHOUT_BODY:
            answer = Response(None, fault.status, fault.headers)
        elif isinstance(body, str):
            answer = PlainTextResponse(body, fault.status, fault.headers)
        else:
            answer = JSONResponse(body, fault.status, fault.headers)
        await answer(self._scope, self._receive, self._send)

    def _content(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self._answer[1:])

    async def _pass_on(self, most: int | None = None) -> None:
        start, content = self._answer[0], self._content()
        await self._send(start)
        if most is None or most >= len(content):
            await self._part(content, more=False)
            return
        await self._part(content[:most], more=True)
        connection: Connection = self._scope["state"][CONNECTION]
        connection.close()
        await asyncio.sleep(0)

    async def _drip(self, seconds: float) -> None:
        start, content = self._answer[0], self._content()
        await self._send(start)
        size = max(1, -(-len(content) // _DRIPS))
        parts = [content[at : at + size] for at in range(0, len(content), size)]
        for part in parts:
            await asyncio.sleep(seconds / len(parts))
            await self._part(part, more=True)
        await self._part(b"", more=False)

    async def _part(self, content: bytes, *, more: bool) -> None:
        await self._send({"type": "http.response.body", "body": content, "more_body": more})

    def _relabel(self, value: str) -> None:
        start = self._answer[0]
        start["headers"] = [
            (name, content) for name, content in start["headers"] if name != b"content-type"
        ] + [(b"content-type", value.encode("latin-1"))]
