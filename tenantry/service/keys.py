"""Routes of an app's API keys. The value of a key is shown once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Body, Path
from fastapi.responses import JSONResponse, Response

from tenantry.catalog.keys import digest
from tenantry.selfservice import audit, operations, specs
from tenantry.selfservice.database import read, transaction
from tenantry.selfservice.idempotency import keep
from tenantry.service import documents, repeating, telling
from tenantry.service.access import Reading, Unlocking, Writing, check_app
from tenantry.service.apps import Prefer, check_made
from tenantry.service.asked import app_of, checked
from tenantry.service.parts import Asking, Parts, Shared
from tenantry.service.preferences import preference
from tenantry.service.problems import ProblemError, problems
from tenantry.service.recording import ACCEPTED, accepted, changed, check_stays
from tenantry.service.repeating import IdempotencyKey
from tenantry.service.waiting import settled

if TYPE_CHECKING:
    from tenantry.selfservice.operations import Operation
    from tenantry.selfservice.specs import Listed

router = APIRouter(tags=["keys"])
_MADE: Final[dict[int | str, dict[str, Any]]] = {
    201: {"model": documents.NewKey, "description": "It is made"},
    202: {"model": documents.NewKey, "description": "It is under way: look at Location later"},
}
Name = Annotated[str, Path(max_length=200, pattern="^[a-z0-9-]+$")]


@router.get(
    "/v1/apps/{app_id}/keys",
    summary="List an app's API keys",
    response_model=documents.Keys,
    responses=problems(404, 409),
)
async def list_keys(app_id: UUID, parts: Shared, asking: Reading) -> documents.Keys:
    """List the keys that the app is to have, without their values."""
    found = await read(parts.connections, lambda one: specs.get(one, app_id))
    app = check_app(asking.caller, parts, found)
    own = {each["name"] for each in app.overrides.get("api_keys", ())}
    return documents.Keys(
        items=[
            documents.Key(
                name=each.name,
                scopes=list(each.scopes),
                generation=each.generation,
                expires=each.expires,
                own=each.name in own,
            )
            for each in app_of(await parts.offers.registry(), app).api_keys
        ]
    )


@router.post(
    "/v1/apps/{app_id}/keys",
    summary="Ask for an API key",
    status_code=201,
    response_model=documents.NewKey,
    responses=_MADE | problems(404, 409, 502),
)
async def ask_for_key(
    app_id: UUID,
    parts: Shared,
    asking: Writing,
    wanted: Annotated[documents.KeyRequest, Body()],
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> Response:
    """Ask for an API key, and wait until it is made, 60 seconds by default.

    Its value is in the answer for a caller that also has the scope `apps:secrets`, and in no other answer after that.
    """
    asked = repeating.keyed(asking, idempotency_key, f"POST /v1/apps/{app_id}/keys", wanted)
    registry = await parts.offers.registry()
    async with transaction(parts.connections) as one:
        first = await repeating.earlier(one, asked)
        app = check_app(asking.caller, parts, await specs.hold(one, app_id))
        operation = (
            await operations.get(one, first.operation) if first and first.operation else None
        )
        if operation is None:
            check_stays(app)
            _check_free(wanted.name, [each.name for each in app_of(registry, app).api_keys])
            own = [
                *app.overrides.get("api_keys", ()),
                wanted.model_dump(mode="json", exclude_none=True),
            ]
            overrides = {**app.overrides, "api_keys": own}
            checked(
                registry,
                tenant=app.tenant,
                name=app.name,
                plan=app.plan,
                overrides=overrides,
                fields={f"/api_keys/{len(own) - 1}": "", "/api_keys": "/name"},
            )
            operation = await changed(
                one, parts, asking, app, "keys", app.plan, overrides, may_destroy=False
            )
            if asked is not None:
                await keep(one, asked, spec=app.id, operation=operation.id)
    wish = preference(prefer or [], parts.settings.wait)
    operation = await settled(parts, operation, wish.seconds)
    return await _made(parts, asking, app, wanted.name, operation, wish.headers)


async def _made(  # what an answer is made of
    parts: Parts,
    asking: Asking,
    app: Listed,
    name: str,
    operation: Operation,
    headers: dict[str, str],
) -> Response:
    if operation.status in {"failed", "cancelled"}:
        raise ProblemError(
            502,
            "provisioning-failed",
            "The key could not be made",
            f"{operation.error_text or 'it was cancelled'}: look at {telling.operation_path(operation)}",
            headers=headers,
            operation=telling.operation_path(operation),
        )
    ready = operation.status == "succeeded"
    value = None
    if ready and asking.caller.may("apps:secrets"):
        value = await _once(parts, asking, app, name, 1)
    body = documents.NewKey(
        app_id=app.id,
        name=name,
        key=value,
        status="ready" if ready else "pending",
        operation=telling.told_progress(operation),
    )
    looking = dict(telling.looking_again(telling.operation_path(operation)))
    if ready:
        looking = {"Location": f"{telling.app_path(app)}/keys/{name}"}
    return JSONResponse(
        body.model_dump(mode="json"),
        201 if ready else 202,
        {**looking, **headers, **telling.NO_STORE},
    )


@router.get(
    "/v1/apps/{app_id}/keys/{name}",
    summary="See an API key, once",
    response_model=documents.KeyValue,
    responses=problems(404, 409, 410),
)
async def see_key(
    app_id: UUID, name: Name, parts: Shared, asking: Unlocking, response: Response
) -> documents.KeyValue:
    """Give the value of a key that nobody has seen here. It is written down who saw it."""
    found = await read(parts.connections, lambda one: specs.get(one, app_id))
    app = check_app(asking.caller, parts, found)
    check_made(app)
    keys = {each.name: each for each in app_of(await parts.offers.registry(), app).api_keys}
    if name not in keys:
        raise _no_key(name)
    generation = keys[name].generation
    value = await _once(parts, asking, app, name, generation)
    if value is None:
        raise ProblemError(
            410,
            "shown-already",
            "The key was shown already",
            f"the key {name} is not there yet, or was shown before: who has lost it asks for another one and deletes it",
        )
    response.headers.update(telling.NO_STORE)
    return documents.KeyValue(app_id=app.id, name=name, generation=generation, key=value)


@router.delete(
    "/v1/apps/{app_id}/keys/{name}",
    summary="Revoke an API key",
    status_code=202,
    response_model=documents.Operation,
    responses=ACCEPTED | problems(404, 409),
)
async def delete_key(app_id: UUID, name: Name, parts: Shared, asking: Writing) -> Response:
    """Revoke a key that was asked for. One of the plan is the registry's to revoke."""
    registry = await parts.offers.registry()
    async with transaction(parts.connections) as one:
        app = check_app(asking.caller, parts, await specs.hold(one, app_id))
        check_stays(app)
        own = app.overrides.get("api_keys", [])
        left = [each for each in own if each["name"] != name]
        if len(left) == len(own):
            if name in {each.name for each in app_of(registry, app).api_keys}:
                raise ProblemError(
                    409,
                    "key-of-plan",
                    "The key is the plan's",
                    f"the key {name} comes with the plan {app.plan}: it is revoked in the registry",
                )
            raise _no_key(name)
        others = {key: each for key, each in app.overrides.items() if key != "api_keys"}
        operation = await changed(
            one,
            parts,
            asking,
            app,
            "keys",
            app.plan,
            # An empty list would take the plan's keys away too.
            {**others, **({"api_keys": left} if left else {})},
            may_destroy=True,
        )
    return accepted(operation)


async def _once(
    parts: Parts, asking: Asking, app: Listed, name: str, generation: int
) -> str | None:
    """Return a key's value where nobody has been shown it; else None."""
    value = await parts.outputs.key(app.app_id, name, generation)
    if value is None:
        return None
    async with transaction(parts.connections) as one:
        first = await audit.note_once(
            one,
            actor=asking.actor,
            action="keys.show",
            # Another key of this name has another digest; it tells nothing of the key.
            object=f"{app.id}/keys/{name}/{digest(value)[:16]}",
            origin=asking.origin,
            request_id=asking.request_id,
        )
    return value if first else None


def _check_free(name: str, there: list[str]) -> None:
    if name in there:
        raise ProblemError(
            409,
            "key-taken",
            "The key is there already",
            f"the app has a key {name}: choose another name, or delete that one",
        )


def _no_key(name: str) -> ProblemError:
    return ProblemError(404, "no-key", "There is no such key", f"the app has no key {name}")
