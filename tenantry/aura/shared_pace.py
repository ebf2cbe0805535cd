"""One pace of requests for all machines that use a credential: by the catalog, where there is one."""

from __future__ import annotations

import random
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tenantry.aura.errors import AuraDeadlineError
from tenantry.aura.limiter import RateLimiter
from tenantry.budgets.bucket import Bucket, BucketError, NoBucketError, digest_of
from tenantry.budgets.rates import Rate, aura_rate
from tenantry.provisioning.sharing import Shared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tenantry.aura.clock import Clock, Deadline
    from tenantry.aura.settings import AuraSettings

_APART: Final = 8
"""A machine that does not reach the catalog keeps to an eighth, as the Neon plugin does."""
_LOOK: Final = 0.5
"""Seconds between two looks whether the run is stopped, while others of this process are before."""


@dataclass(frozen=True)
class _Line:
    """The bucket, and who of this process is the next to take from it."""

    bucket: Bucket
    first: threading.Lock = field(default_factory=threading.Lock)


def _line(key: tuple[str, str, Rate]) -> _Line:
    return _Line(Bucket(*key))


_lines: Final = Shared(_line, lambda line: line.bucket.close())


def limiter_of(settings: AuraSettings, clock: Clock) -> RateLimiter | SharedLimiter:
    """Return what lets requests of these settings go, one by one."""
    own = RateLimiter(settings.file("requests"), settings.requests_per_minute, clock)
    return SharedLimiter(settings, own, clock) if settings.catalog_url else own


class SharedLimiter:
    """Takes a token of the bucket in the catalog for each request.

    Where the catalog has no such table, no machine does, and this one goes by its own file. Where it does not answer,
    others may still reach it, and this one goes by its file with an eighth.
    """

    def __init__(self, settings: AuraSettings, own: RateLimiter, clock: Clock) -> None:
        """Take nothing yet.

        :param own: the pace of this machine
        """
        most = settings.requests_per_minute
        self._key = (
            settings.catalog_url,
            digest_of("aura", settings.base_url, settings.who),
            aura_rate(most),
        )
        self._own = own
        self._apart = RateLimiter(settings.file("requests"), max(1, most // _APART), clock)
        self._clock = clock

    def acquire(self, deadline: Deadline) -> None:
        """Wait for a turn.

        :raises AuraDeadlineError: it would come too late; no turn is then taken
        """
        line = _lines.get(self._key)
        try:
            with self._turn(line, deadline):
                while (taken := line.bucket.take(1)).count == 0:
                    self._check(taken.pause, deadline)
                    # At once they would all come for one token.
                    self._clock.sleep(taken.pause * random.uniform(1, 1.2))  # noqa: S311 no secret
        except NoBucketError:
            self._own.acquire(deadline)
        except BucketError:
            self._apart.acquire(deadline)

    def hold(self, seconds: float) -> None:
        """Let nothing go for so long, on any machine: Aura asked for it."""
        self._own.hold(seconds)
        # Where it does not get there, the others hear it from Aura themselves.
        with suppress(NoBucketError, BucketError):
            _lines.get(self._key).bucket.hold(seconds)

    @contextmanager
    def _turn(self, line: _Line, deadline: Deadline) -> Iterator[None]:
        while not line.first.acquire(timeout=min(_LOOK, deadline.left())):
            self._check(0, deadline)
            # It ends with the run.
            self._clock.sleep(0)
        try:
            yield
        finally:
            line.first.release()

    def _check(self, pause: float, deadline: Deadline) -> None:
        left = deadline.left()
        if pause > left or left == 0:
            raise AuraDeadlineError(
                "Aura: all machines together have used up what may be asked (AURA_REQUESTS_PER_MINUTE), and the next request "
                "would come past the deadline of this call: try again later, or run fewer apps at once"
            )
