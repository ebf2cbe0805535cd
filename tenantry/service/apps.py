"""Routes of apps: asked for, listed, looked at."""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Body, Header, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from tenantry.selfservice import audit, operations, specs
from tenantry.selfservice.database import connection, read
from tenantry.selfservice.specs import Listed, Status
from tenantry.service import documents, telling
from tenantry.service.access import Reading, Unlocking, Writing, check_app, own_tenant
from tenantry.service.creating import create
from tenantry.service.cursors import cursor, position
from tenantry.service.parts import Asking, Parts, Shared
from tenantry.service.preferences import Preference, preference
from tenantry.service.problems import ProblemError, problems
from tenantry.service.repeating import IdempotencyKey
from tenantry.service.waiting import settled

router = APIRouter(tags=["apps"])
MOST: Final = 200
"""Apps of a page."""
LABEL: Final = "^[a-z0-9-]+$"
_CREATED: Final[dict[int | str, dict[str, Any]]] = {
    201: {"model": documents.Created, "description": "It is ready"},
    202: {"model": documents.Created, "description": "It is under way: look at Location later"},
}
Prefer = Annotated[
    list[str] | None,
    Header(description="`respond-async`, `wait=SECONDS` (RFC 7240)", max_length=10),
]


@router.post(
    "/v1/apps",
    summary="Ask for an app",
    status_code=201,
    response_model=documents.Created,
    responses=_CREATED | problems(409, 410, 502),
)
@router.post(
    "/ee/apps",
    summary="Ask for an app, by the path that it had once",
    status_code=201,
    response_model=documents.Created,
    responses=_CREATED | problems(409, 410, 502),
)
async def ask_for_app(
    parts: Shared,
    asking: Writing,
    wanted: Annotated[documents.AppRequest, Body()],
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> Response:
    """Ask for an app, and wait until it is ready, 60 seconds by default.

    Its URI is in the answer for a caller that also has the scope `apps:secrets`. An attempt that failed and will be
    made again is no failure: the answer is 202, with the reason.
    """
    spec = await create(parts, asking, wanted, idempotency_key)
    wish = preference(prefer or [], parts.settings.wait)
    async with connection(parts.connections) as one:
        app = await specs.get(one, spec)
        operation = await operations.get(one, app.operation) if app and app.operation else None
    if operation is not None and operation.open:
        await settled(parts, operation, wish.seconds)
        async with connection(parts.connections) as one:
            app = await specs.get(one, spec)
            operation = await operations.get(one, app.operation) if app and app.operation else None
    if app is None or operation is None or app.deleted_at is not None:
        raise ProblemError(
            410,
            "app-deleted",
            "The app is deleted",
            "the app that this Idempotency-Key asked for was deleted: choose a new key",
        )
    return await _created(parts, asking, app, telling.told_progress(operation), wish)


async def _created(
    parts: Parts, asking: Asking, app: Listed, operation: documents.Progress, wish: Preference
) -> Response:
    if app.status == "failed":
        raise ProblemError(
            502,
            "provisioning-failed",
            "The app could not be made",
            f"{operation.reason or 'it was cancelled'}: look at {operation.href}",
            headers=wish.headers,
            app=telling.app_path(app),
            operation=operation.href,
        )
    ready = app.status == "ready"
    uri = None
    if ready and asking.caller.may("apps:secrets"):
        try:
            uri = (await parts.outputs.urls(app.app_id))["direct"]
        except ProblemError:
            # It is there all the same: the caller asks for the URI by itself.
            uri = None
        else:
            await _shown(parts, asking, app)
    body = documents.Created(
        app_id=app.id,
        app_name=app.name,
        uri=uri,
        morphik_uri=uri,
        status=app.status,
        operation=operation,
    )
    looking = {"Location": telling.app_path(app)}
    if not ready:
        looking = dict(telling.looking_again(telling.app_path(app)))
    return JSONResponse(
        body.model_dump(mode="json"),
        201 if ready else 202,
        {**looking, **wish.headers, **telling.NO_STORE, "ETag": telling.etag(app)},
    )


class Listing(BaseModel):
    """Which apps a page shows."""

    limit: int = Field(50, ge=1, le=MOST)
    cursor: str | None = Field(None, max_length=100, description="`next_cursor` of the page before")
    tenant: str | None = Field(
        None, max_length=63, pattern=LABEL, description="another one needs fleet:admin"
    )
    name: str | None = Field(
        None, max_length=63, pattern=LABEL, description="those whose name begins so"
    )
    plan: str | None = Field(None, max_length=63, pattern=LABEL)
    status: list[Status] = Field([], max_length=6, description="by default those that live")


@router.get(
    "/v1/apps",
    summary="List apps",
    response_model=documents.Page,
)
async def list_apps(
    parts: Shared,
    asking: Reading,
    response: Response,
    listing: Annotated[Listing, Query()],
) -> documents.Page:
    """Apps of the token's tenant, the oldest first."""
    which = specs.Filter(
        namespace=parts.namespace,
        tenant=listing.tenant
        if asking.caller.may("fleet:admin")
        else own_tenant(asking.caller, listing.tenant),
        name=listing.name,
        plan=listing.plan,
        statuses=frozenset(listing.status),
    )
    after = None if listing.cursor is None else position(listing.cursor)
    found = await read(
        parts.connections, lambda one: specs.page(one, which, after=after, limit=listing.limit + 1)
    )
    page = found[: listing.limit]
    offered = (await parts.offers.registry()).self_service or parts.offers.offered
    following = cursor(page[-1].created_at, page[-1].id) if len(found) > listing.limit else None
    if following is not None:
        query = listing.model_dump(exclude_none=True) | {"cursor": following}
        response.headers["Link"] = f'</v1/apps?{urlencode(query, doseq=True)}>; rel="next"'
    return documents.Page.model_construct(
        items=[telling.told_app(each, offered) for each in page], next_cursor=following
    )


@router.get(
    "/v1/apps/{app_id}",
    summary="Look at an app",
    response_model=documents.App,
    responses=problems(404),
)
async def look_at_app(app_id: UUID, parts: Shared, asking: Reading) -> Response:
    """How an app stands, without its secrets. `ETag` is its generation."""
    found = await read(parts.connections, lambda one: specs.get(one, app_id))
    app = check_app(asking.caller, parts, found)
    return told(app, parts)


def told(
    app: Listed, parts: Parts, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Answer with an app's document."""
    document = telling.told_app(app, parts.offers.offered)
    return Response(
        document.model_dump_json(),
        status,
        {"ETag": telling.etag(app), "Cache-Control": "no-cache", **(headers or {})},
        "application/json",
    )


@router.get(
    "/v1/apps/{app_id}/uri",
    summary="See where an app connects",
    response_model=documents.Connection,
    responses=problems(404, 409),
)
async def see_uri(
    app_id: UUID, parts: Shared, asking: Unlocking, response: Response
) -> documents.Connection:
    """Give the app's URIs, with its password. It is written down who saw them."""
    found = await read(parts.connections, lambda one: specs.get(one, app_id))
    app = check_app(asking.caller, parts, found)
    check_made(app)
    urls = await parts.outputs.urls(app.app_id)
    await _shown(parts, asking, app)
    response.headers.update(telling.NO_STORE)
    return documents.Connection(
        app_id=app.id,
        app_name=app.name,
        uri=urls["direct"],
        morphik_uri=urls["direct"],
        pooled_uri=urls["pooled"],
        status=app.status,
    )


def check_made(app: Listed) -> None:
    """Refuse what needs an app that is there.

    :raises ProblemError: 409: it is not made yet, or is deleted
    """
    if app.observed_generation == 0 or app.deleted_at is not None:
        raise ProblemError(
            409,
            "not-ready",
            "The app is not ready",
            f"the app is {app.status}: it has no URI and no keys",
            app=telling.app_path(app),
        )


async def _shown(parts: Parts, asking: Asking, app: Listed) -> None:
    async with connection(parts.connections) as one:
        await audit.note(
            one,
            actor=asking.actor,
            action="apps.uri",
            object=str(app.id),
            origin=asking.origin,
            request_id=asking.request_id,
        )
