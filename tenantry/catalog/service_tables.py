"""The tables of self-service: which apps were asked for, what is done for them, who asked, and who works.

An app that people declare in a file has no row here; one that was asked for has a row and no block in the file.
Operations hold ids and reasons, never a secret: a URI or a key is read from the app's stack when it is asked for.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from tenantry.catalog.tables import LIVE, metadata

SERVICE: Final = "tenantry_service"
"""The role of the service and its workers. It may do what a writer may, and delete what has a time to live."""
KINDS: Final = ("create", "update", "delete", "rotate", "keys", "graph", "ungraph")
"""What an operation does. `graph` and `ungraph` are about the graph of one user of an app."""
OPEN: Final = ("queued", "running")
STATUSES: Final = (*OPEN, "succeeded", "failed", "cancelled")
AGAIN: Final = ("retry", "interrupted")
"""The events of an operation that goes on after something went wrong."""


def _id() -> sa.Column[Any]:
    return sa.Column("id", pg.UUID, primary_key=True, server_default=sa.func.gen_random_uuid())


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _maybe_texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text) for name in names]


def _moments(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.TIMESTAMP(timezone=True)) for name in names]


def _nows(*names: str) -> list[sa.Column[Any]]:
    kind = sa.TIMESTAMP(timezone=True)
    return [sa.Column(name, kind, nullable=False, server_default=sa.func.now()) for name in names]


def _count(name: str, begins: str = "0") -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default=sa.text(begins))


def one_of(column: str, *values: str) -> str:
    """Return the condition that a column has one of some values."""
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


app_specs: Final = sa.Table(
    "app_specs",
    metadata,
    _id(),
    *_texts("namespace", "tenant", "name", "plan"),
    sa.Column("overrides", pg.JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),
    # Counts what was asked for; `observed_generation` follows when a run has brought the app there.
    _count("generation", "1"),
    _count("observed_generation"),
    *_texts("owner"),
    *_nows("created_at", "updated_at"),
    *_moments("deletion_requested_at", "deleted_at"),
    sa.CheckConstraint("generation >= 1", name="app_specs_generation"),
    sa.CheckConstraint("observed_generation <= generation", name="app_specs_observed"),
    sa.CheckConstraint(
        "deleted_at IS NULL OR deletion_requested_at IS NOT NULL", name="app_specs_deleted"
    ),
    sa.Index("app_specs_live", "namespace", "tenant", "name", unique=True, postgresql_where=LIVE),
    # Pages are read by tenant, the newest last.
    sa.Index("app_specs_pages", "namespace", "tenant", "created_at", "id"),
)

operations: Final = sa.Table(
    "operations",
    metadata,
    _id(),
    # None where the app is declared in the file: the graph of one of its users.
    sa.Column("spec", pg.UUID, sa.ForeignKey("tenantry.app_specs.id")),
    *_texts("namespace", "app_id", "kind", "status", "actor"),
    # The user whose graph it is about.
    *_maybe_texts("subject", "request_id"),
    sa.Column("generation", sa.Integer),
    _count("priority"),
    _count("attempts"),
    # How often a worker or its machine was lost in the middle. It is no attempt that failed.
    _count("interruptions"),
    # Whether its caller has said that data or keys may be lost by it.
    sa.Column("may_destroy", sa.Boolean, nullable=False, server_default=sa.text("false")),
    *_moments("next_attempt_at"),
    sa.Column("job", sa.BigInteger),
    # Who is at work on it, and until when that counts.
    sa.Column("claim", pg.UUID),
    *_maybe_texts("worker", "host"),
    sa.Column("pid", sa.Integer),
    sa.Column("engine_pid", sa.Integer),
    # Engines of claims before this one, by host, process and time: the locks that they left may be freed.
    sa.Column("past_engines", pg.JSONB, nullable=False, server_default=sa.text("'[]'::jsonb")),
    *_moments("claimed_at", "lease_until"),
    sa.Column("changed", sa.Boolean),
    *_maybe_texts("error_kind", "error_text"),
    *_moments("cancel_requested_at"),
    *_nows("created_at"),
    *_moments("started_at", "ended_at"),
    sa.CheckConstraint(one_of("kind", *KINDS), name="operations_kind"),
    sa.CheckConstraint(one_of("status", *STATUSES), name="operations_status"),
    sa.CheckConstraint("(status = 'running') = (claim IS NOT NULL)", name="operations_claim"),
    sa.CheckConstraint(
        f"({one_of('status', *OPEN)}) = (ended_at IS NULL)", name="operations_ended"
    ),
    # What waits already is not asked for again.
    sa.Index(
        "operations_waiting",
        "namespace",
        "app_id",
        "kind",
        sa.text("coalesce(subject, '')"),
        unique=True,
        postgresql_where=sa.text("status = 'queued'"),
    ),
    sa.Index("operations_open", "status", postgresql_where=sa.text(one_of("status", *OPEN))),
    sa.Index("operations_of_app", "namespace", "app_id", "created_at"),
    sa.Index("operations_of_spec", "spec", "created_at"),
    # What ended is counted in the order in which it did.
    sa.Index("operations_over", "ended_at", postgresql_where=sa.text("ended_at IS NOT NULL")),
)

operation_events: Final = sa.Table(
    "operation_events",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("operation", pg.UUID, sa.ForeignKey("tenantry.operations.id"), nullable=False),
    *_nows("at"),
    *_texts("kind", "text"),
    sa.Index("operation_events_of", "operation", "id"),
    sa.Index("operation_events_again", "at", postgresql_where=sa.text(one_of("kind", *AGAIN))),
)

idempotency_keys: Final = sa.Table(
    "idempotency_keys",
    metadata,
    # Issuer and subject: two callers may use the same key.
    sa.Column("caller", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    *_texts("request", "body_hash"),
    sa.Column("spec", pg.UUID, sa.ForeignKey("tenantry.app_specs.id")),
    sa.Column("operation", pg.UUID, sa.ForeignKey("tenantry.operations.id")),
    *_nows("created_at"),
    sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Index("idempotency_keys_expiry", "expires_at"),
)

user_signups: Final = sa.Table(
    "user_signups",
    metadata,
    _id(),
    *_texts("namespace", "app_id", "user_id", "source"),
    # The delivery's id, where it has one: the same delivery again is the same row.
    *_maybe_texts("delivery"),
    sa.Column("operation", pg.UUID, sa.ForeignKey("tenantry.operations.id")),
    *_nows("received_at"),
    *_moments("signed_up_at", "deleted_at"),
    sa.CheckConstraint(one_of("source", "webhook", "hook", "sweep"), name="user_signups_source"),
    sa.Index(
        "user_signups_live", "namespace", "app_id", "user_id", unique=True, postgresql_where=LIVE
    ),
)

audit: Final = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    *_nows("at"),
    *_texts("actor", "action", "object"),
    *_maybe_texts("origin", "request_id", "outcome"),
    sa.Index("audit_of", "object", "at"),
)

workers: Final = sa.Table(
    "workers",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    *_texts("host"),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("slots", sa.Integer, nullable=False),
    *_texts("version"),
    *_nows("started_at", "heartbeat_at"),
    *_moments("stopped_at"),
)

freezes: Final = sa.Table(
    "freezes",
    metadata,
    _id(),
    *_texts("namespace", "app_id", "reason", "actor"),
    *_nows("frozen_at"),
    *_moments("until", "thawed_at"),
    *_maybe_texts("thawed_by"),
    sa.Index(
        "freezes_live",
        "namespace",
        "app_id",
        unique=True,
        postgresql_where=sa.text("thawed_at IS NULL"),
    ),
)

cloud_budgets: Final = sa.Table(
    "cloud_budgets",
    metadata,
    # Of the account's key: the key itself is not kept.
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("per_minute", sa.Integer, nullable=False),
    sa.Column("tokens", sa.Double, nullable=False),
    *_nows("updated_at"),
    *_moments("held_until"),
)

notifications: Final = sa.Table(
    "notifications",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    *_texts("namespace", "kind", "app_id", "text"),
    sa.Column("operation", pg.UUID),
    *_nows("at"),
    # Names what is told of once only, whoever finds it.
    *_maybe_texts("once"),
    # The receivers that have it: they are not told again for the others' sake.
    sa.Column("told", sa.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'::text[]")),
    _count("attempts"),
    *_nows("next_attempt_at"),
    *_moments("ended_at"),
    # Why somebody was not told: of the last attempt, or for good.
    *_maybe_texts("failure"),
    sa.UniqueConstraint("once", name="notifications_once"),
    sa.Index(
        "notifications_waiting", "next_attempt_at", postgresql_where=sa.text("ended_at IS NULL")
    ),
)

drift_looks: Final = sa.Table(
    "drift_looks",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    *_texts("namespace"),
    *_nows("at"),
    sa.Column("compared", sa.Integer, nullable=False),
    # By the app's id, a line for each difference.
    sa.Column("drifted", pg.JSONB, nullable=False),
    # By kind (orphan, duplicate), a line for each.
    sa.Column("strays", pg.JSONB, nullable=False),
    sa.Index("drift_looks_of", "namespace", "at"),
)

usage_samples: Final = sa.Table(
    "usage_samples",
    metadata,
    sa.Column("namespace", sa.Text, primary_key=True),
    sa.Column("project", sa.Text, primary_key=True),
    # In UTC. What is counted by periods alone stands under the first day of one.
    sa.Column("day", sa.Date, primary_key=True),
    *_texts("app_id"),
    # When Neon was asked.
    *_nows("at"),
    # In the units in which Neon counts: seconds, bytes, byte-hours, branch-hours.
    *(
        sa.Column(name, sa.BigInteger, nullable=False)
        for name in (
            "compute",
            "root_storage",
            "child_storage",
            "history",
            "snapshots",
            "branches",
            "transfer",
            "private_transfer",
            "written",
        )
    ),
    sa.Index("usage_samples_days", "namespace", "day"),
)

TABLES: Final = (
    app_specs,
    operations,
    operation_events,
    idempotency_keys,
    user_signups,
    audit,
    workers,
    freezes,
    cloud_budgets,
    notifications,
    drift_looks,
    usage_samples,
)
"""All of these. A run that only keeps an app's rows (the writer's role) may not touch them, but for the next two."""
SHARED: Final = (cloud_budgets,)
"""What every run draws from, in the service or beside it."""
SEEN: Final = (app_specs, freezes, *SHARED)
"""What every run reads: which apps were asked for, and which ones nobody may touch."""
TEMPORARY: Final = (idempotency_keys, workers, notifications, drift_looks, usage_samples)
"""What has a time to live, and is deleted after it."""
