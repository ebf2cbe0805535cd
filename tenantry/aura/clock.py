"""Time, given from outside, so that waits can be tried without waiting."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from tenantry.provisioning.pauses import pause


@dataclass(frozen=True)
class Clock:
    """What this package knows of time. All values are seconds."""

    wall: Callable[[], float] = time.time
    """Since the epoch: what processes, and Aura's timestamps, share."""
    elapsed: Callable[[], float] = time.monotonic
    """Since some moment: what deadlines are measured with."""
    sleep: Callable[[float], None] = pause


class Deadline:
    """A moment after which nothing is begun any more."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        """Set it, `seconds` from now."""
        self.seconds = seconds
        self._clock = clock
        self._end = clock.elapsed() + seconds

    def left(self) -> float:
        """Return the seconds that are left, 0 or more."""
        return max(0.0, self._end - self._clock.elapsed())
