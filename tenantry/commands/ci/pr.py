"""`tenantry ci pr`: the plan of a pull request, its comment and its remarks."""

import os
from pathlib import Path
from typing import Annotated

import typer

from tenantry.ci.files import COMMENT, FOLDER, PLAN, clear, write
from tenantry.commands.ci.options import Out, Registry
from tenantry.commands.options import AsJson
from tenantry.errors import TenantryError
from tenantry.presenting.plans import print_plan, progress
from tenantry.presenting.printing import one_line_errors
from tenantry.presenting.reviews import print_annotations


def pr(
    registry: Registry = Path("tenants.yaml"),
    *,
    out: Out = FOLDER,
    allow_destroy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="APP",
            help="An app that may leave or be replaced, beside another; may be given more than once.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Validate and plan; write the comment and the plan, and annotate the registry's lines. Changes nothing.

    tenantry ci pr

    comment.md and plan.json are written to the folder; no plan.json where the run would be refused.

    Exit code: 0 nothing to do, 2 changes pending, 1 not valid, refused or an error.

    JSON: {"exit_code", "folder", "annotations": [{"file", "line", "column", "title", "text", "level"}]}.
    """
    from tenantry.ci.reviewing import Reviewer
    from tenantry.ci.runner import summarize, taken_as_text
    from tenantry.planning.current import plan_current
    from tenantry.planning.keeping import write_plan
    from tenantry.registry import RegistryError, load

    clear(out, COMMENT, PLAN)
    reviewer = Reviewer(registry, os.environ)
    made = None
    try:
        load(registry)
        with progress("Planning") as said:
            made = plan_current(Path.cwd(), allow_destroy or (), progress=said)
        review = reviewer.of_plan(made)
    except RegistryError as error:
        review = reviewer.of_problems(error.problems)
    except TenantryError as error:
        review = reviewer.of_failure(str(error))
    with one_line_errors():
        write(out / COMMENT, review.comment)
        summarize(review.comment, os.environ)
        if made and not made.refusals:
            write_plan(made, out / PLAN)
    if made and not as_json:
        with taken_as_text(os.environ):
            print_plan(made)
    code = made.exit_code if made else 1
    print_annotations(review.annotations, as_json=as_json, exit_code=code, folder=str(out))
    raise typer.Exit(code)
