"""`tenantry destroy`: the second of two steps, for the apps that are named and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.presenting import asking
from tenantry.presenting.notes import note, note_as_json, say_what_is_there
from tenantry.presenting.plans import progress, show_before_run
from tenantry.presenting.printing import fail, one_line_errors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tenantry.planning.events import Run
    from tenantry.planning.plan import Plan
    from tenantry.recovery.looking import Looker
    from tenantry.registry.applied import AppliedApp


def destroy(
    apps: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[APP…]", help="The apps: tenant/app. Without one, all that the stack holds."
        ),
    ] = None,
    *,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask. The apps must be named.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a line, as it happens.")
    ] = False,
) -> None:
    """Take apps out of the stack: destroyed, or given up, by the deletion that was applied last.

    tenantry destroy acme/web-dev --yes

    It is the second of two steps: an app must have been applied with 'deletion: delete' or 'retain' before. Shows what goes, and asks for its name. Refuses while anything else is to be applied.

    Exit code: 0; 1 refused, failed or interrupted.

    JSON: as of tenantry up.
    """
    named = list(dict.fromkeys(apps or ()))
    if not named and (yes or as_json or not asking.somebody_is_there()):
        fail("which apps: name each, as in tenantry destroy acme/web-dev --yes")
    if not yes and (as_json or not asking.somebody_is_there()):
        fail(
            f"nobody is there to be asked: tenantry destroy {' '.join(named)} --yes begins without"
        )
    with one_line_errors():
        code = _run(named, yes=yes, as_json=as_json)
    raise typer.Exit(code)


def _run(named: Sequence[str], *, yes: bool, as_json: bool) -> int:
    from tenantry.applying.converging import converge
    from tenantry.recovery.looking import Looker
    from tenantry.recovery.preparing import prepare
    from tenantry.registry.permission import LEAVING, VARIABLE
    from tenantry.running.local import current_environment
    from tenantry.running.serving import served

    environment = current_environment(Path.cwd())
    looker = Looker(Path.cwd(), environment)
    before = prepare(looker, environment, note_as_json if as_json else note)
    going = _going(looker, named)
    ids = [each.id for each in going]
    if not ids:
        note(f"{looker.stack} holds no app: nothing to destroy")
        return 0
    names = ",".join(ids)
    environment = {**environment, VARIABLE: names, LEAVING: names}
    with served(environment) as (environment, client):
        made, run = _planned(environment, ids, client, as_json=as_json)
        _check_others(made, ids)
        if not yes:
            asking.agree_by_name(ids if named else [looker.stack])
        done = converge(Path.cwd(), environment, client, planned=run, as_objects=as_json)
    if not done:
        say_what_is_there(looker, before)
        return 1
    for each in going:
        if each.id in {app.id for app in looker.registry.apps}:
            again = (
                "takes its project over" if each.deletion == "retain" else "makes it anew, empty"
            )
            note(
                f"{each.id} is still in {looker.registry_file.name}: take it out there, or the next tenantry up {again}"
            )
    return 0


def _going(looker: Looker, named: Sequence[str]) -> list[AppliedApp]:
    """Return the apps that are to go, as they were applied last.

    :raises RecoveryError: the stack does not hold one, or holds it protected
    """
    from tenantry.fleet.outlook import applied_in
    from tenantry.recovery.errors import RecoveryError
    from tenantry.registry.problems import did_you_mean, shown

    held = {each.id: each for each in applied_in(looker.store.state(looker.stack))}
    unknown = [f"{shown(each)}{did_you_mean(each, held)}" for each in named if each not in held]
    if unknown:
        raise RecoveryError(f"{looker.stack} holds no app {', '.join(unknown)}")
    going = [held[each] for each in named] or list(held.values())
    refused = [
        f"{each.id} was applied last with 'deletion: protect': nothing was changed. Set 'deletion: delete' (or retain), apply, then "
        f"tenantry destroy {each.id}"
        for each in going
        if each.deletion == "protect"
    ]
    if refused:
        raise RecoveryError("\n".join(refused))
    return going


def _planned(
    environment: Mapping[str, str], ids: Sequence[str], options: Sequence[str], *, as_json: bool
) -> tuple[Plan, Run]:
    from tenantry.planning.current import previewed

    with progress("Planning") as said:
        made, run = previewed(Path.cwd(), environment, allowed=ids, options=options, progress=said)
    show_before_run(made, as_json=as_json)
    return made, run


def _check_others(made: Plan, ids: Sequence[str]) -> None:
    others = [row.name for row in made.rows if row.app not in ids]
    if others:
        fail(
            f"{', '.join(others)} would be changed too, since the registry says otherwise than what was applied: nothing was changed. "
            "tenantry up first, or put the change back"
        )
