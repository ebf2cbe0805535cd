"""How many of each an app may have, `quotas`, and how often a step is tried, `retries`."""

from typing import Annotated, Final

from pydantic import Field

from tenantry.registry import units
from tenantry.registry.written.durations import duration
from tenantry.registry.written.mapping import Written
from tenantry.registry.written.rules import decimal, integer, matching

DELAY_MOST: Final = 10 * units.MILLISECONDS["m"]
"""Milliseconds: longer than that, and a person should look."""


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
