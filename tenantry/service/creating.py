"""An app is asked for: its row, its operation and its job in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.selfservice import audit, idempotency, operations, specs
from tenantry.selfservice.database import transaction
from tenantry.selfservice.jobs import wake
from tenantry.selfservice.operations import Wanted
from tenantry.service import repeating
from tenantry.service.access import own_tenant
from tenantry.service.asked import checked
from tenantry.service.problems import ProblemError
from tenantry.service.telling import app_path

if TYPE_CHECKING:
    from typing import Any
    from uuid import UUID

    from tenantry.registry import Registry
    from tenantry.registry.self_service import SelfService
    from tenantry.selfservice.database import Connection
    from tenantry.selfservice.specs import Spec
    from tenantry.service.documents import AppRequest
    from tenantry.service.parts import Asking, Parts

_FIELDS = {"/name": "/app_name"}


async def create(parts: Parts, asking: Asking, wanted: AppRequest, key: str | None) -> UUID:
    """Ask for an app; return its id, also where the same request came before.

    :param key: the caller's name for the request
    :raises ProblemError: 403, 409, 422: it cannot be had
    """
    registry = await parts.offers.registry()
    tenant = own_tenant(asking.caller, wanted.tenant)
    if tenant is None:
        raise ProblemError(
            422,
            "invalid-request",
            "The request is not valid",
            "tenant: the token names none: say whose app it is to be",
            errors=[{"pointer": "#/tenant", "detail": "the token names none: say whose it is"}],
        )
    asked = repeating.keyed(asking, key, "POST /v1/apps", wanted)
    async with transaction(parts.connections) as connection:
        first = await repeating.earlier(connection, asked)
        if first is not None and first.spec is not None:
            return first.spec
        spec = await _insert(connection, registry, tenant, wanted, asking.actor)
        operation = await operations.ask(
            connection,
            Wanted(
                namespace=spec.namespace,
                app_id=spec.app_id,
                kind="create",
                actor=asking.actor,
                spec=spec.id,
                generation=spec.generation,
                request_id=asking.request_id,
            ),
        )
        await wake(
            parts.queue, connection, operation.id, key=operation.key, priority=operation.priority
        )
        if asked is not None:
            await idempotency.keep(connection, asked, spec=spec.id, operation=operation.id)
        await audit.note(
            connection,
            actor=asking.actor,
            action="apps.create",
            object=str(spec.id),
            origin=asking.origin,
            request_id=asking.request_id,
            outcome=spec.app_id,
        )
    return spec.id


async def _insert(
    connection: Connection, registry: Registry, tenant: str, wanted: AppRequest, owner: str
) -> Spec:
    offered = registry.self_service
    plan = wanted.plan or _first_plan(offered, tenant)
    overrides: dict[str, Any] = {} if wanted.region is None else {"region": wanted.region}
    app = checked(
        registry,
        tenant=tenant,
        name=wanted.app_name,
        plan=plan,
        overrides=overrides,
        fields=_FIELDS,
    )
    if overrides:
        # The cloud's own name, of which there may be several.
        overrides["region"] = app.region
    # From here on nobody else adds an app of this tenant.
    count = await specs.count(connection, registry.namespace, tenant)
    if (there := await specs.find(connection, registry.namespace, tenant, app.name)) is not None:
        raise _taken(there)
    most = offered.tenants[tenant].max_apps if offered else 0
    if count >= most:
        raise ProblemError(
            409,
            "too-many-apps",
            "The tenant has all the apps that it may have",
            f"{tenant} has asked for {count} apps, and max_apps in the registry allows {most}: delete one, or have it raised",
        )
    spec = await specs.insert(
        connection,
        namespace=registry.namespace,
        tenant=tenant,
        name=app.name,
        plan=plan,
        overrides=overrides,
        owner=owner,
    )
    if spec is None:
        raise _taken(await specs.find(connection, registry.namespace, tenant, app.name))
    return spec


def _first_plan(offered: SelfService | None, tenant: str) -> str:
    plans = offered.tenants[tenant].plans if offered and tenant in offered.tenants else ()
    return plans[0] if plans else ""


def _taken(there: Spec | None) -> ProblemError:
    if there is None:
        return ProblemError(
            409, "name-taken", "The name is taken", "another request was faster: ask again"
        )
    return ProblemError(
        409,
        "name-taken",
        "The name is taken",
        f"{there.app_id} is there already: {app_path(there)}",
        headers={"Link": f'<{app_path(there)}>; rel="related"'},
        app=app_path(there),
    )
