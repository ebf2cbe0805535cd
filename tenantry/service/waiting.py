"""Waits for an operation while a request is open: on what is heard, without a thread or a connection of its own."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tenantry.selfservice import listening, operations
from tenantry.selfservice.database import connection
from tenantry.selfservice.errors import AwayError

if TYPE_CHECKING:
    from tenantry.selfservice.operations import Operation
    from tenantry.service.parts import Parts


async def settled(parts: Parts, asked: Operation, seconds: float) -> Operation:
    """Wait until an operation has ended, or will not be tried again in time, or time is up; return it as it is then.

    It was asked for already, so a database that is away is no failure: what is known last is returned.

    :param seconds: how long to wait at most
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    deadline = datetime.now(UTC) + timedelta(seconds=seconds)
    known = asked
    with parts.listener.hearing(asked.id) as event:
        while True:
            try:
                async with connection(parts.connections) as one:
                    known = await operations.get(one, asked.id) or known
            except AwayError:
                if end - loop.time() > 0:
                    await asyncio.sleep(min(1.0, end - loop.time()))
            left = end - loop.time()
            if not known.open or _is_late(known, deadline) or left <= 0 or parts.listener.closing:
                return known
            await listening.wait(event, left)


def _is_late(operation: Operation, deadline: datetime) -> bool:
    """Whether it waits for an attempt that nobody waits for."""
    again = operation.next_attempt_at
    return operation.status == "queued" and again is not None and again > deadline
