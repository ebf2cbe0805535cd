"""`tenantry up`: what an earlier run left behind is settled, the plan is shown, and the engine applies it."""

from pathlib import Path
from typing import Annotated

import typer

from tenantry.commands.converging import converge, deadline_of, patiently
from tenantry.commands.options import AsLines, Wait
from tenantry.presenting import asking
from tenantry.presenting.notes import note, note_as_json
from tenantry.presenting.printing import fail, one_line_errors


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
    wait: Wait = None,
    create: Annotated[
        bool, typer.Option("--create", help="Make the stack where it is not there yet.")
    ] = False,
    run_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Note there which process applies, for tenantry ci release."
        ),
    ] = None,
    as_json: AsLines = False,
) -> None:
    """Converge: settle what a run that was cut off left behind, show the plan, ask, and apply it.

    tenantry up --yes

    Where runs are on the local cloud, the engine is put in place and the local cloud started, where they are not yet.

    Says what is being made, for how long, and about how long is left, and ends with the table of tenantry status.

    The first Ctrl-C lets what is in flight finish and says what is left; the second ends it at once.

    While another run holds the stack it says whose that is, and refuses, or waits for it. A plan is not hindered.

    Exit code: 0 applied, or nothing to do; 1 refused, failed or interrupted.

    JSON: {"event": "planned", "plan"}, {"event": "noted" or "said", "text"}, {"event": "step", "app", "operation",
    "kind", "name", "state", "seconds", "elapsed", "remaining"}, {"event": "ended", "succeeded", "interrupted",
    "seconds", "counts", "failed", "left"}.
    """
    from tenantry.applying.course import Course
    from tenantry.applying.options import check_options
    from tenantry.running.local import begin, is_local

    with one_line_errors():
        check_options(options or (), reviewed=plan is not None)
        until = deadline_of(wait)
        if plan is None and not yes and (as_json or not asking.somebody_is_there()):
            fail("nobody is there to be asked: tenantry up --yes begins without")
        say = note_as_json if as_json else note
        environment = begin(Path.cwd(), say)
        # Of a local run there is one stack, and nobody has to ask for it.
        create = create or is_local(Path.cwd())
        course = patiently(
            lambda: converge(
                lambda: Course(Path.cwd(), environment, say, create=create, until=until),
                options=options or (),
                allowed=allow_destroy or (),
                plan=plan,
                run_file=run_file,
                yes=yes,
                as_json=as_json,
            ),
            until,
            say,
        )
    if not as_json:
        from tenantry.presenting.status import print_after_run

        print_after_run(course.looker.store, course.stack, environment)
