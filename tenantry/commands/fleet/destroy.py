"""`tenantry fleet destroy`: take apps with their stacks out of the fleet."""

from __future__ import annotations

from typing import Annotated

import typer

from tenantry.commands.fleet.options import Parallel, Selecting, Yes, tell_end_of
from tenantry.commands.options import AsLines, takes
from tenantry.presenting.fleets import ask_to_begin, interruptible, teller
from tenantry.presenting.printing import fail, one_line_errors


@takes(Selecting)
def destroy(
    selecting: Selecting,
    *,
    confirm: Annotated[
        str,
        typer.Option("--confirm", metavar="NAMESPACE", help="Any number of apps may be destroyed."),
    ] = "",
    parallel: Parallel = None,
    yes: Yes = False,
    as_json: AsLines = False,
) -> None:
    """Destroy the stacks of the selected apps, or give their projects up.

    The deletion that was applied last says which of the two. A protected app is never among them.

    tenantry fleet destroy --only acme/web-dev --yes

    Exit code: 0; 1 where an app did not end well, or it is refused.

    JSON: as of tenantry fleet up.
    """
    if not (selecting.named() or confirm):
        fail(
            "which apps: --only, --tenant, --environment or --shard; all of them: --confirm NAMESPACE"
        )
    with one_line_errors():
        fleet = selecting.open()
        selection = selecting.of(fleet)
        if not yes:
            ask_to_begin(fleet.going(selection, confirmed=confirm))
        with interruptible(fleet), teller(as_json=as_json) as tell:
            summary = fleet.destroy(selection, confirmed=confirm, parallel=parallel, tell=tell)
        tell_end_of(fleet, summary)
    raise typer.Exit(1 if summary.failed else 0)
