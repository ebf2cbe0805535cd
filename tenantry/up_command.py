"""`tenantry up`: `pulumi up`, with what an earlier run left behind settled first."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.printing import fail, one_line_errors

if TYPE_CHECKING:
    from collections.abc import Collection

    from tenantry.recovery.looking import Looker
    from tenantry.recovery.state import StackState


def up(
    options: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- OPTIONS]", help="Options for pulumi up.", show_default=False),
    ] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before it begins.")] = False,
    allow_destroy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="APP",
            help="An app that may leave or be replaced in this run, beside another; may be given more than once.",
        ),
    ] = None,
) -> None:
    """Converge: settle what a run that was cut off left behind, then pulumi up.

    tenantry up --yes -- --suppress-outputs

    Exit code: that of pulumi up; 1 where it did not begin.
    """
    from tenantry.local import current_environment  # noqa: PLC0415
    from tenantry.recovery.looking import Looker  # noqa: PLC0415
    from tenantry.recovery.preparing import prepare  # noqa: PLC0415
    from tenantry.recovery.running import run  # noqa: PLC0415
    from tenantry.registry.permission import VARIABLE  # noqa: PLC0415

    given = options or []
    if any(each in {"--stack", "-s"} or each.startswith("--stack=") for each in given):
        fail("--stack: choose the stack with PULUMI_STACK, or pulumi stack select")
    with one_line_errors():
        environment = current_environment(Path.cwd())
        looker = Looker(Path.cwd(), environment)
        before = prepare(looker, environment, _note)
        _check_names(allow_destroy or [], looker, before)
        # For this run only: what the shell has from an earlier one does not count.
        environment = {**environment, VARIABLE: ",".join(allow_destroy or [])}
        code = run(["pulumi", "up", *(["--yes"] if yes else []), *given], environment)
    if code:
        _say_what_is_there(looker, before)
    raise typer.Exit(code)


def _check_names(allowed: Collection[str], looker: Looker, state: StackState) -> None:
    if not allowed:
        return
    from tenantry.recovery.errors import RecoveryError  # noqa: PLC0415
    from tenantry.registry.problems import did_you_mean, shown  # noqa: PLC0415

    known = {*state.apps, *(app.id for app in looker.registry.apps)}
    unknown = [f"{shown(each)}{did_you_mean(each, known)}" for each in allowed if each not in known]
    if unknown:
        raise RecoveryError(
            f"--allow-destroy: neither the stack nor the registry has {', '.join(unknown)}"
        )


def _say_what_is_there(looker: Looker, before: StackState) -> None:
    from tenantry.errors import OneLineError  # noqa: PLC0415
    from tenantry.recovery.preparing import after_failure  # noqa: PLC0415
    from tenantry.registry import RegistryError  # noqa: PLC0415
    from tenantry.stack import StackError  # noqa: PLC0415

    try:
        for line in after_failure(looker, before):
            _note(line)
    except (OneLineError, RegistryError, StackError) as error:
        _note(f"what is there now could not be seen: {error}")
        _note("Next: tenantry doctor")


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
