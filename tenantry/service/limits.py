"""How often one caller may ask: a bucket of tokens for each, in this process."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from tenantry.service.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable

CALLERS: Final = 10_000
"""Of how many callers is known when they asked; who was longest silent is forgotten, and begins anew."""


class Limiter:
    """Requests of each caller in a minute. Half of them may come at once."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Know nobody yet.

        :param clock: seconds, which only grow
        """
        self._rate = per_minute / 60
        self._most = max(1.0, per_minute / 2)
        self._clock = clock
        self._callers: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def count(self, caller: str) -> None:
        """Count a request.

        :raises ProblemError: 429, with the seconds after which there may be another
        """
        now = self._clock()
        left, at = self._callers.pop(caller, (self._most, now))
        left = min(self._most, left + (now - at) * self._rate)
        self._callers[caller] = (left - 1 if left >= 1 else left, now)
        if len(self._callers) > CALLERS:
            self._callers.popitem(last=False)
        if left < 1:
            seconds = max(1, round((1 - left) / self._rate + 0.5))
            raise ProblemError(
                429,
                "too-many-requests",
                "There are too many requests",
                f"this caller may send {round(self._rate * 60)} requests a minute: wait {seconds} s",
                headers={"Retry-After": str(seconds)},
            )
