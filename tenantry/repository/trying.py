"""Another version of Tenantry in an environment for the length of a block, beside the one that runs."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tenantry.repository.errors import RepositoryError
from tenantry.surroundings import bare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tenantry.repository.pinning import Pin

_PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes")


@contextmanager
def environment_of(pin: Pin, say: Callable[[str], None]) -> Iterator[Path]:
    """Install a version with all that it needs, and give the folder of its commands, its engine among them.

    :param say: takes a line for each step
    :raises RepositoryError: it cannot be installed
    """
    with TemporaryDirectory(prefix="tenantry-") as scratch:
        folder = Path(scratch)
        if pin.wheel is not None:
            (folder / pin.path).parent.mkdir()
            copyfile(pin.wheel, folder / pin.path)
        (folder / "requirements.txt").write_text(pin.requirements(), "utf-8")
        commands = folder / ".venv" / "bin"
        say(f"install {pin.version} beside this version, with what it needs")
        _run([sys.executable, "-m", "venv", folder / ".venv"], folder)
        _run([commands / "python", *_PIP, "--requirement", "requirements.txt"], folder)
        _run([commands / "tenantry", "engine"], folder)
        yield commands


def _run(command: Sequence[str | Path], folder: Path) -> None:
    done = subprocess.run(  # noqa: S603 this Python, and what it installed
        command, cwd=folder, env=bare(os.environ), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        last = "\n".join(f"    {line}" for line in done.stderr.strip().splitlines()[-8:])
        called = " ".join(map(str, command[:4]))
        raise RepositoryError(f"{called}: exit code {done.returncode}\n{last}".rstrip())
