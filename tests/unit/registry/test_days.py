from datetime import UTC, date, datetime, timedelta

import pytest

from tenantry.registry.days import end_of, is_over


@pytest.mark.parametrize(
    ("day", "end"),
    [
        (date(2027, 6, 30), datetime(2027, 7, 1, tzinfo=UTC)),
        (date(2028, 2, 28), datetime(2028, 2, 29, tzinfo=UTC)),
        (date(9999, 12, 30), datetime(9999, 12, 31, tzinfo=UTC)),
        (date.max, datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_a_day_is_over_at_the_midnight_after_it(day: date, end: datetime) -> None:
    assert end_of(day) == end


def test_yesterday_is_over_and_today_and_no_day_are_not() -> None:
    today = datetime.now(UTC).date()
    # Midnight may pass meanwhile.
    assert is_over(today - timedelta(days=1))
    assert not is_over(today + timedelta(days=1))
    assert not is_over(date.max)
    assert not is_over(None)
