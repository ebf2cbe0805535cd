"""The fleet: a table of all apps, the worst first."""

from __future__ import annotations

from starlette.responses import Response

from tenantry.pages.listing import Query, listed
from tenantry.pages.rows import STATUSES, of_tenant
from tenantry.pages.visits import Visit, for_visitors


@for_visitors()
async def fleet(visit: Visit) -> Response:
    """Show the apps that the URL asks for."""
    snapshot = await visit.site.snapshots.current()
    query = Query.of(visit.request.query_params)
    return visit.page(
        "fleet.html",
        snapshot=snapshot,
        shown=listed(of_tenant(snapshot.rows, visit.tenant), query),
        statuses=STATUSES,
        drifting=visit.site.looks.drifting(),
    )
