"""How long a caller waits, where a page ends, how often somebody may ask."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.service.cursors import cursor, position
from tenantry.service.limits import CALLERS, Limiter
from tenantry.service.preferences import preference
from tenantry.service.problems import ProblemError


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], (60, "")),
        (["respond-async"], (0, "respond-async")),
        (["wait=5"], (5, "wait=5")),
        (["wait=500"], (60, "wait=60")),
        (['return=minimal, WAIT = "7"; x=1'], (7, "wait=7")),
        (["respond-async, wait=3"], (3, "respond-async, wait=3")),
        (["wait=2", "wait=9"], (2, "wait=2")),
        (["wait=soon, handling=lenient"], (60, "")),
    ],
)
def test_a_preference_is_heeded_up_to_the_limit(
    headers: list[str], expected: tuple[int, str]
) -> None:
    assert preference(headers, 60) == expected


@given(st.integers(0, 10**16), st.uuids())
def test_a_cursor_is_read_as_it_was_written(micros: int, identity: UUID) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    assert position(cursor(at, identity)) == (at, identity)


@given(st.one_of(st.text(max_size=40), st.binary(max_size=40).map(lambda each: each.hex())))
def test_what_is_no_cursor_is_a_problem_of_the_caller(text: str) -> None:
    # Whatever else it raises fails the test.
    with suppress(ProblemError):
        position(text)


def test_who_asks_too_often_is_told_when_to_come_back_and_others_are_not_held_up() -> None:
    now = 0.0
    limiter = Limiter(60, clock=lambda: now)
    for _ in range(30):
        limiter.count("ann")
    with pytest.raises(ProblemError) as raised:
        limiter.count("ann")
    assert raised.value.status == 429
    limiter.count("bob")
    now = float(raised.value.headers["Retry-After"])
    limiter.count("ann")


def test_of_so_many_callers_is_known_when_they_asked() -> None:
    limiter = Limiter(60, clock=lambda: 0.0)
    for number in range(CALLERS + 5):
        limiter.count(str(number))
    assert len(limiter._callers) == CALLERS
