"""What a month costs: `prices`. Each price that is written stands above that of the table for the plan."""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from tenantry.errors import shown
from tenantry.registry import models, prices
from tenantry.registry.written.mapping import Written
from tenantry.registry.written.rules import (
    RuleError,
    decimal,
    integer,
    literal,
    matching,
    text,
    wrong_kind,
)
from tenantry.registry.written.texts import Line

_MOST: Final = 1_000_000
_OF: Final = frozenset({"plan", "as_of", "source"})
"""The keys that are no price."""


def currency(value: object) -> str:
    """Check a currency's code (ISO 4217)."""
    word = text(value)
    if not re.fullmatch("[A-Z]{3}", word, re.ASCII):
        raise RuleError(f"{shown(word)} is not a currency: write its three letters, such as EUR")
    return word


def day(value: object) -> date:
    """Check the day on which prices were read."""
    if isinstance(value, str) and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value, re.ASCII):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise RuleError(
                f"{shown(value)} is no day of the calendar: write one such as 2026-11-12"
            ) from None
    raise RuleError(wrong_kind("a date such as 2026-11-12 (year, month, day)", value))


Price = Annotated[float, decimal(0, _MOST)]
Count = Annotated[int, integer(0, _MOST)]
Plan = Annotated[prices.Plan, literal(prices.Plan)]
Currency = Annotated[str, matching(currency, "^[A-Z]{3}$")]
Day = Annotated[date, matching(day, "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2026-11-12"])]
GraphType = Annotated[models.GraphType, literal(models.GraphType)]


class Prices(Written):
    """What Neon and Aura are paid, for estimates. What is not written is Neon's price list."""

    plan: Plan | None = Field(
        None,
        description="The organization's plan at Neon.",
        json_schema_extra={"default": prices.USUAL.plan},
    )
    as_of: Day | None = Field(
        None, description="The day of the prices that are written; required with one."
    )
    source: Line | None = Field(
        None, description="Where the prices that are written stand; required with one."
    )
    currency: Currency | None = Field(
        None, description="The currency of all prices.", json_schema_extra={"default": "USD"}
    )
    compute: Price | None = Field(None, description="A compute unit for an hour.")
    storage: Price | None = Field(None, description="A GB of data for a month.")
    history: Price | None = Field(None, description="A GB of instant restore for a month.")
    snapshots: Price | None = Field(None, description="A GB of snapshots for a month.")
    branch: Price | None = Field(None, description="A branch beyond those included, for a month.")
    branches_included: Count | None = Field(
        None, description="Branches of each project, with its root."
    )
    transfer: Price | None = Field(None, description="A GB sent, beyond those included.")
    transfer_included: Count | None = Field(
        None, description="GB sent in a month by the whole organization."
    )
    private_transfer: Price | None = Field(None, description="A GB over private networks.")
    graphs: dict[GraphType, Price] | None = Field(
        None, description="A GB of a graph's memory for a month, by the graph's type."
    )

    @model_validator(mode="after")
    def _dated(self) -> Self:
        given = {key for key in self.model_fields_set if getattr(self, key) is not None}
        lacking = [key for key in ("as_of", "source") if key not in given]
        if given - _OF and lacking:
            raise RuleError(
                f"has prices of your own, so it needs {' and '.join(shown(key) for key in lacking)} beside them: write the "
                "day on which they were read, and where"
            )
        if "currency" in given and not given >= set(prices.Prices.model_fields) - _OF - {"graphs"}:
            raise RuleError(
                '"currency" has no meaning beside prices of the table, which are in US dollars: write all prices, or leave it out'
            )
        return self


def priced(written: Prices | None) -> prices.Prices:
    """Return the table of the plan with what is written above it."""
    known: dict[str, Any] = written.model_dump(exclude_none=True) if written else {}
    table = prices.SHIPPED[known.get("plan", prices.USUAL.plan)]
    above = {
        key: Decimal(str(value)) if isinstance(value, float) else value
        for key, value in known.items()
    }
    if graphs := known.get("graphs"):
        above["graphs"] = table.graphs | {kind: Decimal(str(each)) for kind, each in graphs.items()}
    return table.model_copy(update=above)
