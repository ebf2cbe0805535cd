"""Hears what happens to operations: one connection for a whole process, however many wait.

What is heard is only that something happened. Whoever waits reads the row, and reads it again after a while where
nothing was heard: a notification that was sent while the connection was away is lost.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, Self
from uuid import UUID

from tenantry.selfservice.database import CHANNEL, parameters

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

AGAIN_SECONDS: Final = 5.0
"""After so long without a word, whoever waits reads again."""
QUIET_SECONDS: Final = 10.0
"""After so long without a word the server is asked whether it is there; less than `watched.ANSWER_SECONDS`."""
_PAUSE_SECONDS: Final = 1.0
_MOST_SECONDS: Final = 15.0
_log: Final = logging.getLogger("tenantry.selfservice")


class Listener:
    """Listens while it is open (`async with`)."""

    def __init__(self, url: str, lost: Callable[[], Awaitable[None]] | None = None) -> None:
        """Connect to nothing yet.

        :param url: a libpq URI of the catalog's direct host
        :param lost: is awaited when the connection was cut: others to the same server may be cut as well
        """
        self._url = url
        self._lost = lost
        self._waiting: dict[UUID, set[asyncio.Event]] = {}
        self._of_all: set[asyncio.Event] = set()
        self._task: asyncio.Task[None] | None = None
        self.closing = False
        """Whether the process is about to end: nobody goes on waiting."""

    async def __aenter__(self) -> Self:
        """Begin to listen; that the server is away is no failure."""
        self._task = asyncio.create_task(self._run(), name="listener")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        self.close()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def close(self) -> None:
        """Wake everybody: the process is about to end."""
        self.closing = True
        self._wake_all()

    @contextmanager
    def hearing(self, operation: UUID) -> Iterator[asyncio.Event]:
        """Give an event that is set whenever something happened to an operation; who waits clears it."""
        event = asyncio.Event()
        self._waiting.setdefault(operation, set()).add(event)
        try:
            yield event
        finally:
            others = self._waiting[operation]
            others.discard(event)
            if not others:
                del self._waiting[operation]

    @contextmanager
    def hearing_all(self) -> Iterator[asyncio.Event]:
        """Give an event that is set whenever something happened to any operation; who waits clears it."""
        event = asyncio.Event()
        self._of_all.add(event)
        try:
            yield event
        finally:
            self._of_all.discard(event)

    async def _run(self) -> None:
        pause = _PAUSE_SECONDS
        while True:
            begun = asyncio.get_running_loop().time()
            try:
                await self._listen()
            except Exception as error:  # noqa: BLE001  # whatever it is: without this task all would wait for their time
                _log.warning("the catalog is not heard: %s", type(error).__name__)
            if asyncio.get_running_loop().time() - begun > _MOST_SECONDS:
                pause = _PAUSE_SECONDS
            if self._lost:
                with suppress(Exception):
                    await self._lost()
            await asyncio.sleep(pause)
            pause = min(2 * pause, _MOST_SECONDS)

    async def _listen(self) -> None:
        """Listen until the connection is lost, which is an exception."""
        from tenantry.selfservice.watched import connect

        async with await connect(self._url, autocommit=True, **parameters()) as connection:
            await connection.execute(f"LISTEN {CHANNEL}".encode())
            # What happened while nobody listened is read now.
            self._wake_all()
            while True:
                async for notify in connection.notifies(timeout=QUIET_SECONDS):
                    self._heard(notify.payload)
                # A connection that is half open is as quiet as one without news.
                await connection.execute("SELECT 1")

    def _heard(self, payload: str) -> None:
        try:
            operation = UUID(payload)
        except ValueError:
            return
        for event in (*self._waiting.get(operation, ()), *self._of_all):
            event.set()

    def _wake_all(self) -> None:
        for events in (*self._waiting.values(), self._of_all):
            for event in events:
                event.set()


async def wait(event: asyncio.Event, seconds: float) -> None:
    """Wait until an event is set, or for some seconds, at most `AGAIN_SECONDS`; and clear it."""
    try:
        async with asyncio.timeout(min(seconds, AGAIN_SECONDS)):
            await event.wait()
    except TimeoutError:
        return
    event.clear()
