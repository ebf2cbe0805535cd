from __future__ import annotations

import pytest

from localcloud.neon.errors import ApiError
from localcloud.neon.rate import Rate


def admitted(rate: Rate, route: str, now: float, times: int) -> int:
    """Return how many of so many requests at once are let through."""

    def is_admitted() -> bool:
        try:
            rate.admit(route, now)
        except ApiError as error:
            return error.status != 429
        return True

    return sum(is_admitted() for _ in range(times))


def test_forty_a_second_on_one_route_and_700_a_minute_on_all_are_let_through() -> None:
    rate = Rate(700, "seconds")
    assert admitted(rate, "a", 0, 50) == 40
    assert admitted(rate, "b", 0, 50) == 40
    assert admitted(rate, "a", 0.9, 1) == 0
    assert sum(admitted(rate, "a", second, 50) for second in range(1, 20)) == 700 - 80
    assert admitted(rate, "c", 59.9, 1) == 0
    assert admitted(rate, "c", 60, 50) == 40


def test_a_refusal_says_when_to_come_back() -> None:
    rate = Rate(35, "seconds")
    assert admitted(rate, "a", 0, 2) == 2
    with pytest.raises(ApiError) as caught:
        rate.admit("a", 0)
    assert caught.value.headers == {"Retry-After": "1"}
    assert sum(admitted(rate, str(route), 10, 2) for route in range(30)) == 33
    with pytest.raises(ApiError) as caught:
        rate.admit("other", 10)
    assert caught.value.headers == {"Retry-After": "50"}


def test_no_limit_lets_everything_through() -> None:
    assert admitted(Rate(0, "seconds"), "a", 0, 5000) == 5000
