"""Connections to the catalog."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import psycopg
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tenantry.catalog.location import NAME, NO_URL
from tenantry.catalog.tables import SCHEMA, WRITER
from tenantry.provisioning.connections import connect
from tenantry.provisioning.errors import BusyError, MissingError, RejectedError
from tenantry.provisioning.postgres import kind_of, password_in, reason_of
from tenantry.provisioning.sharing import Shared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tenantry.provisioning.errors import ProvisioningError, Step

CONNECT_SECONDS: Final = 10
CONNECTIONS: Final = 8
"""The most that one process has at once, however many stacks it works on."""
POOL_SECONDS: Final = 60
"""How long one waits for another that is in use."""
LOCK_SECONDS: Final = 10
STATEMENT_SECONDS: Final = 60

HINTS: Final = {
    "DeniedError": "look at the catalog's URL (TENANTRY_CATALOG_URL or tenantry:catalogUrl), its user and that user's rights",
    "MissingError": "look whether the URL is the catalog's and its tables are there (tenantry plan --refresh says what is gone); restore them "
    "from a backup",
    "RejectedError": "the catalog refuses it: report this with the text above",
}
_GO_ON: Final = "look whether the catalog answers, then tenantry up"


class NoCatalogError(MissingError):
    """The database answers and has no tables of a catalog, so no row of it is there either."""


def engine(url: str) -> sa.Engine:
    """Return this process's connections to the catalog at `url`, a libpq URI."""
    return _engines.get(url)


def _pool(url: str) -> sa.Engine:
    def open_connection() -> psycopg.Connection[Any]:
        # libpq reads the URL itself, with whatever parameters it has.
        return connect(
            url,
            connect_timeout=CONNECT_SECONDS,
            application_name="tenantry",
            options=f"-clock_timeout={LOCK_SECONDS}s -cstatement_timeout={STATEMENT_SECONDS}s",
        )

    return sa.create_engine(
        "postgresql+psycopg://",
        creator=open_connection,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=POOL_SECONDS,
        # A server that slept or was restarted has closed the connections of the pool.
        pool_pre_ping=True,
    )


_engines: Final = Shared(_pool, sa.Engine.dispose)


@contextmanager
def writing(url: str, app: str, step: Step) -> Iterator[sa.Connection]:
    """Give a transaction in which rows of the catalog can be read and written, and nothing else.

    :param app: the app for which it is done, for the message of a failure
    :raises NoCatalogError: the database has no tables of a catalog
    :raises ProvisioningError: no connection, a statement that failed
    """
    with translated(url, app, step), engine(url).begin() as connection:
        # The role alone proves nothing: it belongs to the whole server, which may hold another catalog.
        found = connection.execute(
            sa.text(
                "SELECT to_regrole(:role) IS NOT NULL AND to_regnamespace(:schema) IS NOT NULL"
            ),
            {"role": WRITER, "schema": SCHEMA},
        ).scalar_one()
        if not found:
            raise NoCatalogError(
                app,
                step,
                "this database is no catalog: it has no tables of one",
                "tenantry up -- --refresh makes them; if they were there, the URL may be another database's",
            )
        connection.execute(sa.text(f'SET LOCAL ROLE "{WRITER}"'))
        yield connection


@contextmanager
def translated(url: str, app: str, step: Step) -> Iterator[None]:
    """Raise a failure of the database as a `ProvisioningError`."""
    try:
        yield
    except PoolTimeout:
        raise BusyError(
            app,
            step,
            f"all {CONNECTIONS} connections to the catalog have been in use for {POOL_SECONDS} s",
            "look what holds its tables, then tenantry up",
        ) from None
    except DBAPIError as error:
        if not isinstance(error.orig, psycopg.Error):
            raise
        raise _failure(url, app, step, error.orig) from None


def _failure(url: str, app: str, step: Step, error: psycopg.Error) -> ProvisioningError:
    # A table that is missing is a fault of the catalog, not of the statement.
    kind = MissingError if isinstance(error, psycopg.errors.UndefinedTable) else kind_of(error)
    try:
        reason = reason_of(error, password=password_in(url))
    except psycopg.ProgrammingError:
        # libpq's own words quote the URL.
        what, _, hint = NO_URL.partition(": ")
        return RejectedError(app, step, what, hint)
    where = "" if app == NAME else "the catalog: "
    return kind(app, step, f"{where}{reason}", HINTS.get(kind.__name__, _GO_ON))
