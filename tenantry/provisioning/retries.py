"""Tries a step of provisioning again."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tenantry.provisioning.errors import ProvisioningError
from tenantry.provisioning.pauses import pause

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenantry.provisioning.errors import Step
    from tenantry.retries import RetryPolicy

Result = TypeVar("Result")


def repeat(
    policy: RetryPolicy,
    step: Step,
    action: Callable[[], Result],
    *,
    sleep: Callable[[float], None] = pause,
) -> Result:
    """Call `action` until it succeeds, fails for good, or has failed as often as allowed; raise the last failure.

    `action` must be one that may be done twice. A failure of another step was tried again by that step's policy.

    :param sleep: waits that many seconds; by default a stop of the run ends it
    :raises StoppedError: the run is being stopped, and another attempt would have been waited for
    """
    # Imported here: a run with nothing to do does not need it.
    from tenacity import Retrying, retry_if_exception, stop_after_attempt

    retrying = Retrying(
        stop=stop_after_attempt(policy.attempts),
        wait=lambda state: policy.pause(state.attempt_number),
        retry=retry_if_exception(
            lambda error: (
                isinstance(error, ProvisioningError) and error.may_pass and error.step == step
            )
        ),
        sleep=sleep,
        reraise=True,
    )
    return retrying(action)
