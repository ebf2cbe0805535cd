from pathlib import Path

from tenantry.engine.sdk import FOLDER, differences


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_equal_folders_have_no_differences(tmp_path: Path) -> None:
    files = {"a.py": "1", "p/b.py": "2"}
    left = write(tmp_path / "left", files)
    right = write(
        tmp_path / "right", {**files, "p/__pycache__/b.pyc": "x", "x.egg-info/PKG-INFO": "x"}
    )
    assert differences(left, right) == []


def test_each_kind_of_difference_is_found(tmp_path: Path) -> None:
    left = write(tmp_path / "left", {"same.py": "1", "changed.py": "1", "gone.py": "1"})
    right = write(tmp_path / "right", {"same.py": "1", "changed.py": "2", "new.py": "1"})
    assert differences(left, right) == ["changed.py", "gone.py", "new.py"]


def test_the_committed_sdk_names_the_plugin_and_its_parameter() -> None:
    text = (FOLDER / "pulumi_neon" / "pulumi-plugin.json").read_text()
    assert '"name": "terraform-provider"' in text
    assert '"version": "0.13.0"' in text
