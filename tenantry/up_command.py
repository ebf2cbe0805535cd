"""`tenantry up`: `pulumi up`, with what an earlier run left behind settled first."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.printing import fail, one_line_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from tenantry.planning.plan import Plan
    from tenantry.recovery.looking import Looker
    from tenantry.recovery.state import StackState

_HARMLESS = {
    "--color",
    "--diff",
    "--parallel",
    "--show-full-output",
    "--suppress-outputs",
    "--suppress-progress",
}
"""Options of pulumi up that change what is shown, or how fast, and never what is done."""


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
    plan: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Apply what tenantry plan --out kept, without asking, and refuse where something moved since.",
        ),
    ] = None,
    run_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Note there which process applies, for tenantry ci release."
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
        reviewed = _reviewed(plan, given, allow_destroy)
        if reviewed:
            allow_destroy = list(reviewed.allowed)
        environment = current_environment(Path.cwd())
        looker = Looker(Path.cwd(), environment)
        before = prepare(looker, environment, _note)
        _check_names(allow_destroy or [], looker, before)
        # For this run only: what the shell has from an earlier one does not count.
        environment = {**environment, VARIABLE: ",".join(allow_destroy or [])}
        if plan and reviewed:
            _check_plan(plan, reviewed, environment)
            given = ["--skip-preview", *given]
        code = run(
            ["pulumi", "up", *(["--yes"] if yes or plan else []), *given],
            environment,
            started=_noted(run_file, looker.stack),
        )
        if run_file and not code:
            from tenantry.recovery.own_run import note_success  # noqa: PLC0415

            note_success(run_file)
    if code:
        _say_what_is_there(looker, before)
    raise typer.Exit(code)


def _noted(file: Path | None, stack: str) -> Callable[[int], None]:
    if file is None:
        return lambda _: None
    from tenantry.recovery.own_run import note  # noqa: PLC0415

    return lambda pid: note(file, pid, stack)


def _reviewed(file: Path | None, options: list[str], allowed: list[str] | None) -> Plan | None:
    if file is None:
        return None
    from tenantry.planning.keeping import read_plan  # noqa: PLC0415

    if allowed:
        fail("--allow-destroy: the plan says what may be destroyed: give it to tenantry plan")
    for each in options:
        if each.partition("=")[0] not in _HARMLESS:
            fail(f"{each}: not with --plan, which applies what was reviewed and nothing else")
    return read_plan(file)


def _check_plan(file: Path, reviewed: Plan, environment: Mapping[str, str]) -> None:
    """End with exit code 1 where something moved since the plan was made, with 0 where there is nothing to do."""
    from tenantry.plan_command import progress  # noqa: PLC0415
    from tenantry.planning.current import current_plan  # noqa: PLC0415
    from tenantry.planning.keeping import AGAIN, moved  # noqa: PLC0415

    with progress("Comparing with the plan") as said:
        now = current_plan(Path.cwd(), environment, allowed=reviewed.allowed, progress=said)
    if lines := [each.text for each in now.refusals] or moved(reviewed, now):
        for line in lines:
            _note(f"{file}: {line}")
        fail(f"{file}: nothing was applied: {AGAIN} {file}, and have it reviewed")
    if not now.rows:
        _note(f"{file}: nothing to do")
        raise typer.Exit(0)


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
