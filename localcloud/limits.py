"""The limits of requests in a time."""

from __future__ import annotations

import math
from collections import deque
from datetime import UTC, datetime
from email.utils import format_datetime

MINUTE = 60.0


class RateLimit:
    """A sliding window over the requests that were let through: at most ``most`` in any ``seconds``."""

    def __init__(self, most: int, seconds: float = MINUTE) -> None:
        self._most = most
        self._seconds = seconds
        self._admitted: deque[float] = deque()

    def wait(self, now: float) -> float:
        """Return after how many seconds a request would be let through; ``now`` is in Unix seconds."""
        while self._admitted and self._admitted[0] <= now - self._seconds:
            self._admitted.popleft()
        if len(self._admitted) < self._most:
            return 0.0
        return self._admitted[0] + self._seconds - now

    def count(self, now: float) -> None:
        """Count a request that is let through."""
        self._admitted.append(now)

    def admit(self, now: float) -> float:
        """Count a request and return 0, or return the seconds until one would be let through."""
        wait = self.wait(now)
        if not wait:
            self.count(now)
        return wait


def retry_after(style: str, now: float, wait: float) -> dict[str, str]:
    """Return the header that says when to come back: in ``seconds``, as a ``date``, or not at all (``none``)."""
    if style == "seconds":
        return {"Retry-After": str(max(1, math.ceil(wait)))}
    if style == "date":
        moment = datetime.fromtimestamp(math.ceil(now + wait), UTC)
        return {"Retry-After": format_datetime(moment, usegmt=True)}
    return {}
