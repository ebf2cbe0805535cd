"""The usage of a month: each app of a registry, with cost and forecast."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from tenantry.errors import TenantryError, did_you_mean, shown
from tenantry.usage.costs import Cost, billed_branches, graph_cost, neon_costs
from tenantry.usage.measures import Month, Use, total

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tenantry.registry.models import App, Graph, Registry
    from tenantry.registry.prices import Prices
    from tenantry.usage.measures import Sample

_ENOUGH: Final = 24.0
"""Hours: what was measured for less says nothing about a month."""


class UnknownError(TenantryError):
    """Neither an app nor a tenant."""


@dataclass(frozen=True, kw_only=True)
class AppUsage:
    """What one app used."""

    app: str
    use: Use
    branches: int
    """As the registry has them now, with the root; 0 of an app that is not in it any more."""
    graphs: int
    cost: Cost
    forecast: Decimal | None
    """Of the whole month, if it goes on like this; None where the month is over, or measured for under 24 hours."""


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a registry's apps used in a month."""

    month: Month
    prices: Prices
    apps: tuple[AppUsage, ...]
    unpriced: tuple[str, ...]
    """Types of graphs that have no price, and so are not in the cost."""

    @property
    def use(self) -> Use:
        """Of all of them."""
        return total(each.use for each in self.apps)

    @property
    def cost(self) -> Cost:
        """Of all of them."""
        return sum((each.cost for each in self.apps), Cost())

    @property
    def forecast(self) -> Decimal | None:
        """Of all of them; None where nothing can be said of one that used something."""
        found = [each.forecast for each in self.apps]
        known = [each for each in found if each is not None]
        return sum(known, Decimal(0)) if known and len(known) == len(found) else None

    def of(self, what: str) -> Usage:
        """Return that of one app, or of a tenant's apps.

        :raises UnknownError: there is none
        """
        chosen = tuple(each for each in self.apps if what in {each.app, each.app.split("/")[0]})
        if not chosen:
            names = {each.app for each in self.apps} | {
                each.app.split("/")[0] for each in self.apps
            }
            raise UnknownError(
                f"there is no app and no tenant {shown(what)} with apps{did_you_mean(what, names)}"
            )
        return Usage(month=self.month, prices=self.prices, apps=chosen, unpriced=self.unpriced)


def usage(
    registry: Registry,
    samples: Sequence[Sample],
    month: Month,
    users: Mapping[str, int] | None = None,
) -> Usage:
    """Return the usage of all apps of a registry, and of those that left it in the month.

    :param samples: of the month; others are left out
    :param users: how many people have signed up for an app, whose graphs the registry does not list
    """
    prices = registry.prices
    by_app: dict[str, list[Sample]] = defaultdict(list)
    for each in samples:
        if month.holds(each.day):
            by_app[each.app].append(each)
    apps = {each.id: each for each in registry.apps}
    uses = {
        app: total(each.use for each in by_app.get(app, ()))
        for app in dict.fromkeys((*apps, *sorted(by_app)))
    }
    billed = {app: billed_branches(found, prices, month) for app, found in by_app.items()}
    costs = neon_costs(uses, billed, prices)
    paces = {app: _pace(by_app.get(app, ()), month) for app in uses}
    ahead = neon_costs(
        {app: _scaled(use, paces[app] or 1.0) for app, use in uses.items()},
        {app: each * Decimal(str(paces[app] or 1)) for app, each in billed.items()},
        prices,
    )
    found, unpriced = [], set()
    for app, use in uses.items():
        graphs = _graphs(apps.get(app), (users or {}).get(app, 0)) if month.is_current else []
        spent, whole = Decimal(0), Decimal(0)
        for graph in graphs:
            so_far = graph_cost(graph, prices, month.passed)
            in_all = graph_cost(graph, prices, month.hours)
            if so_far is None or in_all is None:
                unpriced.add(graph.type)
            else:
                spent, whole = spent + so_far, whole + in_all
        known = apps.get(app)
        found.append(
            AppUsage(
                app=app,
                use=use,
                branches=1 + len(known.database.branches) if known else 0,
                graphs=len(graphs),
                cost=costs[app] + Cost(graphs=spent),
                forecast=None if paces[app] is None else ahead[app].total + whole,
            )
        )
    return Usage(month=month, prices=prices, apps=tuple(found), unpriced=tuple(sorted(unpriced)))


def _pace(samples: Iterable[Sample], month: Month) -> float | None:
    """Return by what the use until now is to be multiplied for the whole month; None where nobody can tell.

    An app that was made within the month goes on as since its first day.
    """
    if not month.is_current:
        return None
    first = min((each.day for each in samples), default=month.start.date())
    seen = month.hours_since(first)
    if seen < _ENOUGH:
        return None
    return (seen + month.hours - month.passed) / seen


def _scaled(use: Use, factor: float) -> Use:
    return Use(**{each.name: round(getattr(use, each.name) * factor) for each in fields(use)})


def _graphs(app: App | None, users: int) -> list[Graph]:
    if app is None:
        return []
    more = [app.graphs_per_user] * users if app.graphs_per_user else []
    return [*(each.graph for each in app.graphs), *more]
