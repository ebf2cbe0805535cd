"""The Aura API's OpenAPI document, where it is present beside the repository."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from tests.openapi import Document

if TYPE_CHECKING:
    import httpx

DOCUMENT = Path(__file__).resolve().parents[2] / "shared" / "specs" / "aura-api-v1-openapi.yaml"
_ANY_ERROR = "AnyError"


def _read() -> dict[str, Any]:
    # YAML 1.2: to 1.1 the mode OFF is a boolean.
    document: dict[str, Any] = YAML(typ="safe", pure=True).load(DOCUMENT)
    schemas = document["components"]["schemas"]
    # The document contradicts itself and what was seen: storage "is NOT returned for Free", and a paused instance has
    # neither address nor size.
    data = schemas["Instance"]["properties"]["data"]
    data["required"] = [name for name in data["required"] if name not in {"memory", "storage"}]
    data["properties"]["connection_url"]["nullable"] = True
    # The gateway's form requires nothing, so `oneOf` would refuse the API's own form, which fits both.
    schemas["MiddlewareError"]["required"] = ["error"]
    schemas[_ANY_ERROR] = {
        "oneOf": [
            {"$ref": "#/components/schemas/Error"},
            {"$ref": "#/components/schemas/MiddlewareError"},
        ]
    }
    return document


AURA = Document(_read, "/v1", f"/components/schemas/{_ANY_ERROR}")


def checked(response: httpx.Response) -> None:
    """Fail unless an answer is as the document says, and has a request id. An ``event_hooks`` function for httpx."""
    request = response.request
    assert response.headers.get("x-request-id"), f"{request.method} {request.url.path}: no id"
    if not DOCUMENT.exists() or request.method == "HEAD":
        return
    if not request.url.path.startswith(f"{AURA.prefix}/"):
        return
    response.read()
    problems = AURA.violations(
        request.method, request.url.path, response.status_code, response.content
    )
    assert not problems, f"{request.method} {request.url.path} {response.status_code}: {problems}"
