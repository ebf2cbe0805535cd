"""A bucket of tokens in the catalog, a token a request: what is taken on all machines comes out of one row.

It fills by the server's clock, so the clocks of the machines have no part in it. A row has no more than the digest of
what it is the budget of.
"""

from __future__ import annotations

import hashlib
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tenantry.errors import TenantryError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from tenantry.budgets.rates import Rate

_CONNECT_SECONDS: Final = 3
_ANSWER_SECONDS: Final = 2.0
"""A catalog that is slower than this counts as one that does not answer: tokens would be too old."""

_TABLE: Final = "tenantry.cloud_budgets"
_MAKE: Final = f"""
INSERT INTO {_TABLE} (digest, per_minute, tokens, updated_at) VALUES (%(digest)s, %(per_minute)s, 0, clock_timestamp())
ON CONFLICT (digest) DO NOTHING
"""  # noqa: S608 our own name
# The time is taken once the row is locked. A moment ahead is that of a hold, or of a server whose clock was set back.
_TAKE: Final = f"""
WITH locked AS MATERIALIZED (
  SELECT tokens, updated_at, held_until FROM {_TABLE} WHERE digest = %(digest)s FOR UPDATE
), now AS MATERIALIZED (
  SELECT *, clock_timestamp() AS at FROM locked
), begun AS (
  SELECT *, least(updated_at, greatest(at, held_until)) AS since FROM now
), filled AS (
  SELECT at, since, held_until, least(%(burst)s::float8,
    tokens + greatest(0, extract(epoch FROM at - since)) * %(per_minute)s / 60) AS there FROM begun
), taken AS (
  SELECT *, greatest(0, least(%(wanted)s, floor(there)))::int AS count FROM filled
)
UPDATE {_TABLE} AS bucket
SET per_minute = %(per_minute)s, tokens = there - count, updated_at = greatest(at, since)
FROM taken WHERE bucket.digest = %(digest)s
RETURNING count, bucket.tokens, greatest(0, extract(epoch FROM taken.held_until - at))::float8
"""  # noqa: S608 our own name
_HOLD: Final = f"""
UPDATE {_TABLE} AS bucket
SET tokens = 0, held_until = greatest(held_until, ends), updated_at = greatest(held_until, ends)
FROM (SELECT clock_timestamp() + make_interval(secs => %(seconds)s) AS ends) AS hold WHERE digest = %(digest)s
"""  # noqa: S608 our own name


def digest_of(*what: str) -> str:
    """Return the name of a bucket: a digest of the cloud, its address, and the account or the key."""
    return hashlib.sha256("\n".join(what).encode()).hexdigest()


class NoBucketError(TenantryError):
    """The catalog has no table of budgets, so no machine shares one by it."""


class BucketError(TenantryError):
    """The catalog does not answer, or refuses."""


@dataclass(frozen=True)
class Taken:
    """What was taken."""

    count: int
    pause: float
    """Seconds until there is another token, unless somebody else takes it; 0 where there is one now."""
    held: float
    """Seconds for which the cloud wants no request; 0 where it takes them."""


class Bucket:
    """A row of the catalog, and a connection to it that is made when it is needed; safe to share between threads."""

    def __init__(self, url: str, digest: str, rate: Rate) -> None:
        """Connect to nothing yet.

        :param url: of the catalog
        :param digest: names the row: `digest_of`
        """
        self._url = url
        self._digest = digest
        self._rate = rate
        self._connection: psycopg.Connection[Any] | None = None
        self._lock = threading.Lock()

    def take(self, wanted: int) -> Taken:
        """Take as many tokens as there are, and no more than are wanted.

        :raises NoBucketError: there is no such table
        :raises BucketError: no connection, no answer in time, or a refusal
        """
        values = {
            "digest": self._digest,
            "wanted": wanted,
            "per_minute": self._rate.per_minute,
            "burst": self._rate.burst,
        }
        with self._asking() as connection:
            row = connection.execute(_TAKE, values).fetchone()
            if row is None:
                connection.execute(_MAKE, values)
                row = connection.execute(_TAKE, values).fetchone()
        assert row is not None  # noqa: S101 no row is ever removed
        count, left, held = row
        pause = held + max(0.0, 1 - left) * 60 / self._rate.per_minute
        return Taken(count, pause, held)

    def hold(self, seconds: float) -> None:
        """Let nobody take any for so long, and empty it: the cloud asked for that. Errors as for `take`."""
        with self._asking() as connection:
            connection.execute(_HOLD, {"digest": self._digest, "seconds": seconds})

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    @contextmanager
    def _asking(self) -> Iterator[psycopg.Connection[Any]]:
        import psycopg

        from tenantry.provisioning.connections import connect
        from tenantry.provisioning.postgres import password_in, reason_of

        with self._lock:
            try:
                if self._connection is None:
                    self._connection = connect(
                        self._url,
                        autocommit=True,
                        connect_timeout=_CONNECT_SECONDS,
                        application_name="tenantry budgets",
                        options=f"-cstatement_timeout={_ANSWER_SECONDS:g}s",
                    )
                with _ended_after(_ANSWER_SECONDS + 1, self._connection):
                    yield self._connection
            except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
                self._drop()
                raise NoBucketError(
                    "the catalog has no budgets: tenantry up makes its tables"
                ) from None
            except psycopg.Error as error:
                self._drop()
                with suppress(psycopg.Error):
                    said = reason_of(error, password=password_in(self._url))
                    raise BucketError(f"the catalog's budgets: {said}") from None
                raise BucketError(
                    "the catalog's budgets: its URL is not one of PostgreSQL"
                ) from None


@contextmanager
def _ended_after(seconds: float, connection: psycopg.Connection[Any]) -> Iterator[None]:
    """End a connection that does not answer: something on the way may swallow what is sent and stay open."""
    with socket.socket(fileno=connection.fileno()) as line:
        timer = threading.Timer(seconds, _shut, [line])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            # The descriptor is the connection's.
            line.detach()


def _shut(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
