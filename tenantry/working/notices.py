"""What a worker lets people and programs know: how operations end, keys that end soon."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from tenantry.errors import TenantryError
from tenantry.notifying.notification import Notification
from tenantry.notifying.telling import Notifier
from tenantry.retries import RetryPolicy
from tenantry.selfservice import outbox
from tenantry.selfservice.database import transaction
from tenantry.selfservice.expiring import tell_of_keys
from tenantry.working.tending import Chore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tenantry.registry.models import Registry
    from tenantry.registry.notices import Occasion
    from tenantry.selfservice.database import Connection, Pool
    from tenantry.selfservice.operations import Kind, Operation
    from tenantry.selfservice.outbox import Outgoing

_log = logging.getLogger("tenantry.working")

ONCE: Final = RetryPolicy(attempts=1, first_delay=0)
"""A row is tried again later, also after a crash: nobody waits with it in memory."""
AGAIN: Final = RetryPolicy(first_delay=30_000, factor=4.0, cap=3_600_000)
FOR: Final = timedelta(days=1)
"""For so long a receiver that is away is tried."""
_SEND_EVERY: Final = 5.0
_KEYS_EVERY: Final = 3600.0
_DONE: Final[dict[Kind, str]] = {
    "create": "it was made",
    "update": "it was changed",
    "rotate": "its login was rotated",
    "keys": "its API keys are as the plan has them",
}


class Notices:
    """Writes notifications that somebody wants, with what they are about."""

    def __init__(self, registry: Callable[[], Registry]) -> None:
        """Ask nothing yet.

        :param registry: reads the registry
        """
        self._registry = registry

    def wants(self, kind: Occasion) -> bool:
        """Tell whether anybody is to be told of such a thing."""
        try:
            receivers = self._registry().notify
        except (TenantryError, OSError):
            # Not known before the file is valid again. Then it is told, or nobody is there who wants it.
            return True
        return any(kind in each.on for each in receivers)

    async def of_end(
        self, connection: Connection, operation: Operation, kind: Occasion | None, reason: str
    ) -> None:
        """Write how an operation ended, or that it is tried again, in the transaction of its result.

        Of the graph of a user only a failure is told: who has an app with many users would hear of nothing else.

        :param kind: None: nobody is to be told
        """
        if kind is None or (operation.subject and kind != "failed") or not self.wants(kind):
            return
        about = f"graph of user {operation.subject}: " if operation.subject else ""
        await outbox.put(
            connection,
            namespace=operation.namespace,
            kind=kind,
            app_id=operation.app_id,
            text=about + (reason or _DONE.get(operation.kind, "")),
            operation=operation.id,
        )


def notice_chores(
    connections: Pool, environment: Mapping[str, str], registry: Callable[[], Registry]
) -> list[Chore]:
    """Return what every worker does: it sends what is to be sent, and looks for keys that end soon."""

    async def send() -> None:
        known = registry()
        async with transaction(connections) as connection:
            rows = await outbox.take(connection, known.namespace)
        if rows:
            notifier = Notifier(known.notify, environment, policy=ONCE)
            await asyncio.gather(*(_send(connections, notifier, row) for row in rows))

    async def look_for_keys() -> None:
        known = registry()
        if Notices(registry).wants("key_expires"):
            async with transaction(connections) as connection:
                await tell_of_keys(connection, known.namespace)

    async def throw_away() -> None:
        async with transaction(connections) as connection:
            await outbox.throw_away(connection)

    return [
        Chore("sending notifications", _SEND_EVERY, send),
        Chore("looking for keys that end soon", _KEYS_EVERY, look_for_keys),
        Chore("throwing away old notifications", _KEYS_EVERY, throw_away),
    ]


async def _send(connections: Pool, notifier: Notifier, row: Outgoing) -> None:
    notification = Notification(
        row.kind, row.app_id, row.text, row.at, str(row.operation) if row.operation else None
    )
    deliveries = await notifier.tell(notification, row.told)
    failed = [each for each in deliveries if each.failure]
    may_pass = any(each.may_pass for each in failed) and datetime.now(UTC) - row.at < FOR
    again = timedelta(seconds=AGAIN.pause(row.attempts)) if may_pass else None
    if failed and again is None:
        _log.error(
            "%s: given up, tenantry notifications shows it: %s",
            notification.title,
            failed[0].failure,
        )
    async with transaction(connections) as connection:
        await outbox.note(
            connection,
            row.id,
            [each.mark for each in deliveries if not each.failure],
            "; ".join(f"{each.receiver}: {each.failure}" for each in failed) or None,
            again=again,
        )
