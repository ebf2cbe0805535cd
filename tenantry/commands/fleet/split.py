"""`tenantry fleet split`: give each app of a big stack a stack of its own."""

from typing import Annotated

import typer

from tenantry.commands.fleet.moving import move
from tenantry.commands.fleet.options import Moving
from tenantry.commands.options import takes


@takes(Moving)
def split(
    moving: Moving,
    *,
    source: Annotated[
        str,
        typer.Option("--from", metavar="STACK", help="The big stack. Default: the selected one."),
    ] = "",
) -> None:
    """Give each app of a big stack a stack of its own, by moving state.

    No cloud is asked, and nothing in one is changed.

    tenantry fleet split --from dev --dry-run

    Exit code: 0 moved, or nothing to move; 2 with --dry-run where something would be; 1 refused or an error.

    JSON: {"operation", "stack", "moves": [{"app", "source", "target", "resources", "standing"}], "stays", "notes",
    "backup", "done"}.
    """
    from tenantry.fleet import moves

    move(moving, source, moves.plan_split, moves.split)
