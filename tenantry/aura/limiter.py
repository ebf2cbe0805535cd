"""One pace of requests for everything that uses a credential: threads and processes alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tenantry.aura.errors import AuraDeadlineError
from tenantry.aura.shared_file import locked, read_json, write_json

if TYPE_CHECKING:
    from pathlib import Path

    from tenantry.aura.clock import Clock, Deadline

WINDOW: Final = 60.0
"""Seconds: Aura's limits are by the minute."""
_LONGEST_HOLD: Final = 3600.0
"""Seconds. A moment further ahead is a clock that was set back, not a wish of Aura's."""


class RateLimiter:
    """Lets no more than so many requests go in any 60 seconds.

    The moments of the last requests, also of those that are waiting for theirs, stand in a file. So a short run goes at
    full speed, and many at once take turns.
    """

    def __init__(self, file: Path, per_minute: int, clock: Clock) -> None:
        """Use the file, which need not exist."""
        self._file = file
        self._per_minute = per_minute
        self._clock = clock

    def acquire(self, deadline: Deadline) -> None:
        """Wait for a turn.

        :raises AuraDeadlineError: it would come too late; no turn is then taken
        """
        with locked(self._file, self._clock):
            now = self._clock.wall()
            sent, held = self._read(now)
            turn = max(now, held)
            if len(sent) >= self._per_minute:
                turn = max(turn, sent[-self._per_minute] + WINDOW)
            if turn - now > deadline.left():
                raise AuraDeadlineError(
                    f"Aura: the next request may go in {turn - now:.0f} s ({self._per_minute} a minute, AURA_REQUESTS_PER_MINUTE), "
                    "which is past the deadline of this call: try again then, or run fewer apps at once"
                )
            self._write([*sent, turn], held)
        if turn > now:
            self._clock.sleep(turn - now)

    def hold(self, seconds: float) -> None:
        """Let nothing go for so long: Aura asked for it."""
        with locked(self._file, self._clock):
            now = self._clock.wall()
            sent, held = self._read(now)
            self._write(sent, max(held, now + min(seconds, _LONGEST_HOLD)))

    def _read(self, now: float) -> tuple[list[float], float]:
        content = read_json(self._file)
        sent = content.get("sent")
        moments = sent if isinstance(sent, list) else []
        recent = [
            m
            for m in moments
            if isinstance(m, int | float) and now - WINDOW < m < now + _LONGEST_HOLD
        ]
        held = content.get("held")
        until = float(held) if isinstance(held, int | float) else 0.0
        return sorted(recent), until if until <= now + _LONGEST_HOLD else 0.0

    def _write(self, sent: list[float], held: float) -> None:
        write_json(self._file, {"sent": sent, "held": held})
