"""The matrix can fail: with the unmodified Neon provider it finds what it is there to find."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.cloud import FaultyCloud, faulty_cloud
from tests.faults.points import PACE, matrix
from tests.faults.running import run
from tests.faults.stock import stock_plugins

CASES = {case.id: case for case in matrix()}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyCloud]:
    with faulty_cloud(tmp_path_factory.mktemp("cloud") / "data", pace=PACE) as running:
        yield running


@pytest.fixture(scope="module")
def plugins() -> Path:
    return stock_plugins()


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("create/project-500/nobody", {"orphan", "duplicate"}),
        pytest.param("create/start-failed/nobody", {"not converged"}, marks=pytest.mark.faults),
    ],
)
def test_the_unmodified_provider_does_not_come_through(
    name: str, found: set[str], cloud: FaultyCloud, plugins: Path, tmp_path: Path
) -> None:
    result = run(CASES[name], cloud, tmp_path / "workspace", seed=1, served=True, plugins=plugins)
    assert {finding.kind for finding in result.findings} >= found
