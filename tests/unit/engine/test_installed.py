from pathlib import Path

import pytest

from tenantry.engine.installed import on_path
from tenantry.engine.pins import CLI, NEON_IDENTITY, NEON_PLUGIN, PULUMI, RANDOM_PLUGIN
from tests.unit.engine.conftest import Executable


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be the only folder on PATH besides the system's."""
    path = tmp_path / "usr-local-bin"
    path.mkdir()
    monkeypatch.setenv("PATH", f"{path}:/usr/bin:/bin")
    return path


def cli(folder: Path, executable: Executable, version: str) -> None:
    for name in CLI.executables:
        executable(folder / name, f"echo {version}")


@pytest.mark.parametrize("version", [f"v{PULUMI}", "v3.300.1", "v4.0.0", "v3.260.0-alpha.1"])
def test_a_cli_that_is_new_enough_is_taken(
    version: str, folder: Path, tmp_path: Path, executable: Executable
) -> None:
    cli(folder, executable, version)
    assert on_path(CLI, tmp_path) == {name: folder / name for name in CLI.executables}


@pytest.mark.parametrize("version", ["v3.258.9", "v2.999.0", "", "nonsense"])
def test_an_older_cli_is_not(
    version: str, folder: Path, tmp_path: Path, executable: Executable
) -> None:
    cli(folder, executable, version)
    assert on_path(CLI, tmp_path) is None


def test_a_cli_without_its_language_host_is_not(
    folder: Path, tmp_path: Path, executable: Executable
) -> None:
    cli(folder, executable, f"v{PULUMI}")
    (folder / "pulumi-language-python").unlink()
    assert on_path(CLI, tmp_path) is None


def test_what_is_in_the_bin_folder_itself_does_not_count(
    folder: Path, executable: Executable
) -> None:
    cli(folder, executable, f"v{PULUMI}")
    assert on_path(CLI, folder) is None


def test_a_plugin_is_taken_as_it_is(folder: Path, tmp_path: Path, executable: Executable) -> None:
    plugin = executable(folder / "pulumi-resource-random", "exit 1")
    assert on_path(RANDOM_PLUGIN, tmp_path) == {"pulumi-resource-random": plugin}


@pytest.mark.parametrize(
    ("body", "taken"),
    [
        (f'[ "$1" = --tenantry ] && echo "{NEON_IDENTITY}"', True),
        ('echo "tenantry kislerdm/neon 0.12.0"', False),
        ("echo 45123; exit 0", False),
        ("exit 1", False),
    ],
)
def test_only_our_neon_plugin_counts(
    body: str, taken: bool, folder: Path, tmp_path: Path, executable: Executable
) -> None:
    executable(folder / NEON_PLUGIN.executables[0], body)
    assert (on_path(NEON_PLUGIN, tmp_path) is not None) is taken
