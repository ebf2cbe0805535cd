import sys
from pathlib import Path

import pytest

from tenantry.repository.errors import RepositoryError
from tenantry.repository.pinning import pin_wheel
from tenantry.repository.trying import environment_of
from tests.unit.repository.conftest import MakeWheel


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Python that notes what it is asked for, and makes environments like itself."""
    file = tmp_path / "bin" / "python"
    file.parent.mkdir()
    file.write_text(
        f'#!/bin/sh\necho "$(basename $0) $*" >> {tmp_path}/calls\n'
        'if [ "$2" = venv ]; then mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; cp "$0" "$3/bin/tenantry"; exit; fi\n'
        f'if [ "$2" = pip ]; then cp requirements.txt {tmp_path}/asked; ls wheels >> {tmp_path}/asked; exit $(cat {tmp_path}/code); fi\n'
    )
    file.chmod(0o755)
    (tmp_path / "code").write_text("0")
    monkeypatch.setattr(sys, "executable", str(file))
    return file


def test_a_version_is_installed_with_its_hashes_and_gone_afterwards(
    python: Path, make_wheel: MakeWheel, tmp_path: Path
) -> None:
    pin = pin_wheel(make_wheel("2.0.0"), local_cloud=False)
    said: list[str] = []
    with environment_of(pin, said.append) as commands:
        assert (commands / "tenantry").exists()
    assert not commands.exists()
    assert python.exists()
    asked = (tmp_path / "asked").read_text()
    assert asked == pin.requirements() + "tenantry-2.0.0-py3-none-any.whl\n"
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [each.split()[:3] for each in calls] == [
        ["python", "-m", "venv"],
        ["python", "-m", "pip"],
        ["tenantry", "engine"],
    ]
    assert "--require-hashes" in calls[1]
    assert len(said) == 1


def test_what_cannot_be_installed_is_said(
    python: Path, make_wheel: MakeWheel, tmp_path: Path
) -> None:
    assert python.exists()
    (tmp_path / "code").write_text("1")
    with (
        pytest.raises(RepositoryError, match=r"-m pip install: exit code 1"),
        environment_of(pin_wheel(make_wheel("2.0.0"), local_cloud=False), print),
    ):
        pass
