"""Completes the OpenAPI document: the answers that every route may give, with an example of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

from tenantry.service import documents, health, webhooks
from tenantry.service.problems import BLANK, MEDIA_TYPE, PREFIX
from tenantry.service.problems import problems as declared

if TYPE_CHECKING:
    from fastapi import FastAPI

_METHODS: Final = {"get", "post", "patch", "put", "delete"}
_OPEN: Final = ("/healthz", "/readyz", "/webhooks/auth/health")
_ALWAYS: Final = (413, 500)
_OF_CALLERS: Final = (400, 401, 403, 429, 503)
_EXAMPLES: Final = {
    400: ("not-json", "The body is not JSON", "the body cannot be read as JSON"),
    401: (
        "invalid-token",
        "The token is not accepted",
        "the token is not accepted: it has expired",
    ),
    403: (
        "insufficient-scope",
        "The token does not allow this",
        "this needs the scope apps:write, which the token does not have",
    ),
    404: ("no-app", "There is no such app", "no app of this tenant has this id"),
    409: (
        "name-taken",
        "The name is taken",
        "acme/web is there already: /v1/apps/7f1c2f5e-0d5b-4a5e-9a63-0e6b8f0d9c11",
    ),
    410: (
        "app-deleted",
        "The app is deleted",
        "the app that this Idempotency-Key asked for was deleted: choose a new key",
    ),
    412: (
        "changed-meanwhile",
        "The app was changed meanwhile",
        "the app is at generation 3, and If-Match names another: read it again",
    ),
    413: ("too-long", "The body is too long", "a body has 65536 bytes at most"),
    422: (
        "invalid-request",
        "The request is not valid",
        'region: "mars" is not offered: write one of aws-us-east-2',
    ),
    429: (
        "too-many-requests",
        "There are too many requests",
        "this caller may send 600 requests a minute: wait 2 s",
    ),
    500: (
        "unexpected",
        "Something unexpected happened",
        "this is a fault of the service; its log has it as incident 5f0c1d2e3a4b5c6d",
    ),
    502: (
        "provisioning-failed",
        "The app could not be made",
        "acme/web: the account has as many projects as it may have: look at /v1/operations/0b9d7a3c-4a55-4f0e-8f5e-6f3f1f0a2b7d",
    ),
    503: (
        "database-away",
        "The database does not answer",
        "the request was carried out whole or not at all: ask again, with the same Idempotency-Key",
    ),
}
_HEADERS: Final = {
    401: {"WWW-Authenticate": "what was wrong with the token (RFC 6750)"},
    429: {"Retry-After": "seconds"},
    503: {"Retry-After": "seconds"},
    202: {"Location": "where to look", "Retry-After": "seconds"},
}


def complete(app: FastAPI) -> None:
    """Let the document of an application be complete. To be called when its routes are there."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        new = app.openapi_schema is None
        document = made()
        if new:
            _put_examples(document["components"]["schemas"])
            for path, item in document["paths"].items():
                for method, operation in item.items():
                    if method in _METHODS:
                        _complete(path, operation)
        return document

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's own way to extend the document


def _put_examples(schemas: dict[str, Any]) -> None:
    """Put the examples of the documents in again: the framework takes null out of them."""
    for module in (documents, health, webhooks):
        for name, model in vars(module).items():
            if name in schemas and isinstance(model, type) and issubclass(model, BaseModel):
                extra: Any = model.model_config.get("json_schema_extra")
                if isinstance(extra, dict):
                    schemas[name] |= extra


def _complete(path: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    further = _ALWAYS if path in _OPEN else (*_ALWAYS, *_OF_CALLERS)
    for status, answer in declared(*further).items():
        answers.setdefault(str(status), answer)
    operation["responses"] = dict(sorted(answers.items()))
    for name, answer in answers.items():
        status = int(name)
        content = answer.get("content", {}).get(MEDIA_TYPE)
        if content is not None:
            content["example"] = _example(status)
        for header, description in _HEADERS.get(status, {}).items():
            answer.setdefault("headers", {}).setdefault(
                header, {"description": description, "schema": {"type": "string"}}
            )


def _example(status: int) -> dict[str, Any]:
    slug, title, detail = _EXAMPLES[status]
    kind = f"{PREFIX}{slug}" if slug else BLANK
    return {"type": kind, "title": title, "status": status, "detail": detail}
