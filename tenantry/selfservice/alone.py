"""What one worker at a time does, of all on all machines."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tenantry.selfservice.database import Connection


@asynccontextmanager
async def alone(one: Connection, what: str) -> AsyncIterator[bool]:
    """Give whether this is the only one at it. A worker that dies gives way as soon as its connection is closed.

    :param one: holds an advisory lock until the block ends; in autocommit
    """
    key = f"tenantry {what}"
    found = await one.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 2)) AS got", (key,))
    row = await found.fetchone()
    got = bool(row and row["got"])
    try:
        yield got
    finally:
        if got:
            await one.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 2))", (key,))
