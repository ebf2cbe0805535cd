"""How often something is tried, and how long is waited in between: one type for all that is tried again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


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
        # Past this the cap counts anyway, and a float would overflow.
        exponent = min(failures - 1, 64)
        return min(self.first_delay * self.factor**exponent, self.cap) / 1000

    def pause(self, failures: int) -> float:
        """Return the seconds to wait after that many failures, the random part included."""
        # Imported here: a run with nothing to do does not need it.
        import random

        return self.delay(failures) * (1 + random.uniform(0, self.jitter))  # noqa: S311 spreads load, hides nothing
