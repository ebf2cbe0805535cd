"""Connections of the service and its workers to the catalog."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from tenantry.catalog.service_tables import SERVICE
from tenantry.provisioning.postgres import password_in, reason_of
from tenantry.selfservice.errors import AwayError, CutError, SelfServiceError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from typing import TypeVar

    from psycopg import AsyncConnection
    from psycopg_pool import AsyncConnectionPool

    Row = dict[str, Any]
    Connection = AsyncConnection[Row]
    Pool = AsyncConnectionPool[Connection]
    Answer = TypeVar("Answer")

CONNECT_SECONDS: Final = 5
STATEMENT_SECONDS: Final = 15
CHANNEL: Final = "tenantry_operations"
"""Where an operation's id is told as soon as something happened to it (LISTEN)."""


def parameters(search_path: str = "tenantry,tenantry_jobs") -> dict[str, Any]:
    """Return the parameters of each connection, beside the URL.

    A connection whose other end is gone is noticed within a minute (libpq, `keepalives*` and `tcp_user_timeout`). The
    URL must be that of the direct host: a pooler for transactions takes neither `options` nor LISTEN.

    :param search_path: the schema whose tables are found without their schema's name
    """
    return {
        "connect_timeout": CONNECT_SECONDS,
        "keepalives_idle": 15,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
        "application_name": "tenantry-service",
        "options": f"-crole={SERVICE} -csearch_path={search_path} -cstatement_timeout={STATEMENT_SECONDS}s "
        f"-clock_timeout={STATEMENT_SECONDS}s -cidle_in_transaction_session_timeout=60s",
    }


def pool(url: str, *, most: int = 10, checked: bool = True) -> Pool:
    """Return a pool of connections to the catalog, not yet open. A connection is in autocommit until a transaction.

    :param url: a libpq URI of a role that may take on the service's
    :param most: how many connections it makes at most
    :param checked: whether each is tried before it is given, which is a question more to the server
    """
    from psycopg.rows import dict_row
    from psycopg_pool import AsyncConnectionPool

    from tenantry.selfservice.watched import WatchedConnection

    return AsyncConnectionPool(
        url,
        connection_class=WatchedConnection,
        kwargs={**parameters(), "autocommit": True, "row_factory": dict_row},
        min_size=1,
        max_size=most,
        timeout=CONNECT_SECONDS,
        open=False,
        check=AsyncConnectionPool.check_connection if checked else None,
        name="catalog",
    )


def check(url: str) -> None:
    """Connect once, as the service will: what is wrong with the URL or its user is told before anything starts.

    :raises AwayError: the server does not answer
    :raises SelfServiceError: the URL is none, or its user may not take on the service's role
    """
    import psycopg

    try:
        psycopg.connect(url, **parameters()).close()
    except psycopg.OperationalError as error:
        said = str(error)
        if "permission denied to set role" in said or f'"{SERVICE}" does not exist' in said:
            raise _lacks("it may not take on the service's role") from None
        raise _away(reason_of(error, password=password_in(url))) from None
    except psycopg.ProgrammingError:
        # libpq's own words quote the URL.
        raise SelfServiceError(
            "the URL is none that libpq reads",
            place="catalog",
            way_out="set TENANTRY_CATALOG_URL to postgresql://USER:PASSWORD@HOST/DATABASE",
        ) from None


def _away(reason: str) -> AwayError:
    return AwayError(
        f"the database does not answer: {reason}",
        place="catalog",
        way_out="look whether it is up and reachable; what was asked for is not lost",
    )


def _lacks(what: str) -> SelfServiceError:
    return SelfServiceError(
        f"the URL's user lacks a right: {what}",
        place="catalog",
        way_out=f"as the catalog's owner, GRANT {SERVICE} TO the user",
    )


@asynccontextmanager
async def transaction(connections: Pool) -> AsyncIterator[Connection]:
    """Give a connection in a transaction, which is committed at the block's end.

    :raises AwayError: the server does not answer
    :raises SelfServiceError: it refuses the service
    """
    async with connection(connections) as one, one.transaction():
        yield one


async def read(connections: Pool, question: Callable[[Connection], Awaitable[Answer]]) -> Answer:
    """Ask what changes nothing; once more where the connection was cut. Errors as for `transaction`."""
    try:
        async with connection(connections) as one:
            return await question(one)
    except CutError:
        # Others that wait in the pool were cut as well, or are half open, which only time could tell.
        await connections.drain()
        async with connection(connections) as one:
            return await question(one)


@asynccontextmanager
async def connection(connections: Pool) -> AsyncIterator[Connection]:
    """Give a connection in which each statement is a transaction; errors as for `transaction`."""
    import psycopg
    from psycopg_pool import PoolClosed, PoolTimeout

    try:
        async with connections.connection() as one:
            yield one
    except (PoolTimeout, PoolClosed):
        raise _away(f"no connection within {CONNECT_SECONDS} s") from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise _lacks(str(error.diag.message_primary)) from None
    except psycopg.OperationalError as error:
        raise CutError(
            f"the database ended the connection ({type(error).__name__})",
            place="catalog",
            way_out="look whether it is up and reachable; what was asked for is not lost",
        ) from None
