"""`tenantry ci drift`: what drifted, as the text of an issue."""

import os
from contextlib import nullcontext
from pathlib import Path

import typer

from tenantry.ci.files import FOLDER, ISSUE, clear, write
from tenantry.commands.ci.options import Out
from tenantry.commands.options import AsJson
from tenantry.presenting.plans import print_drift, progress
from tenantry.presenting.printing import one_line_errors


def drift(*, out: Out = FOLDER, as_json: AsJson = False) -> None:
    """Look for drift and write the issue's text. Changes nothing.

    tenantry ci drift

    issue.md is written to the folder, also where nothing differs: tenantry ci github issue then closes the issue.

    Exit code: 0 nothing differs, 3 something does, 1 an error.

    JSON: drift.schema.json, which tenantry schema drift prints.
    """
    from tenantry.ci import texts
    from tenantry.ci.runner import summarize, taken_as_text
    from tenantry.planning.current import look_at_current

    clear(out, ISSUE)
    with nullcontext() if as_json else taken_as_text(os.environ), one_line_errors():
        with progress("Looking") as said:
            found = look_at_current(Path.cwd(), progress=said)
        text = texts.of_drift(found, os.environ.get("PULUMI_STACK", ""))
        write(out / ISSUE, text)
        summarize(text, os.environ)
        print_drift(found, as_json=as_json)
    raise typer.Exit(found.exit_code)
