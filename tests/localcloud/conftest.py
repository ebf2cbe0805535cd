from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.localcloud.catalog import TABLES, Catalog
from tests.localcloud.support import Account, query
from tests.localcloud_fixture import local_cloud

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.localcloud_fixture import LocalCloud


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with local_cloud(tmp_path_factory.mktemp("localcloud") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def account(cloud: LocalCloud) -> Iterator[Account]:
    with cloud.client() as client:
        yield Account(cloud, client)


@pytest.fixture(scope="session")
def catalog_server(account: Account) -> Iterator[Catalog]:
    project = account.project("catalog", branch={"role_name": "keeper", "database_name": "catalog"})
    query(project.uri, TABLES)
    yield Catalog(project.uri)
    project.delete()


@pytest.fixture
def catalog(catalog_server: Catalog) -> Catalog:
    """A catalog without rows."""
    catalog_server.empty()
    return catalog_server
