"""`tenantry fleet plan`: what `tenantry fleet up` would do."""

from pathlib import Path
from typing import Annotated

import typer

from tenantry.commands.fleet.options import AsMarkdown, Running
from tenantry.commands.options import AsJson, takes
from tenantry.presenting.fleets import interruptible, teller
from tenantry.presenting.notes import note
from tenantry.presenting.plans import one_format, print_plan
from tenantry.presenting.printing import one_line_errors


@takes(Running)
def plan(
    running: Running,
    *,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep the plan, for tenantry fleet up --plan FILE."),
    ] = None,
    as_json: AsJson = False,
    as_markdown: AsMarkdown = False,
) -> None:
    """Show what `fleet up` would do with the same options, in the registry's own words. Takes no lock.

    tenantry fleet plan --changed-since main

    Exit code: 0 where there is nothing to do; 2 where there is; 1 where something is refused, or an app cannot be
    planned.

    JSON: plan.schema.json, which tenantry schema plan prints.
    """
    from tenantry.planning.keeping import write_plan

    one_format(as_json, as_markdown)
    with one_line_errors():
        fleet = running.open()
        selection = running.of(fleet)
        with interruptible(fleet), teller(beside=True) as tell:
            made, summary = fleet.plan(
                selection,
                every=running.every,
                allowed=running.allow_destroy or (),
                parallel=running.parallel,
                tell=tell,
            )
        if out is not None and (made.refusals or summary.failed):
            note(f"{out}: not written")
        elif out is not None:
            write_plan(made, out)
    print_plan(made, as_json=as_json, as_markdown=as_markdown)
    raise typer.Exit(1 if summary.failed else made.exit_code)
