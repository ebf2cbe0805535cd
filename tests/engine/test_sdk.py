from pathlib import Path

from tenantry.engine.sdk import FOLDER, differences, generate


def test_the_committed_sdk_is_what_the_plugin_yields(tmp_path: Path) -> None:
    """If it is not: make sdk."""
    generate(tmp_path / "sdk")
    assert differences(FOLDER, tmp_path / "sdk") == []
