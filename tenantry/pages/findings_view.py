"""What is to be settled: what failed or was cut off, what differs in the clouds, what is nobody's."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from tenantry.pages.looks import MOST_PLANNED, told_difference
from tenantry.pages.rows import of_tenant
from tenantry.pages.suggesting import suggestions
from tenantry.pages.visits import Visit, for_visitors

_SHOWN: Final = 200
_TO_SETTLE: Final = {"failed", "interrupted", "left"}
_TO_APPLY: Final = ("changed", "new", "left", "failed", "interrupted")


@for_visitors()
async def findings(visit: Visit) -> Response:
    """Show what disagrees, with the command that settles it."""
    snapshot = await visit.site.snapshots.current()
    rows = of_tenant(snapshot.rows, visit.tenant)
    found = sorted(
        (row for row in rows if row.status in _TO_SETTLE or row.frozen),
        key=lambda row: (row.rank, row.app),
    )
    looks = visit.site.looks
    drift = looks.answered("drift")
    return visit.page(
        "findings.html",
        snapshot=snapshot,
        found=[(row, suggestions(row)[0]) for row in found[:_SHOWN]],
        count=len(found),
        last=looks.last("drift"),
        drift=drift,
        differences=[
            (each["app"], told_difference(each))
            for each in (drift.found["differences"] if drift else ())
            if visit.whole_fleet or str(each["app"]).startswith(f"{visit.tenant}/")
        ][:_SHOWN],
        strays=drift.found["strays"][:_SHOWN] if drift and visit.whole_fleet else [],
    )


@for_visitors("fleet:admin")
async def plan(visit: Visit) -> Response:
    """Show which apps a run would work on, and what it would change of those that were chosen."""
    snapshot = await visit.site.snapshots.current()
    waiting = [row for row in snapshot.rows if row.status in _TO_APPLY]
    return visit.page(
        "plan.html",
        snapshot=snapshot,
        waiting=waiting[:_SHOWN],
        count=len(waiting),
        most=MOST_PLANNED,
        last=visit.site.looks.last("plan"),
        plan=visit.site.looks.answered("plan"),
    )
