"""The outputs and settings of the current stack, through the `pulumi` command."""

import json
import subprocess
from collections.abc import Mapping
from typing import Any


class StackError(Exception):
    """`pulumi` did not answer; the message is its own last line."""


def outputs(environment: Mapping[str, str], *, secrets: bool = False) -> dict[str, Any]:
    """Read the stack's outputs.

    :param environment: the variables to run `pulumi` with: backend, passphrase, stack
    :param secrets: decrypt; otherwise secrets read `[secret]`
    :raises StackError: there is no such stack, no passphrase, no `pulumi`
    """
    return _asked(["stack", "output"], environment, secrets=secrets)


def configuration(environment: Mapping[str, str]) -> dict[str, str]:
    """Read the stack's own settings, secrets in clear, by their full names (`tenantry:apps`).

    :param environment: the variables to run `pulumi` with
    :raises StackError: there is no such stack, no passphrase, no `pulumi`
    """
    found = _asked(["config"], environment, secrets=True)
    return {name: str(entry["value"]) for name, entry in found.items() if "value" in entry}


def _asked(words: list[str], environment: Mapping[str, str], *, secrets: bool) -> dict[str, Any]:
    command = ["pulumi", *words, "--json", "--non-interactive"]
    if secrets:
        command.append("--show-secrets")
    try:
        answer = subprocess.run(  # noqa: S603 the arguments are ours
            command, env=dict(environment), capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise StackError(
            "pulumi is not on PATH: make engine, then .venv/bin first on PATH"
        ) from None
    if answer.returncode != 0:
        said = answer.stderr.strip().splitlines() or [f"exit code {answer.returncode}"]
        raise StackError(f"pulumi {' '.join(words)}: {said[-1].removeprefix('error: ')}")
    found: dict[str, Any] = json.loads(answer.stdout)
    return found
