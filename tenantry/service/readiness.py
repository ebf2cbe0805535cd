"""What the service needs beside the database: the states' backend and the engine. They are looked for now and then."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final, Literal

from tenantry.errors import TenantryError
from tenantry.fleet.project import Project
from tenantry.running.command import find_pulumi

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

Standing = Literal["ok", "away"]
_log: Final = logging.getLogger("tenantry.service")
EVERY_SECONDS: Final = 15.0
ANSWER_SECONDS: Final = 5.0


class Needed:
    """Something that is looked for in a thread, at most every 15 s for however many ask."""

    def __init__(self, name: str, look: Callable[[], object]) -> None:
        """Look for nothing yet.

        :param look: raises a TenantryError where it is not there
        """
        self._name = name
        self._look = look
        self._at = float("-inf")
        self._standing: Standing = "ok"
        self._lock = asyncio.Lock()
        self._looking: asyncio.Future[object] | None = None

    async def standing(self) -> Standing:
        """Return how it stood when it was looked for last. No answer within 5 s counts as none."""
        async with self._lock:
            if time.monotonic() - self._at >= EVERY_SECONDS:
                before, self._standing = self._standing, await self._now()
                self._at = time.monotonic()
                if before != self._standing == "ok":
                    _log.info("%s: is there again", self._name)
            return self._standing

    async def _now(self) -> Standing:
        # A look that hangs is not begun a second time.
        if self._looking is None:
            self._looking = asyncio.ensure_future(asyncio.to_thread(self._look))
        try:
            await asyncio.wait_for(asyncio.shield(self._looking), ANSWER_SECONDS)
        except TimeoutError:
            _log.warning("%s: no answer within %.0f s", self._name, ANSWER_SECONDS)
            return "away"
        except TenantryError as error:
            # In the log alone: who asks for the readiness needs no token.
            _log.warning("%s: %s", self._name, error)
        except Exception:  # noqa: BLE001  # a backend's library may raise anything; what asks is to hear "away"
            _log.exception("%s: failed in an unforeseen way", self._name)
        else:
            self._looking = None
            return "ok"
        self._looking = None
        return "away"


def backend(folder: Path, environment: Mapping[str, str]) -> Needed:
    """Look whether the states can be read."""

    def look() -> None:
        # A store of its own each time: one keeps connections, and what it has seen.
        store = Project.open(folder, environment=environment).store
        if store.tells_locks:
            store.locks()
        else:
            store.stacks()

    return Needed("the states", look)


def engine(environment: Mapping[str, str]) -> Needed:
    """Look whether the engine is there."""
    return Needed("the engine", lambda: find_pulumi(environment))
