"""Neon's limits of requests: so many a minute, and bursts on one route (its documentation, "API rate limits")."""

from __future__ import annotations

import math

from localcloud.limits import MINUTE, RateLimit, retry_after
from localcloud.neon.errors import too_many_requests

REQUESTS_A_MINUTE = 700
BURST_A_SECOND = 40


class Rate:
    """The limits of an account: ``per_minute`` requests (0: no limit), and on each route a second's share of the burst.

    The burst is to the minute as on Neon: 40 a second at 700 a minute. ``style``: how a refusal says when to come back.
    """

    def __init__(self, per_minute: int, style: str) -> None:
        self._style = style
        self._minute = RateLimit(per_minute, MINUTE) if per_minute else None
        self._burst = math.ceil(per_minute * BURST_A_SECOND / REQUESTS_A_MINUTE)
        self._routes: dict[str, RateLimit] = {}

    def admit(self, route: str, now: float) -> None:
        """Count a request at ``now`` (Unix seconds). Raises ApiError 429."""
        if self._minute is None:
            return
        burst = self._routes.setdefault(route, RateLimit(self._burst, 1.0))
        wait = max(self._minute.wait(now), burst.wait(now))
        if wait:
            raise too_many_requests(retry_after(self._style, now, wait))
        self._minute.count(now)
        burst.count(now)
