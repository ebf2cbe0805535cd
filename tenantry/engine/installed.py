"""Parts that are on PATH already."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from tenantry.engine.pins import CLI, NEON_IDENTITY, NEON_PLUGIN, PULUMI_MINIMUM, Part
from tenantry.surroundings import bare

_TIMEOUT: Final = 10.0


def on_path(part: Part, bin_dir: Path) -> dict[str, Path] | None:
    """Return where the executables of a part are on PATH, None where one is missing or not good enough.

    :param bin_dir: the folder that the engine is being put into, which does not count
    """
    own = bin_dir.resolve()
    folders = [
        folder
        for folder in os.environ.get("PATH", "").split(os.pathsep)
        if folder and Path(folder).resolve() != own
    ]
    search = os.pathsep.join(folders)
    found: dict[str, Path] = {}
    for name in part.executables:
        path = shutil.which(name, path=search)
        if path is None:
            return None
        found[name] = Path(path).absolute()
    if part is CLI and not _new_enough(found["pulumi"]):
        return None
    if part is NEON_PLUGIN and _output(found[part.executables[0]], "--tenantry") != NEON_IDENTITY:
        return None
    return found


def version_of(pulumi: Path) -> tuple[int, ...] | None:
    """Return the version of a Pulumi CLI; None where it tells none."""
    match = re.fullmatch(r"v?(\d+)\.(\d+)\.(\d+).*", _output(pulumi, "version"))
    return None if match is None else tuple(map(int, match.groups()))


def _new_enough(pulumi: Path) -> bool:
    version = version_of(pulumi)
    return version is not None and version >= PULUMI_MINIMUM


def _output(executable: Path, argument: str) -> str:
    """Return what an executable prints, nothing where it fails: another plugin may know no such argument."""
    try:
        done = subprocess.run(  # noqa: S603 (an executable of the operator's own PATH)
            [executable, argument],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**bare(os.environ), "PULUMI_SKIP_UPDATE_CHECK": "1"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
