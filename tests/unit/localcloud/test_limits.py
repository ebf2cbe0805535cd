from __future__ import annotations

from localcloud.limits import RateLimit, retry_after


def test_the_window_slides_and_refusals_do_not_count() -> None:
    limit = RateLimit(2)
    assert limit.admit(0) == 0
    assert limit.admit(30) == 0
    assert limit.admit(40) == 20
    assert limit.admit(59.5) == 0.5
    assert limit.admit(60) == 0
    assert limit.admit(60) == 30


def test_retry_after_never_says_too_early() -> None:
    assert retry_after("seconds", 100.0, 0.2) == {"Retry-After": "1"}
    assert retry_after("seconds", 100.0, 7.01) == {"Retry-After": "8"}
    assert retry_after("date", 0.5, 1.6) == {"Retry-After": "Thu, 01 Jan 1970 00:00:03 GMT"}
    assert retry_after("none", 100.0, 7) == {}
