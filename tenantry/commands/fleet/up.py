"""`tenantry fleet up`: converge the apps whose inputs changed."""

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from tenantry.commands.fleet.options import Running, Yes, tell_end_of
from tenantry.commands.options import AsLines, takes
from tenantry.presenting.fleets import ask_to_begin, interruptible, teller
from tenantry.presenting.notes import note
from tenantry.presenting.printing import fail, one_line_errors


@takes(Running)
def up(
    running: Running,
    *,
    plan: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Apply what tenantry fleet plan --out kept, without asking, and refuse where something moved since.",
        ),
    ] = None,
    yes: Yes = False,
    as_json: AsLines = False,
) -> None:
    """Converge the apps whose inputs changed since their last success. With nothing changed no engine starts.

    tenantry fleet up --yes --tenant acme

    Exit code: 0; 1 where an app did not end well, or the run is refused.

    JSON: one object a line, whose "event" is begun, started, progress, noted, waiting, finished or summary.
    """
    from tenantry.running.local import begin

    with one_line_errors():
        begin(Path.cwd(), note)
    if plan is not None:
        if running.named():
            fail("--plan: the plan says which apps, and what may be destroyed")
        _up_reviewed(plan, running, as_json=as_json)
    with one_line_errors():
        fleet = running.open()
        selection = running.of(fleet)
        allowed = running.allow_destroy or ()
        outlook = fleet.look(selection, every=running.every, allowed=allowed)
        outlook.check()
        if outlook.tasks and not yes:
            ask_to_begin(outlook)
        with interruptible(fleet), teller(as_json=as_json) as tell:
            summary = fleet.up(
                selection,
                every=running.every,
                allowed=allowed,
                parallel=running.parallel,
                tell=tell,
                outlook=outlook,
            )
        tell_end_of(fleet, summary)
    raise typer.Exit(1 if summary.failed else 0)


def _up_reviewed(file: Path, running: Running, *, as_json: bool) -> NoReturn:
    from tenantry.errors import TenantryError
    from tenantry.fleet.planning import AGAIN
    from tenantry.planning.keeping import read_plan

    with one_line_errors():
        reviewed = read_plan(file, AGAIN)
    fleet = running.open()
    try:
        with interruptible(fleet), teller(as_json=as_json) as tell:
            summary = fleet.up_reviewed(reviewed, parallel=running.parallel, tell=tell)
    except TenantryError as error:
        for line in str(error).splitlines():
            note(f"{file}: {line}")
        fail(f"{file}: nothing was applied: {AGAIN} {file}, and have it reviewed")
    with one_line_errors():
        tell_end_of(fleet, summary)
    if not reviewed.stacks:
        note(f"{file}: nothing to do")
    raise typer.Exit(1 if summary.failed else 0)
