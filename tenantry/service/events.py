"""What happens to an app, as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Header
from fastapi.responses import Response, StreamingResponse

from tenantry.selfservice import operations, specs
from tenantry.selfservice.database import connection
from tenantry.selfservice.errors import AwayError
from tenantry.service import documents
from tenantry.service.access import Reading, check_app
from tenantry.service.parts import Parts, Shared
from tenantry.service.problems import problems

if TYPE_CHECKING:
    from tenantry.selfservice.operations import Happening

router = APIRouter(tags=["apps"])
HEARTBEAT_SECONDS: Final = 15.0
MEDIA_TYPE: Final = "text/event-stream"
_EVENT: Final = {
    "type": "object",
    "required": ["id", "event", "data"],
    "properties": {
        "id": {"type": "string", "description": "grows; for Last-Event-ID"},
        "event": {
            "type": "string",
            "enum": [
                *("queued", "started", "progress", "retry", "interrupted"),
                *("succeeded", "failed", "cancelled"),
            ],
        },
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "examples": [
        {
            "id": "27",
            "event": "started",
            "data": f'{{"operation":"{documents.OPERATION}","at":"{documents.AT}","text":"by worker w-1"}}',
        }
    ],
}
"""One event."""
_STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Events, until the operation has ended",
        "content": {MEDIA_TYPE: {"schema": _EVENT}},
    },
    204: {"description": "The operation has ended, and nothing new has happened: do not come back"},
}


@router.get(
    "/v1/apps/{app_id}/events",
    summary="Hear what happens to an app",
    response_class=Response,
    responses=_STREAM | problems(404),
)
async def hear(
    app_id: UUID,
    parts: Shared,
    asking: Reading,
    last_event_id: Annotated[
        str | None, Header(max_length=20, pattern="^[0-9]+$", description="the last event's id")
    ] = None,
) -> Response:
    """Stream what happens to the app's last operation, from its beginning or behind `Last-Event-ID`.

    Each event has an `id` that grows, the kind as its `event`, and as `data` a JSON object. The stream ends with the
    operation. It also ends after a few minutes: a client then comes back with `Last-Event-ID`, as browsers do.
    """
    after = min(int(last_event_id or 0), 2**63 - 1)
    async with connection(parts.connections) as one:
        app = check_app(asking.caller, parts, await specs.get(one, app_id))
        if app.operation is None:
            return Response(status_code=204)
        found = await operations.get(one, app.operation)
        begun = await operations.happenings(one, app.operation, after)
    if found is not None and not found.open and not begun:
        return Response(status_code=204)
    return StreamingResponse(
        _events(parts, app.operation, after),
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(parts: Parts, operation: UUID, after: int) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    end = loop.time() + parts.settings.events
    spoken = loop.time()
    with parts.listener.hearing(operation) as event:
        while loop.time() < end and not parts.listener.closing:
            event.clear()
            try:
                async with connection(parts.connections) as one:
                    # In this order: what happened before it ended is not missed.
                    found = await operations.get(one, operation)
                    new = await operations.happenings(one, operation, after)
            except AwayError:
                # The client comes back, and is told then.
                return
            for each in new:
                after = each.id
                yield _event(each)
                spoken = loop.time()
            if new:
                continue
            if found is None or not found.open:
                return
            if loop.time() - spoken >= HEARTBEAT_SECONDS:
                spoken = loop.time()
                yield ": still there\n\n"
            await _pause(event, min(end - loop.time(), spoken + HEARTBEAT_SECONDS - loop.time()))


async def _pause(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            await event.wait()
    except TimeoutError:
        return


def _event(happened: Happening) -> str:
    data = documents.Happening(
        operation=happened.operation, at=happened.at, text=happened.text
    ).model_dump_json()
    return f"id: {happened.id}\nevent: {happened.kind}\ndata: {data}\n\n"
