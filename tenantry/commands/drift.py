"""`tenantry drift`: what was changed behind the stack's back."""

from pathlib import Path
from typing import Annotated

import typer

from tenantry.commands.options import AsJson
from tenantry.presenting.plans import one_format, print_drift, progress
from tenantry.presenting.printing import one_line_errors


def drift(
    *,
    as_json: AsJson = False,
    as_markdown: Annotated[
        bool,
        typer.Option("--markdown", help="Print Markdown, at most as long as a comment on GitHub."),
    ] = False,
) -> None:
    """Show what in the clouds is not as the stack's state has it. Nothing is changed.

    tenantry drift

    Exit code: 0 nothing differs, 3 something does, 1 an error.

    JSON: drift.schema.json, which tenantry schema drift prints.
    """
    one_format(as_json, as_markdown)
    with one_line_errors():
        from tenantry.planning.current import look_at_current

        with progress("Looking") as said:
            found = look_at_current(Path.cwd(), progress=said)
    print_drift(found, as_json=as_json, as_markdown=as_markdown)
    raise typer.Exit(found.exit_code)
