"""The `pulumi` command: where it is, and what its own words come to."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tenantry.running.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping


def find_pulumi(environment: Mapping[str, str]) -> str:
    """Return the path of `pulumi`.

    :param environment: the variables of the run; its PATH is searched
    :raises EngineError: it is not there
    """
    command = shutil.which("pulumi", path=environment.get("PATH"))
    if command is None:
        raise EngineError("pulumi is not on PATH: make engine, then .venv/bin first on PATH")
    return command


def last_line(said: str, code: int) -> str:
    """Return the last line of what a command printed on standard error: there `pulumi` says what is wrong."""
    lines = [line for line in said.strip().splitlines() if line.strip()]
    return lines[-1].removeprefix("error: ") if lines else f"exit code {code}"


def reason_of(said: str) -> str:
    """Find in what `pulumi` printed what is wrong: `error: …` and what follows it."""
    lines = [line.rstrip() for line in said.splitlines() if line.strip()]
    for number, line in enumerate(lines):
        if line.startswith("error: "):
            return "\n".join([line.removeprefix("error: "), *lines[number + 1 :]])
    return "\n".join(lines[-3:]) or "the engine ended without a word"
