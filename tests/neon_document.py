"""Neon's OpenAPI document, where it is present beside the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.openapi import Document

if TYPE_CHECKING:
    import httpx

DOCUMENT = Path(__file__).resolve().parents[2] / "shared" / "specs" / "neon-openapi.json"


def _read() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(DOCUMENT.read_text())
    return document


NEON = Document(_read, "/api/v2", "/components/schemas/GeneralError")


def checked(response: httpx.Response) -> None:
    """Fail unless an answer is as the document says. An ``event_hooks`` function for httpx."""
    if not DOCUMENT.exists() or response.request.method == "HEAD":
        return
    response.read()
    problems = NEON.violations(
        response.request.method, response.request.url.path, response.status_code, response.content
    )
    assert not problems, (
        f"{response.request.method} {response.request.url.path} {response.status_code}: {problems}"
    )
