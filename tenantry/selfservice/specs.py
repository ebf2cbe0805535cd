"""Apps that were asked for: one row each, with the plan and what the caller chose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from tenantry.registry.asked import AskedRow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from tenantry.selfservice.database import Connection

Status = Literal["provisioning", "updating", "ready", "failed", "deleting", "deleted"]
STATUSES: Final[tuple[Status, ...]] = (
    "provisioning",
    "updating",
    "ready",
    "failed",
    "deleting",
    "deleted",
)


@dataclass(frozen=True, kw_only=True)
class Spec:
    """An app that was asked for."""

    id: UUID
    namespace: str
    tenant: str
    name: str
    plan: str
    overrides: Mapping[str, Any]
    """What differs from the plan, as an app's keys in the registry."""
    generation: int
    """Counts what was asked for."""
    observed_generation: int
    """The generation that a run has brought the app to; 0 before the first."""
    owner: str
    """Who asked for it: the issuer and the subject of a token."""
    created_at: datetime
    updated_at: datetime
    deletion_requested_at: datetime | None
    deleted_at: datetime | None

    @property
    def app_id(self) -> str:
        """`tenant/app`, as in the registry."""
        return f"{self.tenant}/{self.name}"

    @property
    def row(self) -> AskedRow:
        """It as the registry takes it, to make an app of it."""
        return AskedRow(
            str(self.id),
            self.tenant,
            self.name,
            self.plan,
            self.overrides,
            self.generation,
            deletion_requested=self.deletion_requested_at is not None,
        )


@dataclass(frozen=True, kw_only=True)
class Listed(Spec):
    """An app with the last thing that was done for it."""

    operation: UUID | None
    operation_kind: str | None
    operation_status: str | None
    attempts: int | None
    next_attempt_at: datetime | None
    error_text: str | None

    @property
    def status(self) -> Status:
        """How the app stands."""
        if self.deleted_at is not None:
            return "deleted"
        if self.operation_status in {"failed", "cancelled"}:
            return "failed"
        if self.deletion_requested_at is not None:
            return "deleting"
        if self.observed_generation == 0:
            return "provisioning"
        return "ready" if self.observed_generation == self.generation else "updating"


_COLUMNS: Final = (
    "id, namespace, tenant, name, plan, overrides, generation, observed_generation, owner, created_at, updated_at, "
    "deletion_requested_at, deleted_at"
)
LATEST: Final = """LEFT JOIN LATERAL (
  SELECT id, kind, status, attempts, next_attempt_at, error_text, ended_at FROM tenantry.operations
  WHERE spec = s.id ORDER BY created_at DESC, id DESC LIMIT 1) o ON true"""
"""Joins the last thing that was done for a row `s`, as `o`."""
_LISTED: Final = f"""
SELECT {", ".join(f"s.{each.strip()}" for each in _COLUMNS.split(","))}, o.id AS operation, o.kind AS operation_kind,
  o.status AS operation_status, o.attempts, o.next_attempt_at, o.error_text
FROM tenantry.app_specs s {LATEST}"""  # noqa: S608  # our own names


async def insert(
    connection: Connection,
    *,
    namespace: str,
    tenant: str,
    name: str,
    plan: str,
    overrides: Mapping[str, Any],
    owner: str,
) -> Spec | None:
    """Add an app; None where its name is taken by one that lives."""
    from psycopg.types.json import Jsonb

    found = await connection.execute(
        f"INSERT INTO tenantry.app_specs (namespace, tenant, name, plan, overrides, owner) "  # noqa: S608
        f"VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING {_COLUMNS}",
        (namespace, tenant, name, plan, Jsonb(dict(overrides)), owner),
    )
    row = await found.fetchone()
    return Spec(**row) if row else None


async def count(connection: Connection, namespace: str, tenant: str) -> int:
    """Say how many apps of a tenant live, and keep others from adding one until the transaction ends."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('tenantry specs ' || %s || ' ' || %s, 0))",
        (namespace, tenant),
    )
    found = await connection.execute(
        "SELECT count(*) AS live FROM tenantry.app_specs WHERE namespace = %s AND tenant = %s AND deleted_at IS NULL",
        (namespace, tenant),
    )
    row = await found.fetchone()
    return int(row["live"]) if row else 0


async def get(connection: Connection, spec: UUID) -> Listed | None:
    """Return an app by its id, also one that was deleted."""
    found = await connection.execute(f"{_LISTED} WHERE s.id = %s", (spec,))
    row = await found.fetchone()
    return Listed(**row) if row else None


async def hold(connection: Connection, spec: UUID) -> Listed | None:
    """Return an app by its id, and keep others from changing it until the transaction ends."""
    await connection.execute("SELECT 1 FROM tenantry.app_specs WHERE id = %s FOR UPDATE", (spec,))
    return await get(connection, spec)


async def find(connection: Connection, namespace: str, tenant: str, name: str) -> Listed | None:
    """Return the living app of that name."""
    found = await connection.execute(
        f"{_LISTED} WHERE s.namespace = %s AND s.tenant = %s AND s.name = %s AND s.deleted_at IS NULL",
        (namespace, tenant, name),
    )
    row = await found.fetchone()
    return Listed(**row) if row else None


STATUS: Final = """(CASE WHEN s.deleted_at IS NOT NULL THEN 'deleted'
  WHEN o.status IN ('failed', 'cancelled') THEN 'failed'
  WHEN s.deletion_requested_at IS NOT NULL THEN 'deleting'
  WHEN s.observed_generation = 0 THEN 'provisioning'
  WHEN s.observed_generation = s.generation THEN 'ready' ELSE 'updating' END)"""
"""What `Listed.status` says, for a page of one status."""


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which apps a page shows."""

    namespace: str
    tenant: str | None = None
    """Those of one tenant; None for all."""
    name: str | None = None
    """Those whose name begins so."""
    plan: str | None = None
    statuses: frozenset[Status] = frozenset()
    """Those that stand so; all that live by default."""


async def page(
    connection: Connection,
    which: Filter,
    *,
    after: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> list[Listed]:
    """Return apps, the oldest first.

    :param after: the creation and the id of the last one of the page before
    :param limit: how many at most
    """
    conditions: dict[str, tuple[Any, ...]] = {"s.namespace = %s": (which.namespace,)}
    if which.tenant is not None:
        conditions["s.tenant = %s"] = (which.tenant,)
    if after is not None:
        conditions["(s.created_at, s.id) > (%s, %s)"] = after
    if which.name is not None:
        conditions["starts_with(s.name, %s)"] = (which.name,)
    if which.plan is not None:
        conditions["s.plan = %s"] = (which.plan,)
    if "deleted" not in which.statuses:
        conditions["s.deleted_at IS NULL"] = ()
    if which.statuses:
        conditions[f"{STATUS} = ANY(%s)"] = (sorted(which.statuses),)
    found = await connection.execute(
        f"{_LISTED} WHERE {' AND '.join(conditions)} ORDER BY s.created_at, s.id LIMIT %s",
        (*(value for values in conditions.values() for value in values), limit),
    )
    return [Listed(**row) for row in await found.fetchall()]


async def change(
    connection: Connection,
    spec: UUID,
    *,
    plan: str,
    overrides: Mapping[str, Any],
    generation: int,
) -> Spec | None:
    """Ask for something else; None where the app is at another generation by now, or is to be deleted."""
    from psycopg.types.json import Jsonb

    found = await connection.execute(
        "UPDATE tenantry.app_specs SET plan = %s, overrides = %s, generation = generation + 1, updated_at = now() "  # noqa: S608
        f"WHERE id = %s AND generation = %s AND deletion_requested_at IS NULL RETURNING {_COLUMNS}",
        (plan, Jsonb(dict(overrides)), spec, generation),
    )
    row = await found.fetchone()
    return Spec(**row) if row else None


async def request_deletion(connection: Connection, spec: UUID) -> None:
    """Note that an app is to go."""
    await connection.execute(
        "UPDATE tenantry.app_specs SET deletion_requested_at = coalesce(deletion_requested_at, now()), updated_at = now() "
        "WHERE id = %s AND deleted_at IS NULL",
        (spec,),
    )


async def mark_observed(connection: Connection, spec: UUID, generation: int) -> None:
    """Note that a run has brought an app to a generation."""
    await connection.execute(
        "UPDATE tenantry.app_specs SET observed_generation = greatest(observed_generation, %s), updated_at = now() "
        "WHERE id = %s",
        (generation, spec),
    )


async def mark_deleted(connection: Connection, spec: UUID) -> None:
    """Note that an app is gone; its name may be used again."""
    await connection.execute(
        "UPDATE tenantry.app_specs SET deletion_requested_at = coalesce(deletion_requested_at, now()), "
        "deleted_at = now(), updated_at = now() WHERE id = %s AND deleted_at IS NULL",
        (spec,),
    )
