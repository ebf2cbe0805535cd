"""The Query API (version 2) of the instances: ``POST /db/{database}/query/v2``.

All instances answer at one address; see :meth:`localcloud.aura.cloud.Aura.holder`. The credentials are those that the
creation issued, also where the queries go on to a Neo4j, which has its own.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.responses import JSONResponse, Response

from localcloud.aura.access import basic, media_type
from localcloud.aura.statements import StatementError, evaluate

if TYPE_CHECKING:
    from starlette.requests import Request

    from localcloud.aura.cloud import Aura
    from localcloud.aura.records import AuraInstance
    from localcloud.records import Json

PATH = "/db/{database}/query/v2"
_UNAUTHORIZED = "Neo.ClientError.Security.Unauthorized"
_NO_DATABASE = "Neo.ClientError.Database.DatabaseNotFound"
_BAD_REQUEST = "Neo.ClientError.Request.Invalid"
_UNAVAILABLE = "Neo.TransientError.General.DatabaseUnavailable"
_NO_ACCESS = 401
_REACHABLE = frozenset({"running", "updating", "pausing"})
_COUNTERS = (
    "nodesCreated",
    "nodesDeleted",
    "propertiesSet",
    "relationshipsCreated",
    "relationshipsDeleted",
    "labelsAdded",
    "labelsRemoved",
    "indexesAdded",
    "indexesRemoved",
    "constraintsAdded",
    "constraintsRemoved",
    "systemUpdates",
)


class Query(BaseModel):
    """The part of a request's body that matters here. The rest is for a real graph."""

    model_config = ConfigDict(strict=True, defer_build=True)
    statement: str
    parameters: dict[str, Any] | None = None
    includeCounters: bool | None = None  # noqa: N815 (the API's name)


class QueryError(Exception):
    """An answer other than success, in the Query API's words: ``{"errors": [{"code", "message"}]}``."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def answer(self) -> Response:
        """Return the answer."""
        document = {"errors": [{"code": self.code, "message": str(self)}]}
        headers = {"WWW-Authenticate": 'Basic realm="Neo4j", charset="UTF-8"'}
        return JSONResponse(document, self.status, headers if self.status == _NO_ACCESS else None)


async def query(aura: Aura, request: Request) -> Response:
    """Answer a query: 202 with columns and rows, 401, 404, 415, 400, or 503 while the instance cannot be reached."""
    try:
        _check(aura, _instance(aura, request), request)
        raw = await request.body()
        if aura.neo4j is None:
            return _answer(raw)
        status, content, kind = await aura.neo4j.query(raw)
        return Response(content, status, media_type=kind)
    except QueryError as error:
        return error.answer()
    except ConnectionError as error:
        return QueryError(503, _UNAVAILABLE, str(error)).answer()


def is_holder(aura: Aura, request: Request) -> bool:
    """Whether a request brings an instance's credentials."""
    credentials = basic(request.headers.get("authorization", ""))
    return credentials is not None and aura.holder(*credentials) is not None


def _instance(aura: Aura, request: Request) -> AuraInstance:
    credentials = basic(request.headers.get("authorization", ""))
    if credentials is None:
        raise QueryError(_NO_ACCESS, _UNAUTHORIZED, "No authentication header supplied.")
    instance = aura.holder(*credentials)
    if instance is None:
        raise QueryError(_NO_ACCESS, _UNAUTHORIZED, "Invalid credential.")
    return instance


def _check(aura: Aura, instance: AuraInstance, request: Request) -> None:
    if media_type(request.headers.get("content-type", "")) != "application/json":
        raise QueryError(415, _BAD_REQUEST, "The Content-Type must be application/json")
    status = aura.status(instance)
    if status not in _REACHABLE:
        raise QueryError(503, _UNAVAILABLE, f"The instance {instance.id} is {status}")
    # Named like its user, be that `neo4j` or the instance's id.
    name = request.path_params["database"]
    if name != instance.username:
        raise QueryError(404, _NO_DATABASE, f"Database does not exist. Database name: '{name}'.")


def _answer(raw: bytes) -> Response:
    try:
        asked = Query.model_validate_json(raw)
        columns, rows = evaluate(asked.statement, asked.parameters or {})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        message = f"{place}: {first['msg']}" if place else first["msg"]
        raise QueryError(400, _BAD_REQUEST, message) from error
    except StatementError as error:
        raise QueryError(400, error.code, error.message) from error
    document: Json = {
        "data": {"fields": columns, "values": rows},
        "bookmarks": [f"FB:{secrets.token_urlsafe(24)}"],
    }
    if asked.includeCounters:
        document["counters"] = dict.fromkeys(_COUNTERS, 0) | {
            "containsUpdates": False,
            "containsSystemUpdates": False,
        }
    try:
        return JSONResponse(document, 202)
    except ValueError as error:
        # The parser lets NaN and numbers beyond a float pass, which JSON does not have.
        message = "parameters: a number is not one of JSON's"
        raise QueryError(400, _BAD_REQUEST, message) from error
