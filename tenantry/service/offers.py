"""The registry, as callers see it: read again when its file has changed, and kept where that is not valid."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

from tenantry.errors import TenantryError
from tenantry.registry import RegistryError, load
from tenantry.registry.self_service import SelfService

if TYPE_CHECKING:
    from pathlib import Path

    from tenantry.registry import Registry

LOOK_SECONDS: Final = 2.0
"""How often the file is looked at; the next request after that finds what is in it."""
_log: Final = logging.getLogger("tenantry.service")


class OffersError(TenantryError):
    """The registry offers nothing."""


class Offers:
    """The registry's file while a process serves it."""

    def __init__(self, file: Path) -> None:
        """Read it for the first time.

        :raises RegistryError: it is not valid
        :raises OffersError: it has no `self_service`
        """
        self._file = file
        self._mark = self._stamp()
        self._looked = time.monotonic()
        self._registry = load(file)
        self._lock = asyncio.Lock()
        if self._registry.self_service is None:
            raise OffersError(
                "has no self_service: nobody may ask for an app",
                place=str(file),
                way_out="write plans and tenants below self_service (docs/registry.md)",
            )

    @property
    def namespace(self) -> str:
        """The registry's; it does not change while the process runs."""
        return self._registry.namespace

    @property
    def known(self) -> Registry:
        """The registry as it was read last."""
        return self._registry

    @property
    def offered(self) -> SelfService:
        """What callers may ask for, as it was read last; nothing where that was taken out of the file."""
        return self._registry.self_service or SelfService()

    async def registry(self) -> Registry:
        """Return the registry of today: read again, beside the event loop, where the file has changed."""
        if time.monotonic() - self._looked >= LOOK_SECONDS and not self._lock.locked():
            async with self._lock:
                await self._look()
        return self._registry

    async def _look(self) -> None:
        self._looked = time.monotonic()
        mark = self._stamp()
        if mark == self._mark:
            return
        self._mark = mark
        try:
            found = await asyncio.to_thread(load, self._file)
        except RegistryError as error:
            # Somebody is writing it, or has made a mistake: apps go on being served as before.
            _log.error("the registry is not valid, the one before stays: %s", error)
            return
        if found.namespace != self.namespace:
            _log.error("the registry has another namespace: it is taken over at the next start")
            return
        self._registry = found

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
