"""A bounded number of apps at once; those that fail for a passing reason again, a little later."""

from __future__ import annotations

import heapq
import threading
import time
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from itertools import count
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from tenantry.fleet.events import Finished, Result, Started, Waiting
from tenantry.retries import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tenantry.fleet.events import Event, Outcome
    from tenantry.fleet.failures import Failure

_PASSING: Final = RetryPolicy(attempts=3, first_delay=5_000, factor=3.0, jitter=0.2)
_BUSY: Final = RetryPolicy(first_delay=2_000, factor=2.0, cap=30_000, jitter=0.2)
_LOOK: Final = 0.5
"""Seconds after which the caller's thread looks up, so that it hears a signal."""


class Job(Protocol):
    """Something to be done for one app."""

    @property
    def app(self) -> str:
        """The app's id."""
        ...

    @property
    def stack(self) -> str:
        """Its stack."""
        ...


AnyJob = TypeVar("AnyJob", bound=Job)


@dataclass(frozen=True)
class Policy:
    """When an app is tried again."""

    passing: RetryPolicy = _PASSING
    """For one that failed for a passing reason."""
    busy: RetryPolicy = _BUSY
    """Before a stack that another run holds is tried again; its number of attempts does not count."""
    busy_for: float = 300.0
    """Seconds that such a stack is waited for in all."""

    def wait(self, failure: Failure, attempts: int, busy_for: float) -> float | None:
        """Return how long to wait before the next attempt; None where there is to be none.

        :param attempts: how many there were
        :param busy_for: seconds since the stack was found to be held for the first time
        """
        if failure.kind == "busy" and busy_for < self.busy_for:
            return self.busy.pause(attempts)
        if failure.kind == "passing" and attempts < self.passing.attempts:
            return self.passing.pause(attempts)
        return None


@dataclass(frozen=True)
class Attempted:
    """How one attempt ended."""

    result: Result
    failure: Failure | None = None
    """Why it did not end well."""

    def as_look(self, outcome: Outcome) -> Attempted:
        """Return it as a look with this outcome, unless it failed. Which resources differ is said elsewhere."""
        if self.failure is not None:
            return self
        return replace(self, result=replace(self.result, outcome=outcome, changes={}))


@dataclass(order=True)
class _Entry(Generic[AnyJob]):
    at: float
    number: int
    job: AnyJob = field(compare=False)
    attempts: int = field(default=0, compare=False)
    seconds: float = field(default=0.0, compare=False)
    busy_since: float | None = field(default=None, compare=False)
    last: Result | None = field(default=None, compare=False)


class Schedule(Generic[AnyJob]):
    """Works on apps, each in one of a few threads."""

    def __init__(
        self,
        attempt: Callable[[AnyJob, Callable[[Event], None]], Attempted],
        *,
        workers: int,
        policy: Policy,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin nothing yet.

        :param attempt: works on one app, in a thread of its own, and may tell what happens
        :param workers: how many at once
        """
        self._attempt = attempt
        self._workers = workers
        self._policy = policy
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: list[_Entry[AnyJob]] = []
        self._numbers = count()
        self._in_flight = 0
        self._stopping = False
        self._told: SimpleQueue[Event | BaseException] = SimpleQueue()

    def stop(self) -> None:
        """Begin nothing more; what is in flight goes on. May be called from a signal's handler."""
        self._stopping = True

    def run(self, jobs: Iterable[AnyJob], tell: Callable[[Event], None]) -> list[Result]:
        """Work on all of them and return how each ended, in the order in which they did.

        :param tell: is told what happens, in the caller's thread
        """
        self._waiting = [_Entry(0.0, next(self._numbers), job) for job in jobs]
        left = len(self._waiting)
        results: list[Result] = []
        began = self._clock()
        threads = [
            # Each with what is known of the caller: what its log and its trace are about.
            threading.Thread(
                target=copy_context().run,
                args=(self._work,),
                name=f"fleet-{number}",
                daemon=True,
            )
            for number in range(min(self._workers, left))
        ]
        for thread in threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in threads) or not self._told.empty():
                try:
                    event = self._told.get(timeout=_LOOK)
                except Empty:
                    continue
                if isinstance(event, BaseException):
                    raise event  # noqa: TRY301 the same is to be done as for a listener that fails
                if isinstance(event, Finished):
                    left -= 1
                    results.append(event.result)
                    pace = (self._clock() - began) / len(results)
                    event = replace(event, left=left, remaining=pace * left)
                tell(event)
        except BaseException:
            # The listener failed, or an interrupt came. What is in flight is still brought to its end.
            self.stop()
            for thread in threads:
                thread.join()
            raise
        for entry in sorted(self._waiting):
            left -= 1
            result = entry.last or Result(entry.job.app, entry.job.stack, "not started")
            results.append(result)
            tell(Finished(result, left, None))
        return results

    def _work(self) -> None:
        while (entry := self._next()) is not None:
            try:
                self._once(entry)
            except BaseException as error:  # noqa: BLE001 the caller's thread raises it
                self._told.put(error)
            finally:
                with self._changed:
                    self._in_flight -= 1
                    self._changed.notify_all()

    def _next(self) -> _Entry[AnyJob] | None:
        with self._changed:
            while not self._stopping:
                if self._waiting:
                    delay = self._waiting[0].at - self._clock()
                    if delay <= 0:
                        self._in_flight += 1
                        return heapq.heappop(self._waiting)
                    self._changed.wait(min(delay, _LOOK))
                elif self._in_flight:
                    # One of these may come back.
                    self._changed.wait(_LOOK)
                else:
                    return None
            return None

    def _once(self, entry: _Entry[AnyJob]) -> None:
        job = entry.job
        entry.attempts += 1
        self._told.put(Started(job.app, job.stack, entry.attempts))
        began = self._clock()
        attempted = self._attempt(job, self._told.put)
        now = self._clock()
        entry.seconds += now - began
        result = replace(attempted.result, seconds=round(entry.seconds, 2), attempts=entry.attempts)
        wait = self._wait(entry, attempted.failure, now)
        if wait is None or attempted.failure is None:
            self._told.put(Finished(result, 0, None))
            return
        entry.at = now + wait
        entry.last = result
        self._told.put(Waiting(job.app, round(wait, 1), attempted.failure.reason))
        with self._changed:
            heapq.heappush(self._waiting, entry)

    def _wait(self, entry: _Entry[AnyJob], failure: Failure | None, now: float) -> float | None:
        if failure is None or self._stopping:
            return None
        if failure.kind == "busy" and entry.busy_since is None:
            entry.busy_since = now
        since = now - entry.busy_since if entry.busy_since is not None else 0.0
        return self._policy.wait(failure, entry.attempts, since)
