"""When a step is tried again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TypeVar

from tenantry.provisioning.errors import ProvisioningError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenacity import RetryCallState

    from tenantry.provisioning.errors import Step

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a step is tried, and how long is waited between two attempts. Times are milliseconds.

    Before attempt n + 1 it waits `first_delay * factor ** (n - 1)`, at most `cap`, and on top of that a random part of
    up to `jitter` times this, so that many apps do not come back at the same moment.
    """

    attempts: int = 3
    first_delay: int = 10_000
    factor: float = 1.0
    cap: int = 60_000
    jitter: float = 0.1

    @classmethod
    def of(cls, text: str | None) -> RetryPolicy:
        """Read a policy back; None gives the default."""
        return cls(**json.loads(text)) if text else cls()

    def text(self) -> str:
        """Write the policy as one JSON text, which costs the engine less than five numbers."""
        return json.dumps(asdict(self))

    def delay(self, failures: int) -> float:
        """Return the seconds to wait after that many failures (1 or more), without the random part."""
        # Past this the cap holds anyway, and a float would overflow.
        exponent = min(failures - 1, 64)
        return min(self.first_delay * self.factor**exponent, self.cap) / 1000

    def run(
        self,
        step: Step,
        action: Callable[[], Result],
        *,
        sleep: Callable[[float], None] | None = None,
    ) -> Result:
        """Call `action` until it succeeds, fails for good, or has failed `attempts` times; the last failure is raised.

        `action` must be one that may be done twice. A failure of another step was tried again by that step's policy.

        :param sleep: waits that many seconds; `time.sleep` by default
        """
        # Imported here: a run that has nothing to do has nothing to try again either.
        import random
        import time

        from tenacity import Retrying, retry_if_exception, stop_after_attempt

        def wait(state: RetryCallState) -> float:
            seconds = self.delay(state.attempt_number)
            return seconds * (1 + random.uniform(0, self.jitter))  # noqa: S311 spreads load, hides nothing

        retrying = Retrying(
            stop=stop_after_attempt(self.attempts),
            wait=wait,
            retry=retry_if_exception(
                lambda error: (
                    isinstance(error, ProvisioningError) and error.may_pass and error.step == step
                )
            ),
            sleep=sleep or time.sleep,
            reraise=True,
        )
        return retrying(action)
