"""One POST of JSON to a receiver. Its URL may be a secret, and is in no log and no message."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

import httpx

from tenantry.hiding import hidden
from tenantry.notifying.failures import BusyReceiverError, RefusedError
from tenantry.surroundings import direct_mounts

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS: Final = 10.0
"""The longest that any part of one attempt takes: to connect, to send, to answer."""
_TOO_MANY: Final = 429
_TIMEOUT: Final = 408
_SERVER: Final = 500
_quiet: Final[ContextVar[bool]] = ContextVar("quiet", default=False)


def client() -> httpx.AsyncClient:
    """Return a client for `post`."""
    return httpx.AsyncClient(timeout=SECONDS, mounts=direct_mounts(), follow_redirects=False)


async def post(
    given: httpx.AsyncClient, url: str, body: bytes, headers: Mapping[str, str] | None = None
) -> None:
    """Send a document once.

    :raises BusyReceiverError: no answer, or one that says to come back: 408, 429, 5xx
    :raises RefusedError: any other answer than 2xx
    """
    token = _quiet.set(True)
    try:
        async with given.stream(
            "POST",
            url,
            content=body,
            headers={"Content-Type": "application/json", **(headers or {})},
        ) as answer:
            # The body is not read: it may be long, and nobody would look.
            status, wait = answer.status_code, answer.headers.get("retry-after", "")
    except httpx.HTTPError as error:
        reason = hidden(str(error), url, httpx.URL(url).raw_path.decode()) or type(error).__name__
        raise BusyReceiverError(reason) from None
    finally:
        _quiet.reset(token)
    if status in {_TIMEOUT, _TOO_MANY} or status >= _SERVER:
        seconds = float(wait) if wait.isascii() and wait.isdigit() else 0.0
        raise BusyReceiverError(f"it answers {status}", seconds=seconds)
    if not httpx.codes.is_success(status):
        raise RefusedError(f"it answers {status}")


def _loud(_record: logging.LogRecord) -> bool:
    """Keep the client's line about a request out of the log: it has the whole URL."""
    return not _quiet.get()


logging.getLogger("httpx").addFilter(_loud)
