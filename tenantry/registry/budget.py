"""What an app, or all apps of a tenant, may use in a month, as the program uses it: `budget` of the registry."""

from decimal import Decimal
from typing import Final

from tenantry.registry.frozen import Frozen

WARNED_AT: Final = Decimal("0.8")
"""The part of a budget at which somebody is told first."""


class Budget(Frozen):
    """A month's budget, in UTC; at least one of the two amounts is there."""

    compute_hours: int | None = None
    """Compute-unit-hours."""
    money: Decimal | None = None
    """In the currency of the registry's prices."""
    stop: bool = False
    """Whether Neon suspends the app's computes when its compute hours are used up, until the next period."""
