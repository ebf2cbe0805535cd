"""Runs the engine's preview, or its look at the cloud, over the current stack and reads what it says."""

from __future__ import annotations

import json
import subprocess
import tempfile
from typing import IO, TYPE_CHECKING, Any

from tenantry.planning.errors import PlanError
from tenantry.planning.events import read_events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tenantry.planning.events import Run


def preview(
    environment: Mapping[str, str],
    *,
    refresh: bool = False,
    options: Sequence[str] = (),
    progress: Callable[[int], None] = lambda _: None,
) -> Run:
    """Ask the engine what `pulumi up` would do. Nothing is changed and no lock is taken.

    :param environment: the variables to run `pulumi` with: backend, passphrase, stack
    :param refresh: look at the cloud first
    :param options: more for `pulumi preview`
    :param progress: takes the number of resources that were compared, each time that it grows
    :raises PlanError: the engine did not run to its end, or said nothing of what is wrong
    """
    looking = ["--refresh"] if refresh else []
    return _run(["preview", *looking, *options], environment, progress)


def look(
    environment: Mapping[str, str],
    *,
    options: Sequence[str] = (),
    progress: Callable[[int], None] = lambda _: None,
) -> Run:
    """Ask the engine how the clouds differ from the state. Nothing is changed and no lock is taken.

    The program does not run: what differs does not depend on an edit of the registry that is not applied yet, nor on whether that would
    be refused; and engine 3.259 fails in a refresh that runs the program as soon as something is gone that a component depends on
    ("cannot complete a resource whose registration isn't pending").

    :param options: more for `pulumi refresh`
    :raises PlanError: as for `preview`
    """
    stored = {**environment, "PULUMI_RUN_PROGRAM": "false"}
    return _run(["refresh", "--preview-only", *options], stored, progress)


def _run(
    command: Sequence[str],
    environment: Mapping[str, str],
    progress: Callable[[int], None],
) -> Run:
    # One event a line on standard output, as they happen, and no file that would have to be guarded.
    streaming = {**environment, "PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true"}
    with tempfile.TemporaryFile("w+") as said:
        try:
            process = subprocess.Popen(  # noqa: S603 the arguments are ours
                ["pulumi", *command, "--json", "--non-interactive"],  # noqa: S607 found on the environment's own PATH
                env=streaming,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )
        except FileNotFoundError:
            raise PlanError(
                "pulumi is not on PATH: make engine, then .venv/bin first on PATH"
            ) from None
        with process:
            assert process.stdout is not None  # noqa: S101 asked for above
            run = read_events(
                _events(process.stdout, progress), stack=environment.get("PULUMI_STACK", "")
            )
        if run.broken:
            raise PlanError(f"pulumi {command[0]}: {' '.join(run.errors[0].split())}")
        if process.returncode != 0 and not run.errors:
            raise PlanError(f"pulumi {command[0]}: {_last_line(said, process.returncode)}")
    return run


def _events(lines: IO[str], progress: Callable[[int], None]) -> Iterator[dict[str, Any]]:
    compared = 0
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue  # not an event: what the engine says before its first
        if "resourcePreEvent" in event:
            compared += 1
            progress(compared)
        yield event


def _last_line(said: IO[str], code: int) -> str:
    said.seek(0)
    lines = [line for line in said.read().strip().splitlines() if line.strip()]
    return lines[-1].removeprefix("error: ") if lines else f"exit code {code}"
