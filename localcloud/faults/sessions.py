"""What a fault does to a PostgreSQL session: when it begins, when it needs the server, and at its statements."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localcloud.faults.orders import Delay, Die, Drop, Hold, Refuse, TooManyConnections, acts_after
from localcloud.postgres import wire
from localcloud.postgres.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from localcloud.faults.standing import Faults, Injection

_CANNOT_CONNECT_NOW = "57P03"
_TOO_MANY_CONNECTIONS = "53300"
_INTERNAL_ERROR = "XX000"
_QUESTIONS = bytes((wire.QUERY, wire.PARSE, wire.BIND, wire.EXECUTE))
_ANSWERS = bytes((wire.READY_FOR_QUERY, wire.COPY_IN, wire.COPY_BOTH))


class CutError(Exception):
    """The client's connection is to be cut."""


def check_wake(faults: Faults, names: Sequence[str]) -> None:
    """Refuse a session for which a server would have to be started, if an order says so. Raises RefusedError."""
    injection = faults.wake(names)
    if injection is not None:
        faults.note(injection)
        # Neon's words (its documentation, "Connection errors").
        raise RefusedError("Couldn't connect to compute node", _INTERNAL_ERROR)


@dataclass(slots=True)
class _Prepared:
    """A statement whose execution is to be hit, which comes in other messages than its text."""

    injection: Injection
    name: str
    portal: str | None = None


class SessionFaults:
    """What orders do to one session. ``names``: its server's name and address. ``kill`` kills the server."""

    def __init__(
        self, faults: Faults, names: Sequence[str], kill: Callable[[], Awaitable[None]]
    ) -> None:
        self._faults = faults
        self._names = names
        self._kill = kill
        self._sent = wire.Messages()
        self._prepared: _Prepared | None = None
        self._withholding: Injection | None = None
        self._answered = wire.Messages()
        self._answer = b""

    # The beginning.

    async def connecting(self) -> Injection | None:
        """Do what is to be done before the session has its server; return what is to be done after that.

        Raises RefusedError or CutError.
        """
        injection = self._faults.connect(self._names)
        if injection is None or acts_after(injection.fault):
            return injection
        self._faults.note(injection)
        if isinstance(injection.fault, Refuse):
            raise RefusedError("the database system is starting up", _CANNOT_CONNECT_NOW)
        if isinstance(injection.fault, TooManyConnections):
            raise RefusedError("sorry, too many clients already", _TOO_MANY_CONNECTIONS)
        await self._suffer(injection)
        return None

    async def connected(self, injection: Injection) -> None:
        """Do what is to be done once the session has its server. Raises CutError."""
        self._faults.note(injection)
        await self._suffer(injection)

    # Statements.

    async def upward(self, chunk: bytes, write: Callable[[bytes], None]) -> None:
        """Pass on what the client sends, up to a statement that is not to reach the server. Raises CutError."""
        is_watched = self._faults.watches_sessions or self._prepared is not None
        for part in self._sent.feed(chunk, _QUESTIONS if is_watched else b""):
            if not isinstance(part, wire.Message) or await self._reaches(part):
                write(part)

    async def downward(self, chunk: bytes) -> bytes:
        """Return what of the server's words may go on to the client now. Raises CutError."""
        if self._withholding is None:
            return chunk
        passed = b""
        for part in self._answered.feed(chunk, _ANSWERS):
            self._answer += part
            if isinstance(part, wire.Message):
                if part.kind == wire.READY_FOR_QUERY and self._withholding is not None:
                    injection, self._withholding = self._withholding, None
                    self._faults.note(injection)
                    await self._suffer(injection)
                # Else the server waits for the client, who has to know.
                passed += self._answer
                self._answer = b""
        if self._withholding is None:
            passed += self._answer + self._answered.rest()
        return passed

    async def _reaches(self, message: wire.Message) -> bool:
        if message.kind == wire.QUERY:
            (statement,) = message.strings(1)
            return await self._strike(statement, None)
        if message.kind == wire.PARSE:
            name, statement = message.strings(2)
            return await self._strike(statement, name)
        if self._prepared is not None:
            self._follow(self._prepared, message)
        return True

    async def _strike(self, statement: str, name: str | None) -> bool:
        if self._prepared is not None and name == self._prepared.name:
            # The name stands for another statement from here on.
            self._prepared = None
        injection = self._faults.statement(self._names, statement)
        if injection is None:
            return True
        if acts_after(injection.fault):
            if name is None:
                self._withhold(injection)
            else:
                self._prepared = _Prepared(injection, name)
            return True
        self._faults.note(injection)
        if isinstance(injection.fault, Die):
            await self._kill()
            return False
        await self._suffer(injection)
        return True

    def _follow(self, prepared: _Prepared, message: wire.Message) -> None:
        portal, name = message.strings(2)
        if message.kind == wire.BIND and name == prepared.name:
            prepared.portal = portal
        elif message.kind == wire.EXECUTE and portal == prepared.portal:
            self._prepared = None
            self._withhold(prepared.injection)

    def _withhold(self, injection: Injection) -> None:
        # The server has answered all that came before, since the client waited for it: a message begins here.
        self._withholding = injection
        self._answered = wire.Messages()
        self._answer = b""

    async def _suffer(self, injection: Injection) -> None:
        fault = injection.fault
        if isinstance(fault, Delay):
            await asyncio.sleep(fault.seconds)
        elif isinstance(fault, Drop) or (
            isinstance(fault, Hold) and not await self._faults.hold(injection)
        ):
            raise CutError
