"""Runs Tenantry's own commands for the page, each in a process of its own.

What they compute takes seconds of a core and hundreds of megabytes in a large fleet. A process beside the service keeps
no request waiting, and gives all of it back when it ends.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tenantry.errors import TenantryError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

AT_ONCE: Final = 2
_SAID: Final = 3
"""Lines of what a command said before it failed that are passed on."""

_NOTES: Final = 20
"""Lines that are kept of what a command says beside its answer."""


class Answer(NamedTuple):
    """What a command answered."""

    found: Any
    """The document."""
    notes: tuple[str, ...]
    """What it said on standard error."""


class OwnCommandError(TenantryError):
    """A command did not answer. It says what the command said."""


class OwnCommands:
    """Commands of one project's folder, two at a time at most."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        """Run nothing yet.

        :param folder: the folder of `Pulumi.yaml`
        :param environment: the variables that runs have
        """
        self._folder = folder
        self._environment = environment
        self._free = asyncio.Semaphore(AT_ONCE)

    async def answer(self, *arguments: str, seconds: float, fine: Collection[int] = (0,)) -> Any:  # noqa: ANN401  # any JSON value
        """Return what a command prints as JSON.

        :param seconds: after so long it is ended
        :param fine: exit codes after which its answer counts
        :raises OwnCommandError: it failed, or took too long
        """
        async with self._free:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tenantry", *arguments, "--json"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=self._folder,
                env={**self._environment},
            )
            try:
                async with asyncio.timeout(seconds):
                    out, err = await process.communicate()
            except TimeoutError:
                raise self._failed(arguments, f"it took longer than {seconds:.0f} s") from None
            finally:
                if process.returncode is None:
                    process.terminate()
                    await process.wait()
        said = [line for line in err.decode("utf-8", "replace").splitlines() if line.strip()]
        if process.returncode not in fine:
            raise self._failed(arguments, "; ".join(said[-_SAID:]) or "it said nothing")
        try:
            return Answer(json.loads(out), tuple(said[:_NOTES]))
        except ValueError:
            raise self._failed(arguments, "its answer is no JSON") from None

    def _failed(self, arguments: tuple[str, ...], reason: str) -> OwnCommandError:
        return OwnCommandError(reason, place=f"tenantry {' '.join(arguments[:2])}")
