"""Pins another version in a repository, with the files that come from a version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tenantry.repository.composing import SCRIPT, WORKFLOWS, pinned, service_files
from tenantry.repository.pinning import FOLDER, REQUIREMENTS, pinned_wheel, read_shipped
from tenantry.repository.writing import replace

if TYPE_CHECKING:
    from pathlib import Path

    from tenantry.repository.composing import File
    from tenantry.repository.pinning import Pin

_ON_GITHUB: Final = ".github/workflows/"


def pin(folder: Path, pin: Pin) -> list[str]:
    """Pin a version in place of the one that a repository pins.

    The steps of a CI service and its workflows are brought along where they are as the version before wrote them. A
    call that was cut off is gone on with by the same call.

    :return: the files that were changed by hand and stay as they are
    :raises RepositoryError: the repository pins no version; a file cannot be written
    """
    before = pinned_wheel(folder)
    files = {name: file for name, file in _service_files(pin).items() if (folder / name).exists()}
    known = {name: read_shipped(before, _shipped(name)) for name in files} if before else {}
    left = replace(folder, files, known)
    fresh = pinned(pin)
    # The wheel is there before anything names it.
    for name in sorted(fresh, key=lambda each: each == REQUIREMENTS):
        place = folder / name
        replace(folder, {name: fresh[name]}, {name: place.read_bytes()} if place.exists() else {})
    for other in (folder / FOLDER).glob("tenantry-*-py3-none-any.whl"):
        if other != folder / pin.path:
            other.unlink()
    return left


def _service_files(pin: Pin) -> dict[str, File]:
    from tenantry.repository.composing import File

    files = service_files(github=True)
    if pin.wheel is None:
        return files
    return {
        name: File(read_shipped(pin.wheel, _shipped(name)), file.executable)
        for name, file in files.items()
    }


def _shipped(name: str) -> str:
    """Return where a version has a file of a repository, by its path in the source tree."""
    return name if name == SCRIPT else f"{WORKFLOWS}/{name.removeprefix(_ON_GITHUB)}"
