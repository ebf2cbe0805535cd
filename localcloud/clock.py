"""Timestamps that never repeat, so that "the earliest created" always has one answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


class Clock:
    """UTC time in RFC 3339 with microseconds; each reading is later than the one before."""

    def __init__(self) -> None:
        self._last = datetime.min.replace(tzinfo=UTC)

    def now(self) -> str:
        """Return the current time, e.g. ``2026-01-31T09:00:00.000001Z``."""
        moment = datetime.now(UTC)
        if moment <= self._last:
            moment = self._last + timedelta(microseconds=1)
        self._last = moment
        return render(moment)


def render(moment: datetime) -> str:
    """Write a moment so that text order is time order."""
    return moment.astimezone(UTC).strftime(_FORMAT)


def parse(text: str) -> datetime:
    """Read what :func:`render` wrote."""
    return datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)
