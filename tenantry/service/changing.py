"""Routes that change an app or let it go: each is an operation, which a worker carries out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Body, Header, Query
from fastapi.responses import Response

from tenantry.registry.replacing import lost
from tenantry.selfservice import operations, specs
from tenantry.selfservice.database import transaction
from tenantry.selfservice.idempotency import keep
from tenantry.selfservice.operations import Operation
from tenantry.service import documents, repeating, telling
from tenantry.service.access import Deleting, Writing, check_app
from tenantry.service.apps import told
from tenantry.service.asked import app_of, checked
from tenantry.service.parts import Shared
from tenantry.service.problems import ProblemError, problems
from tenantry.service.recording import ACCEPTED, accepted, ask, changed, check_stays, note
from tenantry.service.repeating import IdempotencyKey

if TYPE_CHECKING:
    from tenantry.registry import App
    from tenantry.selfservice.database import Connection
    from tenantry.selfservice.specs import Listed

router = APIRouter(tags=["apps"])
_CHANGED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "It is so already"},
    202: {"model": documents.App, "description": "It is under way: look at it later"},
}
IfMatch = Annotated[
    str | None,
    Header(
        max_length=200,
        description="the ETag that the app must have: nothing is done where it is another by now",
    ),
]


@router.patch(
    "/v1/apps/{app_id}",
    summary="Change an app",
    response_model=documents.App,
    responses=_CHANGED | problems(404, 409, 412),
)
async def change_app(
    app_id: UUID,
    parts: Shared,
    asking: Writing,
    change: Annotated[documents.AppChange, Body()],
    replace: Annotated[
        bool,
        Query(description="whether data or keys may be lost by it"),
    ] = False,
    if_match: IfMatch = None,
) -> Response:
    """Give an app another plan or region.

    What would lose data or keys is answered with 409 and what it is; with `replace=true` it is done, where the app's
    `deletion` lets its data go.
    """
    registry = await parts.offers.registry()
    async with transaction(parts.connections) as connection:
        app = check_app(asking.caller, parts, await specs.hold(connection, app_id))
        _check_match(app, if_match)
        check_stays(app)
        plan = change.plan or app.plan
        overrides = dict(app.overrides)
        if change.region is not None:
            overrides["region"] = change.region
        before = app_of(registry, app)
        after = checked(
            registry, tenant=app.tenant, name=app.name, plan=plan, overrides=overrides, fields={}
        )
        if change.region is not None:
            overrides["region"] = after.region
        if (plan, overrides) == (app.plan, app.overrides):
            return told(app, parts)
        _check_losses(before, after, replace=replace)
        await changed(
            connection, parts, asking, app, "update", plan, overrides, may_destroy=replace
        )
        app = check_app(asking.caller, parts, await specs.get(connection, app_id))
    return told(app, parts, 202, {**telling.looking_again(telling.app_path(app))})


@router.delete(
    "/v1/apps/{app_id}",
    summary="Let an app go",
    status_code=202,
    response_model=documents.Operation,
    responses=ACCEPTED | problems(404, 409, 412),
)
async def delete_app(
    app_id: UUID, parts: Shared, asking: Deleting, if_match: IfMatch = None
) -> Response:
    """Let an app go, as its `deletion` says: with its data, or with its project kept in the cloud.

    Asked again, it is the same operation.
    """
    registry = await parts.offers.registry()
    async with transaction(parts.connections) as connection:
        app = check_app(asking.caller, parts, await specs.hold(connection, app_id))
        if app.deletion_requested_at is not None:
            last = await _last_deletion(connection, app)
            if last is not None:
                return accepted(last)
        _check_match(app, if_match)
        if app_of(registry, app).deletion == "protect":
            raise ProblemError(
                409,
                "protected",
                "The app is protected",
                f"{app.app_id} has 'deletion: protect' from the plan {app.plan}: have it set to delete or retain in the "
                "registry, or ask for a plan that has it so, and delete the app then",
            )
        await specs.request_deletion(connection, app.id)
        await operations.drop_waiting(connection, app.namespace, app.app_id)
        operation = await ask(connection, parts, asking, app, "delete", may_destroy=True)
        await note(connection, asking, "apps.delete", app)
    return accepted(operation)


@router.post(
    "/v1/apps/{app_id}/rotate",
    summary="Rotate an app's password",
    status_code=202,
    response_model=documents.Operation,
    responses=ACCEPTED | problems(404, 409),
)
async def rotate_app(
    app_id: UUID, parts: Shared, asking: Writing, idempotency_key: IdempotencyKey = None
) -> Response:
    """Give the app another login. The one before goes on working until the next rotation.

    While one is under way, it is the same operation.
    """
    registry = await parts.offers.registry()
    asked = repeating.keyed(asking, idempotency_key, f"POST /v1/apps/{app_id}/rotate", None)
    async with transaction(parts.connections) as connection:
        first = await repeating.earlier(connection, asked)
        app = check_app(asking.caller, parts, await specs.hold(connection, app_id))
        known = first.operation if first else None
        if known is None and app.operation_kind == "rotate" and app.status == "updating":
            known = app.operation
        if known is not None and (found := await operations.get(connection, known)) is not None:
            return accepted(found)
        check_stays(app)
        if app.status != "ready":
            raise ProblemError(
                409,
                "not-ready",
                "The app is not ready",
                f"the app is {app.status}: a rotation begins where the last operation has succeeded",
                app=telling.app_path(app),
            )
        generation = app_of(registry, app).database.credentials.generation + 1
        database = {**app.overrides.get("database", {}), "credentials": {"generation": generation}}
        overrides = {**app.overrides, "database": database}
        operation = await changed(
            connection, parts, asking, app, "rotate", app.plan, overrides, may_destroy=False
        )
        if asked is not None:
            await keep(connection, asked, spec=app.id, operation=operation.id)
    return accepted(operation)


def _check_match(app: Listed, if_match: str | None) -> None:
    if if_match is None or if_match.strip() == "*":
        return
    if telling.etag(app) not in [each.strip() for each in if_match.split(",")]:
        raise ProblemError(
            412,
            "changed-meanwhile",
            "The app was changed meanwhile",
            f"the app is at generation {app.generation}, and If-Match names another: read it again",
            headers={"ETag": telling.etag(app)},
        )


def _check_losses(before: App, after: App, *, replace: bool) -> None:
    refused, losses = lost(before, after)
    if refused:
        raise ProblemError(
            409, "keeps-its-data", "The app keeps its data", "; ".join(refused), losses=losses
        )
    if losses and not replace:
        raise ProblemError(
            409,
            "replaces-data",
            "The change loses data or keys",
            f"{'; '.join(losses)}: send it with ?replace=true if that is meant",
            losses=losses,
        )


async def _last_deletion(connection: Connection, app: Listed) -> Operation | None:
    """Return the deletion that is under way or was done; None where it ended otherwise."""
    if app.operation is None or app.operation_kind != "delete":
        return None
    found = await operations.get(connection, app.operation)
    return found if found and (found.open or found.status == "succeeded") else None
