"""The catalog's tables on a real server, and what the tests put in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from tenantry.catalog.keys import compose, digest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

TABLES = """\
CREATE SCHEMA tenantry;
CREATE TABLE tenantry.app_metadata (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(), namespace text NOT NULL, app_id text NOT NULL, tenant text NOT NULL,
  name text NOT NULL, environment text NOT NULL, region text NOT NULL, neon_project_id text, host text,
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'deleted')),
  created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);
CREATE UNIQUE INDEX ON tenantry.app_metadata (namespace, app_id) WHERE deleted_at IS NULL;
CREATE TABLE tenantry.project_services (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(), app uuid NOT NULL REFERENCES tenantry.app_metadata,
  type text NOT NULL, status text NOT NULL, created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz, UNIQUE (app, type)
);
CREATE TABLE tenantry.api_keys (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(), app uuid NOT NULL REFERENCES tenantry.app_metadata,
  key_hash text NOT NULL UNIQUE, prefix text NOT NULL, name text NOT NULL, generation int NOT NULL,
  scopes text[] NOT NULL, is_active boolean GENERATED ALWAYS AS (revoked_at IS NULL) STORED, last_used timestamptz,
  created_by text NOT NULL DEFAULT 'tenantry', created_at timestamptz NOT NULL DEFAULT now(), expires_at timestamptz,
  revoked_at timestamptz
);
CREATE UNIQUE INDEX ON tenantry.api_keys (app, name, generation) WHERE revoked_at IS NULL;
"""


@dataclass
class Catalog:
    """A catalog and the URL of its owner."""

    url: str

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Connect as its owner, in autocommit mode."""
        return psycopg.connect(self.url, autocommit=True, connect_timeout=10)

    def ask(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        with self.connect() as connection:
            cursor = connection.execute(question.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def empty(self) -> None:
        """Take every row out."""
        self.ask("TRUNCATE tenantry.app_metadata CASCADE")

    def app(
        self, app_id: str = "acme/web", *, namespace: str = "tenantry", deleted: bool = False
    ) -> str:
        """Add an app and return its id."""
        tenant, _, name = app_id.partition("/")
        rows = self.ask(
            "INSERT INTO tenantry.app_metadata (namespace, app_id, tenant, name, environment, region, status, deleted_at) "
            "VALUES (%s, %s, %s, %s, 'staging', 'aws-us-east-2', %s, CASE WHEN %s THEN now() END) RETURNING id",
            namespace,
            app_id,
            tenant,
            name,
            "deleted" if deleted else "active",
            deleted,
        )
        return str(rows[0][0])

    def key(
        self,
        app: str,
        secret: int,
        *,
        name: str = "default",
        generation: int = 1,
        scopes: Sequence[str] = ("read", "write"),
        expires_at: datetime | None = None,
        revoked_at: datetime | None = None,
        last_used: datetime | None = None,
    ) -> str:
        """Add a key made of the given secret, and return it."""
        key = compose(f"acme--{name}", at=1_789_000_000, secret=secret.to_bytes(32))
        self.ask(
            "INSERT INTO tenantry.api_keys (app, key_hash, prefix, name, generation, scopes, created_at, expires_at, "
            "revoked_at, last_used) VALUES (%s, %s, %s, %s, %s, %s, to_timestamp(1789000000), %s, %s, %s)",
            app,
            digest(key),
            f"acme--{name}",
            name,
            generation,
            list(scopes),
            expires_at,
            revoked_at,
            last_used,
        )
        return key
