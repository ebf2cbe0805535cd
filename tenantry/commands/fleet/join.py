"""`tenantry fleet join`: put apps that have a stack of their own into a big one."""

from functools import partial
from typing import Annotated

import typer

from tenantry.commands.fleet.moving import carry_out, find_stack
from tenantry.commands.fleet.options import (
    AsDocument,
    DryRun,
    File,
    Moved,
    Tenants,
    Yes,
)
from tenantry.presenting.printing import one_line_errors


def join(
    *,
    target: Annotated[
        str,
        typer.Option("--into", metavar="STACK", help="The big stack. Default: the selected one."),
    ] = "",
    only: Moved = None,
    tenant: Tenants = None,
    registry: File = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsDocument = False,
) -> None:
    """Put the apps that have a stack of their own into a big one, by moving state.

    No cloud is asked, and nothing in one is changed.

    tenantry fleet join --into dev --dry-run

    Exit code: 0 moved, or nothing to move; 2 with --dry-run where something would be; 1 refused or an error.

    JSON: {"operation", "stack", "moves": [{"app", "source", "target", "resources", "standing"}], "stays", "notes",
    "backup", "done"}.
    """
    from tenantry.fleet import moves

    with one_line_errors():
        project, stack = find_stack(registry, target)
        planned = moves.plan_join(
            project, project.store, stack, only=set(only or ()), tenants=set(tenant or ())
        )
        act = partial(moves.join, project, project.store, planned)
        carry_out(planned, act, dry_run=dry_run, yes=yes, as_json=as_json)
