"""The sentences of a plan, the same wherever it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tenantry.errors import counted

if TYPE_CHECKING:
    from tenantry.planning.plan import Plan, Row

HEADS: Final = ("app", "action", "create", "update", "replace", "delete", "unchanged", "destroys")


def headline(plan: Plan) -> str:
    """Say in one sentence what would happen."""
    if plan.refusals:
        return f"Refused for {counted(len(plan.refusals), 'reason')}: nothing would be changed."
    if not plan.rows:
        return f"No changes: {_apps(plan.summary.unchanged)} as the registry says."
    apps = plan.summary
    said = [
        f"{count} to {word}"
        for word, count in (
            ("delete", apps.delete),
            ("replace", apps.replace),
            ("update", apps.update),
            ("create", apps.create),
        )
        if count
    ]
    beside = sorted(row.name for row in plan.rows if row.app is None)
    return f"Apps: {', '.join([*said, f'{apps.unchanged} unchanged'])}." + (
        f" Beside them: {', '.join(beside)}." if beside else ""
    )


def monthly(plan: Plan) -> str | None:
    """Say what a plan adds to a month's cost; None where that is not changed."""
    cost = plan.monthly
    if cost is None:
        return None
    rest = f"; without a price: {', '.join(cost.unpriced)}" if cost.unpriced else ""
    return (
        f"A month: {cost.least} {cost.currency} if computes sleep, {cost.most} at most "
        f"(estimate: plan {cost.plan}, prices of {cost.as_of}{rest})."
    )


def cells(row: Row) -> tuple[str, ...]:
    """Return a row of the table, under HEADS; the numbers are those of resources."""
    number = row.resources
    counts = (number.create, number.update, number.replace, number.delete, number.unchanged)
    return (row.name, row.action, *map(str, counts), "; ".join(row.destroys))


def details(row: Row) -> tuple[str, ...]:
    """Say what happens to an app, a line for each thing."""
    return (
        *row.notes,
        *(change.text for change in row.changes),
        *(f"not by the registry: {change.text}" for change in row.others),
    )


def _apps(number: int) -> str:
    return "1 app is" if number == 1 else f"{number} apps are"
