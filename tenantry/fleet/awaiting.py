"""A run of a fleet beside an event loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenantry.fleet.events import Event

Value = TypeVar("Value")


async def awaited(
    run: Callable[[Callable[[Event], None]], Value],
    stop: Callable[[], None],
    tell: Callable[[Event], None],
) -> Value:
    """Let a run go on in a thread of its own, and return what it returns.

    A cancellation stops the run, and is raised when that has ended.

    :param run: is called in the thread, with what is to be told of each event
    :param stop: is called for each cancellation
    :param tell: is told of each event in the loop's thread; where it fails, the run is stopped, and the failure raised
    """
    loop = asyncio.get_running_loop()
    wrong: list[BaseException] = []

    def hear(event: Event) -> None:
        try:
            tell(event)
        except Exception as error:  # noqa: BLE001 it is raised below
            if not wrong:
                stop()
            wrong.append(error)

    def later(event: Event) -> None:
        loop.call_soon_threadsafe(hear, event)

    # Not one of the loop's own threads: there are few, and names are looked up in them.
    thread = ThreadPoolExecutor(1, "fleet-run")
    ended = asyncio.wrap_future(thread.submit(run, later))
    thread.shutdown(wait=False)
    while not ended.done():
        try:
            await asyncio.wait([ended])
        except asyncio.CancelledError as error:
            stop()
            wrong.insert(0, error)
    if wrong:
        # How the run ended is not what the caller hears then.
        ended.exception()
        raise wrong[0]
    return ended.result()
