"""What a run tells at its end, outside the service. It is sent at once: nothing is kept, and no run fails for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from tenantry.errors import counted
from tenantry.notifying.telling import Notifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tenantry.notifying.notification import Notification
    from tenantry.registry.notices import Notify

SECONDS: Final = 60.0
"""For how long a run waits for its receivers in all."""
_AT_ONCE: Final = 8


def tell_all(
    receivers: Sequence[Notify],
    environment: Mapping[str, str],
    notifications: Sequence[Notification],
    say: Callable[[str], None],
) -> None:
    """Send notifications. What is not delivered is said in the log, which a command prints. Nothing is raised.

    :param receivers: `notify` of the registry
    :param environment: has the variables that they name
    :param say: takes a line for each receiver whose variable is wrong, and for what took too long
    """
    if not receivers or not notifications:
        return
    notifier = Notifier(receivers, environment, passed_over=say)
    asyncio.run(_tell_all(notifier, notifications, say))


async def _tell_all(
    notifier: Notifier, notifications: Sequence[Notification], say: Callable[[str], None]
) -> None:
    free = asyncio.Semaphore(_AT_ONCE)

    async def tell(notification: Notification) -> None:
        async with free:
            await notifier.tell(notification)

    tasks = [asyncio.create_task(tell(each)) for each in notifications]
    _, late = await asyncio.wait(tasks, timeout=SECONDS)
    for task in late:
        task.cancel()
    if late:
        await asyncio.wait(late)
        say(f"notify: {counted(len(late), 'notification')} not sent within {SECONDS:.0f} s")
