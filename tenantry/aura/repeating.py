"""When a request is sent again, and after how long."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final, TypeVar

from tenantry.aura.errors import (
    AuraAnswerError,
    AuraError,
    AuraLostAnswerError,
    AuraServerError,
    AuraThrottledError,
    AuraUnreachableError,
)
from tenantry.retries import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenacity import RetryCallState

    from tenantry.aura.clock import Clock, Deadline

T = TypeVar("T")

POLICY: Final = RetryPolicy(attempts=6, first_delay=1_000, factor=2.0, cap=30_000, jitter=0.25)
"""For what may be broken for long. Being asked to wait is no failure, and is followed until the deadline."""


def repeat(call: Callable[[], T], *, safe: bool, clock: Clock, deadline: Deadline) -> T:
    """Call until it succeeds or until another attempt has no sense, or no time.

    What was certainly not done (no connection, 429) is done again. What may have been done (no answer, 5xx) only where
    doing it twice is the same as once.

    :param safe: the request may have its effect twice
    :raises AuraError: the last attempt's
    """
    from tenacity import Retrying, retry_if_exception

    passing: tuple[type[AuraError], ...] = (AuraUnreachableError, AuraThrottledError)
    if safe:
        passing += (AuraLostAnswerError, AuraServerError)

    def stop(state: RetryCallState) -> bool:
        asked = isinstance(_error(state), AuraThrottledError)
        return state.upcoming_sleep >= deadline.left() or (
            not asked and state.attempt_number >= POLICY.attempts
        )

    again = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, passing)),
        wait=_pause,
        stop=stop,
        sleep=clock.sleep,
        reraise=True,
    )
    return again(call)


def _pause(state: RetryCallState) -> float:
    error = _error(state)
    asked = error.refusal.retry_after if isinstance(error, AuraAnswerError) else None
    if asked is None:
        return POLICY.pause(state.attempt_number)
    # Never sooner than asked, and not all at the same moment.
    return asked + random.uniform(0, POLICY.jitter * max(asked, 1.0))  # noqa: S311 no secret depends on it


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
