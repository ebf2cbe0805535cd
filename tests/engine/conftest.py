from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.workspace import Workspace
from tests.localcloud_fixture import LocalCloud, local_cloud


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """One local cloud for the whole run; each workspace has a namespace of its own in it."""
    with local_cloud(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture
def new_workspace(cloud: LocalCloud, tmp_path: Path) -> Callable[[], Workspace]:
    """Make workspaces on the shared cloud."""
    made: list[Workspace] = []

    def make() -> Workspace:
        made.append(Workspace(tmp_path / f"workspace-{len(made)}", cloud.env()))
        return made[-1]

    return make


@pytest.fixture
def workspace(new_workspace: Callable[[], Workspace]) -> Workspace:
    """A workspace on the shared cloud."""
    return new_workspace()
