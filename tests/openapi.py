"""Checks HTTP answers against an OpenAPI document."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jsonschema import Draft4Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

if TYPE_CHECKING:
    from collections.abc import Callable

_METHODS = {"get", "post", "patch", "put", "delete"}
_URN = "urn:document"


@dataclass(frozen=True)
class Document:
    """An API's document: how it is read, what stands before its paths, and where its schema of errors is."""

    read: Callable[[], dict[str, Any]]
    prefix: str
    error: str

    def routes(self) -> set[tuple[str, str]]:
        """Return the methods and path templates that the document has."""
        return {
            (method.upper(), template)
            for template, item in self._content["paths"].items()
            for method in _METHODS & item.keys()
        }

    def violations(self, method: str, path: str, status: int, content: bytes) -> list[str]:
        """Return what the document has against an answer."""
        found = self._operation(method.lower(), path.removeprefix(self.prefix))
        if found is None:
            return (
                ["not in the document, yet answered"]
                if status < 400
                else self._errors(content, self.error)
            )
        pointer, responses = found
        if status >= 400 and str(status) not in responses:
            return self._errors(content, self.error)
        if str(status) not in responses:
            return [f"status {status} is not one of {sorted(responses)}"]
        response = responses[str(status)]
        pointer += f"/responses/{status}"
        if "$ref" in response:
            pointer = response["$ref"].removeprefix("#")
            response = self._at(pointer)
        if "content" not in response:
            return [] if content in {b"", b"{}"} else ["has a body where there is none"]
        if "application/json" not in response["content"]:
            return []
        return self._errors(content, f"{pointer}/content/application~1json/schema")

    @cached_property
    def _content(self) -> dict[str, Any]:
        content = self.read()
        _allow_null(content)
        return content

    @cached_property
    def _registry(self) -> Registry[Any]:
        empty: Registry[Any] = Registry()
        resource: Any = DRAFT4.create_resource(self._content)
        registry: Registry[Any] = empty.with_resource(_URN, resource)
        return registry

    @cached_property
    def _routes(self) -> list[tuple[str, re.Pattern[str], str, dict[str, Any]]]:
        routes = []
        for template, item in self._content["paths"].items():
            pattern = re.compile(
                "/".join("[^/]+" if p.startswith("{") else p for p in template.split("/"))
            )
            for method in _METHODS & item.keys():
                pointer = f"/paths/{template.replace('/', '~1')}/{method}"
                routes.append((method, pattern, pointer, item[method]["responses"]))
        # Fixed parts before parameters: /projects/shared is no project.
        routes.sort(key=lambda route: route[2].count("{"))
        return routes

    def _operation(self, method: str, path: str) -> tuple[str, dict[str, Any]] | None:
        for wanted, pattern, pointer, responses in self._routes:
            if wanted == method and pattern.fullmatch(path):
                return pointer, responses
        return None

    def _at(self, pointer: str) -> dict[str, Any]:
        node: Any = self._content
        for part in pointer.strip("/").split("/"):
            node = node[part.replace("~1", "/").replace("~0", "~")]
        found: dict[str, Any] = node
        return found

    def _errors(self, content: bytes, pointer: str) -> list[str]:
        try:
            body = json.loads(content)
        except ValueError:
            return [f"is not JSON: {content[:80]!r}"]
        validator = Draft4Validator(
            {"$ref": f"{_URN}#{quote(pointer, safe='/~')}"}, registry=self._registry
        )
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]


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
