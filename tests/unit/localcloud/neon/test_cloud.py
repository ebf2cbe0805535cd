from __future__ import annotations

from datetime import UTC, datetime, timedelta

from localcloud.clock import render
from localcloud.neon.cloud import KEPT_DELETED, RECOVERY, _beyond_recovery, recoverable_until
from localcloud.records import Branch

NOW = datetime.now(UTC)


def branch(name: str, deleted: datetime | None) -> Branch:
    at = render(NOW)
    gone = render(deleted) if deleted else None
    return Branch(name, "p", name, None, False, False, "ready", None, at, at, at, deleted_at=gone)


def test_what_is_not_deleted_stays_whatever_its_number() -> None:
    assert _beyond_recovery([branch(str(n), None) for n in range(KEPT_DELETED * 2)]) == []


def test_what_was_deleted_longer_ago_than_it_can_be_recovered_goes() -> None:
    fresh = branch("fresh", NOW - RECOVERY + timedelta(hours=1))
    stale = branch("stale", NOW - RECOVERY - timedelta(hours=1))
    assert _beyond_recovery([stale, fresh]) == [stale]


def test_of_too_much_the_oldest_goes() -> None:
    deleted = [branch(str(n), NOW - timedelta(minutes=n)) for n in range(KEPT_DELETED + 2)]
    assert _beyond_recovery(deleted) == deleted[-2:]


def test_recovery_ends_seven_days_after_the_deletion() -> None:
    assert recoverable_until("2026-01-01T10:00:00.000000Z") == "2026-01-08T10:00:00.000000Z"
