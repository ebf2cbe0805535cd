"""Who is behind a run: the engine notes it with each update, and `tenantry show` and `fleet status` tell it."""

from __future__ import annotations

import getpass
import os
import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE: Final = "TENANTRY_ACTOR"
"""Says it from outside: the subject of a token, the name of a bot. No secret: it is kept in clear in the history."""
NOTED: Final = "exec.agent"
"""The key in the history's `environment`, where Pulumi notes who calls the engine for a run (`--exec-agent`)."""
_LONGEST: Final = 200
_COMMIT: Final = 12
"""Digits of a commit that are shown."""


def actor_of(environment: Mapping[str, str]) -> str:
    """Return who is behind a run, in one line of at most 200 characters.

    It is what `TENANTRY_ACTOR` says; in a workflow of GitHub the commit, and who set it off; else `user@host`.

    :param environment: the variables of the run
    """
    return _line(environment.get(VARIABLE, "")) or _line(_commit(environment)) or _user_at_host()


def _commit(environment: Mapping[str, str]) -> str:
    # docs.github.com, "Variables reference": both are set in every step.
    if environment.get("GITHUB_ACTIONS") != "true":
        return ""
    commit, who = environment.get("GITHUB_SHA", ""), environment.get("GITHUB_ACTOR", "")
    return f"commit {commit[:_COMMIT]} ({who})" if commit and who else ""


def _user_at_host() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # A container's user need not have a name.
        user = f"uid {os.getuid()}"
    return _line(f"{user}@{socket.gethostname()}")


def _line(text: str) -> str:
    # It comes to terminals and pages.
    printable = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(printable.split())[:_LONGEST]
