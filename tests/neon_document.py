"""Checks HTTP answers against Neon's OpenAPI document, where it is present beside the repository."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jsonschema import Draft4Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

if TYPE_CHECKING:
    import httpx

DOCUMENT = Path(__file__).resolve().parents[2] / "shared" / "specs" / "neon-openapi.json"
_PREFIX = "/api/v2"
_METHODS = {"get", "post", "patch", "put", "delete"}


def checked(response: httpx.Response) -> None:
    """Fail unless an answer is as the document says. An ``event_hooks`` function for httpx."""
    if not DOCUMENT.exists() or response.request.method == "HEAD":
        return
    response.read()
    problems = violations(
        response.request.method, response.request.url.path, response.status_code, response.content
    )
    assert not problems, (
        f"{response.request.method} {response.request.url.path} {response.status_code}: {problems}"
    )


def documented_routes() -> set[tuple[str, str]]:
    """Return the methods and path templates that the document has."""
    return {
        (method.upper(), template)
        for template, item in _document()["paths"].items()
        for method in _METHODS & item.keys()
    }


def violations(method: str, path: str, status: int, content: bytes) -> list[str]:
    """Return what the document has against an answer."""
    found = _operation(method.lower(), path.removeprefix(_PREFIX))
    error = "/components/schemas/GeneralError"
    if found is None:
        return ["not in the document, yet answered"] if status < 400 else _errors(content, error)
    pointer, responses = found
    if status >= 400 and str(status) not in responses:
        return _errors(content, error)
    if str(status) not in responses:
        return [f"status {status} is not one of {sorted(responses)}"]
    response = responses[str(status)]
    pointer += f"/responses/{status}"
    if "$ref" in response:
        pointer = response["$ref"].removeprefix("#")
        response = _at(pointer)
    if "content" not in response:
        return [] if content in {b"", b"{}"} else ["has a body where there is none"]
    return _errors(content, f"{pointer}/content/application~1json/schema")


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(DOCUMENT.read_text())
    _allow_null(document)
    return document


def _allow_null(node: Any) -> None:
    """Turn OpenAPI 3.0's ``nullable`` into what JSON Schema says for it."""
    if isinstance(node, dict):
        if node.get("nullable") is True and isinstance(node.get("type"), str):
            node["type"] = [node["type"], "null"]
        for value in node.values():
            _allow_null(value)
    elif isinstance(node, list):
        for value in node:
            _allow_null(value)


@cache
def _registry() -> Registry[Any]:
    empty: Registry[Any] = Registry()
    document: Any = DRAFT4.create_resource(_document())
    registry: Registry[Any] = empty.with_resource("urn:neon", document)
    return registry


def _at(pointer: str) -> dict[str, Any]:
    node: Any = _document()
    for part in pointer.strip("/").split("/"):
        node = node[part.replace("~1", "/").replace("~0", "~")]
    found: dict[str, Any] = node
    return found


@cache
def _routes() -> list[tuple[str, re.Pattern[str], str, dict[str, Any]]]:
    routes = []
    for template, item in _document()["paths"].items():
        pattern = re.compile(
            "/".join("[^/]+" if p.startswith("{") else p for p in template.split("/"))
        )
        for method in _METHODS & item.keys():
            pointer = f"/paths/{template.replace('/', '~1')}/{method}"
            routes.append((method, pattern, pointer, item[method]["responses"]))
    # Fixed parts before parameters: /projects/shared is no project.
    routes.sort(key=lambda route: route[2].count("{"))
    return routes


def _operation(method: str, path: str) -> tuple[str, dict[str, Any]] | None:
    for wanted, pattern, pointer, responses in _routes():
        if wanted == method and pattern.fullmatch(path):
            return pointer, responses
    return None


def _errors(content: bytes, pointer: str) -> list[str]:
    try:
        body = json.loads(content)
    except ValueError:
        return [f"is not JSON: {content[:80]!r}"]
    validator = Draft4Validator(
        {"$ref": f"urn:neon#{quote(pointer, safe='/~')}"}, registry=_registry()
    )
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]
