"""Connections of an app's owner to its database, on the direct host."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import psycopg

from tenantry.schemas.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence

LOCK_SECONDS: Final = 5
"""How long a statement of a migration waits for a lock. Behind a waiting one, the app's own statements queue up."""
CONNECT_SECONDS: Final = 10
"""How long one attempt to connect may take. Neon wakes a suspended compute within that."""
DELAYS: Final = (0.5, 1.0, 2.0, 4.0)
"""Seconds between attempts; the last failure counts."""

# What another attempt does not change: libpq gives no SQLSTATE for a connection that was refused.
_FINAL: Final = ("authentication failed", "does not exist", "no pg_hba.conf entry")


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

    def session(self) -> dict[str, str | int]:
        """Return libpq's parameters of a session that works in the schema."""
        settings = {
            # public for what extensions bring; the schema comes first, so it is where things are made.
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
        """Return the text with the password taken out, should another program's message have held it."""
        return text.replace(self.password, "…") if self.password else text


class NoDatabaseError(SchemaError):
    """The database, or the schema in it, is not there."""


def connect(
    database: TenantDatabase, delays: Sequence[float] = DELAYS
) -> psycopg.Connection[tuple[Any, ...]]:
    """Connect as the owner, in autocommit mode; wait for a compute that is waking up.

    :raises NoDatabaseError: the server answers that there is no such database
    :raises SchemaError: no connection after the last attempt
    """
    for delay in (*delays, None):
        try:
            return psycopg.connect(
                host=database.host,
                port=database.port,
                dbname=database.name,
                user=database.owner,
                password=database.password,
                autocommit=True,
                **database.session(),  # type: ignore[arg-type]  # libpq's parameters are texts and numbers
            )
        except psycopg.OperationalError as error:
            said = database.without_password(" ".join(str(error).split()))
            final = any(word in said for word in _FINAL)
        if f'database "{database.name}" does not exist' in said:
            raise NoDatabaseError(
                f"{database.app}: {said}: pulumi refresh, then pulumi up makes it anew"
            )
        if final or delay is None:
            break
        time.sleep(delay)
    raise SchemaError(
        f"{database.app}: no connection to {database.name} at {database.host}: {said}; look at the project in Neon, "
        "then pulumi up"
    )
