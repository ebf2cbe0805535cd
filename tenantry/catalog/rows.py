"""What a run keeps in the catalog, row by row. Each function may be called twice with the same result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from tenantry.catalog.tables import (
    LIVE,
    api_keys,
    app_metadata,
    project_resources,
    project_services,
    user_databases,
)
from tenantry.provisioning.errors import ConflictError, MissingError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from tenantry.provisioning.errors import Step


@dataclass(frozen=True)
class AppKey:
    """Which app a row belongs to."""

    namespace: str
    app_id: str


@dataclass(frozen=True, order=True)
class Resource:
    """A part of an app, as its provider knows it."""

    kind: str
    name: str
    external_id: str


@dataclass(frozen=True)
class ApiKeyRow:
    """What the catalog knows of an API key. Times are in UTC."""

    key_hash: str
    prefix: str
    name: str
    generation: int
    scopes: tuple[str, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None


def save_app(
    connection: Connection,
    app: AppKey,
    facts: Mapping[str, str],
    resources: Sequence[Resource],
) -> str:
    """Write an app's row and those of its parts; return the row's id.

    :param facts: tenant, name, environment, region, neon_project_id, host
    """
    values = {"namespace": app.namespace, "app_id": app.app_id, **facts, "status": "active"}
    statement = (
        insert(app_metadata)
        .values(values)
        .on_conflict_do_update(
            index_elements=["namespace", "app_id"],
            index_where=LIVE,
            set_={**facts, "status": "active", "updated_at": sa.func.now()},
        )
        .returning(app_metadata.c.id)
    )
    id_ = str(connection.execute(statement).scalar_one())
    _save_resources(connection, id_, resources)
    return id_


def rename_app(connection: Connection, id_: str, app: AppKey) -> None:
    """Give an app's live row another id: whatever belongs to the app refers to the row, and stays its own.

    Nothing is done where the row is gone, or has the id already.

    :raises ConflictError: another live row has the id
    """
    other = sa.select(app_metadata.c.id).where(_is(app), app_metadata.c.id != id_)
    if connection.execute(other).first() is not None:
        raise ConflictError(
            app.app_id,
            "services",
            "the catalog has another app of this id, which was kept when it left or is another stack's",
            "choose another id: tenantry rename",
        )
    connection.execute(
        sa.update(app_metadata)
        .where(
            app_metadata.c.id == id_,
            app_metadata.c.namespace == app.namespace,
            app_metadata.c.app_id != app.app_id,
            LIVE,
        )
        .values(app_id=app.app_id, updated_at=sa.func.now())
    )


def read_app(
    connection: Connection, id_: str
) -> tuple[dict[str, str], tuple[Resource, ...]] | None:
    """Read a live app's facts, its status among them, and its parts; None where it is gone."""
    row = connection.execute(
        sa.select(app_metadata).where(app_metadata.c.id == id_, LIVE)
    ).one_or_none()
    if row is None:
        return None
    columns = ("tenant", "name", "environment", "region", "neon_project_id", "host", "status")
    table = project_resources.c
    parts = connection.execute(
        sa.select(table.kind, table.name, table.external_id).where(table.app == id_, LIVE)
    )
    return (
        {column: getattr(row, column) for column in columns},
        tuple(sorted(Resource(*part) for part in parts)),
    )


def delete_app(connection: Connection, id_: str) -> None:
    """Mark an app and its parts as deleted; the rows stay."""
    now = sa.func.now()
    for table in (project_resources, project_services):
        connection.execute(
            sa.update(table).where(table.c.app == id_, LIVE).values(deleted_at=now, updated_at=now)
        )
    connection.execute(
        sa.update(app_metadata)
        .where(app_metadata.c.id == id_, LIVE)
        .values(deleted_at=now, updated_at=now, status="deleted")
    )


def save_services(connection: Connection, app: AppKey, statuses: Mapping[str, str]) -> None:
    """Register an app's services, by type, and take off those that are not among them; their rows stay, marked.

    :raises MissingError: the app is not in the catalog
    """
    id_ = _live(connection, app, "services")
    _take_off(connection, id_, statuses)
    for type_, status in statuses.items():
        connection.execute(
            insert(project_services)
            .values(app=id_, type=type_, status=status)
            .on_conflict_do_update(
                constraint="project_services_once",
                set_={"status": status, "updated_at": sa.func.now(), "deleted_at": None},
            )
        )


def read_services(connection: Connection, app: AppKey) -> dict[str, str]:
    """Read the status of each service that is registered; empty also where the app is gone."""
    table = project_services.c
    found = connection.execute(
        sa.select(table.type, table.status)
        .join_from(project_services, app_metadata)
        .where(_is(app), table.deleted_at.is_(None))
    )
    return {row.type: row.status for row in found}


def delete_services(connection: Connection, app: AppKey) -> None:
    """Take all services of an app off; the rows stay, marked."""
    _take_off(connection, sa.select(app_metadata.c.id).where(_is(app)).scalar_subquery(), ())


def save_graph(connection: Connection, app: AppKey, user: str, name: str, instance_id: str) -> None:
    """Write the graph of a user of an app, or the app's own where `user` is empty.

    It is pending until `mark_graph` says otherwise; the same instance keeps the status that it has.

    :raises MissingError: the app is not in the catalog
    """
    table = user_databases.c
    same = table.instance_id == instance_id
    connection.execute(
        insert(user_databases)
        .values(
            app=_live(connection, app, "graphs"),
            user_id=user,
            name=name,
            instance_id=instance_id,
            status="pending",
        )
        .on_conflict_do_update(
            index_elements=["app", "user_id"],
            index_where=LIVE,
            set_={
                "name": name,
                "instance_id": instance_id,
                "status": sa.case((same, table.status), else_="pending"),
                "uri": sa.case((same, table.uri), else_=None),
                "updated_at": sa.func.now(),
            },
        )
    )


def mark_graph(
    connection: Connection, app: AppKey, user: str, status: str, uri: str | None = None
) -> None:
    """Note how far a graph is: `pending`, `ready` or `failed`; without `uri`, the one that is known stays."""
    values = {"status": status, "updated_at": sa.func.now(), **({"uri": uri} if uri else {})}
    connection.execute(sa.update(user_databases).where(_graph(app, user)).values(values))


def read_graph(connection: Connection, app: AppKey, user: str) -> tuple[str, str] | None:
    """Read a graph's name and the id of its instance; None where there is no live row."""
    table = user_databases.c
    row = connection.execute(
        sa.select(table.name, table.instance_id).where(_graph(app, user))
    ).one_or_none()
    return None if row is None else (row.name, row.instance_id)


def delete_graph(connection: Connection, app: AppKey, user: str) -> None:
    """Mark a graph's row as deleted; it stays."""
    now = sa.func.now()
    connection.execute(
        sa.update(user_databases).where(_graph(app, user)).values(deleted_at=now, updated_at=now)
    )


def save_api_key(connection: Connection, app: AppKey, key: ApiKeyRow) -> None:
    """Write what is known of an API key.

    Another key of the same name and generation that is not revoked is one whose making was interrupted before anybody
    had it: it is revoked. A key that was revoked stays so, whatever `key` says.

    :raises MissingError: the app is not in the catalog
    """
    id_ = _live(connection, app, "keys")
    table = api_keys.c
    connection.execute(
        sa.update(api_keys)
        .where(
            table.app == id_,
            table.name == key.name,
            table.generation == key.generation,
            table.key_hash != key.key_hash,
            table.revoked_at.is_(None),
        )
        .values(revoked_at=sa.func.now())
    )
    changeable = {
        "app": id_,
        "prefix": key.prefix,
        "scopes": list(key.scopes),
        "expires_at": key.expires_at,
    }
    fixed = {
        "key_hash": key.key_hash,
        "name": key.name,
        "generation": key.generation,
        "created_at": key.created_at,
        "created_by": key.created_by,
        "revoked_at": key.revoked_at,
    }
    kept = sa.func.coalesce(table.revoked_at, key.revoked_at)
    connection.execute(
        insert(api_keys)
        .values(fixed | changeable)
        .on_conflict_do_update(index_elements=["key_hash"], set_={**changeable, "revoked_at": kept})
    )


def read_api_key(connection: Connection, app: AppKey, key_hash: str) -> ApiKeyRow | None:
    """Read what is known of a key; None where the live app has no such key."""
    columns = [api_keys.c[name] for name in ApiKeyRow.__dataclass_fields__]
    row = connection.execute(
        sa.select(*columns)
        .join_from(api_keys, app_metadata)
        .where(_is(app), api_keys.c.key_hash == key_hash)
    ).one_or_none()
    if row is None:
        return None
    values: dict[str, Any] = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it
    return ApiKeyRow(**values | {"scopes": tuple(values["scopes"])})


def revoke_api_key(connection: Connection, key_hash: str) -> None:
    """Revoke a key, as of now, unless it is already; the row stays."""
    connection.execute(
        sa.update(api_keys)
        .where(api_keys.c.key_hash == key_hash, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=sa.func.now())
    )


def _take_off(
    connection: Connection, app: str | sa.ScalarSelect[Any], kept: Collection[str]
) -> None:
    table = project_services.c
    now = sa.func.now()
    connection.execute(
        sa.update(project_services)
        .where(table.app == app, table.type.not_in(kept), table.deleted_at.is_(None))
        .values(deleted_at=now, updated_at=now)
    )


def _save_resources(connection: Connection, id_: str, resources: Sequence[Resource]) -> None:
    now = sa.func.now()
    table = project_resources.c
    kept = [sa.and_(table.kind == each.kind, table.name == each.name) for each in resources]
    connection.execute(
        sa.update(project_resources)
        .where(table.app == id_, LIVE, sa.not_(sa.or_(sa.false(), *kept)))
        .values(deleted_at=now, updated_at=now)
    )
    for each in resources:
        connection.execute(
            insert(project_resources)
            .values(app=id_, kind=each.kind, name=each.name, external_id=each.external_id)
            .on_conflict_do_update(
                constraint="project_resources_once",
                set_={"external_id": each.external_id, "updated_at": now, "deleted_at": None},
            )
        )


def _is(app: AppKey) -> sa.ColumnElement[bool]:
    return sa.and_(
        app_metadata.c.namespace == app.namespace,
        app_metadata.c.app_id == app.app_id,
        app_metadata.c.deleted_at.is_(None),
    )


def _graph(app: AppKey, user: str) -> sa.ColumnElement[bool]:
    live = sa.select(app_metadata.c.id).where(_is(app)).scalar_subquery()
    table = user_databases.c
    return sa.and_(table.app == live, table.user_id == user, table.deleted_at.is_(None))


def _live(connection: Connection, app: AppKey, step: Step) -> str:
    found = connection.execute(sa.select(app_metadata.c.id).where(_is(app))).scalar_one_or_none()
    if found is None:
        raise MissingError(
            app.app_id,
            step,
            "the app has no row in the catalog",
            "tenantry up -- --refresh writes it again",
        )
    return str(found)
