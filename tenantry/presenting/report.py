"""The fleet as one HTML file: nothing in it is loaded from elsewhere, run, or secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tenantry.pages.rows import STATUSES, Row
from tenantry.presenting.usage import cents, gb_months, hours

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from tenantry.usage.budgets import Finding
    from tenantry.usage.costs import Cost
    from tenantry.usage.measures import Use
    from tenantry.usage.reporting import Usage

_UNKNOWN = ["-"] * 4


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a report tells."""

    namespace: str
    rows: Sequence[Row]
    usage: Usage | None
    """Of this month; None where it could not be read."""
    budgets: Sequence[Finding] = ()
    problems: Sequence[str] = ()
    """What could not be read, a line each."""

    def html(self) -> str:
        """Return the file. Every text in it is escaped, whoever wrote it."""
        from markupsafe import Markup

        from tenantry.pages.templating import STATIC, templates

        used = {each.app: each for each in self.usage.apps} if self.usage else {}
        counts = {word: sum(row.status == word for row in self.rows) for word in STATUSES}
        rows = [
            (row, _cells(each.use, each.cost, _forecast(each.forecast)))
            if (each := used.get(row.app))
            else (row, _UNKNOWN)
            for row in self.rows
        ]
        return (
            templates()
            .get_template("report.html")
            .render(
                now=datetime.now(UTC),
                namespace=self.namespace,
                # Our own file, and no text of anybody else's.
                style=Markup((STATIC / "page.css").read_text("utf-8")),  # noqa: S704
                problems=self.problems,
                counts={word: count for word, count in counts.items() if count},
                budgets=self.budgets,
                rows=rows,
                total=self._total(),
                basis=self._basis(),
            )
        )

    def _total(self) -> list[str]:
        if self.usage is None:
            return []
        return _cells(self.usage.use, self.usage.cost, _forecast(self.usage.forecast))

    def _basis(self) -> str:
        if self.usage is None:
            return ""
        prices = self.usage.prices
        return (
            f"Usage of {self.usage.month} by Neon's count; cost in {prices.currency}, an estimate by prices of "
            f"{prices.as_of} (plan {prices.plan}, {prices.source})."
        )


def _forecast(amount: Decimal | None) -> str:
    return "-" if amount is None else cents(amount)


def _cells(use: Use, cost: Cost, forecast: str) -> list[str]:
    return [hours(use.compute), gb_months(use.storage), cents(cost.total), forecast]
