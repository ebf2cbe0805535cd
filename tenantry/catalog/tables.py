"""The control plane's tables: which apps there are, what each consists of, and which API keys are good for it.

The rows of an app that was destroyed stay, with `deleted_at`. An app that comes back under its name is a new row.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

SCHEMA: Final = "tenantry"
WRITER: Final = "tenantry_catalog_writer"
"""The role that reads and writes the rows, and owns nothing. A session that only keeps rows takes it on."""

metadata = sa.MetaData(schema=SCHEMA)
LIVE: Final = sa.text("deleted_at IS NULL")


def _id() -> sa.Column[Any]:
    return sa.Column("id", pg.UUID, primary_key=True, server_default=sa.func.gen_random_uuid())


def _app() -> sa.Column[Any]:
    return sa.Column("app", pg.UUID, sa.ForeignKey("tenantry.app_metadata.id"), nullable=False)


def _moment(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.TIMESTAMP(timezone=True))


def _now(name: str) -> sa.Column[Any]:
    return sa.Column(
        name, sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()
    )


app_metadata = sa.Table(
    "app_metadata",
    metadata,
    _id(),
    sa.Column("namespace", sa.Text, nullable=False),
    sa.Column("app_id", sa.Text, nullable=False),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("environment", sa.Text, nullable=False),
    sa.Column("region", sa.Text, nullable=False),
    sa.Column("neon_project_id", sa.Text, nullable=False),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    _now("created_at"),
    _now("updated_at"),
    _moment("deleted_at"),
    sa.CheckConstraint("status IN ('active', 'deleted')", name="app_metadata_status"),
    sa.CheckConstraint(
        "(status = 'deleted') = (deleted_at IS NOT NULL)", name="app_metadata_deleted"
    ),
    sa.Index("app_metadata_live", "namespace", "app_id", unique=True, postgresql_where=LIVE),
    sa.Index("app_metadata_project", "neon_project_id"),
)

project_resources = sa.Table(
    "project_resources",
    metadata,
    _id(),
    _app(),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False),
    _now("created_at"),
    _now("updated_at"),
    _moment("deleted_at"),
    sa.CheckConstraint(
        "kind IN ('project', 'database', 'schema', 'role', 'branch', 'endpoint')",
        name="project_resources_kind",
    ),
    sa.UniqueConstraint("app", "kind", "name", name="project_resources_once"),
)

project_services = sa.Table(
    "project_services",
    metadata,
    _id(),
    _app(),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    _now("created_at"),
    _now("updated_at"),
    _moment("deleted_at"),
    sa.CheckConstraint("type IN ('auth', 'realtime', 'storage')", name="project_services_type"),
    sa.CheckConstraint("status IN ('active', 'disabled', 'error')", name="project_services_status"),
    sa.UniqueConstraint("app", "type", name="project_services_once"),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    _id(),
    _app(),
    sa.Column("key_hash", sa.Text, nullable=False),
    sa.Column("prefix", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("scopes", sa.ARRAY(sa.Text), nullable=False),
    sa.Column(
        "is_active", sa.Boolean, sa.Computed("revoked_at IS NULL", persisted=True), nullable=False
    ),
    _moment("last_used"),
    sa.Column("created_by", sa.Text, nullable=False),
    _now("created_at"),
    _moment("expires_at"),
    _moment("revoked_at"),
    # The SHA-256 of the key in hexadecimal: no more of it is kept.
    sa.CheckConstraint("key_hash ~ '^[0-9a-f]{64}$'", name="api_keys_hash"),
    sa.CheckConstraint("generation >= 1", name="api_keys_generation"),
    sa.UniqueConstraint("key_hash", name="api_keys_once"),
    sa.Index(
        "api_keys_current",
        "app",
        "name",
        "generation",
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    ),
)

user_databases = sa.Table(
    "user_databases",
    metadata,
    _id(),
    _app(),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("instance_id", sa.Text),
    sa.Column("uri", sa.Text),
    sa.Column("status", sa.Text, nullable=False),
    _now("created_at"),
    _now("updated_at"),
    _moment("deleted_at"),
    sa.CheckConstraint("status IN ('pending', 'ready', 'failed')", name="user_databases_status"),
    sa.Index("user_databases_live", "app", "user_id", unique=True, postgresql_where=LIVE),
)
