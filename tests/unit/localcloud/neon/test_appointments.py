from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from localcloud.neon.appointments import next_time


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("item", "after", "due"),
    [
        ({"frequency": "hourly"}, "2026-01-31T23:30", "2026-02-01T00:00"),
        ({"frequency": "hourly"}, "2026-01-31T23:00", "2026-02-01T00:00"),
        ({"frequency": "daily", "hour": 3}, "2026-01-31T02:59", "2026-01-31T03:00"),
        ({"frequency": "daily", "hour": 3}, "2026-01-31T03:00", "2026-02-01T03:00"),
        ({"frequency": "daily"}, "2026-12-31T12:00", "2027-01-01T00:00"),
        # 4 January 2026 is a Sunday.
        ({"frequency": "weekly", "day": 7, "hour": 5}, "2026-01-01T00:00", "2026-01-04T05:00"),
        ({"frequency": "weekly"}, "2026-01-05T00:00", "2026-01-12T00:00"),
        ({"frequency": "monthly", "day": 31}, "2026-01-31T00:00", "2026-02-28T00:00"),
        ({"frequency": "monthly", "day": 15}, "2026-12-15T01:00", "2027-01-15T00:00"),
        ({"frequency": "yearly", "month": 2, "day": 29}, "2026-03-01T00:00", "2027-02-28T00:00"),
        ({"frequency": "yearly"}, "2026-01-01T00:00", "2027-01-01T00:00"),
    ],
)
def test_a_line_of_a_schedule_is_next_due(item: dict[str, Any], after: str, due: str) -> None:
    assert next_time(item, at(after)) == at(due)
