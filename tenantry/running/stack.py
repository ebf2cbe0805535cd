"""A stack's outputs, settings and state, through the `pulumi` command."""

import json
import subprocess
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tenantry.running.command import find_pulumi
from tenantry.running.errors import EngineError, StackError
from tenantry.running.words import last_line, refusal_of, without_login
from tenantry.surroundings import STATE, bare


def outputs(
    environment: Mapping[str, str], *, secrets: bool = False, folder: Path | None = None
) -> dict[str, Any]:
    """Read the stack's outputs.

    :param environment: the variables to run `pulumi` with: backend, passphrase, stack
    :param secrets: decrypt; otherwise secrets read `[secret]`
    :param folder: the folder of `Pulumi.yaml`; by default the current one
    :raises StackError: there is no such stack, no passphrase, no `pulumi`
    """
    answer = _pulumi(
        environment,
        *("stack output", "--json"),
        *(["--show-secrets"] if secrets else []),
        folder=folder,
    )
    found: dict[str, Any] = json.loads(answer)
    return found


def setting(environment: Mapping[str, str], key: str, *, folder: Path | None = None) -> str | None:
    """Read one setting of the stack, decrypted; None where it is not set.

    :param environment, folder: as for `outputs`
    :param key: with its namespace: `tenantry:catalogUrl`
    :raises StackError: there is no such stack, no passphrase, no `pulumi`
    """
    return configuration(environment, folder=folder).get(key, "").strip() or None


def configuration(environment: Mapping[str, str], *, folder: Path | None = None) -> dict[str, str]:
    """Read the stack's own settings, secrets in clear, by their full names (`tenantry:apps`).

    :param environment, folder: as for `outputs`
    :raises StackError: there is no such stack, no passphrase, no `pulumi`
    """
    answer = _pulumi(environment, "config", "--json", "--show-secrets", folder=folder)
    found = json.loads(answer)
    return {name: str(entry["value"]) for name, entry in found.items() if "value" in entry}


def selected(environment: Mapping[str, str]) -> str:
    """Return the name of the stack that commands are about.

    :param environment: as for `outputs`
    :raises StackError: none is selected, no `pulumi`
    """
    if environment.get("PULUMI_STACK"):
        return environment["PULUMI_STACK"].rsplit("/", 1)[-1]
    answer = _pulumi(environment, "stack", "--show-name")
    return answer.strip()


def backend_url(environment: Mapping[str, str]) -> str:
    """Return the URL of the backend that `pulumi` uses.

    :raises StackError: nobody is logged in to one, no `pulumi`
    """
    answer = _pulumi(environment, "whoami", "--json")
    return str(json.loads(answer)["url"])


_WIDE: Final = {"GOMAXPROCS": "32"}
"""`stack ls` over a backend in PostgreSQL looks at all stacks at once. It waits for ever where it has too few
connections, and it has two for each processor (`toolchain/internal/resident/engine.go`, widePools)."""


def list_stacks(
    environment: Mapping[str, str], folder: Path | None = None
) -> dict[str, datetime | None]:
    """List the project's stacks with the moment at which the state of each was written last.

    :param folder: as for `outputs`
    :raises StackError: the backend does not answer, no `pulumi`
    """
    answer = _pulumi({**environment, **_WIDE}, "stack ls", "--json", folder=folder)
    return {
        str(each["name"]): datetime.fromisoformat(each["lastUpdate"])
        if each.get("lastUpdate")
        else None
        for each in json.loads(answer)
    }


def updates(
    environment: Mapping[str, str], stack: str, count: int, folder: Path | None = None
) -> list[dict[str, Any]]:
    """Return a stack's updates, newest first, secrets encrypted: `kind`, `result`, `message`, `startTime`, `endTime`.

    :param folder: as for `outputs`
    :raises StackError: there is no such stack, no `pulumi`
    """
    answer = _pulumi(
        environment,
        *("stack history", "--json", "--page-size", str(count), "--stack", stack),
        stack=stack,
        folder=folder,
    )
    found: list[dict[str, Any]] = json.loads(answer)
    return found


def export_state(
    environment: Mapping[str, str],
    stack: str,
    folder: Path | None = None,
    *,
    secrets: bool = False,
) -> dict[str, Any]:
    """Export a stack's state: `version`, `deployment`.

    :param folder: as for `outputs`
    :param secrets: in clear; otherwise they are encrypted
    :raises StackError: there is no such stack, no `pulumi`, no passphrase where that is needed
    """
    answer = _pulumi(
        environment,
        *("stack export", "--stack", stack),
        *(["--show-secrets"] if secrets else []),
        stack=stack,
        folder=folder,
    )
    found: dict[str, Any] = json.loads(answer)
    return found


def import_state(
    environment: Mapping[str, str],
    stack: str,
    state: Mapping[str, Any],
    folder: Path | None = None,
) -> None:
    """Put a state in place of a stack's own, through a pipe. The engine drops pending operations of the new one.

    :param state: as `export_state` gives it
    :param folder: as for `outputs`
    :raises StackError: the stack is locked, the passphrase is wrong, no `pulumi`
    """
    _pulumi(
        environment,
        *("stack import", "--stack", stack),
        stack=stack,
        given=json.dumps(state),
        folder=folder,
    )


def init_stack(environment: Mapping[str, str], stack: str, folder: Path) -> None:
    """Make a stack without resources.

    :param folder: the folder of `Pulumi.yaml`, in which the stack's file is written
    :raises StackError: it is there already, no passphrase, no `pulumi`
    """
    _pulumi(environment, "stack init", stack, "--no-select", stack=stack, folder=folder)


def remove_stack(environment: Mapping[str, str], stack: str, folder: Path | None = None) -> None:
    """Remove a stack with its history, even if it holds resources. No cloud is touched, and the stack's file stays.

    :param folder: as for `outputs`
    :raises StackError: there is no such stack, no `pulumi`
    """
    _pulumi(
        environment,
        *("stack rm", stack, "--yes", "--force", "--preserve-config"),
        stack=stack,
        folder=folder,
    )


def _pulumi(
    environment: Mapping[str, str],
    words: str,
    *arguments: str,
    stack: str = "",
    given: str = "",
    folder: Path | None = None,
) -> str:
    """Have `pulumi` answer on standard output.

    :param words: the command
    :param stack: the stack that it is about, where that is not the selected one
    :param given: what it reads from standard input
    """
    try:
        command = find_pulumi(environment)
    except EngineError as error:
        raise StackError(str(error)) from None
    answer = subprocess.run(  # noqa: S603 the arguments are ours
        [command, *words.split(), *arguments, "--non-interactive"],
        env=bare(environment, keep=STATE),
        input=given,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        said = without_login(answer.stderr, environment)
        refusal = refusal_of(said, environment, stack=stack, folder=folder)
        raise refusal or StackError(f"pulumi {words}: {last_line(said, answer.returncode)}")
    return answer.stdout
