"""What a minute and a second see at most of a bucket, however many machines draw from it."""

import pytest

from tenantry.budgets.rates import KEPT, NEON_PER_MINUTE, Rate, aura_rate, neon_rate


def most(rate: Rate, seconds: float, kept: float) -> float:
    """What is spent in any so many seconds was drawn in so many more, and the bucket may have been full before."""
    return rate.burst + rate.per_minute * (seconds + kept) / 60


def test_neons_standard_rate_keeps_to_neons_limits() -> None:
    rate = neon_rate(NEON_PER_MINUTE)
    assert rate == Rate(660, 15)
    assert most(rate, 60, KEPT) < 700
    assert most(rate, 1, KEPT) < 40


@pytest.mark.parametrize("per_minute", [25, 125])
def test_auras_keeps_to_auras(per_minute: int) -> None:
    rate = aura_rate(per_minute)
    # Its tokens are spent where they are drawn.
    assert per_minute - 2 < most(rate, 60, 0) < per_minute


@pytest.mark.parametrize("per_minute", [1, 2, 1.4])
def test_the_smallest_lets_something_through(per_minute: float) -> None:
    assert neon_rate(per_minute).burst == 1
    assert aura_rate(int(per_minute)).burst == 1
