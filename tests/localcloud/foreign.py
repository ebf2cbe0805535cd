"""Programs that others wrote, with pinned packages: made once for each change of their sources, kept in the cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tenantry.engine.cache import cache_root
from tenantry.surroundings import without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_MAKE_SECONDS = 300


def need(*commands: str) -> None:
    """Skip the test where a command is not installed."""
    missing = [name for name in commands if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed here: {', '.join(missing)}")


def made(sources: Path, make: Callable[[Path], None]) -> Path:
    """Return a folder with a copy of the sources and what ``make`` made there, now or in an earlier run."""
    digest = hashlib.sha256()
    for path in sorted(sources.iterdir()):
        digest.update(f"{path.name}\n".encode() + path.read_bytes())
    folder = cache_root() / "drivers" / f"{sources.name}-{digest.hexdigest()[:16]}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
            copy = type(folder)(draft) / "made"
            shutil.copytree(sources, copy)
            make(copy)
            # Another run may have been quicker.
            with suppress(OSError):
                copy.rename(folder)
    return folder


def run_step(
    folder: Path, *command: str | Path, environment: Mapping[str, str] | None = None
) -> None:
    """Run a step of the making."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment or without_secrets(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_MAKE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def install_node_packages(folder: Path) -> None:
    """Fetch the packages that the folder's lock file pins."""
    run_step(folder, "npm", "ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund")
