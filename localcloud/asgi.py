"""What the local APIs share: around every request its id, who may ask, its errors in the API's words, and its trace."""

from __future__ import annotations

import time
import uuid
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route

from localcloud.traffic import Traffic

if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from starlette.middleware import Middleware
    from starlette.types import Message, Receive, Scope, Send

    from localcloud.records import Json

_NO_ROUTE = "no such route"


class Refusal(Exception, ABC):  # noqa: N818 (an answer, of which not all are errors of ours)
    """An answer other than success, in its API's words."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})

    @abstractmethod
    def document(self, request_id: str) -> Json:
        """Return the body of the answer."""


class HttpApi(ABC):
    """An API: its routes, and what stands before them.

    ``routes``: method, whole path, endpoint. ``middleware`` stands between :meth:`admit` and the routes.
    ``traffic`` counts the requests, by routes that are named without ``prefix``.
    """

    log: ClassVar[logging.Logger]
    prefix: ClassVar[str] = ""
    id_headers: ClassVar[tuple[bytes, ...]] = (b"x-request-id",)

    def __init__(
        self,
        routes: Iterable[tuple[str, str, Callable[[Request], Awaitable[Response]]]],
        middleware: Sequence[Middleware] = (),
        traffic: Traffic | None = None,
    ) -> None:
        self._traffic = traffic or Traffic()
        self._routes = [
            Route(path, endpoint, methods=[method]) for method, path, endpoint in routes
        ]
        for route in self._routes:
            # Starlette adds HEAD to every GET; the APIs do not.
            route.methods = (route.methods or set()) - {"HEAD"}
        self._app = Starlette(
            routes=self._routes,
            middleware=list(middleware),
            exception_handlers={Refusal: _answer, Exception: self._fail},
        )
        self._app.router.redirect_slashes = False

    def request_id(self, _request: Request) -> str:
        """Return the id of a request."""
        return str(uuid.uuid4())

    @abstractmethod
    def admit(self, request: Request, route: str) -> None:
        """Let a request in, and note in its ``state`` what is known of who asks. Raises Refusal."""

    @abstractmethod
    def no_route(self) -> Refusal:
        """Return the answer to a request that the API does not know."""

    @abstractmethod
    def failure(self, error: Exception) -> Refusal:
        """Return the answer to a request that failed inside."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return
        started = time.perf_counter()
        request = Request(scope, receive)
        request_id = self.request_id(request)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                encoded = request_id.encode("latin-1", "replace")
                headers = [
                    *message.get("headers", []),
                    *((name, encoded) for name in self.id_headers),
                ]
                message = {**message, "headers": headers}
            await send(message)

        route = self._route(scope)
        self._traffic.arrived(route, time.monotonic())
        try:
            self.admit(request, route)
            if route == _NO_ROUTE:
                raise self.no_route()
        except Refusal as refusal:
            await (await _answer(request, refusal))(scope, receive, send_with_id)
        else:
            try:
                await self._app(scope, receive, send_with_id)
            except Exception:
                self.log.exception("request %s failed", request_id)
                if status == 0:
                    raise
        finally:
            self._traffic.answered(route, status)
            self.log.info(
                "%s %s %d %s %.1f ms",
                scope["method"],
                # As it was sent, still escaped: a line stays a line.
                scope["raw_path"].decode("latin-1"),
                status,
                request_id,
                (time.perf_counter() - started) * 1000,
            )

    def _route(self, scope: Scope) -> str:
        for route in self._routes:
            if route.matches(scope)[0] is Match.FULL:
                return f"{scope['method']} {route.path.removeprefix(self.prefix)}"
        return _NO_ROUTE

    async def _fail(self, request: Request, error: Exception) -> Response:
        return await _answer(request, self.failure(error))


async def _answer(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)  # noqa: S101 (registered for this class only)
    document: Any = error.document(request.state.request_id)
    return JSONResponse(document, error.status, error.headers)
