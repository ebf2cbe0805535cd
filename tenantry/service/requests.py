"""What holds for every request: an id, a line in the log, and the size of a body."""

from __future__ import annotations

import logging
import re
import time
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from tenantry.selfservice.logs import about
from tenantry.service.problems import ProblemError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER: Final = "X-Request-Id"
QUIET: Final = ("/healthz", "/readyz", "/metrics")
"""What machines ask all the time is not in the log."""
_log: Final = logging.getLogger("tenantry.service")
_ID: Final = re.compile(rb"[A-Za-z0-9._:-]{1,64}")


class Identified:
    """Gives each request an id, its own where it has one, and says it in the answer and in the log."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        name = HEADER.lower().encode()
        given = next((value for key, value in scope["headers"] if key == name), b"")
        own = given if _ID.fullmatch(given) else uuid4().hex.encode()
        scope.setdefault("state", {})["request_id"] = own.decode()
        status = 0
        begun = time.monotonic()

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (name, own)]
            await send(message)

        with about(request=own.decode()):
            await self._app(scope, receive, sending)
            if scope["path"] not in QUIET:
                took = round((time.monotonic() - begun) * 1000)
                # Without the query: what a caller puts there is its own affair.
                _log.info("%s %s: %d in %d ms", scope["method"], scope["path"], status, took)


class Bounded:
    """Refuses a body that is longer than it may be, whether its length is told or not."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        """Stand before an application.

        :param most: bytes
        """
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = next((value for key, value in scope["headers"] if key == b"content-length"), b"0")
        if told.isdigit() and int(told) > self._most:
            await self._too_long().response()(scope, receive, send)
            return
        received = 0
        over = answered = False

        async def receiving() -> Message:
            nonlocal received, over
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._most:
                over = True
                return {"type": "http.disconnect"}
            return message

        async def sending(message: Message) -> None:
            nonlocal answered
            if not over:
                await send(message)
            elif not answered:
                # In place of what the application says to a body that was cut short.
                answered = True
                await self._too_long().response()(scope, receive, send)

        await self._app(scope, receiving, sending)

    def _too_long(self) -> ProblemError:
        return ProblemError(
            413,
            "too-long",
            "The body is too long",
            f"a body has {self._most} bytes at most",
            headers={"Connection": "close"},
        )
