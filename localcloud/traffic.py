"""How many requests an API was asked, by route, and how many at the most in a minute and in a second."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localcloud.records import Json

_WINDOWS = {"60s": 60.0, "1s": 1.0}


class _Highest:
    """The highest number of requests within any window of so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._times: deque[float] = deque()
        self.number = 0

    def count(self, now: float) -> None:
        self._times.append(now)
        while self._times[0] <= now - self._seconds:
            self._times.popleft()
        self.number = max(self.number, len(self._times))


class _Count:
    """The requests of a route, or of all."""

    def __init__(self) -> None:
        self.total = 0
        self.statuses = Counter[str]()
        self.highest = {name: _Highest(seconds) for name, seconds in _WINDOWS.items()}

    def document(self) -> Json:
        return {
            "total": self.total,
            "highest": {name: highest.number for name, highest in self.highest.items()},
            "statuses": dict(sorted(self.statuses.items())),
        }


class Traffic:
    """Requests as they came, whatever was answered. ``now`` is a reading of ``time.monotonic``."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin to count anew."""
        self._all = _Count()
        self._routes: dict[str, _Count] = {}

    def arrived(self, route: str, now: float) -> None:
        """Count a request; ``route`` is its method and its path's template."""
        for count in (self._all, self._routes.setdefault(route, _Count())):
            count.total += 1
            for highest in count.highest.values():
                highest.count(now)

    def answered(self, route: str, status: int) -> None:
        """Count an answer; 0 for a connection that was cut instead."""
        for count in (self._all, self._routes.setdefault(route, _Count())):
            count.statuses[str(status) if status else "cut"] += 1

    def document(self) -> dict[str, Any]:
        """Return all counts."""
        routes = {route: count.document() for route, count in sorted(self._routes.items())}
        return self._all.document() | {"routes": routes}
