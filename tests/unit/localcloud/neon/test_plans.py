from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from localcloud.neon.errors import ApiError
from localcloud.neon.plans import PLANS, check_ip_range

if TYPE_CHECKING:
    from collections.abc import Callable

FREE, LAUNCH, SCALE = PLANS["free"], PLANS["launch"], PLANS["scale"]
WINDOW = {"maintenance_window": {"weekdays": [1], "start_time": "01:00", "end_time": "02:00"}}


def refusal(check: Callable[..., None], *arguments: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        check(*arguments)
    return caught.value


@pytest.mark.parametrize(
    ("plan", "longest"), [(FREE, 21_600), (LAUNCH, 604_800), (SCALE, 2_592_000)]
)
def test_history_is_kept_as_long_as_the_plan_says(plan: Any, longest: int) -> None:
    plan.check_retention(longest)
    error = refusal(plan.check_retention, longest + 1)
    assert error.status == 400
    assert error.message == (
        "requested history retention seconds exceeds allowed maximum; "
        f'requested_history_retention_seconds:"{longest + 1}", max:"{longest}"'
    )


def test_counts_are_limited_with_neons_codes() -> None:
    FREE.check_branches(9)
    error = refusal(FREE.check_branches, 10)
    assert (error.status, error.code) == (422, "BRANCHES_LIMIT_EXCEEDED")
    FREE.check_projects(99)
    error = refusal(FREE.check_projects, 100)
    assert (error.status, error.code) == (422, "PROJECTS_LIMIT_EXCEEDED")
    SCALE.check_protected(4)
    error = refusal(SCALE.check_protected, 5)
    assert (error.status, error.code) == (422, "BRANCHES_PROTECTED_LIMIT_EXCEEDED")
    assert refusal(FREE.check_protected, 0).status == 422


@pytest.mark.parametrize(
    ("plan", "minimum", "maximum", "allowed"),
    [
        (FREE, 0.25, 2, True),
        (FREE, 0.25, 2.5, False),
        (LAUNCH, 8, 16, True),
        (LAUNCH, 7, 16, False),
        (LAUNCH, 17, 17, False),
        (SCALE, 0.25, 8.25, True),
        (SCALE, 0.25, 8.5, False),
        (SCALE, 56, 56, True),
        (SCALE, 15, 17, False),
        (SCALE, 2, 1, False),
    ],
)
def test_sizes_are_those_of_neon_and_the_plan(
    plan: Any, minimum: float, maximum: float, allowed: bool
) -> None:
    if allowed:
        plan.check_compute(minimum, maximum)
    else:
        assert refusal(plan.check_compute, minimum, maximum).status == 400


@pytest.mark.parametrize(
    ("plan", "seconds", "allowed"),
    [
        (FREE, 0, True),
        (FREE, 300, True),
        (FREE, 60, False),
        (FREE, -1, False),
        (LAUNCH, -1, True),
        (LAUNCH, 60, False),
        (SCALE, 60, True),
        (SCALE, 59, False),
        (SCALE, 604_800, True),
        (SCALE, 604_801, False),
    ],
)
def test_the_suspend_timeout_is_the_plans_to_choose(plan: Any, seconds: int, allowed: bool) -> None:
    if allowed:
        plan.check_suspend(seconds)
    else:
        assert refusal(plan.check_suspend, seconds).status == 400


def test_settings_that_a_plan_lacks_are_refused() -> None:
    error = refusal(FREE.check_settings, WINDOW)
    assert error.message == "editing maintenance window preferences is not allowed for this account"
    LAUNCH.check_settings(WINDOW)
    allowed = {"allowed_ips": {"ips": ["203.0.113.0/24"]}}
    SCALE.check_settings(allowed)
    assert refusal(LAUNCH.check_settings, allowed).status == 400
    FREE.check_settings({"allowed_ips": {"ips": []}})
    FREE.check_settings({"allowed_ips": {}})


@pytest.mark.parametrize(
    "text", ["203.0.113.1", "203.0.113.0/24", "203.0.113.1-203.0.113.9", "2001:db8::/32"]
)
def test_addresses_ranges_and_blocks_are_allowed(text: str) -> None:
    check_ip_range(text)


@pytest.mark.parametrize("text", ["", "x", "203.0.113.0/33", "203.0.113.9-203.0.113.1", "1-2-3"])
def test_other_text_is_no_address(text: str) -> None:
    assert refusal(check_ip_range, text).status == 400
