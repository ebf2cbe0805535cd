"""A connection to the catalog for the length of a command."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from tenantry.catalog.errors import CatalogError
from tenantry.catalog.location import CONFIG, NO_URL, VARIABLE
from tenantry.running.stack import setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import psycopg

CONNECT_SECONDS: Final = 10
NOT_CONFIGURED: Final = (
    "no catalog is configured: set TENANTRY_CATALOG_URL, or pulumi config set --secret "
    "tenantry:catalogUrl"
)


def catalog_url(environment: Mapping[str, str]) -> str | None:
    """Return the URL of the catalog's database, with its password; None where there is no catalog.

    The environment's TENANTRY_CATALOG_URL, else the stack's secret setting `tenantry:catalogUrl`.

    :param environment: the variables to run `pulumi` with
    :raises StackError: the stack's settings cannot be read
    """
    return environment.get(VARIABLE) or setting(environment, CONFIG)


def find_catalog_url(folder: Path) -> str | None:
    """Return the URL of the catalog that a folder's current stack uses, as `catalog_url` does.

    A service's machine has no project: there the environment alone says it.

    :raises LocalCloudError: the folder has a local run, which is down
    """
    from tenantry.running.local import current_environment

    if VARIABLE in os.environ and not (folder / "Pulumi.yaml").exists():
        return os.environ[VARIABLE]
    return catalog_url(current_environment(folder))


def needed_catalog_url(folder: Path) -> str:
    """Return what `find_catalog_url` does.

    :raises CatalogError: there is no catalog
    """
    url = find_catalog_url(folder)
    if url is None:
        raise CatalogError(NOT_CONFIGURED)
    return url


@contextmanager
def open_catalog(url: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """Connect to the catalog for the length of a block, in autocommit mode.

    :raises CatalogError: no connection within 10 s, or a statement of the block that failed
    """
    # Imported here: `tenantry --help` does not pay for a driver.
    import psycopg

    from tenantry.provisioning.connections import connect
    from tenantry.provisioning.postgres import password_in, reason_of

    try:
        password = password_in(url)
    except psycopg.Error:
        raise CatalogError(NO_URL) from None
    try:
        with connect(
            url, autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="tenantry"
        ) as connection:
            yield connection
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        raise CatalogError("the catalog has no tables yet: tenantry up makes them") from None
    except psycopg.Error as error:
        raise CatalogError(f"the catalog: {reason_of(error, password=password)}") from None
