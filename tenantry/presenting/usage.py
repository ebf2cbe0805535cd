"""How usage and its cost are printed: a table, comma-separated values, JSON."""

from __future__ import annotations

import csv
import sys
from dataclasses import asdict, fields
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Final

from tenantry.presenting.notes import note
from tenantry.presenting.printing import print_json, print_table
from tenantry.usage.costs import GB, MONTH_HOURS, Cost
from tenantry.usage.measures import Use

if TYPE_CHECKING:
    from tenantry.usage.reporting import Usage

_CENT: Final = Decimal("0.01")
_ORIGINS: Final = {"catalog": "the catalog's", "neon": "Neon's"}
_HEADS: Final = (
    "APP",
    "CU-HOURS",
    "STORAGE GB",
    "HISTORY GB",
    "SENT GB",
    "BRANCHES",
    "GRAPHS",
    "COST",
    "FORECAST",
)


def cents(amount: Decimal) -> str:
    """Return money with two digits, half a cent up."""
    return str(amount.quantize(_CENT, ROUND_HALF_UP))


def print_usage(usage: Usage, origin: str, measured: str) -> None:
    """Print a table, with a line for all, and on standard error what it rests on.

    :param origin: `catalog` or `neon`
    :param measured: when Neon was asked
    """
    rows = [
        _row(each.app, each.use, str(each.branches), str(each.graphs), each.cost, each.forecast)
        for each in usage.apps
    ]
    branches = sum(each.branches for each in usage.apps)
    graphs = sum(each.graphs for each in usage.apps)
    rows.append(_row("total", usage.use, str(branches), str(graphs), usage.cost, usage.forecast))
    print_table(list(_HEADS), rows)
    prices = usage.prices
    note(
        f"{usage.month}, {_ORIGINS[origin]} count of {measured}; cost in {prices.currency} is an estimate by prices of "
        f"{prices.as_of} (plan {prices.plan}, {prices.source})"
    )
    if usage.unpriced:
        note(
            f"graphs without a price are not in the cost: {', '.join(usage.unpriced)}: write it in the registry's "
            "prices.graphs"
        )


def _row(
    app: str, use: Use, branches: str, graphs: str, cost: Cost, forecast: Decimal | None
) -> list[str]:
    return [
        app,
        hours(use.compute),
        gb_months(use.storage),
        gb_months(use.history),
        f"{use.transfer / 10**9:.3f}",
        branches,
        graphs,
        cents(cost.total),
        "-" if forecast is None else cents(forecast),
    ]


def hours(seconds: int) -> str:
    """Return compute-unit-seconds as hours."""
    return f"{seconds / 3600:.2f}"


def gb_months(byte_hours: int) -> str:
    """Return what was stored as GB of Neon's month."""
    return f"{byte_hours / MONTH_HOURS / GB:.3f}"


def print_csv(usage: Usage) -> None:
    """Print a line for each app: amounts in Neon's units, money with two digits."""
    amounts, costs = [[each.name for each in fields(kind)] for kind in (Use, Cost)]
    lines = csv.writer(sys.stdout, lineterminator="\n")
    lines.writerow(
        ["month", "app", *amounts, *(f"cost_{each}" for each in costs), "cost", "forecast"]
    )
    for each in usage.apps:
        lines.writerow(
            [
                usage.month,
                each.app,
                *(getattr(each.use, name) for name in amounts),
                *(cents(getattr(each.cost, name)) for name in costs),
                cents(each.cost.total),
                "" if each.forecast is None else cents(each.forecast),
            ]
        )


def print_usage_json(usage: Usage, origin: str, measured: str) -> None:
    """Print one object; the parameters are those of `print_usage`."""
    print_json(
        {
            "month": str(usage.month),
            "measured_at": measured,
            "from": origin,
            "prices": {
                "plan": usage.prices.plan,
                "as_of": usage.prices.as_of.isoformat(),
                "source": usage.prices.source,
                "currency": usage.prices.currency,
            },
            "unpriced": list(usage.unpriced),
            "apps": [
                {"app": each.app, "branches": each.branches, "graphs": each.graphs}
                | _amounts(each.use, each.cost, each.forecast)
                for each in usage.apps
            ],
            "total": _amounts(usage.use, usage.cost, usage.forecast),
        }
    )


def _amounts(use: Use, cost: Cost, forecast: Decimal | None) -> dict[str, Any]:
    parts = {each.name: cents(getattr(cost, each.name)) for each in fields(cost)}
    return {
        "use": asdict(use),
        "cost": parts | {"total": cents(cost.total)},
        "forecast": None if forecast is None else cents(forecast),
    }
