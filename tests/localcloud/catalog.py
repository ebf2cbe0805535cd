"""The catalog's tables on a real server, and what the tests put in them."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg

import tenantry.catalog.service_tables  # noqa: F401  # adds its tables to the metadata
from tenantry.catalog.connecting import engine, writing
from tenantry.catalog.keys import compose, digest
from tenantry.catalog.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    import sqlalchemy as sa


@dataclass
class Catalog:
    """A catalog and the URL of one of its users, most often of its owner."""

    url: str

    @contextmanager
    def rows(self, app: str = "acme/web") -> Iterator[sa.Connection]:
        """Give a transaction in which the product writes its rows."""
        with writing(self.url, app, "services") as connection:
            yield connection

    def close(self) -> None:
        """Close the connections that the product keeps."""
        engine(self.url).dispose()

    @contextmanager
    def database(self) -> Iterator[Catalog]:
        """Make a database of its own on the same server, with nothing in it, and drop it at the end."""
        name = f"d{secrets.token_hex(4)}"
        self.ask(f"CREATE DATABASE {name}")
        made = Catalog(urlsplit(self.url)._replace(path=f"/{name}").geturl())
        try:
            yield made
        finally:
            made.close()
            self.ask(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def user(self, *grants: str) -> Iterator[Catalog]:
        """Make a login with these rights, as in `GRANT … TO`, and drop it at the end."""
        name = f"u{secrets.token_hex(4)}"
        self.ask(f"CREATE ROLE {name} LOGIN PASSWORD '{name}'")
        for each in grants:
            self.ask(f"GRANT {each} TO {name}")
        host = urlsplit(self.url).netloc.rpartition("@")[2]
        made = Catalog(urlsplit(self.url)._replace(netloc=f"{name}:{name}@{host}").geturl())
        try:
            yield made
        finally:
            made.close()
            for each in grants:
                self.ask(f"REVOKE {each} FROM {name}")
            self.ask(f"DROP ROLE {name}")

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
        self.ask(f"TRUNCATE {', '.join(table.fullname for table in metadata.sorted_tables)}")

    def app(
        self, app_id: str = "acme/web", *, namespace: str = "tenantry", deleted: bool = False
    ) -> str:
        """Add an app and return its id."""
        tenant, _, name = app_id.partition("/")
        rows = self.ask(
            "INSERT INTO tenantry.app_metadata (namespace, app_id, tenant, name, environment, region, neon_project_id, host, "
            "status, deleted_at) VALUES (%s, %s, %s, %s, 'staging', 'aws-us-east-2', 'young-sun-12345678', 'ep.example', %s, "
            "CASE WHEN %s THEN now() END) RETURNING id",
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
            "INSERT INTO tenantry.api_keys (app, key_hash, prefix, name, generation, scopes, created_at, created_by, "
            "expires_at, revoked_at, last_used) "
            "VALUES (%s, %s, %s, %s, %s, %s, to_timestamp(1789000000), 'tests', %s, %s, %s)",
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
