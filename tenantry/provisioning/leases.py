"""The lease of a worker's process: after it, others may be at work on what this process was doing.

A process that was stopped and goes on may be in the middle of a step before anything else has run. So what changes
something in a cloud asks here first. The engine has the same in `toolchain/internal/lease`.
"""

from __future__ import annotations

import time
from typing import Final

from tenantry.errors import TenantryError


class LeaseOverError(TenantryError):
    """This process was held up for too long. What it was about to do, another one may be doing by now."""

    may_pass = True


class ProcessLease:
    """A lease without an end, until it is begun."""

    def __init__(self) -> None:
        """Have no end yet."""
        self._seconds: float | None = None
        self._last = (0.0, 0.0)

    def begin(self, seconds: float) -> None:
        """Let it last so long unless it is renewed."""
        self._seconds = seconds
        self.renew()

    def end(self) -> None:
        """Let it have no end again."""
        self._seconds = None

    def renew(self) -> None:
        """Prolong it from now on."""
        # The first clock stands still while the machine sleeps, and the second one can be set.
        self._last = (time.monotonic(), time.time())

    @property
    def over(self) -> bool:
        """Whether it is over by either clock."""
        if self._seconds is None:
            return False
        steady, wall = self._last
        return max(time.monotonic() - steady, time.time() - wall) > self._seconds

    def check(self) -> None:
        """Refuse to go on where it is over.

        :raises LeaseOverError: it is
        """
        if self.over:
            raise LeaseOverError(
                "this worker was held up for too long, and another one may go on in its place",
                place="worker",
                way_out="nothing is to be done: the operation is taken over",
            )


own: Final = ProcessLease()
"""This process's."""
