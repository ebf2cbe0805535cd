"""Who listens to what clients of the clouds ask: for counting. Nobody does by default."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Heard = Callable[[str, str, str, int | None, float], None]
    """Gets the cloud, the method, the route, the status (None: no answer) and the seconds."""

_ROUTE_WORDS: Final = frozenset(
    {
        *(
            "projects",
            "branches",
            "endpoints",
            "roles",
            "databases",
            "operations",
            "restore",
            "permissions",
        ),
        *("instances", "tenants", "snapshots", "oauth", "token", "pause", "resume", "overwrite"),
    }
)
_heard: Final[list[Heard]] = []


def route_of(path: str) -> str:
    """Return a path without its query, with `{}` for every part that is not the API's own: ids and names."""
    parts = re.sub(r"[?#].*", "", path).strip("/").split("/")
    return "/" + "/".join(each if each in _ROUTE_WORDS else "{}" for each in parts)


def tell(cloud: str, method: str, path: str, status: int | None, seconds: float) -> None:
    """Tell of one attempt at a request."""
    for each in tuple(_heard):
        each(cloud, method, route_of(path), status, seconds)


@contextmanager
def listening(heard: Heard) -> Iterator[None]:
    """Let somebody hear of all requests of this process, for the length of a block."""
    _heard.append(heard)
    try:
        yield
    finally:
        _heard.remove(heard)
