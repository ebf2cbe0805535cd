"""Notifications that are to be sent, what looks for drift found, and what ended in the order in which it did."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "catalog_0003"
down_revision = "catalog_0002"

SCHEMA = "tenantry"
OVER = sa.text("ended_at IS NOT NULL")
AGAIN = sa.text("kind IN ('retry', 'interrupted')")


def _now(name: str) -> sa.Column[Any]:
    kind = sa.TIMESTAMP(timezone=True)
    return sa.Column(name, kind, nullable=False, server_default=sa.func.now())


def upgrade() -> None:
    op.create_table(
        "notifications",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("namespace", "kind", "app_id", "text")
        ),
        sa.Column("operation", pg.UUID),
        _now("at"),
        # Names what is told of once only, whoever finds it.
        sa.Column("once", sa.Text),
        # The receivers that have it: they are not told again for the others' sake.
        sa.Column(
            "told", sa.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'::text[]")
        ),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        _now("next_attempt_at"),
        sa.Column("ended_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("failure", sa.Text),
        sa.UniqueConstraint("once", name="notifications_once"),
        sa.Index(
            "notifications_waiting", "next_attempt_at", postgresql_where=sa.text("ended_at IS NULL")
        ),
        schema=SCHEMA,
    )
    op.create_table(
        "drift_looks",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("namespace", sa.Text, nullable=False),
        _now("at"),
        sa.Column("compared", sa.Integer, nullable=False),
        sa.Column("drifted", pg.JSONB, nullable=False),
        sa.Column("strays", pg.JSONB, nullable=False),
        sa.Index("drift_looks_of", "namespace", "at"),
        schema=SCHEMA,
    )
    op.create_index(
        "operations_over", "operations", ["ended_at"], schema=SCHEMA, postgresql_where=OVER
    )
    op.create_index(
        "operation_events_again",
        "operation_events",
        ["at"],
        schema=SCHEMA,
        postgresql_where=AGAIN,
    )


def downgrade() -> None:
    op.drop_index("operation_events_again", "operation_events", schema=SCHEMA)
    op.drop_index("operations_over", "operations", schema=SCHEMA)
    op.drop_table("drift_looks", schema=SCHEMA)
    op.drop_table("notifications", schema=SCHEMA)
