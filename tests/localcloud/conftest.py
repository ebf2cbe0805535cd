from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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
