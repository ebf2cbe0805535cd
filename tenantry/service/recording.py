"""What is written when an app is to change: its row, an operation with a job, and the audit, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi.responses import JSONResponse, Response

from tenantry.selfservice import audit, operations, specs
from tenantry.selfservice.jobs import wake
from tenantry.selfservice.operations import Kind, Operation, Wanted
from tenantry.service import documents, telling
from tenantry.service.problems import ProblemError

if TYPE_CHECKING:
    from tenantry.selfservice.database import Connection
    from tenantry.selfservice.specs import Listed, Spec
    from tenantry.service.parts import Asking, Parts

ACCEPTED: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": documents.Operation, "description": "It is under way: look at Location later"}
}


async def changed(
    connection: Connection,
    parts: Parts,
    asking: Asking,
    app: Listed,
    kind: Kind,
    plan: str,
    overrides: dict[str, Any],
    *,
    may_destroy: bool,
) -> Operation:
    """Write what an app is to be, and ask for its operation."""
    spec = await specs.change(
        connection, app.id, plan=plan, overrides=overrides, generation=app.generation
    )
    # The row is held: nobody else has changed it.
    assert spec is not None  # noqa: S101
    operation = await ask(connection, parts, asking, spec, kind, may_destroy=may_destroy)
    await note(connection, asking, f"apps.{kind}", app)
    return operation


async def ask(
    connection: Connection,
    parts: Parts,
    asking: Asking,
    app: Spec,
    kind: Kind,
    *,
    may_destroy: bool = False,
) -> Operation:
    """Ask for an operation of an app, with a job."""
    operation = await operations.ask(
        connection,
        Wanted(
            namespace=app.namespace,
            app_id=app.app_id,
            kind=kind,
            actor=asking.actor,
            spec=app.id,
            generation=app.generation,
            may_destroy=may_destroy,
            request_id=asking.request_id,
        ),
    )
    await wake(
        parts.queue, connection, operation.id, key=operation.key, priority=operation.priority
    )
    return operation


async def note(connection: Connection, asking: Asking, action: str, app: Spec) -> None:
    """Write into the audit what was asked for an app."""
    await audit.note(
        connection,
        actor=asking.actor,
        action=action,
        object=str(app.id),
        origin=asking.origin,
        request_id=asking.request_id,
        outcome=app.app_id,
    )


def accepted(operation: Operation) -> Response:
    """Answer with an operation that is under way, or was."""
    return JSONResponse(
        telling.told_operation(operation).model_dump(mode="json"),
        202,
        dict(telling.looking_again(telling.operation_path(operation))),
    )


def check_stays(app: Listed) -> None:
    """Refuse to change what is to go.

    :raises ProblemError: 409
    """
    if app.deletion_requested_at is not None:
        raise ProblemError(
            409,
            "app-leaves",
            "The app is to be deleted",
            f"the app is {app.status}",
            app=telling.app_path(app),
        )
