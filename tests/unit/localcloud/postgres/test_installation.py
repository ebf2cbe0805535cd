from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from localcloud.postgres import installation

if TYPE_CHECKING:
    from pathlib import Path


def test_a_copy_of_the_programs_runs_where_the_package_cannot_be_reached(tmp_path: Path) -> None:
    copy = installation._copy_package(installation._package(), tmp_path / "programs-1")
    done = subprocess.run(
        [copy / "pginstall" / "bin" / "postgres", "--version"],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    assert done.stdout.startswith("postgres (PostgreSQL) 18")
    assert (copy / "pginstall" / "share" / "extension" / "pg_trgm.control").exists()
    for file in (
        copy / "pginstall" / "bin" / "postgres",
        *(copy / "pginstall" / "lib").glob("*.so"),
    ):
        assert file.stat().st_mode & 0o444 == 0o444
    again = installation._copy_package(installation._package(), tmp_path / "programs-1")
    assert again == copy


def test_only_folders_whose_data_is_gone_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "_OUTSIDE", tmp_path)
    kept, lost = tmp_path / "kept", tmp_path / "lost"
    kept.mkdir()
    for data in (kept, lost):
        installation.outside_folder(data).mkdir()
        (installation.outside_folder(data) / "owner").write_text(f"{data}\n")
    stranger = tmp_path / "localcloud-0000000000000000"
    stranger.mkdir()
    (stranger / "owner").write_text(f"{lost}\n")
    nameless = tmp_path / "localcloud-1111111111111111"
    nameless.mkdir()
    installation.remove_abandoned()
    assert installation.outside_folder(kept).exists()
    assert not installation.outside_folder(lost).exists()
    assert stranger.exists()
    assert nameless.exists()


def test_a_clusters_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    with pytest.raises(installation.InstallationError, match="belongs to somebody else"):
        installation._make_private(tmp_path / "link", None)


@pytest.mark.parametrize("character", ['"', "$", "`", ":"])
def test_what_a_shell_or_a_list_would_misread_is_placed_elsewhere(
    tmp_path: Path, character: str
) -> None:
    data = tmp_path / f"a{character}b"
    assert installation._choose_clusters(data, None) == installation.outside_folder(data)
    assert (
        installation._choose_clusters(tmp_path / "é 'a'", None) == tmp_path / "é 'a'" / "clusters"
    )
