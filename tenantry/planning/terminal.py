"""A plan on a terminal, or in a log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.table import Table
from rich.text import Text

from tenantry.planning.lines import HEADS, cells, details, headline, monthly

if TYPE_CHECKING:
    from rich.console import Console

    from tenantry.planning.drift import Drift
    from tenantry.planning.plan import Plan

_STYLES: Final = {
    "delete": "bold red",
    "replace": "bold red",
    "update": "yellow",
    "create": "green",
}
_NUMBERS: Final = frozenset({"create", "update", "replace", "delete", "unchanged"})


def show(plan: Plan, console: Console) -> None:
    """Print a plan: the table, then what happens to each app, then one sentence for all."""
    if plan.rows:
        table = Table(box=None, pad_edge=False, show_edge=False)
        for head in HEADS:
            table.add_column(
                head, justify="right" if head in _NUMBERS else "left", no_wrap=head != HEADS[-1]
            )
        for row in plan.rows:
            table.add_row(*map(Text, cells(row)), style=_STYLES[row.action])
        console.print(table)
        console.print()
    for row in plan.rows:
        console.print(Text(f"{row.name}: {row.action}", style=_STYLES[row.action]))
        for line in details(row):
            console.print(Text(f"  {line}"))
        if details(row):
            console.print()
    for line in plan.warnings:
        console.print(Text(f"warning: {line}", style="yellow"))
    for refusal in plan.refusals:
        console.print(Text(refusal.text, style="red"))
    if said := monthly(plan):
        console.print(Text(said))
    console.print(Text(headline(plan), style="bold"))


def show_drift(drift: Drift, console: Console) -> None:
    """Print what differs, a line for each resource, then one sentence for all."""
    for each in drift.differences:
        console.print(Text(each.text, style="red" if each.gone else "yellow"))
    for stray in drift.strays:
        console.print(Text(stray.text, style="yellow"))
    console.print(Text(drift.headline, style="bold"))
