"""One app: what was declared, what is applied, what there is of it, what was done for it and what to do next."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING
from uuid import UUID

from starlette.responses import Response

from tenantry.catalog.listing import listed_keys, stored_keys_async, user_graphs
from tenantry.errors import TenantryError
from tenantry.pages.holdings import Held, read_held
from tenantry.pages.rows import of_tenant
from tenantry.pages.suggesting import suggestions
from tenantry.pages.visits import Visit, for_visitors
from tenantry.planning.fields import changes
from tenantry.registry.declared import declared
from tenantry.selfservice import audit, operations, specs
from tenantry.selfservice.database import connection
from tenantry.service.asked import app_of
from tenantry.service.problems import ProblemError

if TYPE_CHECKING:
    from tenantry.pages.rows import Row
    from tenantry.pages.snapshots import Snapshot
    from tenantry.registry import App

_RUNS = 20


@for_visitors()
async def app(visit: Visit) -> Response:
    """Show one app."""
    snapshot = await visit.site.snapshots.current()
    row = find(visit, snapshot)
    app_id = row.app
    namespace = snapshot.registry.namespace
    wanted, problem = await _wanted(visit, snapshot, row)
    async with connection(visit.parts.connections) as one:
        stored = await stored_keys_async(one, namespace, app_id)
        runs = await operations.of_app(one, namespace, app_id, _RUNS)
        notes = await audit.about(one, [row.row, app_id, *(str(each.id) for each in runs)])
        graphs = await user_graphs(one, namespace, app_id)
    held, away = await asyncio.to_thread(_held, visit, app_id)
    text = declared(wanted) if wanted else None
    return visit.page(
        "app.html",
        snapshot=snapshot,
        row=row,
        problem=problem,
        wanted=json.loads(text) if text else None,
        pending=changes(held.declared if held else None, text) if held or text else (),
        held=held,
        away=away,
        keys=listed_keys([wanted] if wanted else [], stored, now=snapshot.at),
        graphs=graphs,
        declared_graphs=[each.id for each in wanted.graphs] if wanted else [],
        runs=runs,
        notes=notes,
        suggestions=suggestions(row),
        drifts=visit.site.looks.found_of(app_id),
        may_write=visit.may("apps:write"),
        may_delete=visit.may("apps:delete"),
    )


def find(visit: Visit, snapshot: Snapshot) -> Row:
    """Return the app that the path names.

    :raises ProblemError: 404: there is none, or it is another tenant's
    """
    names = visit.request.path_params
    row = snapshot.by_id.get(f"{names['tenant']}/{names['name']}")
    if row is None or not of_tenant([row], visit.tenant):
        raise ProblemError(
            404, "no-app", "There is no such app", "no app that you see has this name"
        )
    return row


async def _wanted(visit: Visit, snapshot: Snapshot, row: Row) -> tuple[App | None, str]:
    """Return the app as registry or row say it, or why it cannot be said."""
    if row.row is None:
        declares = snapshot.registry.declares(row.app)
        return (snapshot.registry.app(row.app) if declares else None), ""
    async with connection(visit.parts.connections) as one:
        spec = await specs.get(one, UUID(row.row))
    if spec is None:
        return None, ""
    try:
        return app_of(snapshot.registry, spec), ""
    except ProblemError as error:
        return None, error.reason


def _held(visit: Visit, app_id: str) -> tuple[Held | None, str]:
    try:
        return read_held(visit.site.project, app_id), ""
    except TenantryError as error:
        return None, str(error)
