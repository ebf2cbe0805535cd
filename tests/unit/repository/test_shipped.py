from pathlib import Path

import pytest

from tenantry.repository import shipped


def test_a_source_tree_has_the_files_beside_the_packages() -> None:
    root = Path(__file__).parents[3]
    assert shipped.shipped("toolchain/go.mod") == root / "toolchain" / "go.mod"
    assert shipped.shipped("toolchain/go.mod").is_file()


def test_a_wheel_has_them_in_a_folder_of_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped, "_IN_A_WHEEL", tmp_path)
    assert shipped.shipped("ci/tenantry-ci") == tmp_path / "ci" / "tenantry-ci"
