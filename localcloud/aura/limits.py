"""The limit of requests per minute."""

from __future__ import annotations

import math
from collections import deque
from datetime import UTC, datetime
from email.utils import format_datetime

WINDOW_SECONDS = 60.0


class RateLimit:
    """A sliding window over the requests that were let through: at most ``per_minute`` in any 60 seconds."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._admitted: deque[float] = deque()

    def admit(self, now: float) -> float:
        """Count a request at ``now`` (Unix seconds) and return 0, or return the seconds until one would be let through."""
        while self._admitted and self._admitted[0] <= now - WINDOW_SECONDS:
            self._admitted.popleft()
        if len(self._admitted) < self._per_minute:
            self._admitted.append(now)
            return 0.0
        return self._admitted[0] + WINDOW_SECONDS - now


def retry_after(style: str, now: float, wait: float) -> dict[str, str]:
    """Return the header that says when to come back: in ``seconds``, as a ``date``, or not at all (``none``)."""
    if style == "seconds":
        return {"Retry-After": str(max(1, math.ceil(wait)))}
    if style == "date":
        moment = datetime.fromtimestamp(math.ceil(now + wait), UTC)
        return {"Retry-After": format_datetime(moment, usegmt=True)}
    return {}
