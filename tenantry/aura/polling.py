"""Looking at something again and again until it is done, slowly enough for Aura's limits."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from tenantry.aura.clock import Deadline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tenantry.aura.clock import Clock
    from tenantry.aura.settings import Polling

_JITTER: Final = 0.1


def looks(polling: Polling, clock: Clock) -> Iterator[Deadline]:
    """Yield at once, then after each pause, until another pause would pass the deadline.

    What is yielded is the time that is left. Pauses double from `first` to `most`, and are up to a tenth longer, so
    that apps that began together do not ask together.
    """
    deadline = Deadline(clock, polling.deadline)
    pause = polling.first
    while True:
        yield deadline
        actual = pause * random.uniform(1, 1 + _JITTER)  # noqa: S311 no secret depends on it
        if actual >= deadline.left():
            return
        clock.sleep(actual)
        pause = min(pause * 2, polling.most)
