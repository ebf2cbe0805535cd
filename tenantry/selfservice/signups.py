"""Users who signed up, and what is done for each: a graph. Nothing but a user's id is kept of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from tenantry.selfservice import audit, operations
from tenantry.selfservice.jobs import wake
from tenantry.selfservice.operations import AGAIN, ErrorKind, Wanted

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from tenantry.selfservice.database import Connection
    from tenantry.selfservice.jobs import Jobs

Source = Literal["webhook", "hook", "sweep"]
Status = Literal["pending", "ready", "failed"]


@dataclass(frozen=True, kw_only=True)
class SignUp:
    """A user who signed up."""

    namespace: str
    app_id: str
    """The app whose user it is."""
    user: str
    """The id that the identity provider gave."""
    source: Source
    delivery: str | None = None
    """The message's id, where it has one."""
    signed_up_at: datetime | None = None
    request_id: str | None = None
    origin: str | None = None
    """The address that the message came from."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far a user's graph is."""

    status: Status
    reason: ErrorKind | None
    """What sort of reason keeps it from being ready."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What became of a message."""

    operation: UUID | None
    """What is, or was, done for the user."""
    added: bool
    """Whether this message was the first about it."""


async def sign_up(connection: Connection, jobs: Jobs, wanted: SignUp) -> Kept:
    """Note a user and ask for the graph, in the connection's transaction.

    The same user again is the same row. So is a message that is sent again after the user was deleted: by its id, or
    where it has none, by when the user signed up.
    """
    found = await connection.execute(
        "INSERT INTO tenantry.user_signups (namespace, app_id, user_id, source, delivery, signed_up_at) "
        "SELECT %(namespace)s, %(app)s, %(user)s, %(source)s, %(delivery)s, %(at)s WHERE NOT EXISTS ("
        "SELECT 1 FROM tenantry.user_signups WHERE namespace = %(namespace)s AND app_id = %(app)s AND user_id = %(user)s "
        "AND deleted_at IS NOT NULL AND (delivery = %(delivery)s OR signed_up_at >= %(at)s)) "
        "ON CONFLICT DO NOTHING RETURNING id",
        {
            "namespace": wanted.namespace,
            "app": wanted.app_id,
            "user": wanted.user,
            "source": wanted.source,
            "delivery": wanted.delivery,
            "at": wanted.signed_up_at,
        },
    )
    row = await found.fetchone()
    if row is None:
        return Kept(operation=await _operation(connection, wanted), added=False)
    operation = await _ask(connection, jobs, wanted, "graph")
    await connection.execute(
        "UPDATE tenantry.user_signups SET operation = %s WHERE id = %s", (operation, row["id"])
    )
    return Kept(operation=operation, added=True)


async def delete(connection: Connection, jobs: Jobs, gone: SignUp) -> Kept:
    """Note that a user is gone, and ask for the deletion of the graph; nothing where nobody signed up so."""
    found = await connection.execute(
        "UPDATE tenantry.user_signups SET deleted_at = now() WHERE namespace = %s AND app_id = %s AND user_id = %s "
        "AND deleted_at IS NULL RETURNING operation",
        (gone.namespace, gone.app_id, gone.user),
    )
    row = await found.fetchone()
    if row is None:
        return Kept(operation=None, added=False)
    if row["operation"] is not None:
        # Else a retry of it would make the graph after it was deleted.
        await operations.cancel(connection, row["operation"])
    return Kept(operation=await _ask(connection, jobs, gone, "ungraph"), added=True)


async def standing(
    connection: Connection, namespace: str, app_id: str, user: str
) -> Standing | None:
    """Say how far a user's graph is; None where nobody signed up so, or the user is gone."""
    found = await connection.execute(
        "SELECT o.status, o.error_kind FROM tenantry.user_signups s JOIN tenantry.operations o ON o.id = s.operation "
        "WHERE s.namespace = %s AND s.app_id = %s AND s.user_id = %s AND s.deleted_at IS NULL",
        (namespace, app_id, user),
    )
    row = await found.fetchone()
    if row is None:
        return None
    status: Status = "pending"
    if row["status"] == "succeeded":
        status = "ready"
    elif row["status"] in {"failed", "cancelled"}:
        status = "failed"
    return Standing(status=status, reason=None if status == "ready" else row["error_kind"])


async def unknown(
    connection: Connection, namespace: str, app_id: str, users: Collection[str]
) -> set[str]:
    """Return those of these users about whom there was no message, also none that is over."""
    found = await connection.execute(
        "SELECT u.id FROM unnest(%s::text[]) AS u(id) WHERE NOT EXISTS (SELECT 1 FROM tenantry.user_signups s "
        "WHERE s.namespace = %s AND s.app_id = %s AND s.user_id = u.id)",
        (list(users), namespace, app_id),
    )
    return {row["id"] for row in await found.fetchall()}


_ACTORS: Final[dict[Source, str]] = {
    "webhook": "sign-up webhook",
    "hook": "sign-up hook",
    "sweep": "sign-up sweep",
}


async def _ask(
    connection: Connection, jobs: Jobs, about: SignUp, kind: Literal["graph", "ungraph"]
) -> UUID:
    asked = await operations.ask(
        connection,
        Wanted(
            namespace=about.namespace,
            app_id=about.app_id,
            kind=kind,
            subject=about.user,
            actor=_ACTORS[about.source],
            # Nobody waits for a graph that the sweep found missing, and a person for a sign-up only some minutes.
            priority=AGAIN,
            request_id=about.request_id,
        ),
    )
    await wake(jobs, connection, asked.id, key=asked.key, priority=asked.priority)
    await audit.note(
        connection,
        actor=_ACTORS[about.source],
        action=f"signups.{kind}",
        object=f"{about.app_id}/{about.user}",
        origin=about.origin,
        request_id=about.request_id,
    )
    return asked.id


async def _operation(connection: Connection, about: SignUp) -> UUID | None:
    found = await connection.execute(
        "SELECT operation FROM tenantry.user_signups WHERE namespace = %s AND app_id = %s AND user_id = %s "
        "ORDER BY (deleted_at IS NULL) DESC, received_at DESC LIMIT 1",
        (about.namespace, about.app_id, about.user),
    )
    row = await found.fetchone()
    return row["operation"] if row else None
