"""Writes the files of a new repository, and none over another; and makes it one of git."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tenantry.repository.errors import RepositoryError
from tenantry.surroundings import without_foreign, without_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tenantry.repository.composing import File

_LISTED: Final = 10
_MESSAGE: Final = "Databases of our tenants, by Tenantry"


def check_room(folder: Path, files: Mapping[str, File]) -> None:
    """Refuse a folder that has files which the repository would need otherwise.

    :raises RepositoryError: with a line for each
    """
    if folder.exists() and not folder.is_dir():
        raise RepositoryError(f"{folder}: is no folder")
    found = [
        folder / name
        for name, file in files.items()
        if not file.kept and _differs(folder / name, file)
    ]
    if found:
        listed = "\n".join(
            f"{each}: is there already, and is never overwritten: take it away, or choose another folder"
            for each in found[:_LISTED]
        )
        raise RepositoryError(listed)


def write(folder: Path, files: Mapping[str, File]) -> tuple[list[str], list[str]]:
    """Write what is not there yet.

    Each file appears whole or not at all. A run that was cut off is gone on with by the same call.

    :return: the files that were written, and those that say something else and stay as they are
    :raises RepositoryError: as `check_room`, or a file cannot be written
    """
    check_room(folder, files)
    written, left = [], []
    for name, file in files.items():
        place = folder / name
        if place.exists():
            left += [name] if _differs(place, file) else []
            # Of a run that was killed.
            _part_of(place).unlink(missing_ok=True)
            continue
        try:
            _write_new(place, file)
        except OSError as error:
            raise RepositoryError(f"{place}: cannot be written: {error.strerror}") from None
        written.append(name)
    return written, left


def replace(folder: Path, files: Mapping[str, File], known: Mapping[str, bytes]) -> list[str]:
    """Write files in the place of others, each in one go.

    :param known: what may be replaced, by its path. What somebody changed by hand stays; what is not there is written
    :return: those that stay as they are
    :raises RepositoryError: a file cannot be written
    """
    left = []
    for name, file in files.items():
        place = folder / name
        if not _differs(place, file) and place.exists():
            continue
        if place.exists() and place.read_bytes() != known.get(name):
            left.append(name)
            continue
        try:
            _write_part(place, file).replace(place)
        except OSError as error:
            raise RepositoryError(f"{place}: cannot be written: {error.strerror}") from None
    return left


def commit(folder: Path, names: Sequence[str]) -> str:
    """Make the folder a repository of git with these files in its first commit. One that is in a repository stays.

    :return: what is left to do, in words; empty where nothing is
    """
    if shutil.which("git") is None:
        return "git is not here: make the folder a repository once it is"
    if _git(folder, "rev-parse", "--is-inside-work-tree").returncode == 0:
        return "" if _git(folder, "rev-parse", "HEAD").returncode == 0 else "commit what is new"
    made = _git(folder, "init", "--quiet", "--initial-branch=main")
    if made.returncode == 0:
        made = _git(folder, "add", "--", *names)
    if made.returncode == 0:
        made = _git(folder, "commit", "--quiet", "--message", _MESSAGE)
    return (
        ""
        if made.returncode == 0
        else "git has not committed: git commit does it, once git knows you"
    )


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 the arguments are ours
        ["git", *arguments],  # noqa: S607 the operator's own git
        cwd=folder,
        env=without_foreign(without_secrets(os.environ)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _differs(place: Path, file: File) -> bool:
    return place.exists() and (not place.is_file() or place.read_bytes() != file.content)


def _write_new(place: Path, file: File) -> None:
    part = _write_part(place, file)
    try:
        # A link is refused where somebody wrote the file meanwhile.
        with suppress(FileExistsError):
            place.hardlink_to(part)
    finally:
        part.unlink(missing_ok=True)


def _write_part(place: Path, file: File) -> Path:
    """Write a file whole under another name beside its place."""
    place.parent.mkdir(parents=True, exist_ok=True)
    part = _part_of(place)
    part.write_bytes(file.content)
    if file.executable:
        part.chmod(part.stat().st_mode | 0o111)
    return part


def _part_of(place: Path) -> Path:
    return place.with_name(f".{place.name}.part")
