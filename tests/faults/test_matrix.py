"""A fixed sample of the matrix that keeps each kind alive; `make faults` runs all of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.cloud import FaultyCloud, faulty_cloud
from tests.faults.points import PACE, VICTIMS, Case, matrix
from tests.faults.running import run

SAMPLE = (
    "create/project-late/group",
    "create-whole/project-done/engine",
    "create/project-wait/provider",
    "create/project-500/nobody",
    "create/start-failed/nobody",
    "create/login-done/engine",
    "create/database/postgres",
    "schema/table/engine",
    "template/template/command",
    "create/password/resident",
    "rotate-again/commit-done/group",
    "delete/project-done/cloud",
    "replace/made/engine",
    "rename/project-done/engine",
    "graph/create-done/engine",
)
CASES = {case.id: case for case in matrix()}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyCloud]:
    with faulty_cloud(tmp_path_factory.mktemp("cloud") / "data", pace=PACE) as running:
        yield running


@pytest.mark.parametrize("case", [CASES[name] for name in SAMPLE], ids=SAMPLE)
def test_a_disturbed_run_is_recovered_by_one_command(
    case: Case, cloud: FaultyCloud, tmp_path: Path
) -> None:
    result = run(case, cloud, tmp_path / "workspace", seed=1, served=True)
    assert result.findings == []


def test_each_victim_is_in_the_sample_and_in_the_matrix() -> None:
    assert {CASES[name].victim for name in SAMPLE} == set(VICTIMS)
    assert {case.victim for case in CASES.values()} == set(VICTIMS)
