"""What an order's ``match`` says, and whether a request is meant.

For an HTTP API ``METHOD /path``: ``*`` for any method, and in the path for one segment, ``**`` at its end for whatever
follows. For PostgreSQL ``HOST STATEMENT``: an address, an endpoint's id or ``*``, then a glob of the statement without
regard to case and to how it is laid out; or ``HOST connect``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

CONNECT = "connect"
_METHODS = frozenset({"*", "GET", "POST", "PUT", "PATCH", "DELETE"})


def check(api: str, match: str) -> None:
    """Refuse a match that means no request. Raises ValueError."""
    if api == "postgres":
        SessionPattern(match)
    else:
        RequestPattern(match)


class RequestPattern:
    """A pattern of requests to an HTTP API."""

    def __init__(self, match: str) -> None:
        words = match.split()
        if len(words) != 2 or words[0] not in _METHODS or not words[1].startswith("/"):  # noqa: PLR2004 (a method and a path)
            raise ValueError(
                f'a match of an HTTP API is "METHOD /path", METHOD one of {", ".join(sorted(_METHODS))}'
            )
        self._method, path = words
        *inner, last = path.split("/")
        if "**" in inner:
            raise ValueError("** stands for all that follows, so it can only be the last segment")
        parts = [self._segment(part) for part in inner]
        rest = ".*" if last == "**" else self._segment(last)
        self._path = re.compile("/".join([*parts, rest]))

    @staticmethod
    def _segment(text: str) -> str:
        return "[^/]+" if text == "*" else re.escape(text)

    def matches(self, method: str, path: str) -> bool:
        """Whether a request is meant; ``path`` is below the API's prefix."""
        return self._method in {"*", method} and self._path.fullmatch(path) is not None


class SessionPattern:
    """A pattern of what happens in PostgreSQL sessions."""

    def __init__(self, match: str) -> None:
        try:
            self._host, what = match.split(None, 1)
        except ValueError:
            raise ValueError(
                'a match of postgres is "HOST STATEMENT" or "HOST connect", HOST an address, an endpoint id or *'
            ) from None
        what = _in_one_line(what)
        self.connect = what.lower() == CONNECT
        glob = "".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in what)
        self._statement = re.compile(glob, re.IGNORECASE)

    def matches(self, names: Collection[str], statement: str | None) -> bool:
        """Whether a statement (None: a new session) is meant; ``names`` are the address and the endpoint's id."""
        if self._host != "*" and self._host not in names:
            return False
        if statement is None or self.connect:
            return statement is None and self.connect
        return self._statement.fullmatch(_in_one_line(statement)) is not None


def _in_one_line(text: str) -> str:
    return " ".join(text.split())


def without_literals(statement: str) -> str:
    """Return a statement up to its first literal, in one line: what stands in quotes may be a secret."""
    start = re.split(r"'|\$[A-Za-z_\d]*\$", statement, maxsplit=1)[0]
    shown = _in_one_line(start)
    return shown if len(start) == len(statement) else f"{shown} …"
