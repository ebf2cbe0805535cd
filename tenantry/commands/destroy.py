"""`tenantry destroy`: the second of two steps, for the apps that are named and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.commands.converging import deadline_of, patiently
from tenantry.commands.options import AsLines, Wait
from tenantry.presenting import asking
from tenantry.presenting.notes import note, note_as_json, say_what_is_there
from tenantry.presenting.plans import progress, show_before_run
from tenantry.presenting.printing import fail, one_line_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tenantry.planning.plan import Plan


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
    wait: Wait = None,
    as_json: AsLines = False,
) -> None:
    """Take apps out of the stack: destroyed, or given up, by the deletion that was applied last.

    tenantry destroy acme/web-dev --yes

    It is the second of two steps: an app must have been applied with 'deletion: delete' or 'retain' before. It
    shows what goes, and asks for its name. It refuses while anything else is to be applied.

    While another run holds the stack it says whose that is, and refuses, or waits for it.

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
        until = deadline_of(wait)
        say = note_as_json if as_json else note
        code = patiently(lambda: _run(named, say, until, yes=yes, as_json=as_json), until, say)
    raise typer.Exit(code)


def _run(
    named: Sequence[str], say: Callable[[str], None], until: float, *, yes: bool, as_json: bool
) -> int:
    from tenantry.applying.course import Course
    from tenantry.running.local import current_environment

    course = Course(Path.cwd(), current_environment(Path.cwd()), say, until=until)
    going = course.take_out(named)
    ids = [each.id for each in going]
    if not ids:
        note(f"{course.stack} holds no app: nothing to destroy")
        return 0
    with progress("Planning") as said:
        made = course.plan((), said)
    show_before_run(made, as_json=as_json)
    _check_others(made, ids)
    if not yes:
        asking.agree_by_name(ids if named else [course.stack])
    if not course.converge(as_objects=as_json):
        say_what_is_there(course.looker, course.before)
        return 1
    looker = course.looker
    for each in going:
        if each.id in {app.id for app in looker.registry.apps}:
            again = (
                "takes its project over" if each.deletion == "retain" else "makes it anew, empty"
            )
            note(
                f"{each.id} is still in {looker.registry_file.name}: take it out there, or the next tenantry up {again}"
            )
    return 0


def _check_others(made: Plan, ids: Sequence[str]) -> None:
    others = [row.name for row in made.rows if row.app not in ids]
    if others:
        fail(
            f"{', '.join(others)} would be changed too, since the registry says otherwise than what was applied: nothing was changed. "
            "tenantry up first, or put the change back"
        )
