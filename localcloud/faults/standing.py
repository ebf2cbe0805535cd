"""The orders in force, which request each of them hits, and the record of what was done.

In memory only: a local cloud that is started again has none.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from localcloud.clock import Clock
from localcloud.faults.orders import Api, Hold, NoWake
from localcloud.faults.patterns import RequestPattern, SessionPattern, without_literals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from localcloud.faults.orders import Fault, Order

_KEPT = 100_000
"""Entries of the record that are kept, the newest."""


class Standing:
    """An order in force.

    Whether it is due at the n-th matching request depends on n and its seed alone, not on what other orders do.
    """

    def __init__(self, number: int, order: Order) -> None:
        self.number = number
        self.order = order
        self.seed = secrets.randbelow(1 << 31) if order.seed is None else order.seed
        self.seen = 0
        self.hits = 0
        self.held = 0
        self.withdrawn = asyncio.Event()
        self._random = random.Random(self.seed)  # noqa: S311 (chance that can be repeated)
        self._nth = None if order.nth is None else frozenset(order.nth)

    @property
    def left(self) -> int | None:
        """How many more requests it can hit; None for any number."""
        if self._nth is not None:
            return sum(number > self.seen for number in self._nth)
        return None if self.order.count is None else self.order.count - self.hits

    def due(self) -> bool:
        """Count a matching request and say whether it is one to hit."""
        self.seen += 1
        if self._nth is not None:
            return self.seen in self._nth
        if self.seen <= self.order.skip:
            return False
        chance = self._random.random() < self.order.probability
        return chance and self.left != 0

    def document(self) -> dict[str, Any]:
        """Return the order as it was given, with what became of it."""
        return (
            {"id": self.number}
            | self.order.model_dump(mode="json")
            | {
                "seed": self.seed,
                "seen": self.seen,
                "hits": self.hits,
                "left": self.left,
                "held": self.held,
            }
        )


@dataclass(slots=True)
class Injection:
    """A request that an order hits: what is to be done to it, and what the record will say."""

    fault: Fault
    standing: Standing
    nth: int
    where: dict[str, str] = field(default_factory=dict)
    request_id: str | None = None


class Faults:
    """All orders in force. Used from the event loop's thread only."""

    def __init__(self) -> None:
        self._clock = Clock()
        self._orders: dict[int, Standing] = {}
        self._requests: dict[str, list[tuple[RequestPattern, Standing]]] = {}
        self._sessions: list[tuple[SessionPattern, Standing]] = []
        self._last_order = 0
        self._record: list[dict[str, Any]] = []
        self._numbers = 0
        self._news = asyncio.Event()
        self._closed = False

    # Orders.

    def place(self, order: Order) -> Standing:
        """Put an order in force."""
        self._last_order += 1
        standing = Standing(self._last_order, order)
        self._orders[standing.number] = standing
        self._sort()
        return standing

    def withdraw(self, number: int | None = None) -> int:
        """Take back an order, or all, and release what it holds; return how many that were."""
        numbers = list(self._orders) if number is None else [number]
        withdrawn = [each for each in map(self._pop, numbers) if each is not None]
        for standing in withdrawn:
            standing.withdrawn.set()
        self._sort()
        return len(withdrawn)

    def standing(self) -> list[Standing]:
        """Return the orders in force, oldest first."""
        return list(self._orders.values())

    def close(self) -> None:
        """End all waiting, as the local cloud ends: what is held is cut off."""
        self._closed = True
        self.withdraw()
        self._tell()

    def _pop(self, number: int) -> Standing | None:
        return self._orders.pop(number, None)

    def _sort(self) -> None:
        self._requests = {}
        self._sessions = []
        for standing in self._orders.values():
            order = standing.order
            if order.api is Api.POSTGRES:
                self._sessions.append((SessionPattern(order.match), standing))
            else:
                pattern = RequestPattern(order.match)
                self._requests.setdefault(order.api, []).append((pattern, standing))

    # Requests and sessions.

    def watches(self, api: Api) -> bool:
        """Whether any order is about an HTTP API: if not, there is nothing to look at."""
        return api in self._requests

    @property
    def watches_sessions(self) -> bool:
        """Whether any order is about PostgreSQL."""
        return bool(self._sessions)

    def request(self, api: Api, method: str, path: str, request_id: str) -> Injection | None:
        """Count a request with all orders that mean it, and return what is to be done to it, if anything."""
        matching = (
            standing
            for pattern, standing in self._requests.get(api, [])
            if pattern.matches(method, path)
        )
        return self._first_due(matching, {"method": method, "path": path}, request_id)

    def connect(self, names: Sequence[str]) -> Injection | None:
        """Count a new session; ``names``: the endpoint's id, and the addresses that are meant."""
        return self._session(names, None, lambda fault: not isinstance(fault, NoWake))

    def wake(self, names: Sequence[str]) -> Injection | None:
        """Count a session for which the server has to be started."""
        return self._session(names, None, lambda fault: isinstance(fault, NoWake))

    def statement(self, names: Sequence[str], statement: str) -> Injection | None:
        """Count a statement."""
        return self._session(names, statement, lambda _: True)

    def _session(
        self, names: Sequence[str], statement: str | None, fits: Callable[[Fault], bool]
    ) -> Injection | None:
        if not self._sessions:
            return None
        matching = (
            standing
            for pattern, standing in self._sessions
            if fits(standing.order.fault) and pattern.matches(names, statement)
        )
        shown = "connect" if statement is None else without_literals(statement)
        where = dict(zip(("endpoint", "host"), names, strict=False)) | {"statement": shown}
        return self._first_due(matching, where, None)

    @staticmethod
    def _first_due(
        matching: Iterator[Standing], where: dict[str, str], request_id: str | None
    ) -> Injection | None:
        found: Injection | None = None
        for standing in matching:
            # All count it; the first that is due has it, and the others keep what is left of them.
            if standing.due() and found is None:
                standing.hits += 1
                found = Injection(standing.order.fault, standing, standing.seen, where, request_id)
        return found

    async def hold(self, injection: Injection) -> bool:
        """Wait until the order is taken back; False if the connection is to be cut then."""
        standing = injection.standing
        standing.held += 1
        try:
            await standing.withdrawn.wait()
        finally:
            standing.held -= 1
        cut = isinstance(injection.fault, Hold) and injection.fault.then == "drop"
        return not (cut or self._closed)

    # The record.

    def note(self, injection: Injection) -> None:
        """Enter into the record that a fault takes effect now."""
        self._numbers += 1
        order = injection.standing.order
        self._record.append(
            {
                "number": self._numbers,
                "order": injection.standing.number,
                "api": order.api.value,
                "match": order.match,
                "nth": injection.nth,
                **injection.where,
                "fault": injection.fault.model_dump(mode="json"),
                "at": self._clock.now(),
                "request_id": injection.request_id,
            }
        )
        del self._record[:-_KEPT]
        self._tell()

    def injected(self, after: int = 0) -> list[dict[str, Any]]:
        """Return the record's entries with a higher number."""
        return [entry for entry in self._record if entry["number"] > after]

    async def news(self, after: int, seconds: float) -> list[dict[str, Any]]:
        """Return the record's entries with a higher number; wait for one for at most so long."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not (found := self.injected(after)) and not self._closed:
            try:
                async with asyncio.timeout_at(deadline):
                    await self._news.wait()
            except TimeoutError:
                break
        return found

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()
