"""Moments as the engine writes them, and how long ago they were."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(text: object) -> datetime:
    """Read a moment as the engine writes it (RFC 3339); the earliest there is where there is none."""
    if not isinstance(text, str):
        return datetime.min.replace(tzinfo=UTC)
    # Go writes nanoseconds; Python reads microseconds.
    head, dot, tail = text.partition(".")
    digits = len(tail) - len(tail.lstrip("0123456789"))
    moment = datetime.fromisoformat(f"{head}{dot}{tail[:digits][:6]}{tail[digits:]}")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def age(at: datetime, now: datetime | None = None) -> str:
    """Say how long ago a moment was: `40 s`, `3 min`, `5 h`, `2 d`."""
    seconds = max(0, int(((now or datetime.now(UTC)) - at).total_seconds()))
    for length, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
