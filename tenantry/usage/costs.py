"""What use costs by a table of prices: an estimate. The bill has taxes, credits and rounding of its own.

The formulas are Neon's: https://neon.com/docs/introduction/usage-calculations, as of 2026-05-28.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tenantry.registry.models import Graph
    from tenantry.registry.prices import Prices
    from tenantry.usage.measures import Month, Sample, Use

GB: Final = Decimal(10) ** 9
"""Neon's: decimal."""
MONTH_HOURS: Final = Decimal(744)
"""Of a month that Neon bills, whatever its length."""
AURA_HOURS: Final = Decimal(720)
"""Of a month in Aura's prices: https://aura.support.neo4j.com, "Neo4j Aura Billing FAQ"."""
PAUSED: Final = Decimal("0.2")
"""What a paused instance costs of its price: https://neo4j.com/docs/aura/billing/."""
_HOUR: Final = Decimal(3600)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Money, not rounded."""

    compute: Decimal = Decimal(0)
    storage: Decimal = Decimal(0)
    history: Decimal = Decimal(0)
    snapshots: Decimal = Decimal(0)
    branches: Decimal = Decimal(0)
    transfer: Decimal = Decimal(0)
    private_transfer: Decimal = Decimal(0)
    graphs: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        """All of it."""
        return sum((getattr(self, each.name) for each in fields(self)), Decimal(0))

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            **{
                each.name: getattr(self, each.name) + getattr(other, each.name)
                for each in fields(self)
            }
        )


def billed_branches(samples: Iterable[Sample], prices: Prices, month: Month) -> Decimal:
    """Return the branch-hours that are beyond those included, which is judged for each project and day.

    Neon judges each hour: what comes and goes within a day may be billed a little higher.
    """
    included = max(prices.branches_included - 1, 0)
    billed = Decimal(0)
    for each in samples:
        if not each.use.branches:
            continue
        hours = Decimal(str(min(24.0, month.hours_since(each.day))))
        billed += max(Decimal(0), each.use.branches - included * hours)
    return billed


def neon_costs(
    uses: Mapping[str, Use], branches: Mapping[str, Decimal], prices: Prices
) -> dict[str, Cost]:
    """Return what each app's use costs at Neon.

    What is sent beyond the organization's allowance is shared out by what each app has sent.

    :param uses: by app: those of the whole registry
    :param branches: as `billed_branches` gives it, by app
    """
    sent = Decimal(sum(each.transfer for each in uses.values())) / GB
    beyond = max(Decimal(0), sent - prices.transfer_included)

    def stored(byte_hours: int, price: Decimal) -> Decimal:
        return byte_hours / MONTH_HOURS / GB * price

    return {
        app: Cost(
            compute=use.compute / _HOUR * prices.compute,
            storage=stored(use.storage, prices.storage),
            history=stored(use.history, prices.history),
            snapshots=stored(use.snapshots, prices.snapshots),
            branches=branches.get(app, Decimal(0)) / MONTH_HOURS * prices.branch,
            transfer=use.transfer / GB / sent * beyond * prices.transfer if sent else Decimal(0),
            private_transfer=use.private_transfer / GB * prices.private_transfer,
        )
        for app, use in uses.items()
    }


def graph_cost(graph: Graph, prices: Prices, hours: float) -> Decimal | None:
    """Return what a graph costs in some hours; None where its type has no price."""
    price = prices.graphs.get(graph.type)
    if price is None:
        return None
    memory = Decimal(graph.memory.removesuffix("GB"))
    share = PAUSED if graph.paused else Decimal(1)
    return memory * price * share * Decimal(str(hours)) / AURA_HOURS
