"""What self-service keeps: apps that were asked for, operations, sign-ups, workers, freezes, the clouds' budgets."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "catalog_0002"
down_revision = "catalog_0001"

SCHEMA = "tenantry"
KINDS = ("create", "update", "delete", "rotate", "keys", "graph", "ungraph")
OPEN = ("queued", "running")
STATUSES = (*OPEN, "succeeded", "failed", "cancelled")


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


def _one_of(column: str, *values: str) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def upgrade() -> None:
    live = sa.text("deleted_at IS NULL")
    op.create_table(
        "app_specs",
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
        sa.Index(
            "app_specs_live", "namespace", "tenant", "name", unique=True, postgresql_where=live
        ),
        # Pages are read by tenant, the newest last.
        sa.Index("app_specs_pages", "namespace", "tenant", "created_at", "id"),
        schema=SCHEMA,
    )
    op.create_table(
        "operations",
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
        sa.CheckConstraint(_one_of("kind", *KINDS), name="operations_kind"),
        sa.CheckConstraint(_one_of("status", *STATUSES), name="operations_status"),
        sa.CheckConstraint("(status = 'running') = (claim IS NOT NULL)", name="operations_claim"),
        sa.CheckConstraint(
            f"({_one_of('status', *OPEN)}) = (ended_at IS NULL)", name="operations_ended"
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
        sa.Index("operations_open", "status", postgresql_where=sa.text(_one_of("status", *OPEN))),
        sa.Index("operations_of_app", "namespace", "app_id", "created_at"),
        sa.Index("operations_of_spec", "spec", "created_at"),
        schema=SCHEMA,
    )
    op.create_table(
        "operation_events",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("operation", pg.UUID, sa.ForeignKey("tenantry.operations.id"), nullable=False),
        *_nows("at"),
        *_texts("kind", "text"),
        sa.Index("operation_events_of", "operation", "id"),
        schema=SCHEMA,
    )
    op.create_table(
        "idempotency_keys",
        # Issuer and subject: two callers may use the same key.
        sa.Column("caller", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        *_texts("request", "body_hash"),
        sa.Column("spec", pg.UUID, sa.ForeignKey("tenantry.app_specs.id")),
        sa.Column("operation", pg.UUID, sa.ForeignKey("tenantry.operations.id")),
        *_nows("created_at"),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Index("idempotency_keys_expiry", "expires_at"),
        schema=SCHEMA,
    )
    op.create_table(
        "user_signups",
        _id(),
        *_texts("namespace", "app_id", "user_id", "source"),
        # The delivery's id, where it has one: the same delivery again is the same row.
        *_maybe_texts("delivery"),
        sa.Column("operation", pg.UUID, sa.ForeignKey("tenantry.operations.id")),
        *_nows("received_at"),
        *_moments("signed_up_at", "deleted_at"),
        sa.CheckConstraint(
            _one_of("source", "webhook", "hook", "sweep"), name="user_signups_source"
        ),
        sa.Index(
            "user_signups_live",
            "namespace",
            "app_id",
            "user_id",
            unique=True,
            postgresql_where=live,
        ),
        schema=SCHEMA,
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        *_nows("at"),
        *_texts("actor", "action", "object"),
        *_maybe_texts("origin", "request_id", "outcome"),
        sa.Index("audit_of", "object", "at"),
        schema=SCHEMA,
    )
    op.create_table(
        "workers",
        sa.Column("name", sa.Text, primary_key=True),
        *_texts("host"),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("slots", sa.Integer, nullable=False),
        *_texts("version"),
        *_nows("started_at", "heartbeat_at"),
        *_moments("stopped_at"),
        schema=SCHEMA,
    )
    op.create_table(
        "freezes",
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
        schema=SCHEMA,
    )
    op.create_table(
        "cloud_budgets",
        # Of the account's key: the key itself is not kept.
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("per_minute", sa.Integer, nullable=False),
        sa.Column("tokens", sa.Double, nullable=False),
        *_nows("updated_at"),
        *_moments("held_until"),
        schema=SCHEMA,
    )


def downgrade() -> None:
    for table in (
        "cloud_budgets",
        "freezes",
        "workers",
        "audit",
        "user_signups",
        "idempotency_keys",
        "operation_events",
        "operations",
        "app_specs",
    ):
        op.drop_table(table, schema=SCHEMA)
