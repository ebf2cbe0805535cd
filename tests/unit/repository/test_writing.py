import stat
import subprocess
from pathlib import Path

import pytest

from tenantry.repository.composing import File
from tenantry.repository.errors import RepositoryError
from tenantry.repository.writing import check_room, commit, write

FILES = {
    "tenants.yaml": File(b"version: 1\n"),
    "ci/script": File(b"#!/bin/sh\n", executable=True),
    ".gitignore": File(b".tenantry/\n", kept=True),
}


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def identity(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "ann")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "ann@acme.example")


def test_everything_is_written_once(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "platform"
    assert write(folder, FILES) == (list(FILES), [])
    assert (folder / "tenants.yaml").read_bytes() == b"version: 1\n"
    assert stat.S_IMODE((folder / "ci/script").stat().st_mode) & 0o100
    assert write(folder, FILES) == ([], [])
    # A run that was cut off is gone on with.
    (folder / "ci/script").unlink()
    assert write(folder, FILES) == (["ci/script"], [])
    assert sorted(each.name for each in folder.iterdir()) == [".gitignore", "ci", "tenants.yaml"]


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("mine\n")
    assert write(tmp_path, FILES) == (["tenants.yaml", "ci/script"], [".gitignore"])
    assert (tmp_path / ".gitignore").read_text() == "mine\n"
    (tmp_path / "tenants.yaml").write_text("mine\n")
    (tmp_path / "ci/script").unlink()
    for refused in (check_room, write):
        with pytest.raises(RepositoryError, match=r"tenants.yaml: is there already, and is never"):
            refused(tmp_path, FILES)
    assert not (tmp_path / "ci/script").exists()


def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "platform").touch()
    with pytest.raises(RepositoryError, match="is no folder"):
        write(tmp_path / "platform", FILES)


def test_the_folder_is_a_repository_with_one_commit(tmp_path: Path) -> None:
    folder = tmp_path / "platform"
    write(folder, FILES)
    assert commit(folder, list(FILES)) == ""
    assert git(folder, "status", "--porcelain") == ""
    assert git(folder, "rev-list", "--count", "HEAD") == "1"
    assert commit(folder, list(FILES)) == ""
    assert git(folder, "rev-list", "--count", "HEAD") == "1"


def test_a_repository_that_is_there_is_left_to_its_owner(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    folder = tmp_path / "platform"
    write(folder, FILES)
    assert commit(folder, list(FILES)) == "commit what is new"
    assert not (folder / ".git").exists()


def test_who_git_does_not_know_commits_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "")
    write(tmp_path, FILES)
    assert commit(tmp_path, list(FILES)).startswith("git has not committed")
    assert git(tmp_path, "diff", "--cached", "--name-only").splitlines() == sorted(FILES)
