"""One HTTP exchange: sent once, answered within its time, its failure named by what it means for the request."""

from __future__ import annotations

import base64
import json
import logging
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

import httpx

from tenantry.aura.errors import (
    AuraDeadlineError,
    AuraLostAnswerError,
    AuraUnreachableError,
    refused,
)
from tenantry.clouds import asking
from tenantry.hiding import hidden
from tenantry.provisioning import leases
from tenantry.surroundings import direct_mounts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenantry.aura.clock import Clock, Deadline

CONNECT_SECONDS: Final = 10.0
WRITE_SECONDS: Final = 30.0
READ_SECONDS: Final = 60.0
LEAST_SECONDS: Final = 60.0
"""A request that was begun gets at least this long for its answer: what a create answers is told once."""
_BODY_MOST: Final = 16 * 1024 * 1024
_CHUNK: Final = 16 * 1024
_ERROR: Final = 400
_REDIRECT: Final = 300

_log = logging.getLogger("tenantry.aura")


@dataclass(frozen=True)
class Answer:
    """An answer of status 2xx."""

    request: str
    """Method and path, for messages."""
    status: int
    # May hold a password.
    body: object = field(repr=False)
    """The JSON; else the text."""
    request_id: str = ""


class Wire:
    """Connections to one host; safe to share between threads."""

    def __init__(self, clock: Clock, transport: httpx.BaseTransport | None = None) -> None:
        """Open nothing yet.

        :param transport: what carries the requests, for tests
        """
        self._clock = clock
        # No redirects: a POST would be sent again, and credentials would go where nobody said.
        self._client = httpx.Client(
            transport=transport,
            mounts=direct_mounts(),
            follow_redirects=False,
            headers={"Accept": "application/json"},
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def send(
        self,
        method: str,
        url: str,
        deadline: Deadline,
        *,
        shown: str,
        **request: Any,  # noqa: ANN401 httpx's own
    ) -> Answer:
        """Send a request once and read its answer.

        :param shown: the path as messages name it
        :param request: what `httpx.Client.stream` takes: `headers`, `json`, `data`, `params`, `auth`
        :raises AuraDeadlineError: no time was left to begin
        :raises LeaseOverError: this process may not change anything any more
        :raises AuraUnreachableError: there was no connection, nothing was sent
        :raises AuraLostAnswerError: it was sent, and no whole answer came
        :raises AuraAnswerError: a status of 300 or above
        """
        name = f"{method} {shown}"
        if deadline.left() <= 0:
            raise AuraDeadlineError(f"Aura: {name}: no answer within {deadline.seconds:.0f} s")
        if method != "GET":
            leases.own.check()
        end = self._clock.elapsed() + max(deadline.left(), LEAST_SECONDS)
        timeout = httpx.Timeout(
            connect=CONNECT_SECONDS, write=WRITE_SECONDS, read=READ_SECONDS, pool=CONNECT_SECONDS
        )
        began, status = self._clock.elapsed(), None
        try:
            with self._client.stream(method, url, timeout=timeout, **request) as response:
                status = response.status_code
                content = self._read(response, name, end)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise AuraUnreachableError(
                f"Aura: {name}: no connection to {httpx.URL(url).host}: {_words(error)}"
            ) from None
        except httpx.RequestError as error:
            # A header that cannot be sent is repeated in the error.
            said = hidden(_words(error), *_credentials(request))
            raise AuraLostAnswerError(f"Aura: {name}: no answer: {said}") from None
        finally:
            asking.tell("aura", method, shown, status, self._clock.elapsed() - began)
        return self._judge(name, response, content, _credentials(request))

    def _read(self, response: httpx.Response, name: str, end: float) -> bytes:
        # httpx limits each phase. A body that comes in drops is limited only here.
        content = bytearray()
        for chunk in response.iter_bytes(_CHUNK):
            content += chunk
            if self._clock.elapsed() > end or len(content) > _BODY_MOST:
                raise AuraLostAnswerError(f"Aura: {name}: the answer did not end")
        return bytes(content)

    def _judge(
        self, name: str, response: httpx.Response, content: bytes, sent: tuple[str, ...]
    ) -> Answer:
        request_id = response.headers.get("x-request-id", "")
        _log.debug("%s: %d, request %s", name, response.status_code, request_id)
        status = response.status_code
        text = content.decode("utf-8", "replace")
        # What refuses a request may repeat what came with it.
        body = _parsed(hidden(text, *sent) if status >= _REDIRECT else text)
        if status >= _ERROR:
            raise refused(
                name,
                status,
                body,
                request_id=request_id,
                retry_after=retry_after(response.headers, self._clock.wall()),
            )
        if status >= _REDIRECT:
            target = httpx.URL(response.headers.get("location", "")).copy_with(query=None)
            moved = hidden(f"moved to {target}: set AURA_BASE_URL", *sent)
            raise refused(name, status, moved, request_id=request_id)
        return Answer(name, status, body, request_id)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds of `Retry-After`, which is a number or a date (RFC 9110, 10.2.3); None where there is none."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, TypeError):
        return None


def _credentials(request: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the secrets of a request, as httpx is given them, and as they travel."""
    bearer = request.get("headers", {}).get("Authorization", "").partition(" ")[2]
    user, password = request.get("auth") or ("", "")
    basic = base64.b64encode(f"{user}:{password}".encode()).decode() if password else ""
    return (bearer, password, basic)


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
