"""Apps, what they consist of, their services, their API keys, and their users' graphs."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "catalog_0001"
down_revision = None

SCHEMA = "tenantry"


def _own() -> list[sa.Column[Any]]:
    return [
        sa.Column("id", pg.UUID, primary_key=True, server_default=sa.func.gen_random_uuid()),
        sa.Column("app", pg.UUID, sa.ForeignKey("tenantry.app_metadata.id"), nullable=False),
    ]


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _moments(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.TIMESTAMP(timezone=True)) for name in names]


def _nows(*names: str) -> list[sa.Column[Any]]:
    kind = sa.TIMESTAMP(timezone=True)
    return [sa.Column(name, kind, nullable=False, server_default=sa.func.now()) for name in names]


def upgrade() -> None:
    op.create_table(
        "app_metadata",
        sa.Column("id", pg.UUID, primary_key=True, server_default=sa.func.gen_random_uuid()),
        *_texts("namespace", "app_id", "tenant", "name", "environment", "region"),
        *_texts("neon_project_id", "host", "status"),
        *_nows("created_at", "updated_at"),
        *_moments("deleted_at"),
        sa.CheckConstraint("status IN ('active', 'deleted')", name="app_metadata_status"),
        sa.CheckConstraint(
            "(status = 'deleted') = (deleted_at IS NOT NULL)", name="app_metadata_deleted"
        ),
        schema=SCHEMA,
    )
    live = sa.text("deleted_at IS NULL")
    op.create_index(
        "app_metadata_live",
        "app_metadata",
        ["namespace", "app_id"],
        unique=True,
        postgresql_where=live,
        schema=SCHEMA,
    )
    op.create_index("app_metadata_project", "app_metadata", ["neon_project_id"], schema=SCHEMA)
    op.create_table(
        "project_resources",
        *_own(),
        *_texts("kind", "name", "external_id"),
        *_nows("created_at", "updated_at"),
        *_moments("deleted_at"),
        sa.CheckConstraint(
            "kind IN ('project', 'database', 'schema', 'role', 'branch', 'endpoint')",
            name="project_resources_kind",
        ),
        sa.UniqueConstraint("app", "kind", "name", name="project_resources_once"),
        schema=SCHEMA,
    )
    op.create_table(
        "project_services",
        *_own(),
        *_texts("type", "status"),
        *_nows("created_at", "updated_at"),
        *_moments("deleted_at"),
        sa.CheckConstraint("type IN ('auth', 'realtime', 'storage')", name="project_services_type"),
        sa.CheckConstraint(
            "status IN ('active', 'disabled', 'error')", name="project_services_status"
        ),
        sa.UniqueConstraint("app", "type", name="project_services_once"),
        schema=SCHEMA,
    )
    op.create_table(
        "api_keys",
        *_own(),
        *_texts("key_hash", "prefix", "name"),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text), nullable=False),
        sa.Column(
            "is_active",
            sa.Boolean,
            sa.Computed("revoked_at IS NULL", persisted=True),
            nullable=False,
        ),
        *_moments("last_used"),
        *_texts("created_by"),
        *_nows("created_at"),
        *_moments("expires_at", "revoked_at"),
        sa.CheckConstraint("key_hash ~ '^[0-9a-f]{64}$'", name="api_keys_hash"),
        sa.CheckConstraint("generation >= 1", name="api_keys_generation"),
        sa.UniqueConstraint("key_hash", name="api_keys_once"),
        schema=SCHEMA,
    )
    op.create_index(
        "api_keys_current",
        "api_keys",
        ["app", "name", "generation"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
        schema=SCHEMA,
    )
    op.create_table(
        "user_databases",
        *_own(),
        *_texts("user_id", "name"),
        sa.Column("instance_id", sa.Text),
        sa.Column("uri", sa.Text),
        *_texts("status"),
        *_nows("created_at", "updated_at"),
        *_moments("deleted_at"),
        sa.CheckConstraint(
            "status IN ('pending', 'ready', 'failed')", name="user_databases_status"
        ),
        schema=SCHEMA,
    )
    op.create_index(
        "user_databases_live",
        "user_databases",
        ["app", "user_id"],
        unique=True,
        postgresql_where=live,
        schema=SCHEMA,
    )


def downgrade() -> None:
    for table in (
        "user_databases",
        "api_keys",
        "project_services",
        "project_resources",
        "app_metadata",
    ):
        op.drop_table(table, schema=SCHEMA)
