import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tenantry.fleet.events import Event, Finished, Result, Started, Waiting
from tenantry.fleet.failures import Failure, Kind
from tenantry.fleet.scheduling import Attempted, Policy, Schedule
from tenantry.retries import RetryPolicy

SOON = RetryPolicy(attempts=3, first_delay=10)
QUICK = Policy(passing=SOON, busy=SOON, busy_for=0.2)
SECONDS = 10


@dataclass(frozen=True)
class App:
    app: str

    @property
    def stack(self) -> str:
        return self.app.replace("/", "--")


def apps(count: int) -> list[App]:
    return [App(f"acme/a{number}") for number in range(count)]


def done(job: App) -> Attempted:
    return Attempted(Result(job.app, job.stack, "applied"))


def failed(job: App, kind: Kind) -> Attempted:
    return Attempted(
        Result(job.app, job.stack, "busy" if kind == "busy" else "failed", reason="why"),
        Failure(kind, "why"),
    )


def test_never_more_than_so_many_at_once_and_all_of_them() -> None:
    lock, now, most = threading.Lock(), 0, 0

    def attempt(job: App, _tell: Callable[[Event], None]) -> Attempted:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.01)
        with lock:
            now -= 1
        return done(job)

    results = Schedule(attempt, workers=3, policy=QUICK).run(apps(12), lambda _: None)
    assert most == 3
    assert {each.app for each in results} == {job.app for job in apps(12)}


def test_one_failure_stops_no_other() -> None:
    def attempt(job: App, _tell: Callable[[Event], None]) -> Attempted:
        return failed(job, "lasting") if job.app == "acme/a0" else done(job)

    results = Schedule(attempt, workers=2, policy=QUICK).run(apps(4), lambda _: None)
    outcomes = {each.app: (each.outcome, each.attempts) for each in results}
    assert outcomes.pop("acme/a0") == ("failed", 1)
    assert set(outcomes.values()) == {("applied", 1)}


def test_a_passing_failure_is_tried_again_and_told() -> None:
    tries: list[str] = []
    told: list[Event] = []

    def attempt(job: App, _tell: Callable[[Event], None]) -> Attempted:
        tries.append(job.app)
        return failed(job, "passing") if len(tries) == 1 else done(job)

    (result,) = Schedule(attempt, workers=1, policy=QUICK).run(apps(1), told.append)
    assert (result.outcome, result.attempts) == ("applied", 2)
    assert [type(each) for each in told] == [Started, Waiting, Started, Finished]


def test_a_passing_failure_is_tried_so_often_and_no_more() -> None:
    def attempt(job: App, _tell: Callable[[Event], None]) -> Attempted:
        return failed(job, "passing")

    (result,) = Schedule(attempt, workers=1, policy=QUICK).run(apps(1), lambda _: None)
    assert (result.outcome, result.attempts, result.reason) == ("failed", 3, "why")


def test_a_busy_stack_is_tried_while_others_go_on_and_then_reported() -> None:
    order: list[str] = []

    def attempt(job: App, _tell: Callable[[Event], None]) -> Attempted:
        order.append(job.app)
        return failed(job, "busy") if job.app == "acme/a0" else done(job)

    results = Schedule(attempt, workers=1, policy=QUICK).run(apps(3), lambda _: None)
    assert order[:3] == ["acme/a0", "acme/a1", "acme/a2"]
    assert results[-1].outcome == "busy"
    assert results[-1].attempts > 2


def test_after_a_stop_nothing_new_begins_and_what_is_left_is_said() -> None:
    began, go = threading.Event(), threading.Event()

    def attempt(job: App, _tell: Callable[[Event], None]) -> Attempted:
        began.set()
        assert go.wait(SECONDS)
        return done(job)

    schedule = Schedule(attempt, workers=1, policy=QUICK)

    def stop() -> None:
        began.wait(SECONDS)
        schedule.stop()
        go.set()

    threading.Thread(target=stop).start()
    results = schedule.run(apps(3), lambda _: None)
    assert [each.outcome for each in results] == ["applied", "not started", "not started"]


def test_after_a_stop_what_waits_for_its_next_attempt_keeps_its_reason() -> None:
    schedule: Schedule[App]

    def attempt(job: App, _tell: Callable[[Event], None]) -> Attempted:
        return failed(job, "passing")

    schedule = Schedule(
        attempt, workers=1, policy=Policy(passing=RetryPolicy(first_delay=SECONDS * 1000))
    )
    results = schedule.run(
        apps(1), lambda event: schedule.stop() if isinstance(event, Waiting) else None
    )
    assert [(each.outcome, each.reason) for each in results] == [("failed", "why")]


def test_what_an_attempt_tells_comes_in_the_callers_thread() -> None:
    threads = set()

    def attempt(job: App, tell: Callable[[Event], None]) -> Attempted:
        tell(Waiting(job.app, 0, ""))
        return done(job)

    Schedule(attempt, workers=2, policy=QUICK).run(
        apps(2), lambda _: threads.add(threading.current_thread())
    )
    assert threads == {threading.current_thread()}


def test_how_much_is_left_is_told() -> None:
    told: list[Finished] = []
    schedule: Schedule[App] = Schedule(lambda job, _: done(job), workers=1, policy=QUICK)
    schedule.run(apps(3), lambda event: told.append(event) if isinstance(event, Finished) else None)
    assert [each.left for each in told] == [2, 1, 0]
    assert all(each.remaining is not None for each in told)


def test_a_fault_of_the_program_is_not_swallowed() -> None:
    def attempt(_job: App, _tell: Callable[[Event], None]) -> Attempted:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Schedule(attempt, workers=1, policy=QUICK).run(apps(2), lambda _: None)


def test_no_apps_are_no_work() -> None:
    schedule: Schedule[App] = Schedule(lambda job, _: done(job), workers=4, policy=QUICK)
    assert schedule.run([], print) == []


def test_where_the_listener_fails_what_is_in_flight_still_ends() -> None:
    ended = threading.Event()

    def attempt(job: App, _tell: Callable[[Event], None]) -> Attempted:
        time.sleep(0.2)
        ended.set()
        return done(job)

    def tell(_event: Event) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        Schedule(attempt, workers=1, policy=QUICK).run(apps(2), tell)
    assert ended.is_set()
