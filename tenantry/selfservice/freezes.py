"""Apps that nobody may touch for a while: who said so, why, and until when; for commands, which are synchronous."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tenantry.catalog.session import open_catalog
from tenantry.selfservice.errors import SelfServiceError

if TYPE_CHECKING:
    from datetime import datetime

    import psycopg

    Opened = psycopg.Connection[tuple[Any, ...]]

_STANDING: Final = "thawed_at IS NULL AND (until IS NULL OR until > now())"
"""One that is over is no freeze any more, and nobody has to thaw it."""


@dataclass(frozen=True, kw_only=True)
class Freeze:
    """An app that no run touches."""

    app_id: str
    reason: str
    actor: str
    until: datetime | None
    """None where it has no end."""

    def __str__(self) -> str:
        """Say it in one line."""
        until = f" until {self.until:%Y-%m-%d %H:%M} UTC" if self.until else ""
        return f"{self.app_id} is frozen{until} by {self.actor}: {self.reason}"


def read_freezes(url: str, namespace: str) -> dict[str, Freeze]:
    """Return the apps that are frozen now, by their ids. A catalog without such a table has none.

    :param url: the catalog's
    :raises CatalogError: the catalog does not answer, or refuses
    """
    with open_catalog(url) as connection:
        if not _is_there(connection):
            return {}
        found = connection.execute(
            f"SELECT app_id, reason, actor, until AT TIME ZONE 'UTC' FROM tenantry.freezes "  # noqa: S608  # ours
            f"WHERE namespace = %s AND {_STANDING} ORDER BY app_id",
            (namespace,),
        )
        return {
            app: Freeze(app_id=app, reason=reason, actor=actor, until=until)
            for app, reason, actor, until in found.fetchall()
        }


def freeze(
    url: str, namespace: str, app_id: str, *, reason: str, actor: str, until: datetime | None
) -> Freeze:
    """Freeze an app. One that is frozen already gets the new reason and end.

    :param until: with a time zone; None for no end
    :raises SelfServiceError: the catalog has no such table yet
    :raises CatalogError: the catalog does not answer, or refuses
    """
    with open_catalog(url) as connection, connection.transaction():
        if not _is_there(connection):
            raise SelfServiceError(
                "the catalog has no table of freezes",
                place="catalog",
                way_out="tenantry up makes it",
            )
        connection.execute(
            "INSERT INTO tenantry.freezes (namespace, app_id, reason, actor, until) VALUES (%s, %s, %s, %s, %s) "
            "ON CONFLICT (namespace, app_id) WHERE thawed_at IS NULL DO UPDATE SET reason = excluded.reason, "
            "actor = excluded.actor, until = excluded.until, frozen_at = now()",
            (namespace, app_id, reason, actor, until),
        )
        _note(connection, actor, "apps.freeze", app_id, reason)
    return Freeze(app_id=app_id, reason=reason, actor=actor, until=until)


def thaw(url: str, namespace: str, app_id: str, *, actor: str) -> bool:
    """End the freeze of an app; return whether it was frozen.

    :raises CatalogError: the catalog does not answer, or refuses
    """
    with open_catalog(url) as connection, connection.transaction():
        if not _is_there(connection):
            return False
        found = connection.execute(
            "UPDATE tenantry.freezes SET thawed_at = now(), thawed_by = %s WHERE namespace = %s AND app_id = %s "
            "AND thawed_at IS NULL RETURNING until IS NULL OR until > now()",
            (actor, namespace, app_id),
        ).fetchone()
        if not found:
            return False
        _note(connection, actor, "apps.thaw", app_id, None)
        return bool(found[0])


def _is_there(connection: Opened) -> bool:
    found = connection.execute("SELECT to_regclass('tenantry.freezes') IS NOT NULL").fetchone()
    return bool(found and found[0])


def _note(connection: Opened, actor: str, action: str, app_id: str, outcome: str | None) -> None:
    connection.execute(
        "INSERT INTO tenantry.audit (actor, action, object, outcome) VALUES (%s, %s, %s, %s)",
        (actor, action, app_id, outcome),
    )
