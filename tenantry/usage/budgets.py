"""Which budgets of a month are nearly used up, or are."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal

from tenantry.registry.budget import WARNED_AT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tenantry.registry.budget import Budget
    from tenantry.registry.models import Registry
    from tenantry.usage.reporting import AppUsage, Usage

_HOUR: Final = Decimal(3600)
_STOPPED: Final = (
    "Neon suspends its computes until the next period: raise budget.compute_hours and apply it"
)
_NOTHING_STOPS: Final = "nothing stops it: look at tenantry usage, and raise the budget or use less"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A budget of which 80 % or more are used."""

    of: str
    """The app's id, or the tenant's label."""
    level: Literal[80, 100]
    """Percent: the highest mark that is reached."""
    text: str
    """How much of what is used, and what follows."""


def over(usage: Usage, registry: Registry) -> list[Finding]:
    """Return what is told of the budgets of a registry.

    :param usage: of all its apps, this month
    """
    budgets: list[tuple[str, Budget]] = [
        *((each.label, each.budget) for each in registry.tenants if each.budget),
        *((each.id, each.budget) for each in registry.apps if each.budget),
    ]
    by_name: dict[str, list[AppUsage]] = defaultdict(list)
    for each in usage.apps:
        for name in (each.app, each.app.split("/")[0]):
            by_name[name].append(each)
    found = []
    for name, budget in budgets:
        part = replace(usage, apps=tuple(by_name[name]))
        share, text = max(_used(part, budget))
        if share < WARNED_AT:
            continue
        if share < 1:
            found.append(Finding(of=name, level=80, text=f"{text} in {usage.month}"))
        else:
            ending = _STOPPED if budget.stop else _NOTHING_STOPS
            found.append(Finding(of=name, level=100, text=f"{text} in {usage.month}; {ending}"))
    return found


def _used(usage: Usage, budget: Budget) -> Iterator[tuple[Decimal, str]]:
    if budget.compute_hours is not None:
        hours = usage.use.compute / _HOUR
        share = hours / budget.compute_hours
        yield share, f"{_percent(share)} of {budget.compute_hours} compute hours are used"
    if budget.money is not None:
        cost = usage.cost.total
        share = cost / budget.money
        amount = f"{budget.money:.2f} {usage.prices.currency}"
        yield share, f"{_percent(share)} of {amount} are used, by an estimate"


def _percent(share: Decimal) -> str:
    # Rounded down: 99.9 % is not all.
    return f"{int(share * 100)} %"
