"""What may be used in a month: `budget` of an app, of a plan for apps, and of a tenant."""

from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from tenantry.registry import budget as plain
from tenantry.registry.merging import given
from tenantry.registry.written.mapping import Written
from tenantry.registry.written.rules import Flag, RuleError, decimal, integer

_MOST: Final = 500_000
"""Hours: in seconds still an int32, which Neon's quota takes."""

Hours = Annotated[int, integer(1, _MOST)]
Money = Annotated[float, decimal(0.01, 1_000_000)]


class TenantBudget(Written):
    """What all apps of a tenant may use in a month. Somebody is told at 80 % and at 100 %."""

    compute_hours: Hours | None = Field(None, description="Compute units times hours.")
    money: Money | None = Field(None, description="An amount, in the currency of prices.")

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if self.compute_hours is None and self.money is None:
            raise RuleError('needs "compute_hours" or "money", or both')
        return self


class Budget(TenantBudget):
    """What an app may use in a month. Somebody is told at 80 % and at 100 %."""

    stop: Flag | None = Field(
        None,
        description="Whether Neon suspends the computes until the next period when compute_hours are used up.",
        json_schema_extra={"default": False},
    )

    @model_validator(mode="after")
    def _stops_by_hours(self) -> Self:
        if self.stop and self.compute_hours is None:
            raise RuleError('"stop" needs "compute_hours": Neon counts no money')
        return self


def budgeted(written: TenantBudget | None) -> plain.Budget | None:
    """Return a budget as the program uses it."""
    return plain.Budget.model_validate(in_plain(given(written))) if written else None


def in_plain(values: dict[str, object]) -> dict[str, object]:
    """Return what is written with money as an exact number."""
    return values | ({"money": str(values["money"])} if values.get("money") is not None else {})
