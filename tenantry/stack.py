"""The outputs and settings of the current stack, through the `pulumi` command."""

import json
import subprocess
from collections.abc import Mapping
from typing import Any

from tenantry.secret_variables import STATE, without_secrets


class StackError(Exception):
    """`pulumi` did not answer; the message is its own last line."""


def outputs(environment: Mapping[str, str], *, secrets: bool = False) -> dict[str, Any]:
    """Read the stack's outputs.

    :param environment: the variables to run `pulumi` with: backend, passphrase, stack
    :param secrets: decrypt; otherwise secrets read `[secret]`
    :raises StackError: there is no such stack, no passphrase, no `pulumi`
    """
    answer = _pulumi(
        environment, "stack", "output", "--json", *(["--show-secrets"] if secrets else [])
    )
    if answer.returncode != 0:
        raise StackError(f"pulumi stack output: {_said(answer)}")
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def setting(environment: Mapping[str, str], key: str) -> str | None:
    """Read one setting of the stack, decrypted; None where it is not set.

    :param environment: as for `outputs`
    :param key: with its namespace: `tenantry:catalogUrl`
    :raises StackError: there is no such stack, no passphrase, no `pulumi`
    """
    answer = _pulumi(environment, "config", "get", key)
    if answer.returncode == 0:
        return answer.stdout.strip() or None
    said = _said(answer)
    # In Pulumi 3: configuration key 'catalogUrl' not found for stack 'dev'
    if said.startswith("configuration key ") and " not found " in said:
        return None
    raise StackError(f"pulumi config get {key}: {said}")


def configuration(environment: Mapping[str, str]) -> dict[str, str]:
    """Read the stack's own settings, secrets in clear, by their full names (`tenantry:apps`).

    :param environment: as for `outputs`
    :raises StackError: there is no such stack, no passphrase, no `pulumi`
    """
    answer = _pulumi(environment, "config", "--json", "--show-secrets")
    if answer.returncode != 0:
        raise StackError(f"pulumi config: {_said(answer)}")
    found = json.loads(answer.stdout)
    return {name: str(entry["value"]) for name, entry in found.items() if "value" in entry}


def _pulumi(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 the arguments are ours
            ["pulumi", *arguments, "--non-interactive"],  # noqa: S607 found on the environment's own PATH
            env=without_secrets(environment, keep=STATE),
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise StackError(
            "pulumi is not on PATH: make engine, then .venv/bin first on PATH"
        ) from None


def _said(answer: subprocess.CompletedProcess[str]) -> str:
    lines = answer.stderr.strip().splitlines() or [f"exit code {answer.returncode}"]
    return lines[-1].removeprefix("error: ")
