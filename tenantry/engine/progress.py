"""Lines that tell what a step does and how far it is."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_LONG: Final = 5.0
_INTERVAL: Final = 20.0


def duration(seconds: float) -> str:
    """Return "4 s" or "3 min 5 s"."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


class Progress:
    """Numbers the steps of a run, of which the total is known when the first begins."""

    def __init__(self, report: Callable[[str], None], total: int) -> None:
        self._report = report
        self._total = total
        self._done = 0
        self._started = 0.0
        self._last = 0.0

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Announce a step; say how long it took if that was long."""
        self._done += 1
        self._report(f"[{self._done}/{self._total}] {title}")
        self._started = self._last = time.monotonic()
        yield
        elapsed = time.monotonic() - self._started
        if elapsed >= _LONG:
            self._report(f"      done in {duration(elapsed)}")

    def tick(self, state: str) -> None:
        """Tell how far the step is, if the last line is some time ago."""
        now = time.monotonic()
        if now - self._last >= _INTERVAL:
            self._last = now
            self._report(f"      {state}, {duration(now - self._started)}")
