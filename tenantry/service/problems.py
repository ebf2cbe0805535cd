"""Errors of the service as problem details (RFC 9457): one form for all, and what an inner failure says stays inside.

A problem has `type`, `title`, `status` and `detail`, and what its kind adds, such as `errors`. `type` is
`/problems/SLUG`; `about:blank` where the status says all there is. Its media type is `application/problem+json`.
"""

from __future__ import annotations

import logging
import secrets
import traceback
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import psycopg
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from tenantry.errors import TenantryError
from tenantry.selfservice.errors import AwayError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fastapi import FastAPI, Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEDIA_TYPE: Final = "application/problem+json"
PREFIX: Final = "/problems/"
"""What the types of our own problems begin with."""
BLANK: Final = "about:blank"
RETRY_SECONDS: Final = 5
"""When to ask again while the database is away."""
_log: Final = logging.getLogger("tenantry.service")


class ProblemError(TenantryError):
    """An answer that is a problem. Its detail is for the caller: no secret, nothing of other tenants."""

    def __init__(
        self,
        status: int,
        slug: str,
        title: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **extensions: object,
    ) -> None:
        """Describe the problem.

        :param status: of the answer, 400 to 599
        :param slug: its kind, the last part of `type`; empty for `about:blank`
        :param title: the same for each problem of the kind
        :param detail: what is wrong this time, and what to do
        :param headers: of the answer
        :param extensions: further members of the document
        """
        super().__init__(detail)
        self.status = status
        self.slug = slug
        self.title = title
        self.headers = dict(headers or {})
        self.extensions = extensions

    def document(self) -> dict[str, Any]:
        """Return the members of the problem."""
        return self.extensions | {
            "type": f"{PREFIX}{self.slug}" if self.slug else BLANK,
            "title": self.title,
            "status": self.status,
            "detail": self.reason,
        }

    def response(self) -> JSONResponse:
        """Return the answer."""
        return JSONResponse(self.document(), self.status, self.headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make every error of an application a problem, and let its document say so.

    To be called before its first request.
    """
    app.exception_handler(ProblemError)(_own)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(HTTPException)(_plain)
    app.exception_handler(psycopg.OperationalError)(_away)
    app.exception_handler(AwayError)(_away)
    app.add_middleware(_Unexpected)
    made = app.openapi

    def openapi() -> dict[str, Any]:
        new = app.openapi_schema is None
        document = made()
        if new:
            _describe(document)
        return document

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's own way to extend the document


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what a route declares as its `responses` for the statuses of problems that it answers."""
    return {status: _declared(status) for status in statuses}


def _declared(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}


async def _own(_request: Request, error: ProblemError) -> JSONResponse:
    return error.response()


async def _plain(request: Request, error: HTTPException) -> JSONResponse:
    """Answer what the framework raises: no such path, another method, a body that cannot be read."""
    title = HTTPStatus(error.status_code).phrase
    detail = str(error.detail)
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        # The framework knows the first route of the path alone.
        headers["Allow"] = ", ".join(_methods(request)) or headers.get("Allow", "")
    return ProblemError(error.status_code, "", title, detail, headers=headers).response()


def _methods(request: Request) -> list[str]:
    """Return what may be done with a path, by all its routes."""
    found: set[str] = set()
    for path, item in request.app.openapi()["paths"].items():
        if compile_path(path)[0].match(request.scope["path"]):
            found.update(method.upper() for method in item)
    return sorted(found)


async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
    """Answer a request that does not fit the document: a line for each field, without the value that it had."""
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return ProblemError(
            400, "not-json", "The body is not JSON", "the body cannot be read as JSON"
        ).response()
    return ProblemError(
        422,
        "invalid-request",
        "The request is not valid",
        "; ".join(f"{_place(each['loc'])}: {_said(each)}" for each in found),
        errors=[_field(each["loc"], _said(each)) for each in found],
    ).response()


def _said(error: Mapping[str, Any]) -> str:
    """Return what a validator said, without the library's words before those of ours."""
    return str(error["msg"]).removeprefix("Value error, ")


def _place(location: Iterable[str | int]) -> str:
    return ".".join(map(str, location))


def _field(location: tuple[str | int, ...], text: str) -> dict[str, str]:
    """Return a member of `errors`: of the body with a JSON Pointer (RFC 6901), of what else with its name."""
    where, *path = location
    if where == "body":
        steps = (str(step).replace("~", "~0").replace("/", "~1") for step in path)
        return {"pointer": "#" + "".join(f"/{step}" for step in steps), "detail": text}
    return {"in": str(where), "parameter": _place(path), "detail": text}


async def _away(_request: Request, error: psycopg.OperationalError | AwayError) -> JSONResponse:
    # The driver's text names hosts and users. Its class and the SQLSTATE say what kind it is.
    state = getattr(error, "sqlstate", None) or "no SQLSTATE"
    _log.warning("the database is away: %s (%s)", type(error).__name__, state)
    return ProblemError(
        503,
        "database-away",
        "The database does not answer",
        "the request was carried out whole or not at all: ask again, with the same Idempotency-Key",
        headers={"Retry-After": str(RETRY_SECONDS)},
    ).response()


class _Unexpected:
    """Answers what nobody expected with 500. The log has where it was raised, and never what an exception says.

    An exception may quote what it was given: a statement with its values, a URL with a password.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 (the last place before the server, which would log its text)
            mark = secrets.token_hex(8)
            _log.error("unexpected, incident %s: %s", mark, where(error))
            if begun or scope["type"] != "http":
                # The server cuts the connection, so that a half answer is not taken for a whole one.
                raise ConnectionAbortedError(f"incident {mark}: the answer had begun") from None
            answer = ProblemError(
                500,
                "unexpected",
                "Something unexpected happened",
                f"this is a fault of the service; its log has it as incident {mark}",
                incident=mark,
            ).response()
            await answer(scope, receive, send)


def where(error: BaseException) -> str:
    """Return the classes of an exception and of its causes, and the lines that they came through."""
    parts = []
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        frames = traceback.extract_tb(following.__traceback__)
        way = " > ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
        # One of ours is written for a user, and holds no secret.
        text = f" ({following})" if isinstance(following, TenantryError) else ""
        parts.append(f"{type(following).__qualname__}{text} at {way}")
        following = following.__cause__ or following.__context__
    return " because of ".join(parts)


_PROBLEM: Final = {
    "title": "Problem",
    "description": "Problem details (RFC 9457)",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "description": f"{PREFIX}SLUG, or {BLANK} where the status says it all",
        },
        "title": {"type": "string", "description": "the same for each problem of the type"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "what is wrong this time"},
        "errors": {
            "type": "array",
            "description": "what is wrong with the request, field by field",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "a field of the body, as a JSON Pointer behind #",
                    },
                    "in": {"type": "string", "enum": ["query", "path", "header", "cookie"]},
                    "parameter": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


def _describe(document: dict[str, Any]) -> None:
    """Put the problem into a document in place of the framework's own form of a validation error."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = _PROBLEM
    for path in document["paths"].values():
        for operation in path.values():
            # The framework adds a 422 to each route that takes something.
            if "422" in operation.get("responses", {}):
                operation["responses"]["422"] = _declared(422)
            if "requestBody" in operation:
                operation["responses"].setdefault("400", _declared(400))
