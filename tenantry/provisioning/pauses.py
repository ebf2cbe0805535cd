"""Pauses that end early when the run is stopped for which they are made."""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from tenantry.errors import TenantryError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event

_stopped: Final[ContextVar[Event | None]] = ContextVar("stopped", default=None)


class StoppedError(TenantryError):
    """A pause of a run that is being stopped. Nothing was under way in it."""


@contextmanager
def stopping(stopped: Event) -> Iterator[None]:
    """Let an event end the pauses that this thread makes in the block."""
    before = _stopped.set(stopped)
    try:
        yield
    finally:
        _stopped.reset(before)


def pause(seconds: float) -> None:
    """Wait that long.

    :raises StoppedError: the run is being stopped
    """
    stopped = _stopped.get()
    if stopped is None:
        time.sleep(seconds)
    elif stopped.wait(seconds):
        raise StoppedError("ended because the run was stopped", way_out="tenantry up goes on")
