"""What each project used, by days."""

import sqlalchemy as sa
from alembic import op

revision = "catalog_0004"
down_revision = "catalog_0003"

SCHEMA = "tenantry"
AMOUNTS = (
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


def upgrade() -> None:
    op.create_table(
        "usage_samples",
        sa.Column("namespace", sa.Text, primary_key=True),
        sa.Column("project", sa.Text, primary_key=True),
        # In UTC. What is counted by periods alone stands under the first day of one.
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("app_id", sa.Text, nullable=False),
        # When Neon was asked.
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
        # In the units in which Neon counts: seconds, bytes, byte-hours, branch-hours.
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in AMOUNTS),
        sa.Index("usage_samples_days", "namespace", "day"),
        schema=SCHEMA,
    )


def downgrade() -> None:
    op.drop_table("usage_samples", schema=SCHEMA)
