"""Days on which something ends: an API key, a branch. A day is one in UTC, and the last on which the thing is there."""

from datetime import UTC, date, datetime, timedelta


def end_of(day: date) -> datetime:
    """Return when a day is over: at the midnight after it.

    No datetime holds the midnight after the 31st of December 9999: such a day ends at its last microsecond.
    """
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    if day == date.max:
        return datetime.max.replace(tzinfo=UTC)
    return start + timedelta(days=1)


def is_over(day: date | None) -> bool:
    """Tell whether a day is over by this machine's clock; None never is."""
    return day is not None and end_of(day) <= datetime.now(UTC)
