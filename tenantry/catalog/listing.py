"""The API keys of the catalog set against those of the registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, LiteralString, TypeAlias

from tenantry.catalog.keys import live_generations
from tenantry.registry.days import end_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    import psycopg

    from tenantry.registry import App

KeyState: TypeAlias = Literal["valid", "expired", "revoked", "missing", "not in the registry"]

# A generation may have several rows. The one that counts comes last: not revoked, and of a live app.
_STORED: Final[LiteralString] = """\
SELECT a.app_id, k.name, k.generation, k.prefix, k.scopes, k.created_at, k.expires_at, k.last_used,
       k.revoked_at IS NOT NULL OR a.deleted_at IS NOT NULL AS revoked
FROM tenantry.api_keys k JOIN tenantry.app_metadata a ON a.id = k.app
WHERE a.namespace = %(namespace)s AND (%(app)s::text IS NULL OR a.app_id = %(app)s)
ORDER BY a.app_id, k.name, k.generation, revoked DESC, k.created_at"""

_GRAPHS: Final[LiteralString] = """\
SELECT g.user_id, g.name, g.status, g.created_at
FROM tenantry.user_databases g JOIN tenantry.app_metadata a ON a.id = g.app
WHERE a.namespace = %s AND a.app_id = %s AND g.deleted_at IS NULL ORDER BY g.user_id LIMIT %s"""


@dataclass(frozen=True, slots=True)
class UserGraph:
    """A graph as the catalog has it."""

    user: str
    name: str
    status: str
    """`pending`, `ready` or `failed`."""
    created: datetime


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A generation of a key as the catalog has it."""

    app: str
    name: str
    generation: int
    prefix: str
    scopes: tuple[str, ...]
    created: datetime
    expires: datetime | None
    last_used: datetime | None
    revoked: bool


@dataclass(frozen=True, slots=True)
class ListedKey:
    """One row of `tenantry keys list`: a generation of a key.

    `missing`: the registry wants it and the catalog does not have it yet. `not in the registry`: it is valid, and the
    next `tenantry up` revokes it.
    """

    app: str
    name: str
    generation: int
    prefix: str
    scopes: tuple[str, ...]
    state: KeyState
    created: datetime | None
    expires: datetime | None
    last_used: datetime | None


def stored_keys(
    connection: psycopg.Connection[tuple[Any, ...]], namespace: str, app: str | None = None
) -> list[StoredKey]:
    """Read the keys of a registry's apps, or of one app. Revoked keys and those of apps that are gone are included."""
    rows = connection.execute(_STORED, {"namespace": namespace, "app": app})
    return [_stored(row) for row in rows]


async def stored_keys_async(
    connection: psycopg.AsyncConnection[Any], namespace: str, app: str
) -> list[StoredKey]:
    """Do what `stored_keys` does for one app, for an asyncio program."""
    from psycopg.rows import tuple_row

    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(_STORED, {"namespace": namespace, "app": app})
        return [_stored(row) for row in await cursor.fetchall()]


async def user_graphs(
    connection: psycopg.AsyncConnection[Any], namespace: str, app: str, limit: int = 200
) -> list[UserGraph]:
    """Read the graphs of an app and of its users, by their users."""
    from psycopg.rows import tuple_row

    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(_GRAPHS, (namespace, app, limit))
        return [UserGraph(*row) for row in await cursor.fetchall()]


def _stored(row: tuple[Any, ...]) -> StoredKey:
    app, name, generation, prefix, scopes, *rest = row
    return StoredKey(app, name, generation, prefix, tuple(scopes), *rest)


def listed_keys(
    apps: Iterable[App], stored: Iterable[StoredKey], *, now: datetime, every: bool = False
) -> list[ListedKey]:
    """Set the registry against the catalog: in the registry's order, then what only the catalog has.

    :param apps: the registry's apps
    :param stored: the catalog's keys, as `stored_keys` gives them
    :param now: the time, with its zone
    :param every: also revoked keys that the registry does not name any more
    """
    by_generation = {(key.app, key.name, key.generation): key for key in stored}
    rest = dict.fromkeys(stored)
    rows = []
    for app in apps:
        for key in app.api_keys:
            live = live_generations(key.generation, key.revoked)
            for generation in live_generations(key.generation):
                found = by_generation.get((app.id, key.name, generation))
                if found is not None:
                    del rest[found]
                    rows.append(_listed(found, _state(found, now)))
                elif generation in live:
                    rows.append(
                        ListedKey(
                            app.id,
                            key.name,
                            generation,
                            app.names.api_key_prefix(key.name),
                            key.scopes,
                            "missing",
                            None,
                            end_of(key.expires) if key.expires else None,
                            None,
                        )
                    )
    for other in rest:
        if not other.revoked:
            rows.append(_listed(other, "not in the registry"))
        elif every:
            rows.append(_listed(other, "revoked"))
    return rows


def _state(key: StoredKey, now: datetime) -> KeyState:
    if key.revoked:
        return "revoked"
    return "expired" if key.expires is not None and key.expires <= now else "valid"


def _listed(key: StoredKey, state: KeyState) -> ListedKey:
    return ListedKey(
        key.app,
        key.name,
        key.generation,
        key.prefix,
        key.scopes,
        state,
        key.created,
        key.expires,
        key.last_used,
    )
