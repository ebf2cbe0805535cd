"""What the routes of one process share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from tenantry.observing.counters import Counters
from tenantry.observing.reading import CatalogReader
from tenantry.service.limits import Limiter
from tenantry.service.offers import Offers
from tenantry.service.outputs import Outputs
from tenantry.service.readiness import Needed
from tenantry.service.settings import Settings

if TYPE_CHECKING:
    from tenantry.selfservice.database import Pool
    from tenantry.selfservice.jobs import Jobs
    from tenantry.selfservice.listening import Listener
    from tenantry.service.tokens import Caller


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The database, the queue, the registry, the stacks. An application keeps them as `app.state.parts`."""

    settings: Settings
    connections: Pool
    queue: Jobs
    listener: Listener
    offers: Offers
    outputs: Outputs
    limiter: Limiter
    counters: Counters
    reader: CatalogReader
    backend: Needed
    engine: Needed

    @property
    def namespace(self) -> str:
        """The registry's."""
        return self.offers.namespace


# Not awaiting anything, and yet async: else each request would wait for a thread to call it.
async def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


Shared = Annotated[Parts, Depends(_parts)]
"""A route's dependency."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, where from, with which request: for the audit and the operation."""

    caller: Caller
    origin: str | None
    request_id: str

    @property
    def actor(self) -> str:
        """Who asks, the same for the same caller."""
        return f"{self.caller.issuer}|{self.caller.subject}"
