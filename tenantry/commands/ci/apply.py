"""`tenantry ci apply`: converge, so that a run that is cut off can be released."""

import os
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from tenantry.ci.files import FOLDER, RUN, clear
from tenantry.commands.ci.options import Out
from tenantry.commands.converging import converge, deadline_of, patiently
from tenantry.commands.options import AsLines, Wait
from tenantry.presenting.notes import note, note_as_json
from tenantry.presenting.printing import one_line_errors


def apply(
    *,
    plan: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Apply this plan and nothing else, and refuse where something moved since. By default, whatever the registry says now.",
        ),
    ] = None,
    wait: Wait = None,
    out: Out = FOLDER,
    as_json: AsLines = False,
) -> None:
    """Converge, as tenantry up does, and note which process does it, so that its lock can be released if it is cut off.

    tenantry ci apply --plan .tenantry/ci/plan.json

    While another run holds the stack it says whose that is, and refuses, or waits for it.

    Exit code: 0 applied, or nothing to do; 1 refused, failed or interrupted.

    JSON: as that of tenantry up.
    """
    from tenantry.applying.course import Course
    from tenantry.ci.runner import on_github, taken_as_text
    from tenantry.running.local import current_environment

    clear(out, RUN)
    code = 0
    with nullcontext() if as_json else taken_as_text(os.environ):
        try:
            with one_line_errors():
                until = deadline_of(wait)
                environment = current_environment(Path.cwd())
                say = note_as_json if as_json else note
                patiently(
                    lambda: converge(
                        lambda: Course(Path.cwd(), environment, say, until=until),
                        plan=plan,
                        run_file=out / RUN,
                        yes=True,
                        as_json=as_json,
                    ),
                    until,
                    say,
                )
        except typer.Exit as ended:
            code = ended.exit_code
    if code and on_github(os.environ) and not as_json:
        print("::error title=tenantry up::The lines above say what is there and what goes on.")
    raise typer.Exit(code)
