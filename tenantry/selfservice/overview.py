"""All that was asked for, at a glance: for who looks at the whole fleet. Synchronous: it is read beside an event loop.

Thousands of rows are read at once, and only the columns that a table of them shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tenantry.catalog.errors import CatalogError
from tenantry.provisioning.postgres import password_in, reason_of
from tenantry.selfservice.database import parameters
from tenantry.selfservice.specs import LATEST, STATUS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tenantry.selfservice.specs import Status

_SPECS: Final = f"""
SELECT s.id::text, s.tenant, s.name, s.plan, s.overrides->>'region', {STATUS}, o.id::text, o.kind, o.error_text, o.ended_at
FROM tenantry.app_specs s {LATEST}
WHERE s.namespace = %s AND s.deleted_at IS NULL"""  # noqa: S608  # our own names
_FREEZES: Final = """
SELECT app_id, reason, actor, until FROM tenantry.freezes
WHERE namespace = %s AND thawed_at IS NULL AND (until IS NULL OR until > now())"""
_PLACES: Final = """
SELECT app_id, region, host, neon_project_id FROM tenantry.app_metadata WHERE namespace = %s AND deleted_at IS NULL"""


@dataclass(frozen=True, slots=True)
class AskedApp:
    """An app that was asked for and lives, with the last thing that was done for it."""

    row: str
    """The id of its row."""
    tenant: str
    name: str
    plan: str
    region: str | None
    """What its caller chose; None for the plan's."""
    status: Status
    operation: str | None
    kind: str | None
    reason: str | None
    """Why the operation's last attempt did not succeed."""
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class FrozenApp:
    """An app that no run touches now."""

    reason: str
    actor: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where an app's database is, as its row in the catalog says."""

    region: str
    host: str
    project: str


@dataclass(frozen=True, slots=True)
class Overview:
    """What the catalog knows of a registry's apps, by their ids."""

    asked: Mapping[str, AskedApp]
    frozen: Mapping[str, FrozenApp]
    places: Mapping[str, Place]


def read_overview(url: str, namespace: str) -> Overview:
    """Read all of a registry's apps.

    :param url: a libpq URI of the catalog's direct host, of a role that may take on the service's
    :raises CatalogError: the catalog does not answer, or refuses
    """
    import psycopg

    settings: dict[str, Any] = parameters()
    try:
        with psycopg.connect(url, autocommit=True, **settings) as connection:
            asked = connection.execute(_SPECS.encode(), (namespace,)).fetchall()
            frozen = connection.execute(_FREEZES, (namespace,)).fetchall()
            places = connection.execute(_PLACES, (namespace,)).fetchall()
    except psycopg.Error as error:
        reason = reason_of(error, password=password_in(url))
        raise CatalogError(f"the catalog: {reason}") from None
    return Overview(
        {f"{each[1]}/{each[2]}": AskedApp(*each) for each in asked},
        {app: FrozenApp(*rest) for app, *rest in frozen},
        {app: Place(*rest) for app, *rest in places},
    )
