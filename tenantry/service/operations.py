"""Routes of operations: looked at, cancelled, tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from tenantry.selfservice import audit, operations, specs
from tenantry.selfservice.database import read, transaction
from tenantry.selfservice.jobs import wake
from tenantry.selfservice.operations import Operation, Wanted
from tenantry.service import documents, telling
from tenantry.service.access import Reading, Writing, check_operation
from tenantry.service.parts import Asking, Shared
from tenantry.service.problems import ProblemError, problems
from tenantry.service.recording import ACCEPTED, accepted

if TYPE_CHECKING:
    from tenantry.selfservice.database import Connection

router = APIRouter(tags=["operations"])


@router.get(
    "/v1/operations/{operation_id}",
    summary="Look at an operation",
    response_model=documents.Operation,
    responses=problems(404),
)
async def look_at_operation(
    operation_id: UUID, parts: Shared, asking: Reading, response: Response
) -> documents.Operation:
    """How an operation stands, and why its last attempt did not succeed."""
    asked = await read(parts.connections, lambda one: operations.get(one, operation_id))
    found = check_operation(asking.caller, parts, asked)
    if found.open:
        response.headers["Retry-After"] = str(telling.RETRY_SECONDS)
    return telling.told_operation(found)


@router.post(
    "/v1/operations/{operation_id}/cancel",
    summary="Cancel an operation",
    status_code=202,
    response_model=documents.Operation,
    responses=ACCEPTED | problems(404, 409),
)
async def cancel_operation(operation_id: UUID, parts: Shared, asking: Writing) -> Response:
    """End an operation: at once where it waits, else after its current steps. What it has made stays."""
    async with transaction(parts.connections) as one:
        found = check_operation(asking.caller, parts, await operations.get(one, operation_id))
        _check_may(asking, found)
        cancelled = await operations.cancel(one, operation_id)
        if cancelled is None:
            raise ProblemError(
                409, "ended", "The operation has ended", f"it is {found.status} already"
            )
        await _note(one, asking, "operations.cancel", found)
    return accepted(cancelled)


@router.post(
    "/v1/operations/{operation_id}/retry",
    summary="Try an operation again",
    status_code=202,
    response_model=documents.Operation,
    responses=ACCEPTED | problems(404, 409),
)
async def retry_operation(operation_id: UUID, parts: Shared, asking: Writing) -> Response:
    """Try an operation again now: the same one where it waits for that, a new one where it failed or was cancelled."""
    async with transaction(parts.connections) as one:
        found = check_operation(asking.caller, parts, await operations.get(one, operation_id))
        _check_may(asking, found)
        again = await _again(one, asking, found)
        if again is None:
            return accepted(found)
        await wake(parts.queue, one, again.id, key=again.key, priority=again.priority)
        await _note(one, asking, "operations.retry", found)
    return accepted(again)


async def _again(one: Connection, asking: Asking, found: Operation) -> Operation | None:
    """Return what is to be woken; None where it is under way already."""
    if found.open:
        return await operations.hurry(one, found.id)
    if found.status == "succeeded":
        raise ProblemError(409, "ended", "The operation has ended", "it succeeded")
    generation = found.generation
    if found.spec is not None:
        app = await specs.hold(one, found.spec)
        if app is None or app.deleted_at is not None:
            raise ProblemError(409, "ended", "The operation has ended", "its app is deleted")
        if app.operation != found.id:
            raise ProblemError(
                409,
                "superseded",
                "A later operation is there",
                f"the app's last operation is /v1/operations/{app.operation}",
                operation=f"/v1/operations/{app.operation}",
            )
        generation = app.generation
    return await operations.ask(
        one,
        Wanted(
            namespace=found.namespace,
            app_id=found.app_id,
            kind=found.kind,
            actor=asking.actor,
            spec=found.spec,
            subject=found.subject,
            generation=generation,
            may_destroy=found.may_destroy,
            request_id=asking.request_id,
        ),
    )


def _check_may(asking: Asking, found: Operation) -> None:
    """Refuse to meddle with a deletion without the scope for one."""
    if found.kind == "delete" and not asking.caller.may("apps:delete"):
        raise ProblemError(
            403,
            "insufficient-scope",
            "The token does not allow this",
            "a deletion needs the scope apps:delete",
        )


async def _note(one: Connection, asking: Asking, action: str, found: Operation) -> None:
    await audit.note(
        one,
        actor=asking.actor,
        action=action,
        object=str(found.id),
        origin=asking.origin,
        request_id=asking.request_id,
        outcome=found.app_id,
    )
