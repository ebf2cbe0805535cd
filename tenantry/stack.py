"""The outputs of the current stack, through the `pulumi` command."""

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
    command = ["pulumi", "stack", "output", "--json", "--non-interactive"]
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
        raise StackError(f"pulumi stack output: {said[-1].removeprefix('error: ')}")
    found: dict[str, Any] = json.loads(answer.stdout)
    return found
