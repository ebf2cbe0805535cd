"""How many of each an app may have, how often a step is tried, and how much one run may remove.

The keys `quotas`, `retries` and `limits`.
"""

import re
from typing import Annotated, Final

from pydantic import Field

from tenantry.errors import shown
from tenantry.registry import models, units
from tenantry.registry.written.durations import duration
from tenantry.registry.written.mapping import Written
from tenantry.registry.written.rules import RuleError, decimal, integer, matching, wrong_kind

DELAY_MOST: Final = 10 * units.MILLISECONDS["m"]
"""Milliseconds: longer than that, and a person should look."""


def removals(value: object) -> int:
    """Check the share of a fleet that one run may take something from: it can only be lowered. Returns percent."""
    most = models.Limits().removals
    if not isinstance(value, str):
        raise RuleError(wrong_kind(f'a share such as "{most // 2}%"', value))
    if not re.fullmatch(r"[0-9]{1,3}%", value, re.ASCII):
        raise RuleError(
            f'{shown(value)} is not a share: write whole percent, such as "{most // 2}%"'
        )
    percent = int(value.removesuffix("%"))
    if percent > most:
        raise RuleError(
            f"{shown(value)} is out of range: 0% to {most}%; more goes only by name, in a run (--allow-destroy)"
        )
    return percent


Removals = Annotated[int, matching(removals, "^([0-9]|10)%$")]
Quota = Annotated[int, integer(1, 1000)]
Attempts = Annotated[int, integer(1, 10)]
Delay = Annotated[int, matching(duration(100, DELAY_MOST, example="5s"), units.DURATION_PATTERN)]
Factor = Annotated[float, decimal(1, 10)]
Jitter = Annotated[float, decimal(0, 1)]


class Quotas(Written):
    """How many of each an app may have."""

    databases: Quota | None = Field(
        None, description="Databases; an app has one.", json_schema_extra={"default": 1}
    )
    api_keys: Quota | None = Field(
        None, description="API keys in the list.", json_schema_extra={"default": 10}
    )
    services: Quota | None = Field(
        None, description="Services in the list.", json_schema_extra={"default": 3}
    )


class RetryPolicy(Written):
    """How often a step is tried, and how long is waited between two attempts."""

    attempts: Attempts | None = Field(None, description="How often it is tried in all.")
    first_delay: Delay | None = Field(None, description="The wait before the second attempt.")
    factor: Factor | None = Field(
        None,
        description="By what each wait is longer than the one before.",
        json_schema_extra={"default": 1},
    )
    cap: Delay | None = Field(
        None, description="The longest wait.", json_schema_extra={"default": "1m"}
    )
    jitter: Jitter | None = Field(
        None,
        description="The share of a wait that is added by chance, at most.",
        json_schema_extra={"default": 0.1},
    )


class Retries(Written):
    """When a step that failed for a passing reason is tried again."""

    database: RetryPolicy | None = Field(
        None, description="Reaching the app's database: 3 attempts, 10s apart."
    )
    migration: RetryPolicy | None = Field(
        None, alias="schema", description="Its migrations: 3 attempts, 5s apart."
    )
    services: RetryPolicy | None = Field(
        None, description="The app and its services in the catalog: 2 attempts, 3s apart."
    )
    keys: RetryPolicy | None = Field(
        None, description="Its API keys in the catalog: 2 attempts, 2s apart."
    )


class Limits(Written):
    """What one run may do at most. A limit can be lowered here, and not raised."""

    removals: Removals | None = Field(
        None,
        description="The share of a fleet of 20 apps or more that one run may remove, replace or take something from: 0% to 10%. "
        "With 0%, nothing goes unless it is named in the run, and one app of a fleet at a time.",
        json_schema_extra={"default": "10%"},
    )
