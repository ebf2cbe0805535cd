"""Which code decides what is made of a registry, and a digest of it, by which a changed program is noticed."""

from __future__ import annotations

import hashlib
import importlib.util
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM: Final = (
    "components",
    "providers",
    "pulumi_neon",
    "tenantry.aura",
    "tenantry.catalog",
    "tenantry.clouds",
    "tenantry.engine.pins",
    "tenantry.neon",
    "tenantry.provisioning",
    "tenantry.registry",
    "tenantry.schemas",
    "tenantry.errors",
    "tenantry.hiding",
    "tenantry.provisioning.pauses",
    "tenantry.provisioning.sharing",
    "tenantry.surroundings",
    "tenantry.retries",
    "tenantry.urls",
)
"""The packages and modules that decide what is made of a registry, with the plugins' versions and without commands."""
_DISTRIBUTIONS: Final = ("pulumi", "pulumi_postgresql", "pulumi_random")
"""What they are built on, by version."""
_REVISIONS: Final = "/versions/"


@cache
def program_digest(*, revisions: bool = False) -> str:
    """Return a digest of the program: the content of our packages, and the versions of the SDKs and plugins.

    :param revisions: of the schema templates' revisions as well, where nothing else tells which apps have them
    """
    digest = hashlib.sha256()
    for name in _DISTRIBUTIONS:
        digest.update(f"\0{name} {metadata.version(name)}\0".encode())
    for package in PROGRAM:
        for name, file in _sources(package):
            if revisions or not (package == "tenantry.schemas" and _REVISIONS in name):
                digest.update(f"\0{package}\0{name}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()


def _sources(package: str) -> Iterator[tuple[str, Path]]:
    top, *below = package.split(".")
    # Only the top package's spec is asked for: to find a submodule's, Python imports its parents.
    spec = importlib.util.find_spec(top)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{top} is not installed")
    folder = Path(spec.origin).parent.joinpath(*below)
    if not folder.is_dir():
        yield "", folder.with_suffix(".py")
        return
    for file in sorted(folder.rglob("*.py")):
        yield file.relative_to(folder).as_posix(), file
