"""The fleet as the page shows it: kept between requests, and read again while somebody looks.

The catalog is read every few seconds, the states once a minute or when an operation has ended: thousands of them take
seconds. A request gets what is there, with the time when it was read.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from tenantry.errors import TenantryError
from tenantry.pages.rows import Row, Sources, Standing, joined
from tenantry.selfservice.overview import Overview, read_overview

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenantry.pages.own_commands import OwnCommands
    from tenantry.registry import Registry
    from tenantry.service.offers import Offers

CATALOG_SECONDS: Final = 2.0
"""What was read from the catalog is fresh for so long, or for ten times what reading it took."""
STALE_SECONDS: Final = 30.0
"""What is older is not shown: the request waits for what is read now."""
STATES_SECONDS: Final = 60.0
SOON_SECONDS: Final = 10.0
"""So long after the last look the states are read again where an operation has ended since."""
FIRST_SECONDS: Final = 3.0
"""So long the first request waits for the states."""
AT_ONCE: Final = 0.2
"""What takes no longer to read from the catalog is waited for when something has happened."""
MOST_SECONDS: Final = 300.0
_log: Final = logging.getLogger("tenantry.pages")


@dataclass(frozen=True)
class Snapshot:
    """The fleet at one time."""

    rows: tuple[Row, ...]
    registry: Registry
    at: datetime
    """When the catalog was read."""
    states_at: datetime | None
    """When the states were read; None where they were not yet."""
    problems: tuple[str, ...] = ()
    """What could not be read, in one line each."""
    notes: tuple[str, ...] = ()
    """What `tenantry fleet status` says beside its table: what it would refuse, which stacks hold nothing."""
    by_id: Mapping[str, Row] = field(default_factory=dict, repr=False)
    renewing: bool = False
    """Whether there will be a newer one in a moment."""


class Snapshots:
    """The last snapshot, of one process."""

    def __init__(
        self, catalog: str, offers: Offers, commands: OwnCommands, news: asyncio.Event
    ) -> None:
        """Read nothing yet.

        :param catalog: a libpq URI of its direct host
        :param news: is set when something happened to an operation
        """
        self._catalog = catalog
        self._news = news
        self._offers = offers
        self._commands = commands
        self._overview: Overview | None = None
        self._standings: dict[str, Standing] = {}
        self._snapshot: Snapshot | None = None
        self._states_at: datetime | None = None
        self._states_problem = ""
        self._notes: tuple[str, ...] = ()
        self._read = self._looked = float("-inf")
        """When catalog and states were read last, in the clock's seconds."""
        self._took = 0.0
        self._reading: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None

    async def current(self) -> Snapshot:
        """Return the fleet as it was read last, or, where that is long ago, as it is read now."""
        age = time.monotonic() - self._read
        if (looking := self._look()) and self._states_at is None and not self._states_problem:
            await asyncio.wait([looking], timeout=FIRST_SECONDS)
        news = self._news.is_set()
        if self._snapshot is None or news or age > max(CATALOG_SECONDS, 10 * self._took):
            # What happens from here on is not in what is read.
            self._news.clear()
            reading = self._begin_reading()
            if self._snapshot is None or age > STALE_SECONDS or (news and self._took < AT_ONCE):
                await asyncio.shield(reading)
        assert self._snapshot is not None  # noqa: S101  # it was read just now
        return replace(self._snapshot, renewing=self._is_renewing())

    def _is_renewing(self) -> bool:
        tasks = (self._reading, self._looking)
        busy = any(each and not each.done() for each in tasks)
        return busy or self._news.is_set() or self._has_news()

    def forget(self) -> None:
        """Have the catalog read again by the next request, which waits for it."""
        self._read = float("-inf")

    async def close(self) -> None:
        """Stop what is being read."""
        tasks = [each for each in (self._reading, self._looking) if each is not None]
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin_reading(self) -> asyncio.Task[None]:
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_catalog(), name="reading the catalog")
        else:
            # It may have read what has changed since.
            self._news.set()
        return self._reading

    def _look(self) -> asyncio.Task[None] | None:
        """Begin to read the states where that is due; return the task that does."""
        if self._looking is not None and not self._looking.done():
            return self._looking
        age = time.monotonic() - self._looked
        if age > STATES_SECONDS or (age > SOON_SECONDS and self._has_news()):
            self._looking = asyncio.create_task(self._read_states(), name="reading the states")
            return self._looking
        return None

    def _has_news(self) -> bool:
        since = self._states_at
        if self._states_problem:
            return False
        asked = self._overview.asked.values() if self._overview else ()
        return since is None or any(each.ended and each.ended > since for each in asked)

    async def _read_catalog(self) -> None:
        begun = time.monotonic()
        registry = await self._offers.registry()
        problems = [self._states_problem] if self._states_problem else []
        try:
            self._overview = await asyncio.to_thread(
                read_overview, self._catalog, registry.namespace
            )
        except TenantryError as error:
            problems.append(str(error))
        sources = Sources(registry, self._overview, self._standings)
        rows = await asyncio.to_thread(joined, sources)
        self._snapshot = Snapshot(
            rows,
            registry,
            datetime.now(UTC),
            self._states_at,
            tuple(problems),
            self._notes,
            {row.app: row for row in rows},
        )
        self._read = time.monotonic()
        self._took = self._read - begun

    async def _read_states(self) -> None:
        at = datetime.now(UTC)
        try:
            answer = await self._commands.answer("fleet", "status", seconds=MOST_SECONDS)
            told = [Standing.of(each) for each in answer.found]
        except TenantryError as error:
            _log.warning("the states cannot be read: %s", error)
            self._states_problem = f"The states cannot be read: {error}"
        else:
            self._standings = {each.app: each for each in told}
            self._notes = answer.notes
            self._states_at = at
            self._states_problem = ""
        self._looked = time.monotonic()
        self._read = float("-inf")
        await self._begin_reading()
