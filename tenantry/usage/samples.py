"""The catalog's table of what was used: written by workers once an hour, read by commands.

A day's row is written anew with each reading until Neon's count of that day does not grow any more. So a reading that
is lost costs nothing, and one that comes twice counts once.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from tenantry.catalog.session import open_catalog
from tenantry.usage.measures import Sample, Use

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from tenantry.selfservice.database import Connection
    from tenantry.usage.measures import Month

KEPT: Final = "400 days"
_AMOUNTS: Final = tuple(each.name for each in fields(Use))
_OF_MONTH: Final = (
    f"SELECT app_id, project, day, at, {', '.join(_AMOUNTS)} FROM tenantry.usage_samples "  # noqa: S608  # ours
    "WHERE namespace = %s AND day >= %s AND day < %s ORDER BY app_id, day"
)


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What the catalog knows of a month."""

    samples: tuple[Sample, ...] = ()
    at: datetime | None = None
    """When Neon was asked last; None where it was not."""
    users: Mapping[str, int] | None = None
    """How many people have signed up for an app."""


@dataclass(frozen=True, kw_only=True)
class Last:
    """The last reading."""

    day: date
    """The newest day that was told of."""
    age: float
    """Seconds, by the database's clock."""


def stored(url: str, namespace: str, month: Month) -> Stored:
    """Return what the catalog has of a month; nothing where its tables are older, or not there.

    :param url: the catalog's
    :raises CatalogError: it does not answer, or refuses
    """
    with open_catalog(url) as connection:
        there = connection.execute(
            "SELECT to_regclass('tenantry.usage_samples') IS NOT NULL"
        ).fetchone()
        if not there or not there[0]:
            return Stored()
        rows = connection.execute(
            _OF_MONTH, (namespace, month.start.date(), month.end.date())
        ).fetchall()
        users = connection.execute(
            "SELECT app_id, count(*) FROM tenantry.user_signups WHERE namespace = %s AND deleted_at IS NULL GROUP BY app_id",
            (namespace,),
        ).fetchall()
    return Stored(
        samples=tuple(
            Sample(
                app=app,
                project=project,
                day=day,
                use=Use(**dict(zip(_AMOUNTS, amounts, strict=True))),
            )
            for app, project, day, _, *amounts in rows
        ),
        at=max((row[3] for row in rows), default=None),
        users=dict(users),
    )


async def last(connection: Connection, namespace: str) -> Last | None:
    """Return the last reading; None where there was none."""
    found = await connection.execute(
        "SELECT max(day) AS day, extract(epoch FROM now() - max(at))::float8 AS age FROM tenantry.usage_samples "
        "WHERE namespace = %s",
        (namespace,),
    )
    row = await found.fetchone()
    return Last(**row) if row and row["day"] else None


async def of_month(connection: Connection, namespace: str, month: Month) -> list[Sample]:
    """Return a month's readings."""
    found = await connection.execute(_OF_MONTH, (namespace, month.start.date(), month.end.date()))
    return [
        Sample(
            app=row["app_id"],
            project=row["project"],
            day=row["day"],
            use=Use(**{name: row[name] for name in _AMOUNTS}),
        )
        async for row in found
    ]


async def note(connection: Connection, namespace: str, samples: Sequence[Sample]) -> None:
    """Write a reading, and throw away what is over a year old."""
    names = ("namespace", "project", "day", "app_id", *_AMOUNTS)
    kept = ", ".join(f"{name} = EXCLUDED.{name}" for name in ("app_id", *_AMOUNTS))
    rows: list[tuple[Any, ...]] = [
        (
            namespace,
            each.project,
            each.day,
            each.app,
            *(getattr(each.use, name) for name in _AMOUNTS),
        )
        for each in samples
    ]
    async with connection.cursor() as cursor:
        await cursor.executemany(
            f"INSERT INTO tenantry.usage_samples ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))}) "  # noqa: S608  # ours
            f"ON CONFLICT (namespace, project, day) DO UPDATE SET at = now(), {kept}",
            rows,
        )
    await connection.execute(
        f"DELETE FROM tenantry.usage_samples WHERE day < now() - interval '{KEPT}'"  # noqa: S608  # ours
    )
