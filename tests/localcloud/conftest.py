from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from localcloud.postgres.addresses import claim
from tenantry.catalog.migrating import migrate
from tests.localcloud.catalog import Catalog
from tests.localcloud.machine import DOMAIN, resolving_machine
from tests.localcloud.support import Account
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


@dataclass(frozen=True)
class Place:
    """Where programs meet a local cloud. ``machine`` goes before a command; see :mod:`tests.localcloud.machine`."""

    account: Account
    machine: tuple[str, ...]


@pytest.fixture(scope="session", params=["addresses", "names"])
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """A local cloud whose hosts are addresses, and one whose hosts are names, on a machine that resolves them."""
    if request.param == "addresses":
        yield Place(request.getfixturevalue("account"), ())
        return
    folder = tmp_path_factory.mktemp("names")
    address, listener = claim(str(folder), "names", ())
    listener.close()
    with (
        resolving_machine(folder, address) as machine,
        local_cloud(folder / "data", "--domain", DOMAIN, machine=machine) as cloud,
        cloud.client() as client,
    ):
        assert cloud.hosts == f"names below {DOMAIN}, at {address}"
        yield Place(Account(cloud, client), machine)


@pytest.fixture(scope="session")
def catalog_server(account: Account) -> Iterator[Catalog]:
    project = account.project("catalog", branch={"role_name": "keeper", "database_name": "catalog"})
    catalog = Catalog(project.uri)
    migrate(catalog.url)
    yield catalog
    catalog.close()
    project.delete()


@pytest.fixture
def catalog(catalog_server: Catalog) -> Catalog:
    """A catalog without rows."""
    catalog_server.empty()
    return catalog_server


@pytest.fixture
def database(catalog_server: Catalog) -> Iterator[Catalog]:
    """A database without anything in it, on a server that has another catalog already."""
    with catalog_server.database() as made:
        yield made
