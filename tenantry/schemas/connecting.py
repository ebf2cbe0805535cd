"""Connections of an app's owner to its database, on the direct host."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

from tenantry.hiding import hidden
from tenantry.provisioning.connections import connect as open_connection
from tenantry.provisioning.errors import MissingError
from tenantry.provisioning.postgres import kind_of
from tenantry.provisioning.retries import repeat
from tenantry.retries import RetryPolicy

LOCK_SECONDS: Final = 5
"""How long a statement of a migration waits for a lock. While it waits, the app's own statements queue up behind it."""
CONNECT_SECONDS: Final = 10
"""How long one attempt to connect may take. Neon wakes a suspended compute within that."""


@dataclass(frozen=True)
class TenantDatabase:
    """Where an app's schema is, and who owns it."""

    app: str
    host: str
    port: int
    name: str
    owner: str
    password: str = field(repr=False)
    schema: str
    group: str
    """The role by which the app's logins read and write."""
    reaching: RetryPolicy = field(default_factory=RetryPolicy)
    """How often a connection is tried."""

    def session(self) -> dict[str, str | int]:
        """Return libpq's parameters of a session that works in the schema."""
        settings = {
            # The schema comes first, so things are made in it; public is there for what extensions bring.
            "search_path": f"{self.schema},public",
            "lock_timeout": f"{LOCK_SECONDS}s",
        }
        return {
            "sslmode": "require",
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "tenantry",
            "options": " ".join(f"-c{name}={value}" for name, value in settings.items()),
        }

    def without_password(self, text: str) -> str:
        """Return the text without the password, which another program's message may hold."""
        return hidden(text, self.password)


def connect(database: TenantDatabase) -> psycopg.Connection[tuple[Any, ...]]:
    """Connect as the owner, in autocommit mode; the database's policy says how often that is tried.

    :raises MissingError: the server answers that there is no such database
    :raises ProvisioningError: no connection after the last attempt
    """
    return repeat(database.reaching, "database", lambda: _attempt(database))


def _attempt(database: TenantDatabase) -> psycopg.Connection[tuple[Any, ...]]:
    try:
        return open_connection(
            host=database.host,
            port=database.port,
            dbname=database.name,
            user=database.owner,
            password=database.password,
            autocommit=True,
            **database.session(),
        )
    except psycopg.OperationalError as error:
        kind = kind_of(error)
        said = database.without_password(" ".join(str(error).split()))
    hint = (
        "tenantry up -- --refresh makes it anew"
        if kind is MissingError
        else "look at the project in Neon, then tenantry up"
    )
    raise kind(
        database.app,
        "database",
        f"no connection to {database.name} at {database.host}: {said}",
        hint,
    )
