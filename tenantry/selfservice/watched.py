"""A connection that does not wait for ever for a server that is gone without a word.

Such a connection is half open: what is between takes what is sent, and nothing comes back. No time limit of the server
ends that, and no keep-alive where a proxy answers those.
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from psycopg import AsyncConnection

if TYPE_CHECKING:
    from psycopg.abc import RV, PQGen

    from tenantry.selfservice.database import Row

ANSWER_SECONDS: Final = 20.0
"""After so long no answer comes any more: the server ends each statement before (`database.STATEMENT_SECONDS`)."""


class WatchedConnection(AsyncConnection[Any]):
    """Cuts itself where a statement has no answer; that is an `OperationalError` like any lost connection."""

    async def wait(self, gen: PQGen[RV], *given: Any, **named: Any) -> RV:  # noqa: ANN401  # psycopg's own
        """Wait for an answer, as psycopg does."""
        watch = asyncio.get_running_loop().call_later(ANSWER_SECONDS, self.cut)
        try:
            return await super().wait(gen, *given, **named)
        finally:
            watch.cancel()

    def cut(self) -> None:
        """End the connection from this side; who waits on it is told at once."""
        # The number stays psycopg's to close.
        with suppress(OSError, ValueError), socket.socket(fileno=os.dup(self.fileno())) as same:
            same.shutdown(socket.SHUT_RDWR)


async def connect(url: str, **named: Any) -> AsyncConnection[Row]:  # noqa: ANN401  # libpq's own
    """Connect, with what libpq calls its parameters."""
    return await WatchedConnection.connect(url, **named)
