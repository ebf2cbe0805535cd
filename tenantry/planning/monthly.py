"""What a plan adds to a month's cost: a change of compute, a graph more or less.

A compute that may sleep costs nothing while it does, so there is a range. Storage and what is sent follow from use,
which a plan does not know.
"""

from __future__ import annotations

import json
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Final

from tenantry.planning.plan import Capacity, Monthly
from tenantry.registry.models import Compute
from tenantry.usage.costs import AURA_HOURS, MONTH_HOURS, PAUSED

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenantry.planning.plan import Plan
    from tenantry.registry.prices import Prices

_CENT: Final = Decimal("0.01")
_NEVER: Final = -1
_USUAL: Final = Compute().model_dump()


def capacity(before: str | None, after: str | None) -> Capacity | None:
    """Return what an app may use more after a change; None where that is as before.

    Of a text that an older version kept, and that does not tell of compute, nothing is known: None too.

    :param before: as `tenantry.registry.declared` gives it; None for a new app
    :param after: None for an app that leaves
    """
    old, new = (json.loads(each) if each else None for each in (before, after))
    if any(each is not None and "compute" not in each.get("database", {}) for each in (old, new)):
        return None
    was, will = _computes(old), _computes(new)
    memory = _graphs(new)
    memory.subtract(_graphs(old))
    graphs = {kind: float(each) for kind, each in sorted(memory.items()) if each}
    if was == will and not graphs:
        return None
    return Capacity(least=will[0] - was[0], most=will[1] - was[1], graphs=graphs)


def _computes(app: dict[str, Any] | None) -> tuple[float, float]:
    if app is None:
        return 0.0, 0.0
    database = app["database"]
    size = _USUAL | database["compute"]
    hours = float(MONTH_HOURS) * (1 + len(database.get("branches") or ()))
    always = size["min_cu"] if size["suspend_after"] == _NEVER else 0
    return always * hours, size["max_cu"] * hours


def _graphs(app: dict[str, Any] | None) -> Counter[str]:
    found: Counter[str] = Counter()
    each = (app or {}).get("graphs_per_user")
    count = len((each or {}).get("users") or ())
    for graph, times in (((app or {}).get("graph"), 1), (each, count)):
        if graph and times:
            share = PAUSED if graph.get("paused") else 1
            # Counter's type knows whole numbers alone; a fifth of a GB is none.
            found[graph["type"]] += Decimal(graph["memory"].removesuffix("GB")) * times * share  # type: ignore[assignment]
    return found


def with_cost(plan: Plan, prices: Callable[[], Prices]) -> Plan:
    """Return a plan that tells what it adds to a month's cost.

    :param prices: asked for only where a compute or a graph changes
    """
    changes = [row.capacity for row in plan.rows if row.capacity]
    if not changes:
        return plan
    table = prices()
    graphs, unpriced = Decimal(0), set()
    for kind, memory in (
        (kind, each) for change in changes for kind, each in change.graphs.items()
    ):
        if kind in table.graphs:
            graphs += Decimal(str(memory)) * table.graphs[kind] * MONTH_HOURS / AURA_HOURS
        else:
            unpriced.add(kind)

    def text(hours: float) -> str:
        amount = Decimal(str(hours)) * table.compute + graphs
        return f"{amount.quantize(_CENT, ROUND_HALF_UP):+}"

    return plan.model_copy(
        update={
            "monthly": Monthly(
                least=text(sum(each.least for each in changes)),
                most=text(sum(each.most for each in changes)),
                currency=table.currency,
                plan=table.plan,
                as_of=table.as_of.isoformat(),
                unpriced=tuple(sorted(unpriced)),
            )
        }
    )
