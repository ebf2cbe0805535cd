"""What the last looks for drift found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tenantry.selfservice.database import Connection

KEPT: Final = "30 days"


@dataclass(frozen=True, kw_only=True)
class Look:
    """One look."""

    at: datetime
    age: float
    """Seconds, by the database's clock."""
    compared: int
    """Projects and graphs."""
    drifted: Mapping[str, tuple[str, ...]]
    """By the app's id, a line for each difference. One of no app stands under its stack."""
    strays: Mapping[str, tuple[str, ...]]
    """By kind (`orphan`, `duplicate`), a line for each."""


async def last(connection: Connection, namespace: str) -> Look | None:
    """Return the last look; None where there was none."""
    found = await connection.execute(
        "SELECT at, extract(epoch FROM now() - at)::float8 AS age, compared, drifted, strays FROM tenantry.drift_looks "
        "WHERE namespace = %s ORDER BY at DESC LIMIT 1",
        (namespace,),
    )
    row = await found.fetchone()
    if row is None:
        return None
    lines = {
        name: {key: tuple(value) for key, value in row[name].items()}
        for name in ("drifted", "strays")
    }
    return Look(**row | lines)


async def note(
    connection: Connection,
    namespace: str,
    *,
    compared: int,
    drifted: Mapping[str, list[str]],
    strays: Mapping[str, list[str]],
) -> None:
    """Write what a look found, and throw away those of more than 30 days ago."""
    from psycopg.types.json import Jsonb

    await connection.execute(
        "INSERT INTO tenantry.drift_looks (namespace, compared, drifted, strays) VALUES (%s, %s, %s, %s)",
        (namespace, compared, Jsonb(drifted), Jsonb(strays)),
    )
    await connection.execute(
        f"DELETE FROM tenantry.drift_looks WHERE at < now() - interval '{KEPT}'"  # noqa: S608  # ours
    )
