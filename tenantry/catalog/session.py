"""A connection to the catalog for the length of a command."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from tenantry.catalog.location import CONFIG, NO_URL, VARIABLE
from tenantry.running.stack import setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import psycopg

CONNECT_SECONDS: Final = 10


class CatalogError(Exception):
    """The catalog does not answer as it should; one line, without the URL."""


def catalog_url(environment: Mapping[str, str]) -> str | None:
    """Return the URL of the catalog's database, with its password; None where there is no catalog.

    The environment's TENANTRY_CATALOG_URL, else the stack's secret setting `tenantry:catalogUrl`.

    :param environment: the variables to run `pulumi` with
    :raises StackError: the stack's settings cannot be read
    """
    return environment.get(VARIABLE) or setting(environment, CONFIG)


@contextmanager
def open_catalog(url: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """Connect to the catalog for the length of a block, in autocommit mode.

    :raises CatalogError: no connection within 10 s, or a statement of the block that failed
    """
    # Imported here: `tenantry --help` does not pay for a driver.
    import psycopg

    from tenantry.provisioning.postgres import password_in, reason_of

    try:
        password = password_in(url)
    except psycopg.Error:
        raise CatalogError(NO_URL) from None
    try:
        with psycopg.connect(
            url, autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="tenantry"
        ) as connection:
            yield connection
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        raise CatalogError("the catalog has no tables yet: pulumi up makes them") from None
    except psycopg.Error as error:
        raise CatalogError(f"the catalog: {reason_of(error, password=password)}") from None
