"""Notifications that not every receiver has: what waits for another attempt, and what was given up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tenantry.catalog.session import open_catalog
from tenantry.selfservice.errors import SelfServiceError

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Undelivered:
    """A notification that somebody does not have."""

    app: str
    kind: str
    at: datetime
    """When it happened."""
    state: Literal["waiting", "given up"]
    attempts: int
    next_attempt_at: datetime | None
    """None where it was given up."""
    failure: str | None
    """Why, at the last attempt; None before the first."""


def undelivered(url: str, namespace: str, *, again: bool = False) -> list[Undelivered]:
    """Return what is not delivered, the oldest first.

    :param url: the catalog's
    :param again: let a worker try at once, also what was given up; who has a message does not get it again
    :raises SelfServiceError: the catalog has no such table yet
    :raises CatalogError: the catalog does not answer, or refuses
    """
    with open_catalog(url) as connection:
        there = connection.execute(
            "SELECT to_regclass('tenantry.notifications') IS NOT NULL"
        ).fetchone()
        if not there or not there[0]:
            raise SelfServiceError(
                "the catalog has no table of notifications",
                place="catalog",
                way_out="tenantry up makes it",
            )
        if again:
            # `at` stays, since the message's id is made of it: what is old is tried once, and then given up again.
            connection.execute(
                "UPDATE tenantry.notifications SET ended_at = NULL, next_attempt_at = now() "
                "WHERE namespace = %s AND (ended_at IS NULL AND attempts > 0 OR failure IS NOT NULL)",
                (namespace,),
            )
        rows = connection.execute(
            "SELECT app_id, kind, at, CASE WHEN ended_at IS NULL THEN 'waiting' ELSE 'given up' END, attempts, "
            "CASE WHEN ended_at IS NULL THEN next_attempt_at END, failure FROM tenantry.notifications "
            "WHERE namespace = %s AND (ended_at IS NULL OR failure IS NOT NULL) ORDER BY id",
            (namespace,),
        ).fetchall()
    names = ("app", "kind", "at", "state", "attempts", "next_attempt_at", "failure")
    return [Undelivered(**dict(zip(names, row, strict=True))) for row in rows]
