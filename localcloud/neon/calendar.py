"""Things that are done when their time has come."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from localcloud.clock import parse, render
from localcloud.neon.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

_RETRY_SECONDS = 1.0
_LONGEST_SECONDS = 86_400.0
_log = logging.getLogger("localcloud.calendar")


class Appointment(NamedTuple):
    """What is to be done, and when (as :func:`localcloud.clock.render` writes it)."""

    due: str
    keep: Callable[[], Awaitable[None]]


class Calendar:
    """Sleeps until the next appointment. One that came due while nobody was there is kept at the next beginning."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def open(self, appointments: Callable[[], Iterable[Appointment]]) -> None:
        """Begin to keep appointments, which are asked for anew each time."""
        self._task = asyncio.create_task(self._run(appointments))

    async def close(self) -> None:
        """Keep no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def changed(self) -> None:
        """Look again for what is next."""
        self._changed.set()

    async def _run(self, appointments: Callable[[], Iterable[Appointment]]) -> None:
        while True:
            self._changed.clear()
            now = render(datetime.now(UTC))
            for appointment in sorted(appointments(), key=lambda each: each.due):
                if appointment.due <= now:
                    await _keep(appointment)
            await self._sleep(min((each.due for each in appointments()), default=None), now)

    async def _sleep(self, until: str | None, checked: str) -> None:
        seconds = _LONGEST_SECONDS
        if until is not None and until <= checked:
            # It could not be kept: its project is busy.
            seconds = _RETRY_SECONDS
        elif until is not None:
            seconds = min(seconds, (parse(until) - datetime.now(UTC)).total_seconds())
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._changed.wait()
        except TimeoutError:
            return


async def _keep(appointment: Appointment) -> None:
    try:
        await appointment.keep()
    except ApiError as refused:
        _log.debug("put off: %s", refused)
    except Exception:  # noqa: BLE001 (what is due next must not suffer from it)
        _log.exception("could not do what was due at %s", appointment.due)
