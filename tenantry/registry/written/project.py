"""Settings of an app's Neon project: `quota` and `maintenance_window` below `database`."""

import re
from typing import Annotated, Final

from pydantic import Field

from tenantry.clouds import neon
from tenantry.errors import shown
from tenantry.registry import models, units
from tenantry.registry.written.durations import duration
from tenantry.registry.written.mapping import Written
from tenantry.registry.written.rules import RuleError, literal, matching, wrong_kind

_TIME: Final = "([01][0-9]|2[0-3]):[0-5][0-9]"


def quota_size(value: object) -> int:
    """Check an amount of data; return its bytes."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise RuleError(
            f"{shown(value)} has no unit: write it with one of {', '.join(units.BYTES)}, "
            'such as "10GB"'
        )
    if not isinstance(value, str):
        raise RuleError(wrong_kind('a size such as "10GB"', value))
    size = units.parse_size(value)
    if not 0 < size <= neon.QUOTA_BYTES_MOST:
        most = units.format_size(neon.QUOTA_BYTES_MOST)
        raise RuleError(f"{shown(value)} is out of range: 1kB to {most}")
    return size


def time_of_day(value: object) -> str:
    """Check a time of day in UTC."""
    if not isinstance(value, str) or not re.fullmatch(_TIME, value, re.ASCII):
        raise RuleError(
            wrong_kind('a time of day from "00:00" to "23:59" in UTC, such as "05:00"', value)
        )
    return value


_QUOTA_TIME: Final = duration(1, neon.QUOTA_SECONDS_MOST, example="100h", unit="s")
QuotaTime = Annotated[int, matching(_QUOTA_TIME, units.SECONDS_PATTERN)]
QuotaSize = Annotated[int, matching(quota_size, units.SIZE_PATTERN)]
TimeOfDay = Annotated[str, matching(time_of_day, f"^{_TIME}$")]
Weekday = Annotated[str, literal(models.Weekday)]


class Quota(Written):
    """The most that the project may use; what is not written has no limit."""

    active_time: QuotaTime | None = Field(
        None, description="How long its computes may run in a billing period."
    )
    compute_time: QuotaTime | None = Field(
        None, description="How much CPU time its computes may use in a billing period."
    )
    written_data: QuotaSize | None = Field(
        None, description="How much may be written to its branches in a billing period."
    )
    data_transfer: QuotaSize | None = Field(
        None, description="How much may be sent to clients in a billing period."
    )
    logical_size: QuotaSize | None = Field(
        None, description="How large the data of each branch may be."
    )


class MaintenanceWindow(Written):
    """When Neon may restart the project's computes for its own maintenance, in UTC."""

    weekdays: list[Weekday] = Field(
        description="The days on which it may.", json_schema_extra={"uniqueItems": True}
    )
    start: TimeOfDay = Field(description="When it begins, in UTC.")
    end: TimeOfDay = Field(description="When it ends, in UTC.")
