"""A catalog with the service's tables and queue, on a local cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tenantry.selfservice.queue_tables import migrate
from tests.localcloud.conftest import account, catalog_server, cloud, database

if TYPE_CHECKING:
    from tests.localcloud.catalog import Catalog

__all__ = ["account", "catalog_server", "cloud", "database"]


@pytest.fixture
def catalog(catalog_server: Catalog) -> Catalog:
    """A catalog without rows and without jobs."""
    migrate(catalog_server.url)
    catalog_server.empty()
    catalog_server.ask("TRUNCATE tenantry_jobs.procrastinate_jobs CASCADE")
    return catalog_server
