"""`tenantry plan`: what a run would do."""

from pathlib import Path
from typing import Annotated

import typer

from tenantry.presenting.notes import note
from tenantry.presenting.plans import one_format, print_plan, progress
from tenantry.presenting.printing import one_line_errors


def plan(
    *,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep the plan, for tenantry up --plan FILE."),
    ] = None,
    allow_destroy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="APP",
            help="An app that may leave or be replaced, beside another; may be given more than once.",
        ),
    ] = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Look at the cloud first, and plan what drifted too.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object: plan.schema.json.")
    ] = False,
    as_markdown: Annotated[
        bool,
        typer.Option("--markdown", help="Print Markdown, at most as long as a comment on GitHub."),
    ] = False,
) -> None:
    """Show what tenantry up would do, in the registry's own words. Nothing is changed.

    tenantry plan --out plan.json

    Exit code: 0 nothing to do, 2 changes pending, 1 refused or an error.

    JSON: plan.schema.json, which tenantry schema plan prints.
    """
    one_format(as_json, as_markdown)
    with one_line_errors():
        from tenantry.applying.frozen import lines_on
        from tenantry.planning.current import plan_current
        from tenantry.running.local import current_environment

        with progress("Planning") as said:
            made = plan_current(Path.cwd(), allow_destroy or (), refresh=refresh, progress=said)
        if out is not None and made.refusals:
            note(f"{out}: not written")
        elif out is not None:
            from tenantry.planning.keeping import write_plan

            write_plan(made, out)
        for line in lines_on(Path.cwd(), current_environment(Path.cwd())):
            note(line)
    print_plan(made, as_json=as_json, as_markdown=as_markdown)
    raise typer.Exit(made.exit_code)
