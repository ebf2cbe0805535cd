"""`tenantry fleet join`: put apps that have a stack of their own into a big one."""

from typing import Annotated

import typer

from tenantry.commands.fleet.moving import move
from tenantry.commands.fleet.options import Moving
from tenantry.commands.options import takes


@takes(Moving)
def join(
    moving: Moving,
    *,
    target: Annotated[
        str,
        typer.Option("--into", metavar="STACK", help="The big stack. Default: the selected one."),
    ] = "",
) -> None:
    """Put the apps that have a stack of their own into a big one, by moving state.

    No cloud is asked, and nothing in one is changed.

    tenantry fleet join --into dev --dry-run

    Exit code: 0 moved, or nothing to move; 2 with --dry-run where something would be; 1 refused or an error.

    JSON: {"operation", "stack", "moves": [{"app", "source", "target", "resources", "standing"}], "stays", "notes",
    "backup", "done"}.
    """
    from tenantry.fleet import moves

    move(moving, target, moves.plan_join, moves.join)
