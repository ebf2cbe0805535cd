import os
import re
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given

from tenantry.registry import RegistryError, parse
from tenantry.registry.editing import EditError, RegistryFile
from tenantry.registry.rotating import rotate_key
from tests.unit.registry.layouts import registries

ROOT = Path(__file__).parents[3]
FILE = Path("tenants.yaml")


@given(registries())
def test_the_diff_is_one_that_patch_takes(text: str) -> None:
    content = text.encode()
    edit = rotate_key(RegistryFile(FILE, content, parse(content)), "acme/web", "default")
    assert patched(content.decode(), edit.diff()) == edit.after.decode()


def patched(text: str, diff: str) -> str:
    """Apply a unified diff, strictly: every line that it shows must be there."""
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    result: list[str] = []
    at = 0
    shown = re.findall(r"[^\n]*\n", diff)
    assert shown[:2] == ["--- a/tenants.yaml\n", "+++ b/tenants.yaml\n"]
    for number, line in enumerate(shown[2:], 2):
        without_end = number + 1 < len(shown) and shown[number + 1].startswith("\\")
        content = line[1:].removesuffix("\n") if without_end else line[1:]
        match line[0]:
            case "@":
                start = int(line.split()[1].lstrip("-").split(",")[0]) - 1
                result += lines[at:start]
                at = start
            case " " | "-":
                assert lines[at] == content
                result += [content] if line[0] == " " else []
                at += 1
            case "+":
                result.append(content)
    return "".join([*result, *lines[at:]])


def test_writing_keeps_the_mode_and_leaves_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "tenants.yaml"
    path.write_bytes((ROOT / "tenants.yaml").read_bytes())
    path.chmod(0o640)
    rotate_key(RegistryFile.read(path), "acme/web", "reports").write()
    assert "{name: reports, scopes: [read], generation: 2}" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_writing_follows_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real = tmp_path / "real" / "registry.yaml"
    real.write_bytes((ROOT / "tenants.yaml").read_bytes())
    link = tmp_path / "tenants.yaml"
    link.symlink_to("real/registry.yaml")
    rotate_key(RegistryFile.read(link), "globex/search", "ingest").write()
    assert link.is_symlink()
    assert "generation: 3" in real.read_text()


def test_a_file_that_was_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "tenants.yaml"
    path.write_bytes((ROOT / "tenants.yaml").read_bytes())
    edit = rotate_key(RegistryFile.read(path), "acme/web", "reports")
    path.write_text("version: 1\ntenants: {}\n")
    with pytest.raises(EditError, match="was changed meanwhile"):
        edit.write()
    assert path.read_text() == "version: 1\ntenants: {}\n"


def test_a_write_that_fails_leaves_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tenants.yaml"
    before = (ROOT / "tenants.yaml").read_bytes()
    path.write_bytes(before)
    edit = rotate_key(RegistryFile.read(path), "acme/web", "reports")

    def full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EditError, match="cannot be written: No space left on device"):
        edit.write()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_registry_with_faults_is_not_edited(tmp_path: Path) -> None:
    (tmp_path / "tenants.yaml").write_text("version: 2\ntenants: {}\n")
    with pytest.raises(RegistryError, match="must be the number 1"):
        RegistryFile.read(tmp_path / "tenants.yaml")
    with pytest.raises(RegistryError, match="cannot be read: No such file"):
        RegistryFile.read(tmp_path / "none.yaml")


def test_git_applies_the_diff(tmp_path: Path) -> None:
    example = (ROOT / "tenants.yaml").read_bytes()
    (tmp_path / "tenants.yaml").write_bytes(example)
    edit = rotate_key(RegistryFile(FILE, example, parse(example)), "acme/web", "default")
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=edit.diff().encode(), check=True)
    assert (tmp_path / "tenants.yaml").read_bytes() == edit.after
