import random
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.provisioning.errors import (
    BusyError,
    ConflictError,
    DeniedError,
    MissingError,
    ProvisioningError,
    RejectedError,
    Step,
    UnavailableError,
)
from tenantry.provisioning.retries import repeat
from tenantry.retries import RetryPolicy

# The registry's limits: docs/registry.md, "Retries".
policies = st.builds(
    RetryPolicy,
    attempts=st.integers(1, 10),
    first_delay=st.integers(100, 600_000),
    factor=st.floats(1, 10),
    cap=st.integers(100, 600_000),
    jitter=st.floats(0, 1),
)


class Failing:
    """An action that fails with each of the given errors in turn, and then succeeds."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = errors
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= len(self.errors):
            raise self.errors[self.calls - 1]
        return "done"


def failure(kind: type[ProvisioningError] = BusyError, step: Step = "keys") -> ProvisioningError:
    return kind("acme/web", step, "somebody holds the row", "tenantry up")


@given(policies, st.integers(1, 1000))
def test_a_wait_is_between_the_first_delay_and_the_cap(policy: RetryPolicy, failures: int) -> None:
    delay = policy.delay(failures)
    assert min(policy.first_delay, policy.cap) / 1000 <= delay <= policy.cap / 1000


@given(policies, st.integers(1, 1000))
def test_no_wait_is_shorter_than_the_one_before(policy: RetryPolicy, failures: int) -> None:
    assert policy.delay(failures) <= policy.delay(failures + 1)


@given(policies, st.integers(1, 20))
def test_each_wait_is_the_one_before_times_the_factor_until_the_cap(
    policy: RetryPolicy, failures: int
) -> None:
    following = min(policy.delay(failures) * policy.factor, policy.cap / 1000)
    assert policy.delay(failures + 1) == pytest.approx(following)


@given(policies, st.integers())
def test_the_random_part_is_a_share_of_the_wait_at_most(policy: RetryPolicy, seed: int) -> None:
    slept: list[float] = []
    random.seed(seed)
    action = Failing(*[failure() for _ in range(policy.attempts - 1)])
    assert repeat(policy, "keys", action, sleep=slept.append) == "done"
    assert len(slept) == policy.attempts - 1
    for failures, seconds in enumerate(slept, start=1):
        least = policy.delay(failures)
        assert least <= seconds <= least * (1 + policy.jitter) * (1 + 1e-9)


def test_two_apps_do_not_come_back_at_the_same_moment() -> None:
    slept: list[float] = []
    for _ in range(20):
        repeat(RetryPolicy(attempts=2), "keys", Failing(failure()), sleep=slept.append)
    assert len(set(slept)) == 20


@given(policies)
def test_the_last_failure_is_raised_after_so_many_attempts(policy: RetryPolicy) -> None:
    errors = [failure() for _ in range(policy.attempts)]
    action = Failing(*errors)
    with pytest.raises(BusyError) as raised:
        repeat(policy, "keys", action, sleep=lambda _seconds: None)
    assert action.calls == policy.attempts
    assert raised.value is errors[-1]


def test_a_success_is_the_end() -> None:
    action = Failing()
    slept: list[float] = []
    assert repeat(RetryPolicy(attempts=5), "keys", action, sleep=slept.append) == "done"
    assert (action.calls, slept) == (1, [])


@pytest.mark.parametrize("kind", [UnavailableError, BusyError])
def test_what_passes_is_tried_again(kind: type[ProvisioningError]) -> None:
    action = Failing(failure(kind))
    assert repeat(RetryPolicy(), "keys", action, sleep=lambda _seconds: None) == "done"
    assert action.calls == 2


@pytest.mark.parametrize(
    "error",
    [
        *(failure(kind) for kind in (DeniedError, RejectedError, ConflictError, MissingError)),
        failure(BusyError, "database"),
        OSError("no file"),
    ],
    ids=lambda error: f"{type(error).__name__} of {getattr(error, 'step', 'no step')}",
)
def test_what_stays_wrong_and_what_another_step_tried_is_not_tried_again(error: Exception) -> None:
    action = Failing(error)
    with pytest.raises(type(error)) as raised:
        repeat(RetryPolicy(), "keys", action, sleep=lambda _seconds: pytest.fail("it waited"))
    assert raised.value is error
    assert action.calls == 1


def test_a_passing_failure_followed_by_a_lasting_one_ends_with_that() -> None:
    action = Failing(failure(BusyError), failure(DeniedError))
    with pytest.raises(DeniedError):
        repeat(RetryPolicy(attempts=5), "keys", action, sleep=lambda _seconds: None)
    assert action.calls == 2


@given(policies)
def test_a_policy_comes_back_from_its_text(policy: RetryPolicy) -> None:
    assert RetryPolicy.of(policy.text()) == policy


def test_without_a_text_it_is_the_default() -> None:
    assert RetryPolicy.of(None) == RetryPolicy(
        attempts=3, first_delay=10_000, factor=1.0, cap=60_000, jitter=0.1
    )


def test_it_waits_by_the_clock_where_nothing_else_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    policy = RetryPolicy(attempts=2, first_delay=3_000, jitter=0)
    assert repeat(policy, "keys", Failing(failure())) == "done"
    assert slept == [3.0]


def test_a_run_with_nothing_to_do_does_without_tenacity() -> None:
    code = (
        "import sys; from tenantry.retries import RetryPolicy; RetryPolicy.of(None);"
        "print('tenacity' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"
