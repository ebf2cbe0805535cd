"""What a month costs, as the program uses it: `prices` of the registry over a table that comes with Tenantry.

The table is Neon's own (https://neon.com/docs/introduction/plans, as of 2026-11-12), in US dollars. Aura publishes no
prices that may be read by programs, so a graph has a price only where the registry says one.
"""

from datetime import date  # pydantic reads the annotations at run time
from decimal import Decimal
from typing import Final, Literal, TypeAlias, get_args

from pydantic import Field

from tenantry.registry.frozen import Frozen

Plan: TypeAlias = Literal["free", "launch", "scale"]
PLANS: Final[tuple[Plan, ...]] = get_args(Plan)


class Prices(Frozen):
    """What an organization pays Neon and Aura; each price is in `currency`."""

    plan: Plan
    """The organization's plan at Neon."""
    currency: str = "USD"
    as_of: date
    """The day on which the prices were read."""
    source: str
    """Where."""
    compute: Decimal
    """Of a compute unit for an hour."""
    storage: Decimal
    """Of a GB (10^9 bytes) of root and child branches for a month of 744 hours."""
    history: Decimal
    """Of a GB of instant restore for such a month."""
    snapshots: Decimal
    """Of a GB of snapshots for such a month."""
    branch: Decimal
    """Of a branch beyond those included, for such a month."""
    branches_included: int
    """Branches of each project, with its root."""
    transfer: Decimal
    """Of a GB sent over the public network, beyond what is included."""
    transfer_included: int
    """GB a month, of the whole organization."""
    private_transfer: Decimal
    """Of a GB over private networks."""
    graphs: dict[str, Decimal] = Field(default_factory=lambda: {"free-db": Decimal(0)})
    """Of a GB of a graph's memory for a month of 720 hours, by the graph's type. A type that is not here has none."""


def _neon(plan: Plan, compute: str, *, branches: int, free: bool = False) -> Prices:
    def price(text: str) -> Decimal:
        return Decimal(0) if free else Decimal(text)

    return Prices(
        plan=plan,
        as_of=date(2026, 11, 12),
        source="https://neon.com/docs/introduction/plans",
        compute=price(compute),
        storage=price("0.35"),
        history=price("0.20"),
        snapshots=price("0.09"),
        branch=price("1.50"),
        branches_included=branches,
        transfer=price("0.10"),
        transfer_included=100,
        private_transfer=price("0.01"),
    )


SHIPPED: Final = {
    "free": _neon("free", "0", branches=10, free=True),
    "launch": _neon("launch", "0.106", branches=10),
    "scale": _neon("scale", "0.222", branches=25),
}
"""By plan."""
USUAL: Final = SHIPPED["launch"]
"""Where the registry says nothing."""
