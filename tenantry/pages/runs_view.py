"""Operations: what is being made now, what waits, what failed, and one of them with all that happened to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final
from uuid import UUID

from starlette.responses import Response, StreamingResponse

from tenantry.pages.visits import Visit, for_visitors
from tenantry.selfservice import operations, workers
from tenantry.selfservice.database import connection
from tenantry.selfservice.runs import depth, runs
from tenantry.service.access import check_operation
from tenantry.service.events import HEARTBEAT_SECONDS, MEDIA_TYPE

if TYPE_CHECKING:
    from tenantry.selfservice.operations import Operation
    from tenantry.service.parts import Parts

_SHOWN: Final = 50
_PAUSE_SECONDS: Final = 1.0
"""Between two words of one stream: a page that is shown again costs a request."""


@for_visitors()
async def all_runs(visit: Visit) -> Response:
    """Show what is under way, what failed, and what ended last."""
    namespace, tenant = visit.parts.namespace, visit.tenant
    async with connection(visit.parts.connections) as one:
        return visit.page(
            "runs.html",
            depth=await depth(one, namespace, tenant),
            under_way=await runs(one, namespace, "open", tenant=tenant, limit=_SHOWN),
            failed=await runs(one, namespace, "failed", tenant=tenant, limit=_SHOWN),
            ended=await runs(one, namespace, "ended", tenant=tenant, limit=_SHOWN),
            workers=await workers.seen(one) if visit.whole_fleet else [],
            may_change=may_change,
        )


@for_visitors()
async def run(visit: Visit) -> Response:
    """Show one operation."""
    async with connection(visit.parts.connections) as one:
        found = check_operation(
            visit.session.caller, visit.parts, await operations.get(one, run_id(visit))
        )
        happened = await operations.happenings(one, found.id)
    return visit.page("run.html", run=found, happened=happened, may_change=may_change)


def run_id(visit: Visit) -> UUID:
    """Return the operation that the path names."""
    found: UUID = visit.request.path_params["run"]
    return found


def may_change(visit: Visit, found: Operation) -> bool:
    """Tell whether they may try an operation again, or cancel it."""
    return visit.may("apps:write", *(("apps:delete",) if found.kind == "delete" else ()))


@for_visitors()
async def changes(visit: Visit) -> Response:
    """Tell by server-sent events that something happened to some operation; what, the page says."""
    return StreamingResponse(
        _changes(visit.parts), media_type=MEDIA_TYPE, headers={"X-Accel-Buffering": "no"}
    )


async def _changes(parts: Parts) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    end = loop.time() + parts.settings.events
    yield "retry: 2000\n\n"
    with parts.listener.hearing_all() as event:
        while loop.time() < end and not parts.listener.closing:
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await event.wait()
            except TimeoutError:
                yield ": still there\n\n"
                continue
            event.clear()
            yield "event: changed\ndata: operations\n\n"
            await asyncio.sleep(_PAUSE_SECONDS)
