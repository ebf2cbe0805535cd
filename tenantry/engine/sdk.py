"""The Python SDK of the Neon package: generated, committed, never edited by hand."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tenantry.engine.building import Builder, go_environment
from tenantry.engine.cache import cache_root, locked
from tenantry.engine.errors import EngineError
from tenantry.engine.pins import SCHEMAS
from tenantry.repository.shipped import SOURCE

FOLDER: Final = SOURCE / "sdks" / "neon"
"""Where the SDK is committed, in a source tree."""

_TIMEOUT: Final = 120.0


def generate(target: Path, *, report: Callable[[str], None] = print) -> None:
    """Write the SDK into a folder, in place of what is in it. The generator is built first where it is missing.

    :raises EngineError: the generator cannot be built, or fails
    """
    root = cache_root() / "engine"
    builder = Builder(root)
    with locked(root, report):
        builder.build([SCHEMAS], report)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".sdk-", dir=target.parent) as work:
        fresh = Path(work) / "sdk"
        done = subprocess.run(  # noqa: S603 (our own generator)
            [builder.folder / SCHEMAS, "sdk", fresh],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
            env=go_environment(),
        )
        if done.returncode != 0:
            raise EngineError(f"{SCHEMAS} sdk: {done.stderr.strip()}: mend toolchain/cmd/schemas")
        if target.exists():
            shutil.rmtree(target)
        fresh.rename(target)


def differences(left: Path, right: Path) -> list[str]:
    """Return the files that two SDK folders do not have in common, in content or at all, as sorted relative paths.

    What Python and installers leave beside the sources does not count.
    """
    files = _files(left) | _files(right)
    return sorted(
        name
        for name in files
        if not (left / name).is_file()
        or not (right / name).is_file()
        or (left / name).read_bytes() != (right / name).read_bytes()
    )


def _files(folder: Path) -> set[str]:
    return {
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.is_file()
        and not any(part == "__pycache__" or part.endswith(".egg-info") for part in file.parts)
    }
