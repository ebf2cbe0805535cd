"""Draws tokens from the catalog's bucket into the wallet of this machine, while a command has an engine at work.

One process of a machine draws for all; whoever holds the lock beside the wallet does, and when it dies, the next.
Tokens are drawn when requests wait for them, and not before: what is not spent at once is lost to all machines.
"""

from __future__ import annotations

import math
import os
import random
import threading
import time
from typing import TYPE_CHECKING, Final

from tenantry.budgets.bucket import Bucket, BucketError, NoBucketError, digest_of
from tenantry.budgets.rates import KEPT, NEON_MOST, NEON_PER_MINUTE, neon_rate
from tenantry.budgets.wallet import Wallet
from tenantry.surroundings import CATALOG

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenantry.budgets.rates import Rate
    from tenantry.budgets.wallet import Seen

_LOOK: Final = 0.02
"""Seconds between two looks whether somebody waits."""
_LOOK_FOR_LOCK: Final = 0.25
_PROMISE: Final = 5.0
"""Seconds for which the plugins rely on this thread. It is more than a connection and an answer may take."""
_PROMISE_AGAIN: Final = 1.0
_BATCH: Final = 0.5
"""Seconds of the bucket's rate that are drawn at once. A machine that dies loses no more."""
_PAUSE: Final = 0.1
"""Seconds after the bucket gave less than was wanted: others want some too."""
_PROBE: Final = 5.0
"""Seconds until a catalog that failed, or had no table, is asked again."""
_LATE: Final = 3
"""So many answers one after the other that come when their tokens are too old count as none."""


class Drawing:
    """Draws for one key, in a thread of its own, from its start until `stop`."""

    def __init__(self, wallet: Wallet, bucket: Bucket, rate: Rate) -> None:
        """Say to the plugins that tokens will be drawn, and begin."""
        self._wallet = wallet
        self._bucket = bucket
        self._most = max(1, math.ceil(rate.per_minute / 60 * _BATCH))
        self._stopped = threading.Event()
        self._lock: int | None = None
        self._promised = 0.0
        self._next = 0.0
        self._late = 0
        self._cut_off = False
        self._absent = False
        self._told = 0.0
        """The end of the hold that the catalog knows of."""
        self._drawn_until = 0.0
        self._thread = threading.Thread(target=self._run, name="budgets", daemon=True)
        try:
            # Before there is an engine: its first request is to wait for a token.
            self._elect()
        except OSError:
            # The plugins cannot use the file either. They say so, and each keeps to its part.
            self._stopped.set()
        self._thread.start()

    def stop(self) -> None:
        """End it. What the plugins then ask is asked as by a machine that sees no other."""
        self._stopped.set()
        self._thread.join(_PROMISE)

    def _run(self) -> None:
        try:
            while not self._stopped.wait(_LOOK if self._lock is not None else _LOOK_FOR_LOCK):
                if self._lock is None:
                    self._elect()
                else:
                    self._step(time.time())
        except OSError:
            # As at the start.
            pass
        finally:
            self._end()

    def _elect(self) -> None:
        import fcntl

        file = self._wallet.file.with_suffix(".drawing")
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return
        self._lock = lock
        self._promise(time.time())

    def _promise(self, now: float) -> None:
        self._wallet.promise(now + _PROMISE, cut_off=self._cut_off)
        self._promised = now

    def _step(self, now: float) -> None:
        if self._cut_off or self._absent:
            if now >= self._next:
                self._ask(0)
        else:
            seen = self._wallet.look(now)
            if seen is not None:
                self._serve(seen, now)
        if not self._absent and not 0 <= now - self._promised < _PROMISE_AGAIN:
            self._promise(now)

    def _serve(self, seen: Seen, now: float) -> None:
        if seen.held_until > max(now, self._told):
            self._told = seen.held_until
            self._hold(seen.held_until - now)
        if self._drawn_until and now >= self._drawn_until:
            self._drawn_until = 0.0
            self._wallet.expire(now)
            return
        missing = seen.wanted - seen.tokens
        if missing > 0 and now >= self._next:
            self._ask(min(missing, self._most))

    def _ask(self, wanted: int) -> None:
        """Draw tokens; none to see whether the catalog is there again."""
        # The tokens' age counts from before they were asked for: the server's clock may be another.
        began = time.time()
        try:
            taken = self._bucket.take(wanted)
        except NoBucketError:
            self._fail(absent=True)
            return
        except BucketError:
            self._fail(absent=False)
            return
        now = time.time()
        self._late = self._late + 1 if now - began > KEPT else 0
        if self._late >= _LATE:
            self._fail(absent=False)
            return
        if self._cut_off or self._absent:
            self._cut_off = self._absent = False
            self._promise(now)
        self._next = 0.0
        if taken.count < wanted:
            self._next = now + max(_PAUSE, taken.pause) * random.uniform(1, 1.5)  # noqa: S311 no secret
        held_until = now + taken.held if taken.held else 0.0
        if held_until:
            # A little later than the catalog has it, which need not hear of it.
            self._told = held_until + KEPT
        if taken.count:
            self._drawn_until = began + KEPT
        if taken.count or held_until:
            self._wallet.put(taken.count, began + KEPT, held_until)

    def _hold(self, seconds: float) -> None:
        try:
            self._bucket.hold(seconds)
        except NoBucketError:
            self._fail(absent=True)
        except BucketError:
            self._fail(absent=False)

    def _fail(self, *, absent: bool) -> None:
        self._absent, self._cut_off, self._late = absent, not absent, 0
        self._next = time.time() + _PROBE
        if absent:
            self._wallet.forget()
        else:
            self._promise(time.time())

    def _end(self) -> None:
        self._bucket.close()
        if self._lock is None:
            return
        lock, self._lock = self._lock, None
        try:
            if not self._absent:
                self._wallet.promise(time.time(), cut_off=self._cut_off)
        except OSError:
            # As at the start.
            pass
        finally:
            os.close(lock)


def draw(environment: Mapping[str, str], organization: str) -> Drawing | None:
    """Begin to draw for Neon's plugins; None where the variables name no catalog or no key.

    A key or a catalog that only a stack's settings name stays out: they are encrypted, and the engine alone reads them.

    :param environment: the variables of the run
    :param organization: whose budget it is; empty where the key implies it
    """
    url, key = environment.get(CATALOG), environment.get("NEON_API_KEY")
    if not url or not key:
        return None
    rate = neon_rate(_per_minute(environment.get("NEON_API_RPM", "")))
    place = environment.get("NEON_API_URL", "").rstrip("/")
    digest = digest_of("neon", place, organization or f"key {key}")
    return Drawing(Wallet.of(key, environment), Bucket(url, digest, rate), rate)


def _per_minute(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        # The plugin refuses what is no number, before it asks anything.
        return NEON_PER_MINUTE
    return found if 1 <= found <= NEON_MOST else NEON_PER_MINUTE
