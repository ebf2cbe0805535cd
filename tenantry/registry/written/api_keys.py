"""An app's API keys: `api_keys`."""

import re
from datetime import date
from typing import Annotated

from pydantic import Field

from tenantry.errors import shown
from tenantry.registry import models
from tenantry.registry.written.mapping import Written
from tenantry.registry.written.rules import Generation, RuleError, literal, matching, wrong_kind
from tenantry.registry.written.texts import Label


def expiry(value: object) -> date:
    """Check a day, `2027-06-30` (ISO 8601); what expires is there until the end of that day in UTC."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value, re.ASCII):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise RuleError(
                f"{shown(value)} is not a day of the calendar: write one that is"
            ) from None
    raise RuleError(wrong_kind("a date such as 2027-06-30 (year, month, day)", value))


Expiry = Annotated[date, matching(expiry, "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2027-06-30"])]
Scope = Annotated[models.Scope, literal(models.Scope)]


class ApiKey(Written):
    """An API key of the app."""

    name: Label = Field(description="What it is for; unique in the app.")
    scopes: list[Scope] | None = Field(
        None,
        description="What it may do.",
        json_schema_extra={"default": ["read", "write"], "uniqueItems": True, "minItems": 1},
    )
    generation: Generation | None = Field(
        None, description="Raise it by one to issue a new key.", json_schema_extra={"default": 1}
    )
    revoked: list[Generation] | None = Field(
        None,
        description="Generations to refuse at once; none is above the current one.",
        json_schema_extra={"default": [], "uniqueItems": True},
    )
    expires: Expiry | None = Field(
        None,
        description="The last day, in UTC, on which it is valid; without it, it never expires.",
    )
